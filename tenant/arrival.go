package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// arrivalDoc says when a cluster last sent what, stored under `<tenant>.<cluster id>`.
type arrivalDoc struct {
	Version int                  `json:"v"`
	Tenant  seamark.TenantID     `json:"tenant"`
	Cluster seamark.ClusterID    `json:"cluster"`
	Last    map[string]time.Time `json:"last"` // by signal

	last map[seamark.Signal]time.Time
}

func (a *arrivalDoc) validate(key string) error {
	_, tenantErr := seamark.ParseTenantID(string(a.Tenant))
	_, clusterErr := seamark.ParseClusterID(string(a.Cluster))
	if err := errors.Join(tenantErr, clusterErr); err != nil {
		return err
	}
	if (arrivalKey{a.Tenant, a.Cluster}).String() != key {
		return fmt.Errorf("arrival of %.40q stands under the key of another", a.Cluster)
	}
	a.last = make(map[seamark.Signal]time.Time, len(a.Last))
	for name, at := range a.Last {
		signal, err := seamark.ParseSignal(name)
		if err != nil {
			return err
		}
		a.last[signal] = at
	}
	return nil
}

type arrivalKey struct {
	tenant  seamark.TenantID
	cluster seamark.ClusterID
}

// String returns the key as it stands in KV.
func (k arrivalKey) String() string { return string(k.tenant) + "." + string(k.cluster) }

// arrivalTimes are the latest arrivals by signal, as Unix nanoseconds; 0 is never.
type arrivalTimes [seamark.Traces + 1]atomic.Int64

// arrivalBook is what arrived at this node.
type arrivalBook struct {
	mu      sync.RWMutex
	entries map[arrivalKey]*arrivalTimes
}

func (b *arrivalBook) times(key arrivalKey) *arrivalTimes {
	b.mu.RLock()
	times := b.entries[key]
	b.mu.RUnlock()
	if times != nil {
		return times
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if times = b.entries[key]; times == nil {
		times = &arrivalTimes{}
		b.entries[key] = times
	}
	return times
}

func (b *arrivalBook) snapshot() map[arrivalKey]*arrivalTimes {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return maps.Clone(b.entries)
}

func (b *arrivalBook) forget(key arrivalKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.entries, key)
}

// Arrived notes that data of a cluster was acknowledged. Ingest calls it for every such request; tenant and cluster come
// from the request's Principal. It costs a map look-up; the note reaches KV within Options.ArrivalInterval.
func (d *Directory) Arrived(tenant seamark.TenantID, cluster seamark.ClusterID, signal seamark.Signal, at time.Time) {
	if signal == 0 || signal > seamark.Traces {
		return
	}
	last := &d.arrived.times(arrivalKey{tenant, cluster})[signal]
	for nano := at.UnixNano(); ; {
		have := last.Load()
		if nano <= have || last.CompareAndSwap(have, nano) {
			return
		}
	}
}

// ListArrivals returns when each of the tenant's clusters last sent each signal, here or elsewhere.
func (d *Directory) ListArrivals(ctx context.Context, tenant seamark.TenantID) map[seamark.ClusterID]map[seamark.Signal]time.Time {
	list := map[seamark.ClusterID]map[seamark.Signal]time.Time{}
	for _, c := range d.ListClusters(ctx, tenant) {
		key := arrivalKey{tenant, c.ID}
		merged, _ := d.mergeArrivals(key, d.arrived.lookup(key))
		if len(merged) > 0 {
			list[c.ID] = merged
		}
	}
	return list
}

func (b *arrivalBook) lookup(key arrivalKey) *arrivalTimes {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.entries[key]
}

// mergeArrivals returns the later of what this node saw (nil: nothing) and what KV holds, and whether KV is behind.
func (d *Directory) mergeArrivals(key arrivalKey, local *arrivalTimes) (merged map[seamark.Signal]time.Time, behind bool) {
	merged = map[seamark.Signal]time.Time{}
	if stored, _ := d.arrivals.find(key.String()); stored != nil {
		maps.Copy(merged, stored.last)
	}
	if local == nil {
		return merged, false
	}
	for signal := range local {
		nano := local[signal].Load()
		if at := time.Unix(0, nano).UTC(); nano != 0 && at.After(merged[seamark.Signal(signal)]) {
			merged[seamark.Signal(signal)] = at
			behind = true
		}
	}
	return merged, behind
}

// arrivalLoop writes the arrivals now and then until ctx ends.
func (d *Directory) arrivalLoop(ctx context.Context) {
	for pause(ctx, d.opts.ArrivalInterval) == nil {
		if err := d.flushArrivals(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "arrivals were not written, they will be with the next round", slog.Any("error", err))
		}
	}
}

// flushArrivals writes what KV does not know yet. Two nodes may overwrite each other; the one that was lost sees it by
// its watch and writes again in the next round, so the latest wins in the end.
func (d *Directory) flushArrivals(ctx context.Context) error {
	for key, local := range d.arrived.snapshot() {
		if c := d.clusters.findAlias(string(key.cluster)); c == nil || !c.Deleted.IsZero() {
			d.arrived.forget(key)
			continue
		}
		merged, behind := d.mergeArrivals(key, local)
		if !behind {
			continue
		}
		doc := arrivalDoc{Version: docVersion, Tenant: key.tenant, Cluster: key.cluster, Last: map[string]time.Time{}}
		for signal, at := range merged {
			doc.Last[signal.String()] = at
		}
		value, err := json.Marshal(doc)
		if err != nil {
			return fmt.Errorf("encode arrival: %w", err)
		}
		if _, err := d.arrivals.bucket.put(ctx, "arrival."+key.String(), value); err != nil {
			return fmt.Errorf("write arrival: %w", err)
		}
	}
	return nil
}
