package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// adminChangesCmd reads the log of changes.
type adminChangesCmd struct {
	List   changesListCmd   `cmd:"" help:"List changes, newest first."`
	Verify changesVerifyCmd `cmd:"" help:"Check that no record was changed, dropped or put between; exit 1 when one was."`
}

type changesListCmd struct {
	Tenant string `help:"Tenant's slug; the installation's own changes when not set."`
	Actor  string `help:"Only of this credential or login."`
	Action string `help:"Only this action, or this noun: token.create, token."`
	Object string `help:"Only this object, or this noun."`
	Limit  int    `default:"50" help:"Records that are listed."`
}

// withChanges runs fn on the change log and the tenant that a slug names; "" is the installation.
func (c *adminCmd) withChanges(ctx context.Context, slug string, fn func(l *tenant.ChangeLog, id seamark.TenantID) error) error {
	nc, js, err := c.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	l, err := tenant.OpenChangeLog(ctx, tenant.ChangeLogOptions{JS: js, Replicas: c.NATSReplicas})
	if err != nil {
		return err
	}
	if slug == "" {
		return fn(l, "")
	}
	return c.withTenant(ctx, slug, func(_ *tenant.Directory, t tenant.Tenant) error { return fn(l, t.ID) })
}

// Run lists changes.
func (c *changesListCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withChanges(ctx, c.Tenant, func(l *tenant.ChangeLog, id seamark.TenantID) error {
		page, err := l.List(ctx, tenant.ChangeQuery{Tenant: id, Actor: c.Actor, Action: c.Action, Object: c.Object, Limit: c.Limit})
		if err != nil {
			return err
		}
		rows := make([]string, len(page.Records))
		for i := range page.Records {
			r := &page.Records[i]
			who := r.Actor.Kind
			if name := r.Actor.Login + r.Actor.ID; name != "" {
				who += " " + name
			}
			rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", r.Time.Format(time.RFC3339), who, r.Action, r.Object, r.Result, r.ClientIP)
		}
		return admin.print(page.Records, "TIME\tWHO\tACTION\tOBJECT\tRESULT\tFROM", rows)
	})
}

type changesVerifyCmd struct {
	Tenant string `help:"Tenant's slug; all chains when not set."`
}

// Run checks chains. The printed heads, noted where whoever runs the store cannot reach, show later that nothing was cut off.
func (c *changesVerifyCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withChanges(ctx, c.Tenant, func(l *tenant.ChangeLog, id seamark.TenantID) error {
		chains := []seamark.TenantID{id}
		if c.Tenant == "" {
			var err error
			if chains, err = l.Chains(ctx); err != nil {
				return err
			}
			slices.Sort(chains)
		}
		proofs, rows, broken := make([]tenant.ChangeProof, 0, len(chains)), make([]string, 0, len(chains)), 0
		for _, chain := range chains {
			p, err := l.Verify(ctx, chain)
			if err != nil {
				return err
			}
			name, state := string(chain), "whole"
			if chain == "" {
				name = "(installation)"
			}
			if p.Fault != "" {
				state = p.Fault
				broken++
			}
			proofs = append(proofs, p)
			rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%s\t%s", name, p.Records, p.First, p.Last, state, p.Head))
		}
		if err := admin.print(proofs, "CHAIN\tRECORDS\tFIRST\tLAST\tSTATE\tHEAD", rows); err != nil {
			return err
		}
		if broken > 0 {
			return fmt.Errorf("%d of %d chains of the log of changes are not whole", broken, len(chains))
		}
		return nil
	})
}

// commandChange is what the change log keeps of a command.
type commandChange struct{ action, object, slug string }

// readVerbs are the admin commands that change nothing. Every other one is on record.
func readVerbs() []string { return []string{"list", "show", "verify", "certificate"} }

// changeOf tells what a parsed command changes; false when it changes nothing in the control plane.
func changeOf(parsed *kong.Context) (commandChange, bool) {
	var words []string
	c := commandChange{}
	for _, p := range parsed.Path {
		switch {
		case p.Command != nil:
			words = append(words, p.Command.Name)
		case p.Positional != nil:
			value := fmt.Sprint(p.Positional.Target)
			if p.Positional.Name == "tenant" || p.Positional.Name == "slug" {
				c.slug = value
			} else if c.object == "" {
				c.object = value
			}
		case p.Flag != nil && p.Flag.Name == "tenant":
			c.slug = fmt.Sprint(p.Flag.Target)
		}
	}
	if len(words) < 3 || words[0] != "admin" || slices.Contains(readVerbs(), words[len(words)-1]) {
		return c, false
	}
	c.action = words[1] + "." + strings.Join(words[2:], "-")
	if c.object == "" {
		c.object = c.slug
	}
	c.object = words[1] + "/" + c.object
	return c, true
}

// remember puts a finished command on record.
func (c *adminCmd) remember(ctx context.Context, parsed *kong.Context, failed error) error {
	what, changes := changeOf(parsed)
	if !changes {
		return failed
	}
	change := tenant.Change{Actor: tenant.Actor{Kind: tenant.ActorCLI}, Action: what.action, Object: what.object, Result: tenant.ChangeDone}
	if failed != nil {
		change.Result = "seamark-command-failed"
		if e, ok := errors.AsType[*seamark.Error](failed); ok {
			change.Result = e.ID
		}
	}
	change.Actor.ID, _ = os.Hostname()
	if u, err := user.Current(); err == nil {
		change.Actor.Login = u.Username
	}
	err := c.record(context.WithoutCancel(ctx), change, what.slug)
	if err != nil && failed == nil {
		return fmt.Errorf("the change was made, and is not in the log of changes: %w", err)
	}
	return failed
}

func (c *adminCmd) record(ctx context.Context, change tenant.Change, slug string) error {
	nc, js, err := c.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	l, err := tenant.OpenChangeLog(ctx, tenant.ChangeLogOptions{JS: js, Replicas: c.NATSReplicas})
	if err != nil {
		return err
	}
	if slug != "" {
		// A tenant that was just deleted has no chain; the record is the installation's then.
		_ = c.withTenant(ctx, slug, func(_ *tenant.Directory, t tenant.Tenant) error {
			change.Tenant = t.ID
			return nil
		})
	}
	return l.Record(ctx, change)
}
