package alerting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// markerTTL is how long a bucket keeps the marker of a removed key, for watchers that were away. A watcher that was away
// longer reads everything anew, so nothing depends on it.
const markerTTL = time.Hour

// documents keeps one bucket decoded in memory, fed by one watch. Keys are `<tenant>.<rest>`. A document that does not
// decode keeps its last good value in place and hurts nobody else.
type documents[T any] struct {
	kv      jetstream.KeyValue
	decode  func(tenant seamark.TenantID, rest string, body []byte) (T, error)
	changed func(seamark.TenantID) // called without the lock after a tenant's documents changed
	logger  *slog.Logger
	metrics *metrics

	mu       sync.Mutex // guards all fields below
	docs     map[seamark.TenantID]map[string]T
	stands   map[string]uint64 // revision of each document by its whole key
	loaded   bool
	revision uint64
	moved    chan struct{} // closed and replaced at every change
}

func openBucket(ctx context.Context, o *Options, name, description string, maxBytes int64) (jetstream.KeyValue, error) {
	kv, err := o.JS.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: name, Description: description, History: 1, Storage: jetstream.FileStorage, Replicas: o.Replicas,
		MaxBytes: maxBytes, LimitMarkerTTL: markerTTL,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", name, err)
	}
	return kv, nil
}

func newDocuments[T any](kv jetstream.KeyValue, decode func(seamark.TenantID, string, []byte) (T, error), o *Options, m *metrics) *documents[T] {
	return &documents[T]{
		kv: kv, decode: decode, logger: o.Logger.With("bucket", kv.Bucket()), metrics: m,
		docs: map[seamark.TenantID]map[string]T{}, stands: map[string]uint64{}, moved: make(chan struct{}),
	}
}

// run watches the bucket until ctx ends. A watch that breaks is opened again after a random pause, so that the nodes of a
// cell do not come back all at once.
func (d *documents[T]) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := d.watch(ctx); err != nil && ctx.Err() == nil {
			d.logger.Warn("watch broke", "err", err)
		}
		pause := time.NewTimer(time.Second + rand.N(10*time.Second))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

var errWatchEnded = errors.New("the watch ended")

func (d *documents[T]) watch(ctx context.Context) error {
	watcher, err := d.kv.WatchAll(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Stop() }()
	fresh := map[string]jetstream.KeyValueEntry{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return errWatchEnded
			case entry == nil:
				d.replace(fresh)
				fresh = nil
			case fresh != nil:
				fresh[entry.Key()] = entry
			default:
				d.apply(entry)
			}
		}
	}
}

// replace puts the bucket's full content in place, after the watch began or began anew.
func (d *documents[T]) replace(fresh map[string]jetstream.KeyValueEntry) {
	d.mu.Lock()
	old := d.docs
	d.docs, d.stands = map[seamark.TenantID]map[string]T{}, map[string]uint64{}
	touched := map[seamark.TenantID]bool{}
	for tenant := range old {
		touched[tenant] = true
	}
	for _, entry := range fresh {
		if tenant, ok := d.putLocked(entry, old); ok {
			touched[tenant] = true
		}
	}
	d.loaded = true
	d.moveLocked()
	d.mu.Unlock()
	d.tell(maps.Keys(touched))
}

func (d *documents[T]) apply(entry jetstream.KeyValueEntry) {
	d.mu.Lock()
	tenant, ok := d.putLocked(entry, d.docs)
	d.moveLocked()
	d.mu.Unlock()
	if ok {
		d.tell(func(yield func(seamark.TenantID) bool) { yield(tenant) })
	}
}

func (d *documents[T]) tell(tenants func(func(seamark.TenantID) bool)) {
	if d.changed == nil {
		return
	}
	for tenant := range tenants {
		d.changed(tenant)
	}
}

// putLocked takes over one entry; old is where a last good value may stand.
func (d *documents[T]) putLocked(entry jetstream.KeyValueEntry, old map[seamark.TenantID]map[string]T) (seamark.TenantID, bool) {
	d.revision = max(d.revision, entry.Revision())
	id, rest, _ := strings.Cut(entry.Key(), ".")
	tenant, err := seamark.ParseTenantID(id)
	if err != nil {
		d.poisoned(entry, err)
		return "", false
	}
	if entry.Operation() != jetstream.KeyValuePut {
		delete(d.stands, entry.Key())
		delete(d.docs[tenant], rest)
		if len(d.docs[tenant]) == 0 {
			delete(d.docs, tenant)
		}
		return tenant, true
	}
	doc, err := d.decode(tenant, rest, entry.Value())
	if err != nil {
		d.poisoned(entry, err)
		last, ok := old[tenant][rest]
		if !ok {
			return tenant, false
		}
		doc = last
	}
	if d.docs[tenant] == nil {
		d.docs[tenant] = map[string]T{}
	}
	d.docs[tenant][rest] = doc
	d.stands[entry.Key()] = entry.Revision()
	return tenant, true
}

func (d *documents[T]) poisoned(entry jetstream.KeyValueEntry, err error) {
	d.metrics.poisoned.WithLabelValues(d.kv.Bucket()).Inc()
	d.logger.Error("document cannot be read; its last good value stays", "key", entry.Key(), "revision", entry.Revision(), "err", err)
}

func (d *documents[T]) moveLocked() {
	close(d.moved)
	d.moved = make(chan struct{})
}

// of returns a copy of the tenant's documents by the rest of their key.
func (d *documents[T]) of(tenant seamark.TenantID) (map[string]T, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.loaded {
		return nil, seamark.Errorf(seamark.Unavailable, "seamark-alerting-starting",
			"Rules and receivers are still being loaded; try again in a second.")
	}
	return maps.Clone(d.docs[tenant]), nil
}

// has reports whether a tenant has documents.
func (d *documents[T]) has(tenant seamark.TenantID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.docs[tenant]) > 0
}

// tenants lists the tenants that have documents.
func (d *documents[T]) tenants() []seamark.TenantID {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]seamark.TenantID, 0, len(d.docs))
	for tenant := range d.docs {
		list = append(list, tenant)
	}
	return list
}

// put stores a document and returns when this process sees it too, so that a write is followed by its own read.
func (d *documents[T]) put(ctx context.Context, tenant seamark.TenantID, rest string, body []byte) error {
	revision, err := d.kv.Put(ctx, key(tenant, rest), body)
	if err != nil {
		return unavailable(err)
	}
	d.await(ctx, func() bool { return d.revision >= revision })
	return nil
}

// revisionOf returns the revision of a document; 0 when there is none.
func (d *documents[T]) revisionOf(tenant seamark.TenantID, rest string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stands[key(tenant, rest)]
}

// swap is put that replaces the given revision alone, 0 for a document that must not exist; nil replaces any. Conflict says that
// another stands there. It returns the new revision.
func (d *documents[T]) swap(ctx context.Context, tenant seamark.TenantID, rest string, body []byte, expected *uint64) (revision uint64, err error) {
	switch {
	case expected == nil:
		revision, err = d.kv.Put(ctx, key(tenant, rest), body)
	case *expected == 0:
		revision, err = d.kv.Create(ctx, key(tenant, rest), body)
	default:
		revision, err = d.kv.Update(ctx, key(tenant, rest), body, *expected)
	}
	if err != nil {
		return 0, changeError(err)
	}
	d.await(ctx, func() bool { return d.revision >= revision })
	return revision, nil
}

// removeAt is remove of the given revision alone; nil removes any.
func (d *documents[T]) removeAt(ctx context.Context, tenant seamark.TenantID, rest string, expected *uint64) error {
	if expected == nil {
		return d.remove(ctx, tenant, rest)
	}
	if err := d.kv.Purge(ctx, key(tenant, rest), jetstream.PurgeTTL(markerTTL), jetstream.LastRevision(*expected)); err != nil {
		return changeError(err)
	}
	d.await(ctx, func() bool { _, ok := d.docs[tenant][rest]; return !ok })
	return nil
}

// changeError tells a lost comparison from a store that does not answer.
func changeError(err error) error {
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		return seamark.Wrap(err, seamark.Conflict, "seamark-alerting-changed", "The document was changed by somebody else. Read it again and repeat the change.")
	}
	return unavailable(err)
}

// remove deletes a document and returns when this process sees it gone.
func (d *documents[T]) remove(ctx context.Context, tenant seamark.TenantID, rest string) error {
	if err := d.kv.Purge(ctx, key(tenant, rest), jetstream.PurgeTTL(markerTTL)); err != nil {
		return unavailable(err)
	}
	d.await(ctx, func() bool { _, ok := d.docs[tenant][rest]; return !ok })
	return nil
}

// await returns when seen holds, at the latest after two seconds: the document is stored by then, and a process whose
// watch lags must not make the caller repeat the write.
func (d *documents[T]) await(ctx context.Context, seenLocked func() bool) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for {
		d.mu.Lock()
		done, moved := seenLocked(), d.moved
		d.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-moved:
		}
	}
}

func key(tenant seamark.TenantID, rest string) string { return string(tenant) + "." + rest }

// unavailable classifies a failed write to KV. The sender may try again: a document is written whole.
func unavailable(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-alerting-store",
		"The change could not be stored and may or may not have been taken; try again.")
}
