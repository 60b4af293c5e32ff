package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/demo"
)

// serveCmd runs every role.
type serveCmd struct {
	serverFlags
	Demo         bool          `help:"Make a demo tenant, feed it from a demo cluster, and write demo.env in the data folder."`
	DemoIncident time.Duration `name:"demo.incident-every" default:"10m" help:"How often the demo cluster has an incident."`
}

// Run serves until a signal, then drains.
func (c *serveCmd) Run(ctx context.Context) error {
	if c.Demo && len(c.AlertingAllowedReceivers) == 0 {
		// A webhook of a demo is on the same machine. Elsewhere such addresses stay closed unless the operator opens them.
		c.AlertingAllowedReceivers = []string{"127.0.0.0/8", "::1/128"}
	}
	return serve(ctx, &c.serverFlags, app.AllRoles(), func(ctx context.Context, a *app.App) error {
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
	return serve(ctx, &c.serverFlags, []app.Role{role}, func(context.Context, *app.App) error { return nil })
}

func serve(ctx context.Context, f *serverFlags, roles []app.Role, started func(context.Context, *app.App) error) error {
	o, err := f.options(roles)
	if err != nil {
		return err
	}
	a, err := app.New(o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	o.SpareProcessors()
	if err := announceOperator(ctx, a); err != nil {
		return err
	}
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
