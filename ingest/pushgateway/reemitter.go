package pushgateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ReemitterOptions configures a Reemitter.
type ReemitterOptions struct {
	Groups  Groups
	Catalog CatalogFunc
	Push    PushFunc
	// Hold runs its function on one node at a time, as bus.Lease's Hold does, and returns when the function returns or
	// when ctx ends. Two at once would only store samples twice.
	Hold func(ctx context.Context, fn func(ctx context.Context) error) error
	// Exists reports whether a principal's tenant and cluster are still there. The groups of one that is gone are removed
	// without a word. It must say yes when it is not sure; nil takes all for existing. Without it a deleted tenant's rows
	// would be written for ever.
	Exists func(p seamark.Principal) bool
	// Ticks starts a ticker of the given period; stop ends it.
	Ticks func(period time.Duration) (ticks <-chan time.Time, stop func())
	// Interval is how often groups are written again. It must lie well below the 5 minutes that PromQL looks back.
	Interval time.Duration
	Now      func() time.Time
	Logger   *slog.Logger
}

// DefaultInterval is a scrape interval that survives the loss of a few rounds.
const DefaultInterval = time.Minute

// maxInterval leaves a lost round and its successor within PromQL's look-back.
const maxInterval = 2 * time.Minute

// Ticks is the ticker of the machine's clock.
func Ticks(period time.Duration) (ticks <-chan time.Time, stop func()) {
	t := time.NewTicker(period)
	return t.C, t.Stop
}

func (o *ReemitterOptions) validate() error {
	switch {
	case o.Groups == nil || o.Catalog == nil || o.Push == nil || o.Hold == nil || o.Ticks == nil || o.Now == nil || o.Logger == nil:
		return errors.New("pushgateway: Groups, Catalog, Push, Hold, Ticks, Now and Logger are required")
	case o.Interval <= 0 || o.Interval > maxInterval:
		return fmt.Errorf("pushgateway: Interval is %s; it must be positive and at most %s, because PromQL looks back 5 minutes", o.Interval, maxInterval)
	}
	return nil
}

// Reemitter writes the samples of all groups again and again, so that they stay in sight of PromQL, and ends the series of
// groups that were replaced, deleted or have expired. What it has to do stands in the store alone, so that any node can go
// on where another one died.
type Reemitter struct {
	opts ReemitterOptions
}

// NewReemitter returns a Reemitter.
func NewReemitter(o ReemitterOptions) (*Reemitter, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Reemitter{opts: o}, nil
}

// Run holds the lease and works until ctx ends, whose error it returns.
func (r *Reemitter) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := r.opts.Hold(ctx, r.rounds); err != nil && ctx.Err() == nil {
			r.opts.Logger.Warn("reemitter of pushed groups stopped and starts again", "err", err)
		}
	}
	return ctx.Err()
}

// rounds makes a round at once, because a dead predecessor may have missed some, and then one at each tick.
func (r *Reemitter) rounds(ctx context.Context) error {
	ticks, stop := r.opts.Ticks(r.opts.Interval)
	defer stop()
	for {
		if err := r.Round(ctx); err != nil && ctx.Err() == nil {
			r.opts.Logger.Warn("pushed groups were not all written again", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks:
		}
	}
}

// Round writes every group of every tenant once. A tenant that fails does not hold up the others.
//
// All samples carry the time before anything was read. So whatever a push, a replacement or a deletion writes while the
// round is under way is newer, and a group that was deleted a moment ago is not brought back by what was read before.
func (r *Reemitter) Round(ctx context.Context) error {
	now := r.opts.Now()
	tenants, err := r.opts.Groups.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, tenant := range tenants {
		if err := r.tenant(ctx, tenant, now); err != nil {
			failed = append(failed, fmt.Errorf("tenant %s: %w", tenant, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(failed...)
}

// maxBatchRows is how many rows are pushed at once, some MiB.
const maxBatchRows = 20_000

// batch is what is being gathered of one cluster.
type batch struct {
	emitter
	principal seamark.Principal
	groups    []*Group // whose rows are in it
}

func (r *Reemitter) tenant(ctx context.Context, tenant seamark.TenantID, now time.Time) error {
	groups, err := r.opts.Groups.List(ctx, tenant)
	if err != nil {
		return err
	}
	// A group's cluster may have been renamed since others of it were pushed; the name is a label of its series.
	slices.SortStableFunc(groups, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.ClusterName, b.ClusterName))
	})
	var failed []error
	var b *batch
	number := 0
	flush := func() {
		if b == nil || len(b.groups) == 0 {
			return
		}
		id := fmt.Sprintf("pushgateway.%s.%d.%d", tenant, now.UnixMilli(), number)
		number++
		if err := r.flush(ctx, b, id, now); err != nil {
			failed = append(failed, err)
		}
		b = nil
	}
	for _, g := range groups {
		p := seamark.Principal{
			Tenant: tenant, Kind: seamark.IngestToken, CredentialID: "pushgateway",
			Cluster: g.Cluster, ClusterName: g.ClusterName, Signals: seamark.NewSignalSet(seamark.Metrics),
		}
		if r.opts.Exists != nil && !r.opts.Exists(p) {
			failed = append(failed, r.forget(ctx, tenant, g))
			continue
		}
		if b != nil && (b.principal.Cluster != g.Cluster || b.principal.ClusterName != g.ClusterName || b.batch.Rows() >= maxBatchRows) {
			flush()
		}
		if b == nil {
			b = &batch{principal: p, emitter: emitter{catalog: r.opts.Catalog(p), batch: new(seamark.Batch), lenient: true}}
		}
		if err := b.add(g, now); err != nil {
			failed = append(failed, fmt.Errorf("group %q: %w", g.Key.Labels, err))
		}
		b.groups = append(b.groups, g)
	}
	flush()
	return errors.Join(failed...)
}

// forget removes a group whose tenant or cluster is gone.
func (r *Reemitter) forget(ctx context.Context, tenant seamark.TenantID, g *Group) error {
	return r.opts.Groups.Update(ctx, tenant, g.ID(), func(*Group) (*Group, error) { return nil, nil })
}

// add appends a group's rows. The stamps of markers lie behind everything that was written of the group, also by a node
// whose clock is ahead of ours.
func (b *batch) add(g *Group, now time.Time) error {
	milli := now.UnixMilli()
	switch {
	case !g.Live(now):
		return b.emitGone(g, max(milli, g.Stamp+1))
	case g.Stamp < milli:
		return b.emitLive(g, milli)
	case len(g.Ended) > 0: // pushed since the round began, or by a clock ahead of ours: its samples are newer
		ended, err := decodeSeries(g.Ended)
		if err != nil {
			return err
		}
		return b.stale(ended, g.Key, g.Stamp+1)
	}
	return nil
}

// flush pushes the rows and then takes out of the store what they have brought to its end.
func (r *Reemitter) flush(ctx context.Context, b *batch, id string, now time.Time) error {
	if b.batch.Rows() > 0 {
		if err := r.opts.Push(ctx, b.principal, seamark.Metrics, id, b.batch); err != nil {
			return fmt.Errorf("cluster %s: %w", b.principal.Cluster, err)
		}
	}
	var failed []error
	for _, g := range b.groups {
		if g.Live(now) && len(g.Ended) == 0 {
			continue
		}
		err := r.opts.Groups.Update(ctx, b.principal.Tenant, g.ID(), func(current *Group) (*Group, error) {
			return g.finish(current, now), nil
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("group %q: %w", g.Key.Labels, err))
		}
	}
	return errors.Join(failed...)
}

// finish returns what takes the place of current after the markers of g were written. A group that was changed since g
// was read is left to the next round.
func (g *Group) finish(current *Group, now time.Time) *Group {
	switch {
	case current == nil || current.Stamp != g.Stamp:
		return current
	case !g.Live(now):
		return nil
	}
	current.Ended = nil
	return current
}
