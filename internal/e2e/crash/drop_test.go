package crash

import "testing"

// droppedAnswers is the share of the server's answers that the proxy loses.
const droppedAnswers = 0.3

// TestDroppedResponses loses answers on their way while the server is killed again and again. Senders repeat identical
// bytes until they see an acknowledgement, so most batches arrive more than once, some over a crash.
func TestDroppedResponses(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{loses: droppedAnswers})
	n := cycles(t, 3)
	for range n {
		r.fleet.pushes(r.some())
		r.server.Kill()
		r.restart()
	}
	r.fleet.pushes(200)
	acks, lost := r.fleet.proxy.acks.Load(), r.fleet.proxy.lost.Load()
	if share := float64(lost) / float64(acks); acks < 300 || share < droppedAnswers-0.1 || share > droppedAnswers+0.1 {
		t.Errorf("the proxy lost %d of %d acknowledgements; want about %.0f %%", lost, acks, 100*droppedAnswers)
	}
	r.settle()
	r.fleet.verdict(n, map[string]any{"acknowledgements": acks, "acknowledgements_lost": lost})
}
