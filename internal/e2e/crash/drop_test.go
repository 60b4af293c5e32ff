package crash

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// droppedAnswers is the share of the server's answers that the proxy loses.
const droppedAnswers = 0.3

// TestDroppedResponses loses answers on their way while the server is killed again and again. Senders repeat identical
// bytes until they see an acknowledgement, so most batches arrive more than once, some over a crash.
func TestDroppedResponses(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{loses: droppedAnswers})
	n := cycles(t, 2)
	for range n {
		r.fleet.pushes(r.some())
		r.server.Kill()
		r.restart()
	}
	r.fleet.pushes(300)
	acks, lost := r.fleet.proxy.acks.Load(), r.fleet.proxy.lost.Load()
	if share := float64(lost) / float64(acks); acks < 300 || share < droppedAnswers-0.1 || share > droppedAnswers+0.1 {
		t.Errorf("the proxy lost %d of %d acknowledgements; want about %.0f %%", lost, acks, 100*droppedAnswers)
	}
	r.settle()
	r.fleet.verdict(n, map[string]any{"acknowledgements": acks, "acknowledgements_lost": lost})
}

// TestRepeatAfterCrash loses one answer for as long as it takes others to push thousands of messages, and kills the server
// before the sender comes back. A NATS server that starts again knows a repeat by the messages that are still in its
// stream, so what is stored must stay there for the duplicate window.
func TestRepeatAfterCrash(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{flags: []string{"--bus.shards", "1"}})
	crowd := newFleet(t, r.rnd, harness.NewAccount(r.server.Admin(t), "crowd"))
	crowd.aim(r.server)
	r.fleet.pushes(200)
	r.fleet.pause()
	const between = 12_000
	crowd.flood(between)
	for range 6 { // the writer looks behind itself about once a second
		crowd.flood(50)
		r.waitStored()
	}
	r.server.Kill()
	r.restart()
	repeats := 0
	for _, s := range r.fleet.senders {
		if s.acked[0] {
			repeats++
			testkit.Eventually(t, time.Minute, func() error { return r.fleet.pushOnce(s, s.first) })
		}
	}
	r.fleet.resume()
	r.fleet.pushes(50)
	r.settle()
	r.fleet.verdict(1, map[string]any{"messages_between": between, "repeats": repeats})
}

// pushOnce pushes bytes once.
func (f *fleet) pushOnce(s *sender, body []byte) error {
	answer, err := harness.Do(context.Background(), f.client, &harness.Request{
		URL: *f.url.Load() + s.path, Token: s.account.Ingest, Type: s.media, Body: body,
	})
	if err == nil && answer.Status/100 != 2 {
		err = fmt.Errorf("%s: %d %s", s.signal, answer.Status, answer.Body)
	}
	return err
}

// flood pushes n messages of logs beside any ledger, many at a time, so that they share syncs.
func (f *fleet) flood(n int64) {
	f.t.Helper()
	const lanes = 64
	var left atomic.Int64
	left.Store(n)
	s := f.senderOf("logs")
	work, _ := errgroup.WithContext(f.t.Context())
	for range lanes {
		work.Go(func() error {
			for left.Add(-1) >= 0 {
				first := uint64(f.flooded.Add(1)) * batchRows
				if err := f.pushOnce(s, s.encode(s, uint64(s.number)*clientIDs+first, time.Now())); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		f.t.Fatal(err)
	}
}
