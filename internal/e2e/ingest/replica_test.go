package ingest_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// TestReplicas has two Prometheus servers push the same targets. One is stored; when it falls silent the other takes over,
// and the series goes on under the same labels.
func TestReplicas(t *testing.T) {
	x := newAccount(t, "replicas")
	push := func(replica string, at time.Time, value float64) {
		t.Helper()
		body := writeBody(t, series{[]string{"__name__", "up", "__replica__", replica, "cluster", "pair", "job", "node"}, at, value})
		x.Post(t, x.Ingest, writePath, protoMedia, body, http.StatusNoContent)
	}
	start := now().Add(-5 * time.Minute).Truncate(time.Second)
	for i := range 3 {
		at := start.Add(time.Duration(i) * 15 * time.Second)
		push("a", at, 1)
		push("b", at.Add(time.Second), 2) // answered as if it were stored
	}
	x.awaitSamples(t, `count_over_time(up{cluster="pair"}[10m])`, map[string]string{"node ": "3"}, "job", "__replica__")
	x.awaitSamples(t, `max_over_time(up{cluster="pair"}[10m])`, map[string]string{"node ": "1"}, "job", "__replica__")

	x.skip(t, replicaTimeout+time.Second)
	push("b", start.Add(time.Minute), 2)
	push("a", start.Add(time.Minute+time.Second), 1) // it is back, and the other one's turn has come
	push("b", start.Add(75*time.Second), 2)
	x.awaitSamples(t, `count_over_time(up{cluster="pair"}[10m])`, map[string]string{"node ": "5"}, "job", "__replica__")
	x.awaitSamples(t, `sum_over_time(up{cluster="pair"}[10m])`, map[string]string{"node ": fmt.Sprint(3*1 + 2*2)}, "job", "__replica__")
	// A server that is alone has no label to tell it apart, and is always taken.
	alone := writeBody(t, series{[]string{"__name__", "up", "cluster", "pair", "job", "alone"}, start, 7})
	x.Post(t, x.Ingest, writePath, protoMedia, alone, http.StatusNoContent)
	x.awaitSamples(t, `last_over_time(up{job="alone"}[10m])`, map[string]string{"alone": "7"}, "job")
}
