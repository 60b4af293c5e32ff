package main

import (
	"cmp"
	"context"
	"os"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/seamark"
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
		return err
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
	d := doctor.Options{
		Settings: o.Validate(), DataDir: o.DataDir, Socket: app.SocketPath(o.DataDir), Admin: o.Admin.Listen,
		Addresses: addresses(&o), RootKey: rootKey(&o), Certificates: certificates(&o),
		NATS: doctor.NATSOptions{
			URL: o.NATS.URL, CredsFile: o.NATS.CredsFile, MonitorURLs: c.NATSMonitorURLs, Replicas: o.NATS.Replicas,
			Streams: o.Bus.Shards * len(seamark.Signals()), MaxStreamBytes: o.Bus.MaxStreamBytes, DuplicateWindow: o.Bus.DuplicateWindow,
		},
		ClickHouse: doctor.ClickHouseOptions{
			DSN: o.ClickHouse.DSN, HTTPAddrs: o.ClickHouse.HTTPAddrs, CreateUsers: o.ClickHouse.TenantUsers == "sql", Workloads: o.ClickHouse.Workloads, Library: o.ClickHouse.Library,
		},
		Disk: doctor.DiskOptions{
			Dirs: []string{o.DataDir}, MinFreePercent: o.Disk.MinFreePercent, MaxReserveBytes: o.Disk.MaxReserveBytes, MinFreeInodesPercent: c.MinFreeInodesPercent,
		},
		MemoryBytes: memory(&o), Files: uint64(o.HTTP.MaxConns) + engineFiles,
		MaxClockDifference: c.MaxClockDifference, CertificateLife: c.MinCertificateLife, Timeout: c.Timeout, Now: time.Now,
	}
	if dir := o.Tenants.TransferDir; dir != "" {
		d.Disk.Dirs = append(d.Disk.Dirs, dir)
	}
	return d, nil
}

// engineFiles is what streams, tables and connections between processes take beside the connections of the front.
const engineFiles = 4096

func addresses(o *app.Options) []doctor.Address {
	list := []doctor.Address{{Flag: "http.listen", Addr: o.HTTP.Listen}, {Flag: "admin.listen", Addr: o.Admin.Listen}}
	for _, a := range []doctor.Address{
		{Flag: "otlp.grpc-listen", Addr: o.OTLP.GRPCListen}, {Flag: "otlp.http-listen", Addr: o.OTLP.HTTPListen},
		{Flag: "syslog.listen", Addr: o.Syslog.Listen}, {Flag: "syslog.tls-listen", Addr: o.Syslog.TLSListen},
		{Flag: "forward.listen", Addr: o.Forward.Listen}, {Flag: "forward.tls-listen", Addr: o.Forward.TLSListen},
	} {
		if a.Addr != "" {
			list = append(list, a)
		}
	}
	return list
}

func certificates(o *app.Options) (list []doctor.Certificate) {
	if o.HTTP.TLSCertFile != "" {
		list = append(list, doctor.Certificate{Flag: "http.tls-cert-file", File: o.HTTP.TLSCertFile, Key: cmp.Or(o.HTTP.TLSKeyFile, o.HTTP.TLSCertFile)})
	}
	if o.HTTP.TLSClientCAFile != "" {
		list = append(list, doctor.Certificate{Flag: "http.tls-client-ca-file", File: o.HTTP.TLSClientCAFile})
	}
	return list
}

// rootKey is where the process would look for the root key, if its roles use one.
func rootKey(o *app.Options) doctor.RootKey {
	source := o.Keys.Source(o.DataDir, o.NATS.URL)
	for _, role := range o.Roles {
		if role == app.RoleAPI || role == app.RoleAlerting || role == app.RoleForwarder {
			return doctor.RootKey{Needed: true, Given: source.Text != "", File: source.File, Made: source.Create}
		}
	}
	return doctor.RootKey{}
}

// memory adds up what the settings bound. What they do not is about as much as the room for garbage.
func memory(o *app.Options) int64 {
	sum := int64(app.Headroom)
	for _, role := range o.Roles {
		switch role {
		case app.RoleIngest:
			sum += o.Ingest.MaxInflightBytes + int64(o.Patterns.MaxBytes)
		case app.RoleQuerier:
			sum += o.Query.SeriesIndexBytes + o.Query.LogFilterBytes + o.Query.SampleCacheBytes
		}
	}
	if o.ClickHouse.DSN == "" {
		sum += o.ClickHouse.MaxMemoryBytes
	}
	return sum
}
