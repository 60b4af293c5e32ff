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

// documents keeps one bucket's documents of all tenants in memory, current by a watch. It stands beside the Directory and not in
// it: only nodes with the API need such documents, and how fresh they are must not decide whether credentials are good. It has no
// file: a node that has not seen KV yet answers Unavailable. It is safe for concurrent use.
type documents[D any] struct {
	directory *Directory
	bucket    string
	log       *slog.Logger
	mu        sync.RWMutex // guards the rows of table
	table     *table[D]
	watch     *watch
	saving    sync.Mutex // held while one is counted and saved, so that a node's own requests keep the limits; before mu

	stop    context.CancelFunc
	running sync.WaitGroup
}

// documentsOptions says where documents stand.
type documentsOptions[D any] struct {
	bucket, noun string
	percent      int64           // the bucket's share of Options.MaxBytes
	groupOf      func(*D) string // the tenant
}

// openDocuments opens the bucket with the directory's options and returns when this node knows its state, or SyncTimeout is over:
// it then goes on trying. It lives until Close, which comes before the directory's; ctx bounds only the opening.
func openDocuments[D any, P interface {
	*D
	document
}](ctx context.Context, d *Directory, o documentsOptions[D]) (*documents[D], error) {
	opts := d.opts
	s := &documents[D]{directory: d, bucket: o.bucket, log: opts.Logger}
	b := &bucket{name: o.bucket, js: opts.JS, config: jetstream.KeyValueConfig{
		Bucket: bucketPrefix + o.bucket, Description: "Seamark control plane: " + o.bucket, History: 1,
		MaxBytes: opts.MaxBytes * o.percent / 100, MaxValueSize: maxValueBytes, Storage: jetstream.FileStorage, Replicas: opts.Replicas,
	}}
	s.table = newTable[D, P](o.noun, b, &s.mu, func() {})
	s.table.groupOf = o.groupOf
	s.watch = &watch{
		bucket: b, shelves: map[string]shelf{o.noun: s.table}, beats: true, now: opts.Now, log: opts.Logger,
		timing:  watchTiming{beat: opts.BeatInterval, stall: opts.StallTimeout, reconnectJitter: opts.ReconnectJitter, maxBackoff: 30 * time.Second},
		restart: make(chan struct{}, 1), replayed: make(chan struct{}), synced: make(chan struct{}),
		openedAt: opts.Now().UnixNano(), beaten: func() {}, faults: map[string]Fault{},
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.running.Go(func() { s.watch.run(life) })
	s.running.Go(func() { s.watch.beatLoop(life) })
	s.running.Go(func() { s.restartOnReconnect(life) })
	timer := time.NewTimer(opts.SyncTimeout)
	defer timer.Stop()
	select {
	case <-s.watch.synced:
	case <-timer.C:
		s.log.WarnContext(ctx, "documents are not known yet, KV does not answer", slog.String("bucket", o.bucket))
	case <-ctx.Done():
		stop()
		s.running.Wait()
		return nil, unreachable(ctx.Err())
	}
	return s, nil
}

// sweepWith calls sweep now and then until Close. It is called once, when the owner of the documents is complete.
func (s *documents[D]) sweepWith(ctx context.Context, sweep func(context.Context) error) {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	before := s.stop
	s.stop = func() { stop(); before() }
	s.running.Go(func() {
		for pause(life, sweepInterval) == nil {
			if err := sweep(life); err != nil && life.Err() == nil {
				s.log.WarnContext(life, "sweep of documents failed, the next one tries again", slog.String("bucket", s.bucket), slog.Any("error", err))
			}
		}
	})
}

// restartOnReconnect makes the watch anew after a reconnect, as the Directory does with its own.
func (s *documents[D]) restartOnReconnect(ctx context.Context) {
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

// Synced reports whether this node has seen KV's whole state since it started.
func (s *documents[D]) Synced() bool { return isClosed(s.watch.synced) }

// ready refuses while this node does not know what is stored.
func (s *documents[D]) ready() error {
	if s.Synced() {
		return nil
	}
	return unreachable(errors.New("bucket " + s.bucket + " was not read yet"))
}

// Faults lists the stored values that this node refused; it goes on with the last good ones.
func (s *documents[D]) Faults() []Fault { return s.watch.listFaults() }

// Close stops the background work. ctx bounds the waiting; s is unusable after.
func (s *documents[D]) Close(ctx context.Context) error {
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
		return fmt.Errorf("close %s: %w", s.bucket, ctx.Err())
	}
}
