package logtail

import (
	"context"
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// Batch is the lines that one frame shows.
type Batch struct {
	Streams []engine.Stream
	// Dropped are lines that the reader was too slow for, the first of them; DroppedLines is how many there were.
	Dropped      []Dropped
	DroppedLines int
	// Categorized says that lines carry their own metadata and parsed labels.
	Categorized bool
}

// Dropped is a line that was not shown.
type Dropped struct {
	Labels []seamark.Label
	Time   int64 // nanoseconds since 1970
}

// maxDropped bounds the dropped lines that a batch names.
const maxDropped = 100

// queue holds lines for a reader.
type queue struct {
	max     int
	metrics metrics
	ready   chan struct{} // has one element when there is something to send

	mu    sync.Mutex // guards next and lines
	next  *Batch
	lines int
}

func newQueue(most int, m metrics) *queue {
	return &queue{max: most, metrics: m, ready: make(chan struct{}, 1), next: &Batch{}}
}

// push adds the lines of a result, as many as there is room for.
func (q *queue) push(r *engine.Result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range r.Streams {
		s := r.Streams[i]
		room := min(len(s.Entries), q.max-q.lines)
		q.lines += room
		for k := room; k < len(s.Entries); k++ {
			q.dropLocked(s.Labels, s.Entries[k].Time)
		}
		s.Entries = s.Entries[:room]
		if room > 0 {
			q.next.Streams = append(q.next.Streams, s)
			q.next.Categorized = r.Categorized
		}
	}
	q.wakeLocked()
}

// drop counts lines of streams that nobody knows.
func (q *queue) drop(b *store.LogBlock) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range b.Len() {
		q.dropLocked(nil, b.Time[i])
	}
	q.wakeLocked()
}

func (q *queue) dropLocked(labels []seamark.Label, at int64) {
	q.metrics.dropped.Inc()
	q.next.DroppedLines++
	if len(q.next.Dropped) < maxDropped {
		q.next.Dropped = append(q.next.Dropped, Dropped{labels, at})
	}
}

func (q *queue) wakeLocked() {
	if q.lines == 0 && q.next.DroppedLines == 0 {
		return
	}
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// run sends what is queued until ctx ends or send fails.
func (q *queue) run(ctx context.Context, send func(*Batch) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-q.ready:
		}
		q.mu.Lock()
		batch, lines := q.next, q.lines
		q.next, q.lines = &Batch{}, 0
		q.mu.Unlock()
		if len(batch.Streams) == 0 && batch.DroppedLines == 0 {
			continue
		}
		if err := send(batch); err != nil {
			return err
		}
		q.metrics.lines.Add(float64(lines))
	}
}
