package tenant

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookTimeout bounds one look. A request that was lost with its connection would otherwise hold up the next looks.
	lookTimeout = time.Second
	// maxMarks bounds the looks that a watch is behind. By the time that many wait it has been stale for long.
	maxMarks = 16
)

// progress tells how far a watch is. Several times a second a look asks the bucket how far it is itself, and counts from the
// moment at which the watch has delivered all of that. A look proves what a beat proves, without a write; only the beat, which a
// quorum has stored, also proves that it was the bucket's leader who answered, and so decides what is refused.
type progress struct {
	seenAt atomic.Int64 // Unix nanoseconds by our clock: everything older has been applied, as a look or a beat proves

	mu      sync.Mutex // guards what follows
	created time.Time  // of the bucket that is followed
	seq     uint64     // everything up to this revision has been applied
	marks   []mark     // looks that the watch is behind, oldest first
}

// mark is what a look found.
type mark struct {
	seq uint64
	at  int64 // Unix nanoseconds by our clock when it was asked
}

// follow notes which bucket is followed and reports whether it is another one than before, whose revisions start anew.
func (p *progress) follow(created time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.created.Equal(created) {
		return false
	}
	p.created, p.seq, p.marks = created, 0, nil
	return true
}

// reach notes that everything up to a revision has been applied.
func (p *progress) reach(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq = max(p.seq, seq)
	reached := 0
	for ; reached < len(p.marks) && p.marks[reached].seq <= p.seq; reached++ {
		p.see(p.marks[reached].at)
	}
	p.marks = p.marks[reached:]
}

// note takes what a look found that was begun at the given time. It reports false when it was another bucket than the one
// that is followed.
func (p *progress) note(found bucketState, at int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.created.Equal(found.created):
		return false
	case found.lastSeq <= p.seq:
		p.see(at)
	case len(p.marks) < maxMarks:
		p.marks = append(p.marks, mark{seq: found.lastSeq, at: at})
	}
	return true
}

// see notes that everything before the given time has been applied.
func (p *progress) see(at int64) { advance(&p.seenAt, at) }

// lookLoop looks at the bucket until ctx ends. A look without an answer leaves no trace but the age of the last one.
func (w *watch) lookLoop(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-w.replayed:
	}
	for pause(ctx, w.timing.look) == nil {
		at := w.now().UnixNano()
		found, err := w.look(ctx)
		if err == nil && !w.progress.note(found, at) {
			w.requestRestart() // the bucket was made anew, so nothing will come from the old one
		}
	}
}

func (w *watch) look(ctx context.Context) (bucketState, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return w.bucket.look(ctx)
}
