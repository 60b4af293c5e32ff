package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/doctor"
)

// doctorCmd looks at an installation with the settings that its server gets.
type doctorCmd struct {
	serverFlags
	Role string `default:"serve" enum:"serve,ingest,writer,querier,alerting,forwarder,api" help:"Subcommand that runs with these settings."`
	JSON bool   `name:"json" help:"Print JSON."`

	MaxClockDifference   time.Duration `name:"doctor.max-clock-difference" default:"1s" help:"How far the engines' clocks may be from this machine's; ten times that is a failure."`
	MinCertificateLife   time.Duration `name:"doctor.min-certificate-life" default:"336h" help:"How long certificates have to be good for."`
	MinFreeInodesPercent int           `name:"doctor.min-free-inodes-percent" default:"5" help:"Inodes that have to be free; less is a failure, less than twice that a warning."`
	NATSMonitorURLs      []string      `name:"doctor.nats-monitor-urls" help:"Monitoring addresses of the servers of --nats.url, such as http://nats-1:8222. Nothing else tells whether they sync."`
	Timeout              time.Duration `name:"doctor.timeout" default:"10s" help:"Longest wait for each answer."`
}

// Run prints a line per check. The exit code is 0 where all is well, 1 with warnings and 2 with failures.
func (c *doctorCmd) Run(ctx context.Context) error {
	o, err := c.examination()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "seamark:", err)
		return exitCode(usageCode) // 1 would say that there are warnings and no more
	}
	report := doctor.Examine(ctx, o)
	write := report.WriteText
	if c.JSON {
		write = report.WriteJSON
	}
	if err := write(os.Stdout); err != nil {
		return err
	}
	if code := report.Code(); code != 0 {
		return exitCode(code)
	}
	return nil
}

// examination turns the server's settings into what is looked at.
func (c *doctorCmd) examination() (doctor.Options, error) {
	roles := app.AllRoles()
	if c.Role != "serve" {
		roles = []app.Role{app.Role(c.Role)}
	}
	o, err := c.options(roles)
	if err != nil {
		return doctor.Options{}, err
	}
	d := o.Examination()
	d.NATS.MonitorURLs, d.Disk.MinFreeInodesPercent = c.NATSMonitorURLs, c.MinFreeInodesPercent
	d.MaxClockDifference, d.CertificateLife, d.Timeout = c.MaxClockDifference, c.MinCertificateLife, c.Timeout
	return d, nil
}
