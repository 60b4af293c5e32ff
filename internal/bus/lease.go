package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Lease elects one holder of a name among processes that share a bucket. The holder renews by compare-and-set; a
// candidate takes over after it has watched the document unchanged for TTL on its own monotonic clock, so clocks of
// different machines are never compared. What a holder does must be fenced by revisions of its own documents: a lease
// makes collisions rare, not impossible.
type Lease struct {
	docs   *Docs[leaseDoc]
	key    string
	owner  string
	ttl    time.Duration
	logger *slog.Logger
}

// leaseDoc is the lease as it stands in the bucket.
type leaseDoc struct {
	Owner string `json:"owner"` // "" when the holder handed it over
	Beat  uint64 `json:"beat"`  // rises with every renewal, so that each changes the revision
}

// NewLease returns the lease with the given key. owner must be unique among the candidates; a process that keeps its
// owner over a restart takes its own lease again without waiting.
func NewLease(docs *Docs[leaseDoc], key, owner string, ttl time.Duration, logger *slog.Logger) *Lease {
	return &Lease{docs: docs, key: key, owner: owner, ttl: ttl, logger: logger}
}

// LeaseDocs is the bucket that leases are kept in.
type LeaseDocs = Docs[leaseDoc]

// Hold waits for the lease, runs fn while it is held, and gives it up when fn returns or ctx ends. fn's context ends at
// two thirds of the TTL after the start of the last renewal that succeeded, before any candidate can take over.
func (l *Lease) Hold(ctx context.Context, fn func(ctx context.Context) error) error {
	rev, err := l.acquire(ctx)
	if err != nil {
		return err
	}
	held, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	renewed := make(chan uint64, 1)
	go func() { renewed <- l.renew(held, rev, stop) }()
	err = fn(held)
	stop(nil)
	l.release(<-renewed)
	return err
}

var errLeaseLost = errors.New("the lease was lost")

// acquire returns the revision under which the lease is held.
func (l *Lease) acquire(ctx context.Context) (uint64, error) {
	tick := time.NewTicker(l.ttl / 20)
	defer tick.Stop()
	var seen uint64
	var since time.Time
	for {
		doc, rev, err := l.docs.Find(ctx, l.key)
		switch {
		case err != nil:
			l.logger.Warn("lease cannot be read", "lease", l.key, "err", err)
		case rev != seen:
			seen, since = rev, time.Now()
		}
		free := rev == 0 || doc.Owner == "" || doc.Owner == l.owner // ours: a renewal whose answer was lost, or a restart
		if err == nil && (free || time.Since(since) >= l.ttl) {
			if next, err := l.docs.Save(ctx, l.key, leaseDoc{Owner: l.owner, Beat: doc.Beat + 1}, rev); err == nil {
				return next, nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// renew keeps the lease until ctx ends or it is lost, and returns the last revision it held.
func (l *Lease) renew(ctx context.Context, rev uint64, lost context.CancelCauseFunc) uint64 {
	last := time.Now()
	tick := time.NewTicker(l.ttl / 4)
	defer tick.Stop()
	for beat := uint64(1); ; beat++ {
		select {
		case <-ctx.Done():
			return rev
		case <-tick.C:
		}
		start := time.Now()
		attempt, cancel := context.WithDeadline(ctx, last.Add(l.ttl*2/3))
		next, err := l.docs.Save(attempt, l.key, leaseDoc{Owner: l.owner, Beat: beat}, rev)
		cancel()
		switch {
		case err == nil:
			rev, last = next, start
		case errors.Is(err, ErrConflict) || time.Since(last) >= l.ttl*2/3:
			l.logger.Warn("lease lost", "lease", l.key, "err", err)
			lost(fmt.Errorf("%s: %w", l.key, errLeaseLost))
			return rev
		}
	}
}

// release hands the lease over at once; a failure only costs the successor the TTL.
func (l *Lease) release(rev uint64) {
	ctx, cancel := context.WithTimeout(context.Background(), l.ttl/4)
	defer cancel()
	if _, err := l.docs.Save(ctx, l.key, leaseDoc{}, rev); err != nil && !errors.Is(err, ErrConflict) {
		l.logger.Debug("lease not handed over", "lease", l.key, "err", err)
	}
}

// OpenLeases opens the bucket that leases are kept in.
func OpenLeases(ctx context.Context, js jetstream.JetStream, bucket string, replicas int) (*LeaseDocs, error) {
	return OpenDocs[leaseDoc](ctx, js, bucket, replicas)
}
