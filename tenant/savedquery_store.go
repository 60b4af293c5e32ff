package tenant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	savedQueriesBucket = "savedqueries"
	savedQueryNoun     = "savedquery"
	// savedQueryPercent is the bucket's share of Options.MaxBytes.
	savedQueryPercent = 25
)

// SavedQueries keeps all tenants' saved queries in memory, current by a watch. It stands beside the Directory and not in it:
// only nodes with the API need them, and how fresh they are must not decide whether credentials are good. It has no file:
// a node that has not seen KV yet answers Unavailable. It is safe for concurrent use.
type SavedQueries struct {
	directory *Directory
	check     func(QueryLanguage, string) error
	log       *slog.Logger
	mu        sync.RWMutex // guards the rows of table
	table     *table[savedQueryDoc]
	watch     *watch
	saving    sync.Mutex // held while one is counted and saved, so that a node's own requests keep the limits; before mu

	stop    context.CancelFunc
	running sync.WaitGroup
}

// OpenSavedQueries opens the bucket with the directory's options and returns when this node knows its state, or SyncTimeout is
// over: it then goes on trying. check tells what is wrong with a query's text; its error is shown to the customer. It lives
// until Close, which comes before the directory's; ctx bounds only the opening.
func OpenSavedQueries(ctx context.Context, d *Directory, check func(QueryLanguage, string) error) (*SavedQueries, error) {
	if d == nil || check == nil {
		return nil, errors.New("tenant: OpenSavedQueries needs a directory and a check")
	}
	opts := d.opts
	s := &SavedQueries{directory: d, check: check, log: opts.Logger}
	b := &bucket{name: savedQueriesBucket, js: opts.JS, config: jetstream.KeyValueConfig{
		Bucket: bucketPrefix + savedQueriesBucket, Description: "Seamark control plane: " + savedQueriesBucket, History: 1,
		MaxBytes: opts.MaxBytes * savedQueryPercent / 100, MaxValueSize: maxValueBytes, Storage: jetstream.FileStorage, Replicas: opts.Replicas,
	}}
	s.table = newTable[savedQueryDoc](savedQueryNoun, b, &s.mu, func() {})
	s.table.groupOf = func(q *savedQueryDoc) string { return string(q.Tenant) }
	s.watch = &watch{
		bucket: b, shelves: map[string]shelf{savedQueryNoun: s.table}, beats: true, now: opts.Now, log: opts.Logger,
		timing:  watchTiming{beat: opts.BeatInterval, stall: opts.StallTimeout, reconnectJitter: opts.ReconnectJitter, maxBackoff: 30 * time.Second},
		restart: make(chan struct{}, 1), replayed: make(chan struct{}), synced: make(chan struct{}),
		openedAt: opts.Now().UnixNano(), beaten: func() {}, faults: map[string]Fault{},
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.running.Go(func() { s.watch.run(life) })
	s.running.Go(func() { s.watch.beatLoop(life) })
	s.running.Go(func() { s.restartOnReconnect(life) })
	s.running.Go(func() { s.sweepLoop(life) })
	timer := time.NewTimer(opts.SyncTimeout)
	defer timer.Stop()
	select {
	case <-s.watch.synced:
	case <-timer.C:
		s.log.WarnContext(ctx, "saved queries are not known yet, KV does not answer")
	case <-ctx.Done():
		stop()
		s.running.Wait()
		return nil, unreachable(ctx.Err())
	}
	return s, nil
}

// restartOnReconnect makes the watch anew after a reconnect, as the Directory does with its own.
func (s *SavedQueries) restartOnReconnect(ctx context.Context) {
	conn := s.directory.opts.JS.Conn()
	status := conn.StatusChanged(nats.CONNECTED)
	defer conn.RemoveStatusListener(status)
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-status:
			if !ok {
				return
			}
			s.watch.requestRestart()
		}
	}
}

// sweepLoop removes what has no owner any more, now and then, until ctx ends.
func (s *SavedQueries) sweepLoop(ctx context.Context) {
	for pause(ctx, sweepInterval) == nil {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep of saved queries failed, the next one tries again", slog.Any("error", err))
		}
	}
}

// Sweep removes the queries of tenants that are gone, and the private ones of members and machines that are gone: nobody could
// see or delete those. It does nothing on a node that does not know all of both yet.
func (s *SavedQueries) Sweep(ctx context.Context) error {
	if !s.Synced() || !s.directory.Synced() {
		return nil
	}
	for _, q := range s.table.all() {
		t, _ := s.directory.tenants.find(string(q.Tenant))
		gone := t == nil || t.State == Deleted
		if !gone && (q.Visibility == TenantQuery || s.present(q)) {
			continue
		}
		if err := s.table.remove(ctx, savedQueryKey(q.Tenant, q.ID)); err != nil {
			return fmt.Errorf("remove old saved query: %w", err)
		}
	}
	return nil
}

// present reports whether a query's owner is still in its tenant.
func (s *SavedQueries) present(q *savedQueryDoc) bool {
	if q.Owner.Kind == ownerMember {
		u := s.directory.users.findAlias(q.Owner.ID)
		return u != nil && u.Memberships[q.Tenant] != ""
	}
	t, _ := s.directory.tokens.find(q.Owner.ID)
	return t != nil && t.Tenant == q.Tenant && t.live(s.directory.now())
}

// Synced reports whether this node has seen KV's whole state since it started.
func (s *SavedQueries) Synced() bool { return isClosed(s.watch.synced) }

// ready refuses while this node does not know what is saved.
func (s *SavedQueries) ready() error {
	if s.Synced() {
		return nil
	}
	return unreachable(errors.New("bucket " + savedQueriesBucket + " was not read yet"))
}

// Faults lists the stored values that this node refused; it goes on with the last good ones.
func (s *SavedQueries) Faults() []Fault { return s.watch.listFaults() }

// Close stops the background work. ctx bounds the waiting; s is unusable after.
func (s *SavedQueries) Close(ctx context.Context) error {
	s.stop()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close saved queries: %w", ctx.Err())
	}
}
