package tenant

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// catchUpPause is how often a refresh looks whether its beat has come in, which takes a few of them.
	catchUpPause = 2 * time.Millisecond
	// catchUpPatience is how long a watch may take to deliver a beat before it is made anew. Its consumer may be gone since the
	// process was stopped, and the client alone would notice after two missed heartbeats of five seconds.
	catchUpPatience = 300 * time.Millisecond
)

// TokenAge returns the age of what tokens are checked against. It is taken on the wall clock, so it counts while this process is
// stopped.
func (d *Directory) TokenAge() time.Duration { return age(d.now(), d.tokenBeat.Load()) }

// Refresh returns when this node knows of every change of tenants, clusters and tokens that was made before the call. A process
// that was stopped for a while cannot know by itself what it has missed. The error is of kind Unavailable.
func (d *Directory) Refresh(ctx context.Context) error {
	var watches []*watch
	for _, w := range d.watches {
		switch w.bucket.name {
		case tenantsBucket, clustersBucket, tokensBucket:
			watches = append(watches, w)
		}
	}
	return catchUp(ctx, watches)
}

// Settle writes what waits for its interval: when clusters sent and credentials were used last. A process that may be stopped at
// any time calls it while it can.
func (d *Directory) Settle(ctx context.Context) error {
	return errors.Join(d.flushArrivals(ctx), d.flushUses(ctx))
}

// Refresh returns when this node knows of every change of pipelines that was made before the call. The error is of kind
// Unavailable.
func (p *Pipelines) Refresh(ctx context.Context) error { return catchUp(ctx, []*watch{p.watch}) }

// catchUp brings watches up to now, all at once.
func catchUp(ctx context.Context, watches []*watch) error {
	faults := make([]error, len(watches))
	var all sync.WaitGroup
	for i, w := range watches {
		all.Go(func() { faults[i] = w.catchUp(ctx) })
	}
	all.Wait()
	return errors.Join(faults...)
}

// catchUp writes a beat and returns when the watch has delivered it, and so everything before it. Only the bucket's leader takes
// a write, so what is delivered then is no follower's old state.
func (w *watch) catchUp(ctx context.Context) error {
	from := w.now().UnixNano()
	revision, err := w.writeBeat(ctx)
	if err != nil {
		return err
	}
	for begun := time.Now(); !w.progress.has(revision) || w.beatAt.Load() < from; {
		if pause(ctx, catchUpPause) != nil {
			return stale(age(w.now(), w.beatAt.Load()))
		}
		if time.Since(begun) > catchUpPatience {
			w.requestRestart()
			begun = time.Now()
		}
	}
	return nil
}

// has reports whether everything up to a revision has been applied.
func (p *progress) has(seq uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seq >= seq
}
