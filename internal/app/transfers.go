package app

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/transfer"
	"github.com/seamarkhq/seamark/tenant"
)

// openTransfers makes what exports whole tenants.
func (a *App) openTransfers(ctx context.Context) error {
	books, err := bus.OpenDocs[transfer.Book](ctx, a.js, "seamark_transfers", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	o := a.opts.Tenants
	if o.TransferDir == "" {
		o.TransferDir = filepath.Join(a.opts.DataDir, "exports")
	}
	keeper, err := transfer.New(transfer.Options{
		Dir: o.TransferDir, Node: a.node, Keep: o.TransferKeep, MaxBytes: o.TransferMaxBytes, Books: books, Source: transferSource{a},
		Tenants: func() []seamark.TenantID {
			if !a.directory.Synced() {
				return nil
			}
			var list []seamark.TenantID
			for id, state := range a.directory.States() {
				if state != tenant.Deleted {
					list = append(list, id)
				}
			}
			return list
		},
		Logger: a.log, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.transfers = keeper
	a.background("exports of tenants", keeper.Run)
	a.forgetDeleted(keeper.Forget)
	return nil
}

// transferSource reads what an export takes along. It implements transfer.Source.
type transferSource struct{ app *App }

// Parts implements transfer.Source.
func (s transferSource) Parts(ctx context.Context, id seamark.TenantID) ([]string, error) {
	parts, err := s.app.store.DumpParts(ctx, id)
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.String()
	}
	return names, err
}

// WritePart implements transfer.Source.
func (s transferSource) WritePart(ctx context.Context, id seamark.TenantID, part string, w io.Writer) (uint64, error) {
	p, err := store.ParseDumpPart(part)
	if err != nil {
		return 0, err
	}
	return s.app.store.Dump(ctx, id, p, w)
}

// transferConfig is a tenant's configuration as an export holds it. There is no secret in it: tokens are named, receivers
// have theirs masked, and people's passwords are none of the tenant's.
type transferConfig struct {
	Tenant       transferTenant    `json:"tenant"`
	Clusters     []transferCluster `json:"clusters"`
	Tokens       []transferToken   `json:"tokens"`
	Members      []transferMember  `json:"members"`
	Quota        tenant.Quota      `json:"quota"`
	Retention    tenant.Retention  `json:"retention"`
	Pipelines    any               `json:"pipelines,omitempty"`
	SavedQueries []api.SavedQuery  `json:"saved_queries,omitempty"` // those of the whole tenant
	Dashboards   []api.Dashboard   `json:"dashboards,omitempty"`
	Rules        any               `json:"rules,omitempty"`
	LogRules     any               `json:"log_rules,omitempty"`
	Alertmanager string            `json:"alertmanager_config,omitempty"` // secrets are masked
	Templates    map[string]string `json:"template_files,omitempty"`
	Missing      []string          `json:"missing,omitempty"` // what this process could not read
}

type transferTenant struct {
	ID      seamark.TenantID `json:"id"`
	Slug    string           `json:"slug"`
	Name    string           `json:"name"`
	Created time.Time        `json:"created_at"`
}

type transferCluster struct {
	ID   seamark.ClusterID `json:"id"`
	Name string            `json:"name"`
}

type transferToken struct {
	KeyID   string            `json:"key_id"`
	Kind    string            `json:"kind"`
	Name    string            `json:"name"`
	Cluster seamark.ClusterID `json:"cluster,omitempty"`
	Created time.Time         `json:"created_at"`
}

type transferMember struct {
	Login string       `json:"login"`
	Role  seamark.Role `json:"role"`
}

// Config implements transfer.Source.
func (s transferSource) Config(ctx context.Context, id seamark.TenantID) (any, error) {
	d := s.app.directory
	t, err := d.FindTenant(ctx, id)
	if err != nil {
		return nil, err
	}
	quota, _ := d.Quota(id, "")
	c := transferConfig{Tenant: transferTenant{t.ID, t.Slug, t.Name, t.Created}, Quota: quota, Retention: d.Retention(id)}
	for _, x := range d.ListClusters(ctx, id) {
		c.Clusters = append(c.Clusters, transferCluster{x.ID, x.Name})
	}
	for _, x := range d.ListTokens(ctx, id) {
		c.Tokens = append(c.Tokens, transferToken{x.KeyID, x.Kind.String(), x.Name, x.Cluster, x.Created})
	}
	for _, x := range d.ListMembers(ctx, id) {
		c.Members = append(c.Members, transferMember{x.Login, x.Role})
	}
	if s.app.pipelines == nil {
		c.Missing = append(c.Missing, "pipelines")
	} else if c.Pipelines, err = s.app.pipelines.FindPipelines(ctx, id); err != nil {
		return nil, err
	}
	if s.app.savedQueries == nil {
		c.Missing = append(c.Missing, "saved_queries")
	} else if c.SavedQueries, err = (savedQueryAPI{s.app.savedQueries}).ofTenant(ctx, id); err != nil {
		return nil, err
	}
	if s.app.dashboards == nil {
		c.Missing = append(c.Missing, "dashboards")
	} else if c.Dashboards, err = (dashboardAPI{s.app.dashboards}).ListDashboards(ctx, id); err != nil {
		return nil, err
	}
	if s.app.alerting == nil {
		c.Missing = append(c.Missing, "rules", "alertmanager_config")
		return c, nil
	}
	if c.Rules, err = s.app.alerting.ListRuleGroups(ctx, id, alerting.PromQL); err != nil {
		return nil, err
	}
	if c.LogRules, err = s.app.alerting.ListRuleGroups(ctx, id, alerting.LogQL); err != nil {
		return nil, err
	}
	c.Alertmanager, c.Templates, err = s.app.alerting.FindAlertmanagerConfig(ctx, id)
	if seamark.KindOf(err) == seamark.NotFound {
		err = nil
	}
	return c, err
}

// transferAPI shows exports in the API's words. It implements api.TenantExports.
type transferAPI struct{ *transfer.Keeper }

func shownExport(j transfer.Job) api.TenantExport {
	out := api.TenantExport{
		ID: j.ID, State: string(j.State), Created: j.Created, Node: j.Node, Parts: j.Parts, PartsDone: j.PartsDone, Rows: j.Rows, Bytes: j.Bytes, Fault: j.Fault,
	}
	if !j.Finished.IsZero() {
		out.Finished, out.Expires = &j.Finished, &j.Expires
	}
	return out
}

// StartExport implements api.TenantExports.
func (t transferAPI) StartExport(ctx context.Context, id seamark.TenantID) (api.TenantExport, error) {
	job, err := t.Start(ctx, id)
	return shownExport(job), err
}

// ListExports implements api.TenantExports.
func (t transferAPI) ListExports(ctx context.Context, id seamark.TenantID) ([]api.TenantExport, error) {
	jobs, err := t.List(ctx, id)
	list := make([]api.TenantExport, len(jobs))
	for i, j := range jobs {
		list[i] = shownExport(j)
	}
	return list, err
}

// FindExport implements api.TenantExports.
func (t transferAPI) FindExport(ctx context.Context, id seamark.TenantID, export string) (api.TenantExport, error) {
	job, err := t.Find(ctx, id, export)
	return shownExport(job), err
}

// RemoveExport implements api.TenantExports.
func (t transferAPI) RemoveExport(ctx context.Context, id seamark.TenantID, export string) error {
	return t.Remove(ctx, id, export)
}
