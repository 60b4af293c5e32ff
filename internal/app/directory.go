package app

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// openDirectory opens the tenant directory and, the first time, makes the operator.
func (a *App) openDirectory(ctx context.Context) error {
	d, err := tenant.Open(ctx, tenant.Options{
		JS: a.js, Replicas: a.opts.NATS.Replicas, SnapshotPath: filepath.Join(a.opts.DataDir, "directory.json"), StartTimeout: a.opts.StartTimeout, Now: a.opts.Now, Logger: a.log,
		StoreShards: a.opts.ClickHouse.stores(), Keys: a.keys, SessionLifetime: a.opts.Session.Lifetime, IdleLifetime: a.opts.Session.IdleLifetime,
		TokenLifetime: a.opts.Session.TokenLifetime, KeyLifetime: a.opts.Session.KeyLifetime,
		WriterStaleness: a.opts.Directory.MaxAdminAge, ReaderStaleness: a.opts.Directory.MaxIngestAge, LookInterval: a.opts.Sandbox.lookInterval(),
	})
	if err != nil {
		return err
	}
	a.directory = d
	a.settles("directory", directoryInterval, d.Settle)
	a.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "seamark_directory_age_seconds", Help: "Age of the oldest part of what this node knows of tenants and credentials. About 1 while the control plane's store answers.",
		}, func() float64 { return d.Freshness().Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "seamark_directory_stale", Help: "1 within a second of this node's losing sight of changes of tenants and credentials, else 0. Credentials are refused only after --directory.max-admin-age.",
		}, func() float64 {
			if d.Stale() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "seamark_directory_faults", Help: "Documents of the control plane that this node refused; it goes on with the last good ones. The log names them. Must stay 0.",
		}, func() float64 { return float64(len(d.Faults())) }),
	)
	a.defers("directory", d.Close)
	return nil
}

// verifier proves credentials from the directory's memory. It implements httpx.Verifier.
type verifier struct{ *tenant.Directory }

// directoryAPI shows the directory in the API's words.
type directoryAPI struct{ *tenant.Directory }

// TenantName implements api.TenantNames.
func (d directoryAPI) TenantName(ctx context.Context, id seamark.TenantID) (slug, name string, err error) {
	t, err := d.FindTenant(ctx, id)
	return t.Slug, t.Name, err
}

// ListClusters implements api.Clusters.
func (d directoryAPI) ListClusters(ctx context.Context, id seamark.TenantID) ([]api.Cluster, error) {
	arrivals := d.ListArrivals(ctx, id)
	list := []api.Cluster{}
	for _, c := range d.Directory.ListClusters(ctx, id) {
		list = append(list, clusterOf(c, arrivals[c.ID]))
	}
	return list, nil
}

func clusterOf(c tenant.Cluster, arrivals map[seamark.Signal]time.Time) api.Cluster {
	out := api.Cluster{ID: string(c.ID), Name: c.Name, Created: c.Created, Arrivals: map[string]*time.Time{}}
	for _, signal := range seamark.Signals() {
		out.Arrivals[signal.String()] = nil
		if at, ok := arrivals[signal]; ok {
			out.Arrivals[signal.String()] = &at
		}
	}
	return out
}

// FindCluster implements api.Clusters.
func (d directoryAPI) FindCluster(ctx context.Context, id seamark.TenantID, cluster seamark.ClusterID) (api.Cluster, error) {
	c, err := d.Directory.FindCluster(ctx, id, cluster)
	if err != nil {
		return api.Cluster{}, err
	}
	return clusterOf(c, d.ListArrivals(ctx, id)[c.ID]), nil
}

// CreateCluster implements api.Clusters.
func (d directoryAPI) CreateCluster(ctx context.Context, id seamark.TenantID, name string) (api.Cluster, error) {
	c, err := d.Directory.CreateCluster(ctx, id, tenant.ClusterSpec{Name: name})
	return clusterOf(c, nil), err
}
