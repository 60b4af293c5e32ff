package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// adminCmd changes the directory of a running server: over the socket in its data folder, or over --nats.url.
type adminCmd struct {
	Tenant  adminTenantCmd  `cmd:"" help:"Tenants."`
	Cluster adminClusterCmd `cmd:"" help:"Clusters of a tenant."`
	Token   adminTokenCmd   `cmd:"" help:"Tokens of a tenant."`
	User    adminUserCmd    `cmd:"" help:"People."`
	Dead    adminDeadCmd    `cmd:"" help:"Messages that the store refuses, set aside."`
	Changes adminChangesCmd `cmd:"" help:"The log of who changed what."`

	DataDir       string `name:"data-dir" default:"${data_dir}" help:"Data folder of the server on this machine."`
	NATSURL       string `name:"nats.url" help:"NATS servers of a cluster, instead of the data folder."`
	NATSCredsFile string `name:"nats.creds-file" help:"NATS credentials file." type:"path"`
	NATSReplicas  int    `name:"nats.replicas" default:"1" help:"Replicas of buckets, as the server has them."`
	JSON          bool   `name:"json" help:"Print JSON."`
}

// connect opens a connection to the server's NATS. The caller closes it.
func (c *adminCmd) connect() (*nats.Conn, jetstream.JetStream, error) {
	var nc *nats.Conn
	var err error
	if c.NATSURL != "" {
		var options []nats.Option
		if c.NATSCredsFile != "" {
			options = append(options, nats.UserCredentials(c.NATSCredsFile))
		}
		nc, err = nats.Connect(c.NATSURL, options...)
	} else {
		nc, err = engine.DialSocket(app.SocketPath(c.DataDir), nats.MaxReconnects(0), nats.RetryOnFailedConnect(false))
	}
	switch {
	case err != nil && c.NATSURL != "":
		return nil, nil, fmt.Errorf("NATS does not answer at --nats.url: %w", err)
	case err != nil:
		return nil, nil, fmt.Errorf("no server answers in %s (is it running, and is --data-dir its folder?): %w", c.DataDir, err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, js, nil
}

// open connects to the server's directory. The caller calls the function it returns.
func (c *adminCmd) open(ctx context.Context) (*tenant.Directory, func(), error) {
	nc, js, err := c.connect()
	if err != nil {
		return nil, nil, err
	}
	d, err := tenant.Open(ctx, tenant.Options{JS: js, Replicas: c.NATSReplicas})
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return d, func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = d.Close(closing)
		nc.Close()
	}, nil
}

// with runs fn on the directory.
func (c *adminCmd) with(ctx context.Context, fn func(d *tenant.Directory) error) error {
	d, done, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer done()
	return fn(d)
}

// withTenant runs fn on the tenant with the given slug.
func (c *adminCmd) withTenant(ctx context.Context, slug string, fn func(d *tenant.Directory, t tenant.Tenant) error) error {
	return c.with(ctx, func(d *tenant.Directory) error {
		t, err := d.FindTenantBySlug(ctx, slug)
		if err != nil {
			return err
		}
		return fn(d, t)
	})
}

// print writes rows as a table, or v as JSON.
func (c *adminCmd) print(v any, header string, rows []string) error {
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, header)
	for _, r := range rows {
		_, _ = fmt.Fprintln(w, r)
	}
	return w.Flush()
}

type adminTenantCmd struct {
	Create  tenantCreateCmd  `cmd:"" help:"Create a tenant."`
	List    tenantListCmd    `cmd:"" help:"List tenants."`
	Suspend tenantSuspendCmd `cmd:"" help:"Refuse all of a tenant's credentials; its data stays."`
	Resume  tenantResumeCmd  `cmd:"" help:"End a suspension."`

	Delete      tenantDeleteCmd      `cmd:"" help:"Refuse all of a tenant's credentials and, after a time of grace, purge everything of it."`
	Restore     tenantRestoreCmd     `cmd:"" help:"Undo a deletion within its grace."`
	Certificate tenantCertificateCmd `cmd:"" help:"Print the certificate of a purged tenant, or check the one in a file."`
}

type tenantCreateCmd struct {
	Slug  string `arg:"" help:"Short name: lower-case letters, digits and dashes."`
	Name  string `help:"Name that people see; the slug when not set."`
	Shard *int   `help:"ClickHouse shard that the tenant's data will be on, from 1; the one with the fewest tenants when not set."`
}

// Run creates a tenant.
func (c *tenantCreateCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.with(ctx, func(d *tenant.Directory) error {
		if c.Name == "" {
			c.Name = c.Slug
		}
		t, err := d.CreateTenant(ctx, tenant.TenantSpec{Slug: c.Slug, Name: c.Name, Shard: c.Shard})
		if err != nil {
			return err
		}
		return admin.print(t, "SLUG\tID\tNUMBER\tSHARD", []string{fmt.Sprintf("%s\t%s\t%d\t%d", t.Slug, t.ID, t.Number, t.Shard)})
	})
}

type tenantListCmd struct{}

// Run lists tenants.
func (tenantListCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.with(ctx, func(d *tenant.Directory) error {
		list := d.ListTenants(ctx)
		rows := make([]string, len(list))
		for i, t := range list {
			rows[i] = fmt.Sprintf("%s\t%s\t%s\t%d\t%d\t%s", t.Slug, t.Name, t.State, t.Number, t.Shard, t.ID)
		}
		return admin.print(list, "SLUG\tNAME\tSTATE\tNUMBER\tSHARD\tID", rows)
	})
}

type tenantSuspendCmd struct {
	Slug string `arg:"" help:"Tenant."`
}

// Run suspends a tenant.
func (c *tenantSuspendCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Slug, func(d *tenant.Directory, t tenant.Tenant) error {
		_, err := d.SuspendTenant(ctx, t.ID)
		return err
	})
}

type tenantResumeCmd struct {
	Slug string `arg:"" help:"Tenant."`
}

// Run ends a suspension.
func (c *tenantResumeCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Slug, func(d *tenant.Directory, t tenant.Tenant) error {
		_, err := d.ResumeTenant(ctx, t.ID)
		return err
	})
}

type adminClusterCmd struct {
	Create clusterCreateCmd `cmd:"" help:"Add a cluster to a tenant."`
	List   clusterListCmd   `cmd:"" help:"List a tenant's clusters."`
}

type clusterCreateCmd struct {
	Tenant string `arg:"" help:"Tenant's slug."`
	Name   string `arg:"" help:"Cluster's name; it becomes the label cluster."`
}

// Run adds a cluster.
func (c *clusterCreateCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Tenant, func(d *tenant.Directory, t tenant.Tenant) error {
		cl, err := d.CreateCluster(ctx, t.ID, tenant.ClusterSpec{Name: c.Name})
		if err != nil {
			return err
		}
		return admin.print(cl, "NAME\tID", []string{cl.Name + "\t" + string(cl.ID)})
	})
}

type clusterListCmd struct {
	Tenant string `arg:"" help:"Tenant's slug."`
}

// Run lists clusters with when each signal last arrived.
func (c *clusterListCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Tenant, func(d *tenant.Directory, t tenant.Tenant) error {
		list, arrivals := d.ListClusters(ctx, t.ID), d.ListArrivals(ctx, t.ID)
		head := "NAME\tID"
		for _, signal := range seamark.Signals() {
			head += "\t" + strings.ToUpper(signal.String())
		}
		rows := make([]string, len(list))
		for i, cl := range list {
			rows[i] = cl.Name + "\t" + string(cl.ID)
			for _, signal := range seamark.Signals() {
				last := "never"
				if at, ok := arrivals[cl.ID][signal]; ok {
					last = at.UTC().Format(time.RFC3339)
				}
				rows[i] += "\t" + last
			}
		}
		return admin.print(list, head, rows)
	})
}

type adminTokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Create a token; its secret is shown once."`
	List   tokenListCmd   `cmd:"" help:"List a tenant's tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token at once."`
}

type tokenCreateCmd struct {
	Tenant  string        `arg:"" help:"Tenant's slug."`
	Kind    string        `enum:"ingest,query,admin" default:"ingest" help:"What the token is for: ingest, query or admin."`
	Cluster string        `help:"Cluster's name, for ingest tokens."`
	Signals []string      `help:"Signals an ingest token may push; all when not set."`
	Name    string        `help:"What the token is for, in words."`
	TTL     time.Duration `help:"Life of the token; for ever when not set."`
}

// Run creates a token.
func (c *tokenCreateCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Tenant, func(d *tenant.Directory, t tenant.Tenant) error {
		spec, err := c.spec(ctx, d, t)
		if err != nil {
			return err
		}
		tok, secret, err := d.CreateToken(ctx, t.ID, spec)
		if err != nil {
			return err
		}
		return admin.print(map[string]any{"key_id": tok.KeyID, "kind": tok.Kind.String(), "token": secret},
			"KEY ID\tKIND\tTOKEN (shown once)", []string{fmt.Sprintf("%s\t%s\t%s", tok.KeyID, tok.Kind, secret)})
	})
}

func (c *tokenCreateCmd) spec(ctx context.Context, d *tenant.Directory, t tenant.Tenant) (tenant.TokenSpec, error) {
	kind, err := seamark.ParseTokenKind(c.Kind)
	if err := errors.Join(err, c.check(kind)); err != nil {
		return tenant.TokenSpec{}, err
	}
	spec := tenant.TokenSpec{Kind: kind, Name: c.Name}
	for _, name := range c.Signals {
		signal, err := seamark.ParseSignal(name)
		if err != nil {
			return spec, err
		}
		spec.Signals |= seamark.NewSignalSet(signal)
	}
	if c.TTL > 0 {
		spec.Expires = time.Now().Add(c.TTL)
	}
	if kind != seamark.IngestToken {
		return spec, nil
	}
	for _, cl := range d.ListClusters(ctx, t.ID) {
		if cl.Name == c.Cluster {
			spec.Cluster = cl.ID
			return spec, nil
		}
	}
	return spec, fmt.Errorf("the tenant has no cluster %q; `seamark admin cluster list %s` tells which there are", c.Cluster, c.Tenant)
}

// check refuses what would make another token than the one that was asked for.
func (c *tokenCreateCmd) check(kind seamark.CredentialKind) error {
	switch {
	case c.TTL < 0:
		return fmt.Errorf("--ttl is %s; a token's life is longer than zero", c.TTL)
	case kind == seamark.IngestToken && c.Cluster == "":
		return errors.New("an ingest token needs --cluster, one of the tenant's clusters")
	case kind != seamark.IngestToken && c.Cluster != "":
		return fmt.Errorf("--cluster is for ingest tokens; a token of kind %s is for the whole tenant. An API key can be restricted to clusters: `seamark ctl key create`", kind)
	}
	return nil
}

type tokenListCmd struct {
	Tenant string `arg:"" help:"Tenant's slug."`
}

// Run lists tokens.
func (c *tokenListCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Tenant, func(d *tenant.Directory, t tenant.Tenant) error {
		list := d.ListTokens(ctx, t.ID)
		rows, clusters := make([]string, len(list)), map[seamark.ClusterID]string{}
		for _, cl := range d.ListClusters(ctx, t.ID) {
			clusters[cl.ID] = cl.Name
		}
		for i, tok := range list {
			state := "live"
			switch {
			case !tok.Revoked.IsZero():
				state = "revoked"
			case !tok.Expires.IsZero() && time.Now().After(tok.Expires):
				state = "expired"
			}
			expires := "never"
			if !tok.Expires.IsZero() {
				expires = tok.Expires.UTC().Format(time.RFC3339)
			}
			rows[i] = fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", tok.KeyID, tok.Kind, clusters[tok.Cluster], state, tok.Name, tok.Created.UTC().Format(time.RFC3339), expires)
		}
		return admin.print(list, "KEY ID\tKIND\tCLUSTER\tSTATE\tNAME\tCREATED\tEXPIRES", rows)
	})
}

type tokenRevokeCmd struct {
	Tenant string `arg:"" help:"Tenant's slug."`
	KeyID  string `arg:"" help:"Key id of the token, the third part of its text."`
}

// Run revokes a token.
func (c *tokenRevokeCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withTenant(ctx, c.Tenant, func(d *tenant.Directory, t tenant.Tenant) error {
		return d.RevokeToken(ctx, t.ID, c.KeyID)
	})
}
