package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexport"
	"github.com/seamarkhq/seamark/tenant"
)

// ForwardersOptions configures what tenants forward to targets of theirs.
type ForwardersOptions struct {
	Limits forward.Limits
	// AllowedTargets are private networks that targets may be in. Empty lets forwarders reach public addresses only.
	AllowedTargets []string
}

// publicPorts are the ports below 1024 that targets may have on public addresses; from there on all are open, since brokers
// have ports of any number. Mail is not among them.
func publicPorts() (ports []uint16, from uint16) { return []uint16{80, 443}, 1024 }

// openForwarders makes the tenants' forwarders known to this process, and runs them where it has the role.
func (a *App) openForwarders(ctx context.Context) error {
	o := forward.DefaultOptions()
	private := make([]netip.Prefix, len(a.opts.Forwarders.AllowedTargets))
	for i, text := range a.opts.Forwarders.AllowedTargets {
		var err error
		if private[i], err = netip.ParsePrefix(text); err != nil {
			return fmt.Errorf("--forwarders.allowed-targets: %w", err)
		}
	}
	ports, from := publicPorts()
	o.Guard = guard.New(guard.Options{Private: private, Ports: ports, PortsFrom: from})
	o.JS, o.Replicas, o.Keys, o.Limits = a.js, a.opts.NATS.Replicas, a.keys, a.opts.Forwarders.Limits
	o.Followers = map[seamark.Signal]*bus.Follower{}
	for _, signal := range forward.Signals() {
		o.Followers[signal] = bus.NewFollower(a.js, signal, a.opts.Bus.Shards, a.directory.StoreShard)
	}
	o.Language = forward.Language{Compile: compileForwarder, JSON: forwardedJSON, Parquet: forwardedParquet}
	o.UserAgent = "seamark/" + a.opts.Version
	o.Logger, o.Registerer, o.Now = a.log, a.registry, a.opts.Now
	if a.opts.has(RoleForwarder) {
		if err := a.runsForwarders(ctx, &o); err != nil {
			return err
		}
	}
	service, err := forward.New(ctx, o)
	if err != nil {
		return err
	}
	a.forwarders = forwarderAPI{service}
	if a.opts.has(RoleForwarder) {
		a.background("forwarders", service.Run)
	}
	return nil
}

// runsForwarders fills what only a process that runs forwarders needs.
func (a *App) runsForwarders(ctx context.Context, o *forward.Options) error {
	checkpoints, err := bus.OpenDocs[ingest.Checkpoint](ctx, a.js, "seamark_writer", a.opts.NATS.Replicas)
	if err != nil {
		return err
	}
	if o.Leases, err = bus.OpenLeases(ctx, a.js, "seamark_leases", a.opts.NATS.Replicas); err != nil {
		return err
	}
	o.Stored = func(ctx context.Context, shard bus.Shard) (uint64, error) {
		stored, _, err := tailSource{o.Followers[shard.Signal], checkpoints}.position(ctx, shard)
		return stored, err
	}
	o.Streams, o.Owner = a.store, a.node
	o.Active = func(id seamark.TenantID) bool {
		found, err := a.directory.FindTenant(context.WithoutCancel(ctx), id) // from memory
		return err == nil && found.State == tenant.Active
	}
	return nil
}

// compileForwarder makes a log query a forwarder's filter.
func compileForwarder(ctx context.Context, id seamark.TenantID, query string) (forward.Filter, error) {
	f, err := logexport.NewFilter(ctx, id, query)
	if err != nil {
		return nil, err
	}
	return forwardFilter{f}, nil
}

// forwardFilter shows a filter in the forwarders' words.
type forwardFilter struct{ *logexport.Filter }

// Apply implements forward.Filter.
func (f forwardFilter) Apply(ctx context.Context, at time.Time, streams []store.LogStream, block *store.LogBlock) ([]forward.Row, error) {
	rows, err := f.Filter.Apply(ctx, at, streams, block)
	out := make([]forward.Row, len(rows))
	for i := range rows {
		out[i] = forward.Row(rows[i])
	}
	return out, err
}

func forwardedJSON(out []byte, r *forward.Row) []byte {
	row := logexport.Row(*r)
	return logexport.AppendRow(out, &row)
}

func forwardedParquet(w io.Writer, rows []forward.Row) error {
	list := make([]logexport.Row, len(rows))
	for i := range rows {
		list[i] = logexport.Row(rows[i])
	}
	return logexport.WriteParquet(w, list)
}

// heldShare is how much of a stream may be kept for forwarders that are behind, what the writer keeps anyway included: the rest
// is for an outage of the store.
const heldShare = 3.0 / 8

// heldStream keeps messages in the streams that forwarders have yet to read. It implements ingest.Stream.
type heldStream struct {
	ingest.Stream
	first func(ctx context.Context, shard bus.Shard) (uint64, error)
	most  uint64 // bytes of a stream up to which it holds anything back
	log   *slog.Logger
}

// holdForForwarders returns the bus as the writer may purge it.
func (a *App) holdForForwarders(ctx context.Context) (ingest.Stream, error) {
	holds, err := forward.OpenHolds(ctx, a.js, a.opts.NATS.Replicas, a.opts.Now)
	if err != nil {
		return nil, err
	}
	return heldStream{a.bus, holds.First, uint64(heldShare * float64(a.opts.Bus.MaxStreamBytes)), a.log}, nil
}

// Purge implements ingest.Stream. What it leaves is removed by a later call, or when the stream grows.
func (h heldStream) Purge(ctx context.Context, shard bus.Shard, keep uint64) error {
	if !slices.Contains(forward.Signals(), shard.Signal) {
		return h.Stream.Purge(ctx, shard, keep)
	}
	first, err := h.first(ctx, shard)
	if err != nil {
		h.log.WarnContext(ctx, "it is not known what forwarders have yet to read", "err", err)
		return h.Stream.Purge(ctx, shard, keep)
	}
	if first == 0 || first >= keep {
		return h.Stream.Purge(ctx, shard, keep)
	}
	state, err := h.State(ctx, shard)
	if err != nil {
		return err
	}
	if state.Bytes <= h.most {
		keep = first
	}
	if keep <= state.First {
		return nil
	}
	return h.Stream.Purge(ctx, shard, keep)
}

// forwarderAPI shows forwarders in the API's words. It implements api.ForwarderStore.
type forwarderAPI struct{ *forward.Service }

func shownForwarder(d *forward.Definition) (api.Forwarder, error) {
	text, err := json.Marshal(d)
	return api.Forwarder{Name: d.Name, Revision: d.Revision, Document: text}, err
}

// ListForwarders implements api.ForwarderStore.
func (f forwarderAPI) ListForwarders(ctx context.Context, id seamark.TenantID) ([]api.Forwarder, error) {
	found, err := f.List(ctx, id)
	if err != nil {
		return nil, err
	}
	list := make([]api.Forwarder, len(found))
	for i := range found {
		if list[i], err = shownForwarder(&found[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// FindForwarder implements api.ForwarderStore.
func (f forwarderAPI) FindForwarder(ctx context.Context, id seamark.TenantID, name string) (api.Forwarder, error) {
	found, err := f.Find(ctx, id, name)
	if err != nil {
		return api.Forwarder{}, err
	}
	return shownForwarder(&found)
}

// SaveForwarder implements api.ForwarderStore.
func (f forwarderAPI) SaveForwarder(ctx context.Context, id seamark.TenantID, name string, document []byte, revision *uint64) (api.Forwarder, error) {
	saved, err := f.Save(ctx, id, name, document, revision)
	if err != nil {
		return api.Forwarder{}, err
	}
	return shownForwarder(&saved)
}

// DeleteForwarder implements api.ForwarderStore.
func (f forwarderAPI) DeleteForwarder(ctx context.Context, id seamark.TenantID, name string, revision *uint64) error {
	return f.Delete(ctx, id, name, revision)
}

// TestForwarder implements api.ForwarderStore.
func (f forwarderAPI) TestForwarder(ctx context.Context, id seamark.TenantID, name string) (json.RawMessage, error) {
	trial, err := f.Test(ctx, id, name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(trial)
}

// ForwarderStatus implements api.ForwarderStore.
func (f forwarderAPI) ForwarderStatus(ctx context.Context, id seamark.TenantID, name string) (json.RawMessage, error) {
	status, err := f.Status(ctx, id, name)
	if err != nil {
		return nil, err
	}
	return json.Marshal(status)
}
