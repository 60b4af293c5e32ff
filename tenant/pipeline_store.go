package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	pipelinesBucket = "pipelines"
	pipelineNoun    = "pipeline"
	// pipelinePercent is the bucket's share of Options.MaxBytes.
	pipelinePercent = 8
)

// Pipelines keeps all tenants' log pipelines in memory, current by a watch, with a file for starts without KV. It stands
// beside the Directory and not in it: how fresh a node's pipelines are must not decide whether its credentials are good.
// It is safe for concurrent use.
type Pipelines struct {
	opts  Options
	log   *slog.Logger
	mu    sync.RWMutex // guards the rows of table
	table *table[pipelineDoc]
	watch *watch
	dirty atomic.Bool // whether the file is behind

	stop    context.CancelFunc
	running sync.WaitGroup
}

// OpenPipelines opens the bucket and returns when this node knows its state. Where KV does not answer within SyncTimeout it
// works from the file at opts.SnapshotPath, which must not be the Directory's, and keeps trying; without a file it fails
// with kind Unavailable after StartTimeout, because records that should be redacted must not be taken as they are. The fields of opts about
// credentials are not used. It lives until Close; ctx bounds only the opening.
func OpenPipelines(ctx context.Context, opts Options) (*Pipelines, error) {
	opts.setDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	p := &Pipelines{opts: opts, log: opts.Logger}
	b := &bucket{name: pipelinesBucket, js: opts.JS, config: jetstream.KeyValueConfig{
		Bucket: bucketPrefix + pipelinesBucket, Description: "Seamark control plane: " + pipelinesBucket, History: 1,
		MaxBytes: opts.MaxBytes * pipelinePercent / 100, MaxValueSize: maxValueBytes, Storage: jetstream.FileStorage, Replicas: opts.Replicas,
	}}
	p.table = newTable[pipelineDoc](pipelineNoun, b, &p.mu, func() { p.dirty.Store(true) })
	p.watch = &watch{
		bucket: b, shelves: map[string]shelf{pipelineNoun: p.table}, beats: true, now: opts.Now, log: opts.Logger,
		timing:  watchTiming{beat: opts.BeatInterval, stall: opts.StallTimeout, reconnectJitter: opts.ReconnectJitter, maxBackoff: 30 * time.Second},
		restart: make(chan struct{}, 1), replayed: make(chan struct{}), synced: make(chan struct{}),
		openedAt: opts.Now().UnixNano(), beaten: func() {}, faults: map[string]Fault{},
	}
	loaded := p.load(ctx)
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.start(life)
	timer := time.NewTimer(opts.patience(loaded))
	defer timer.Stop()
	select {
	case <-p.watch.synced:
		return p, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if loaded {
		p.log.WarnContext(ctx, "pipelines started from their file, KV does not answer")
		return p, nil
	}
	stop()
	p.running.Wait()
	return nil, unreachable(fmt.Errorf("bucket %s did not sync within %s", pipelinesBucket, opts.StartTimeout))
}

// start runs the background work until ctx ends.
func (p *Pipelines) start(ctx context.Context) {
	p.running.Go(func() { p.watch.run(ctx) })
	p.running.Go(func() { p.watch.beatLoop(ctx) })
	p.running.Go(func() { p.restartOnReconnect(ctx) })
	if p.opts.SnapshotPath != "" {
		p.running.Go(func() { p.saveLoop(ctx) })
	}
}

// restartOnReconnect makes the watch anew after a reconnect, as the Directory does with its own.
func (p *Pipelines) restartOnReconnect(ctx context.Context) {
	conn := p.opts.JS.Conn()
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
			p.watch.requestRestart()
		}
	}
}

// load fills the table from the file and reports whether there was one.
func (p *Pipelines) load(ctx context.Context) bool {
	if p.opts.SnapshotPath == "" {
		return false
	}
	file, err := readSnapshot(p.opts.SnapshotPath)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			p.log.ErrorContext(ctx, "the pipelines' file is unusable", slog.Any("error", err))
		}
		return false
	}
	saved, ok := file.Buckets[pipelinesBucket]
	for key, value := range saved.Nouns[pipelineNoun] {
		if err := p.table.apply(key, value, 0); err != nil {
			p.log.ErrorContext(ctx, "the pipelines' file has a bad value", slog.String("key", key), slog.Any("error", err))
		}
	}
	return ok
}

// saveLoop keeps the file near the memory until ctx ends.
func (p *Pipelines) saveLoop(ctx context.Context) {
	for pause(ctx, snapshotPause) == nil {
		if !p.dirty.Load() {
			continue
		}
		if err := p.save(); err != nil {
			p.log.ErrorContext(ctx, "the pipelines' file was not written", slog.Any("error", err))
		}
	}
}

// save writes the file, unless this node has not seen KV's state yet.
func (p *Pipelines) save() error {
	if !p.Synced() {
		return nil
	}
	p.dirty.Store(false)
	values, err := p.table.dump()
	if err != nil {
		return err
	}
	text, err := json.Marshal(snapshotFile{Version: docVersion, Buckets: map[string]snapshotBucket{
		pipelinesBucket: {Beat: p.watch.beatAt.Load(), Nouns: map[string]map[string]json.RawMessage{pipelineNoun: values}},
	}})
	if err != nil {
		return fmt.Errorf("encode pipelines: %w", err)
	}
	return replaceFile(p.opts.SnapshotPath, text)
}

// Synced reports whether this node has seen KV's whole state since it started; false while it works from the file.
func (p *Pipelines) Synced() bool { return isClosed(p.watch.synced) }

// Freshness returns the age of what this node knows. It stays near BeatInterval while KV answers.
func (p *Pipelines) Freshness() time.Duration { return age(p.opts.Now(), p.watch.beatAt.Load()) }

// Faults lists the stored values that this node refused; it goes on with the last good ones.
func (p *Pipelines) Faults() []Fault { return p.watch.listFaults() }

// Close writes what is pending and stops the background work. ctx bounds the waiting; p is unusable after.
func (p *Pipelines) Close(ctx context.Context) error {
	var err error
	if p.opts.SnapshotPath != "" {
		err = p.save()
	}
	p.stop()
	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("close pipelines: %w", ctx.Err()))
	}
}
