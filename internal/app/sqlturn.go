package app

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/querier/admit"
)

// readerPause is how long a reader may take what was read before the query's place goes to another. Readers that keep up are faster,
// and do not queue for each piece.
const readerPause = 100 * time.Millisecond

// turnedAnswer is an answer that holds its query's place while more of it is read, and none while its reader is slow.
type turnedAnswer struct {
	io.ReadCloser
	ctx   context.Context // of the query
	query *admit.Query
	done  func()

	mu      sync.Mutex // guards what follows
	reading bool       // or closed
	away    bool       // the place was given back
	pause   *time.Timer
}

func newTurnedAnswer(ctx context.Context, answer io.ReadCloser, done func()) *turnedAnswer {
	t := &turnedAnswer{ReadCloser: answer, ctx: ctx, query: admit.From(ctx), done: done}
	t.pause = time.AfterFunc(readerPause, t.leave)
	return t
}

// leave gives the place back, unless the reader has come for more.
func (t *turnedAnswer) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.reading && !t.away {
		t.away = true
		t.query.Leave()
	}
}

// Read implements io.Reader.
func (t *turnedAnswer) Read(p []byte) (int, error) {
	t.mu.Lock()
	t.pause.Stop()
	away := t.away
	t.reading, t.away = true, false
	t.mu.Unlock()
	if away {
		if err := t.query.Resume(t.ctx); err != nil {
			return 0, err
		}
	}
	n, err := t.ReadCloser.Read(p)
	t.mu.Lock()
	t.reading = false
	t.mu.Unlock()
	t.pause.Reset(readerPause)
	return n, err
}

// Close implements io.Closer.
func (t *turnedAnswer) Close() error {
	t.mu.Lock()
	t.pause.Stop()
	t.reading = true
	t.mu.Unlock()
	defer t.done()
	return t.ReadCloser.Close()
}
