package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/child"
	"github.com/seamarkhq/seamark/internal/demo"
)

// serveCmd runs every role.
type serveCmd struct {
	serverFlags
	QueryProcess bool          `name:"query.process" default:"true" negatable:"" help:"Answer queries and evaluate rules in a process of their own beside ingest, which then keeps its memory and comes first on the processors."`
	RealTime     float64       `name:"ingest.real-time" default:"0.25" help:"Part of the processors up to which the process that takes what agents send runs before all others, with --query.process: its threads are real-time ones (SCHED_RR) where the system allows that, which takes CAP_SYS_NICE or RLIMIT_RTPRIO. While it takes more it runs like others. 0 is never."`
	AsReader     bool          `name:"as-reader" hidden:"" help:"Be that process."`
	Demo         bool          `help:"Make a demo tenant, feed it from a demo cluster, and write demo.env in the data folder."`
	DemoIncident time.Duration `name:"demo.incident-every" default:"10m" help:"How often the demo cluster has an incident."`
}

// Run serves until a signal, then drains.
func (c *serveCmd) Run(ctx context.Context) error {
	if c.Demo && len(c.AlertingAllowedReceivers) == 0 {
		// A webhook of a demo is on the same machine. Elsewhere such addresses stay closed unless the operator opens them.
		c.AlertingAllowedReceivers = []string{"127.0.0.0/8", "::1/128"}
	}
	o, err := c.options(app.AllRoles())
	if err != nil {
		return err
	}
	if c.AsReader {
		return serveReader(ctx, o)
	}
	if c.QueryProcess {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this executable: %w", err)
		}
		o.Reader = &app.ReaderOptions{Command: slices.Concat([]string{self}, os.Args[1:], []string{"--as-reader"}), Stderr: os.Stderr, RealTime: c.RealTime}
	}
	return serve(ctx, o, func(ctx context.Context, a *app.App) error {
		if !c.Demo {
			return nil
		}
		return demo.Start(ctx, demo.Options{
			Directory: a.Directory(), URL: a.URL(), DataDir: c.DataDir, IncidentEvery: c.DemoIncident, Out: os.Stdout, Logger: c.logger(),
		})
	})
}

// roleCmd runs one role, the one its subcommand is named after.
type roleCmd struct{ serverFlags }

// Run serves until a signal, then drains.
func (c *roleCmd) Run(ctx context.Context, parsed *kong.Context) error {
	role := app.Role(strings.Fields(parsed.Command())[0])
	o, err := c.options([]app.Role{role})
	if err != nil {
		return err
	}
	return serve(ctx, o, func(context.Context, *app.App) error { return nil })
}

// serveReader serves what the process that has started this one passes on.
func serveReader(ctx context.Context, o app.Options) error {
	link := &app.Link{}
	parent, err := child.Listen(os.Stdin, os.Stdout, link)
	if err != nil {
		return err
	}
	link.Apply(&o)
	o.Headroom = headroom(app.ReaderHeadroom)
	o.GiveWay()
	// The parent alone says when: a signal to all processes of the server must not end this one before its requests are answered.
	return runApp(parent.Wanted(context.WithoutCancel(ctx)), o, func(_ context.Context, a *app.App) error { return parent.Ready(a.Hello()) })
}

// headroom returns what is allocated between two collections of garbage, which GOGC overrules.
func headroom(bytes int64) int64 {
	if os.Getenv("GOGC") != "" {
		return 0
	}
	return bytes
}

func serve(ctx context.Context, o app.Options, started func(context.Context, *app.App) error) error {
	o.Headroom = headroom(app.Headroom)
	return runApp(ctx, o, func(ctx context.Context, a *app.App) error {
		if err := announceOperator(ctx, a); err != nil {
			return err
		}
		return started(ctx, a)
	})
}

// runApp runs an app until ctx ends or a part of it fails, then drains.
func runApp(ctx context.Context, o app.Options, started func(context.Context, *app.App) error) error {
	a, err := app.New(o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	o.SpareProcessors()
	a.ComeFirst()
	if err := started(ctx, a); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		o.Logger.Info("stopping")
	case err = <-a.Failed():
		o.Logger.Error("a part failed; stopping", "err", err)
	}
	stop, cancel := context.WithTimeout(context.Background(), o.DrainTimeout)
	defer cancel()
	if stopErr := a.Stop(stop); err == nil {
		err = stopErr
	}
	return err
}

// announceOperator prints the operator's login the first time; the password is shown once and kept nowhere.
func announceOperator(ctx context.Context, a *app.App) error {
	login, password, created, err := a.Directory().Bootstrap(ctx)
	if err != nil {
		return fmt.Errorf("make the operator: %w", err)
	}
	if created {
		fmt.Printf("First start. Operator login: %s  password: %s  (shown once; change it with `seamark admin user password`)\n", login, password)
	}
	return nil
}
