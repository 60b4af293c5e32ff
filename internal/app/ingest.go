package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// leaseTTL is how long a dead node keeps the work that one node does for all.
const leaseTTL = 10 * time.Second

// openIngester makes the write path that the ingest routes, the listeners and the rules' results share.
func (a *App) openIngester(ctx context.Context) error {
	o, in := ingest.DefaultOptions(), &a.opts.Ingest
	o.Bus, o.Limits, o.MaxInflightBytes, o.MaxSeriesPerCluster = a.bus, in.Limits, in.MaxInflightBytes, in.MaxSeriesPerCluster
	o.PushTTL, o.PushLimits, o.HECQueryToken, o.ElasticsearchVersion = in.PushTTL, in.PushLimits, in.HECQueryToken, in.ElasticsearchVersion
	o.Arrived = func(tenant seamark.TenantID, cluster seamark.ClusterID, signal seamark.Signal, at time.Time) {
		if cluster != rulesCluster {
			a.directory.Arrived(tenant, cluster, signal, at)
		}
	}
	if a.disk != nil {
		o.DiskFull = a.disk.Full
	}
	if a.pipelines != nil {
		o.Pipelines = a.pipelines.engine
	}
	if a.opts.has(RoleIngest) {
		limiter, err := a.startQuotas(ctx)
		if err != nil {
			return err
		}
		o.Quota = limiter
	}
	miner, err := a.openMiner()
	if err != nil {
		return err
	}
	o.Patterns = miner
	book, err := a.openLedger()
	if err != nil {
		return err
	}
	o.Ledger = book
	replicas, err := a.openReplicas(ctx)
	if err != nil {
		return err
	}
	o.Replicas = replicas
	groups, err := bus.OpenDocs[pushgateway.Doc](ctx, a.js, "seamark_pushgateway", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	shelves := pushgateway.NewShelves(groups)
	o.Groups = shelves
	o.Logger, o.Registerer, o.Now = a.log, a.registry, a.opts.Now
	if a.ingester, err = ingest.New(o); err != nil {
		return err
	}
	if a.grpc, err = a.ingester.GRPC(ingest.GRPCOptions{Verify: a.directory.Authenticate, Permit: a.directory.Permit}); err != nil {
		return err
	}
	return a.reemitGroups(ctx, shelves)
}

// reemitGroups has one ingest node write pushed groups again and again, so that they stay in sight of queries.
func (a *App) reemitGroups(ctx context.Context, groups pushgateway.Groups) error {
	if !a.opts.has(RoleIngest) || a.opts.Sandbox != nil { // one that is stopped would hold the lease and do nothing
		return nil
	}
	leases, err := bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	r, err := pushgateway.NewReemitter(pushgateway.ReemitterOptions{
		Groups: groups, Catalog: a.ingester.Catalog, Push: a.ingester.Push,
		Hold:   bus.NewLease(leases, "pushgateway", a.node, leaseTTL, a.log).Hold,
		Exists: a.clusterExists, Ticks: pushgateway.Ticks, Interval: pushgateway.DefaultInterval, Now: a.opts.Now, Logger: a.log,
	})
	if err != nil {
		return err
	}
	a.background("pushgateway", func(ctx context.Context) error {
		for ctx.Err() == nil {
			if err := r.Run(ctx); err != nil && ctx.Err() == nil {
				a.log.Warn("pushed groups are not written again; another try follows", "err", err)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		}
		return nil
	})
	return nil
}

// clusterExists reports whether a tenant's cluster is still there, and says yes while the directory is not sure.
func (a *App) clusterExists(p seamark.Principal) bool {
	if !a.directory.Synced() {
		return true
	}
	if _, err := a.directory.FindTenant(context.Background(), p.Tenant); err != nil {
		return seamark.KindOf(err) != seamark.NotFound
	}
	_, err := a.directory.FindCluster(context.Background(), p.Tenant, p.Cluster)
	return seamark.KindOf(err) != seamark.NotFound
}
