package alerting

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// journal writes one tenant's state through to KV. A change is queued under its key and written at once by one goroutine;
// changes of the same key that meet in the queue become one write, so the queue is never longer than the state. Writers
// never wait, because upstream calls them with its locks held; who must know that a change is stored calls sync.
//
// Each write expects the revision of the last one and names the epoch of its writer, so a process that lost the tenant's shard without
// noticing cannot overwrite what its successor wrote, and what it writes beside that is void for all who read it.
type journal struct {
	tenant  seamark.TenantID
	held    *tenure
	kv      jetstream.KeyValue
	logger  *slog.Logger
	metrics *metrics
	now     func() time.Time
	wake    chan struct{}

	mu      sync.Mutex // guards all fields below
	stored  map[string]stateEntry
	queue   map[string]stateEntry
	writing bool
	failed  error         // of the last write, nil after a good one
	idle    chan struct{} // closed and replaced when a round of writes ended
}

func newJournal(tenant seamark.TenantID, stored map[string]stateEntry, s *Service, held *tenure) *journal {
	if stored == nil {
		stored = map[string]stateEntry{}
	}
	return &journal{
		tenant: tenant, held: held, kv: s.state, logger: s.opts.Logger.With("tenant", tenant), metrics: s.metrics, now: s.opts.Now,
		wake: make(chan struct{}, 1), stored: stored, queue: map[string]stateEntry{}, idle: make(chan struct{}),
	}
}

// record queues body for rest, the key without its tenant.
func (j *journal) record(rest string, body []byte, expires time.Time) {
	j.mu.Lock()
	j.queue[rest] = stateEntry{body: bytes.Clone(body), expires: expires}
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// run writes until ctx ends.
func (j *journal) run(ctx context.Context) {
	const maxPause = 5 * time.Second
	pause := 50 * time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.wake:
		}
		for !j.drain(ctx) {
			timer := time.NewTimer(pause)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			pause = min(2*pause, maxPause)
		}
		pause = 50 * time.Millisecond
	}
}

// drain writes what is queued and reports whether all of it is stored.
func (j *journal) drain(ctx context.Context) bool {
	j.mu.Lock()
	todo := j.queue
	j.queue = map[string]stateEntry{}
	j.writing = true
	j.mu.Unlock()
	var failed error
	for rest, entry := range todo {
		if failed != nil {
			j.requeue(rest, entry)
			continue
		}
		if err := j.write(ctx, rest, entry); err != nil {
			failed = err
			j.metrics.stateWrites.WithLabelValues("failed").Inc()
			j.logger.Warn("alert state not written; it is tried again", "key", rest, "err", err)
			j.requeue(rest, entry)
			continue
		}
		j.metrics.stateWrites.WithLabelValues("written").Inc()
	}
	j.mu.Lock()
	j.writing, j.failed = false, failed
	close(j.idle)
	j.idle = make(chan struct{})
	j.mu.Unlock()
	return failed == nil
}

// requeue puts an entry back unless a newer one waits.
func (j *journal) requeue(rest string, entry stateEntry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, newer := j.queue[rest]; !newer {
		j.queue[rest] = entry
	}
}

var errFenced = errors.New("another process may hold the tenant by now")

func (j *journal) write(ctx context.Context, rest string, entry stateEntry) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	j.mu.Lock()
	revision := j.stored[rest].revision
	j.mu.Unlock()
	next, err := j.put(ctx, rest, entry.body, revision)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) || errors.Is(err, jetstream.ErrKeyExists) {
		if revision, err = j.adopt(ctx, rest); err == nil {
			next, err = j.put(ctx, rest, entry.body, revision)
		}
	}
	if err != nil {
		return err
	}
	entry.revision = next
	j.mu.Lock()
	j.stored[rest] = entry
	j.mu.Unlock()
	return nil
}

func (j *journal) put(ctx context.Context, rest string, body []byte, revision uint64) (uint64, error) {
	if !j.held.holds() {
		return 0, errFenced
	}
	body = sealEpoch(j.held.epoch, body)
	if revision == 0 {
		return j.kv.Create(ctx, key(j.tenant, rest), body)
	}
	return j.kv.Update(ctx, key(j.tenant, rest), body, revision)
}

// adopt returns the revision to write over after a lost comparison: what stands there is this process's own, whose answer got lost, or a
// late one of a predecessor. A successor's is left alone.
func (j *journal) adopt(ctx context.Context, rest string) (uint64, error) {
	entry, err := j.kv.Get(ctx, key(j.tenant, rest))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if epoch, _ := openEpoch(entry.Value()); epoch > j.held.epoch {
		return 0, errFenced
	}
	return entry.Revision(), nil
}

// sync returns when everything recorded so far is stored, or with the reason why it is not.
func (j *journal) sync(ctx context.Context) error {
	for {
		j.mu.Lock()
		done, failed, idle := len(j.queue) == 0 && !j.writing, j.failed, j.idle
		j.mu.Unlock()
		switch {
		case done:
			return nil
		case failed != nil:
			return failed
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-idle:
		}
	}
}

// collect removes what has expired from the bucket.
func (j *journal) collect(ctx context.Context) {
	j.mu.Lock()
	var gone []string
	for rest, entry := range j.stored {
		if _, queued := j.queue[rest]; !queued && !entry.expires.IsZero() && entry.expires.Before(j.now()) {
			gone = append(gone, rest)
		}
	}
	j.mu.Unlock()
	for _, rest := range gone {
		j.mu.Lock()
		revision := j.stored[rest].revision
		j.mu.Unlock()
		if !j.held.holds() {
			return
		}
		err := j.kv.Purge(ctx, key(j.tenant, rest), jetstream.LastRevision(revision), jetstream.PurgeTTL(markerTTL))
		if err != nil {
			j.logger.Debug("expired state not removed; it is tried again", "key", rest, "err", err)
			continue
		}
		j.mu.Lock()
		delete(j.stored, rest)
		j.mu.Unlock()
	}
}

// snapshot returns what is stored, for restoring.
func (j *journal) snapshot() map[string]stateEntry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.stored)
}
