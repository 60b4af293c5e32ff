package crash

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestQueueFull keeps ClickHouse away until every signal's stream is as large as it may be. Ingest answers 503 with
// Retry-After at once, and takes rows again by itself when the store is back.
func TestQueueFull(t *testing.T) {
	t.Parallel()
	o := newOutside(t, t.TempDir(), "--bus.shards", "1", "--bus.max-stream-bytes", strconv.Itoa(16<<20))
	o.fleet.pushes(100)
	n := cycles(t, 1)
	var returned time.Duration
	for range n {
		giveBack := o.takeEngine(t)
		for _, signal := range []string{"logs", "samples", "events", "spans"} {
			o.fleet.fill(t, signal)
		}
		o.fleet.watch.restart()
		testkit.Eventually(t, time.Minute, func() error {
			if seen := o.fleet.watch.snapshot(); seen[http.StatusServiceUnavailable].count() < 1000 {
				return fmt.Errorf("answers %s; want the queue full", seen)
			}
			return nil
		})
		seen := o.fleet.watch.snapshot()
		t.Logf("answers of the full queue: %s", seen)
		seen.only(t, http.StatusOK, http.StatusNoContent, http.StatusServiceUnavailable)
		giveBack()
		begin := time.Now()
		for _, s := range o.fleet.senders {
			testkit.Eventually(t, time.Minute, func() error { return o.fleet.pushOnce(s, filler(o.fleet.rnd, s.signal)) })
		}
		returned = max(returned, time.Since(begin))
	}
	o.fleet.pushes(200)
	o.settle(t)
	o.fleet.verdict(n, map[string]any{"taken_again_after_seconds": returned.Seconds()})
}

// fillRows is how many rows, and fillBytes how many bytes, one request of a filler has. The rows are random, so that they
// take their room in the queue as well.
const (
	fillRows  = 64
	fillBytes = 1 << 20
)

// fill pushes rows that no ledger knows until they are refused.
func (f *fleet) fill(t *testing.T, signal string) {
	t.Helper()
	for i := range 1000 {
		s := f.senderOf(signal)
		answer, err := harness.Do(context.Background(), f.client, &harness.Request{
			URL: *f.url.Load() + s.path, Token: s.account.Ingest, Type: s.media, Body: filler(f.rnd, signal),
		})
		switch {
		case err != nil:
			t.Fatalf("fill the queue of %s: %v", signal, err)
		case answer.Status == http.StatusServiceUnavailable:
			t.Logf("%d requests filled the queue of %s", i, signal)
			return
		case answer.Status/100 != 2:
			t.Fatalf("fill the queue of %s: %d %s", signal, answer.Status, answer.Body)
		}
	}
	t.Fatalf("the queue of %s takes everything", signal)
}

func (f *fleet) senderOf(signal string) *sender {
	for _, s := range f.senders {
		if s.signal == signal {
			return s
		}
	}
	f.t.Fatalf("nobody sends %s", signal)
	return nil
}

// filler makes a request of random rows, whose ids are nobody's.
func filler(rnd *rand.Rand, signal string) []byte {
	now, each := time.Now(), fillBytes/fillRows
	text := func() string {
		raw := make([]byte, each*3/4)
		for i := range raw {
			raw[i] = byte(rnd.Uint32())
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	list := make([]any, fillRows)
	switch signal {
	case "logs":
		for i := range list {
			list[i] = []string{strconv.FormatInt(now.UnixNano()+int64(i), 10), text()}
		}
		return encodeJSON(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"app": "filler"}, "values": list}}})
	case "events":
		for i := range list {
			list[i] = map[string]any{
				"kind": "Event", "metadata": map[string]string{"uid": fmt.Sprintf("00000000-0000-4000-9000-%012x", rnd.Uint64()>>16)},
				"involvedObject": map[string]string{"kind": "Pod", "namespace": "filler", "name": "filler"},
				"type":           "Normal", "reason": "Filled", "message": text(), "count": 1,
				"firstTimestamp": now.UTC().Format(time.RFC3339), "lastTimestamp": now.UTC().Format(time.RFC3339),
			}
		}
		return encodeJSON(map[string]any{"kind": "List", "items": list})
	case "spans":
		for i := range list {
			list[i] = map[string]any{
				"traceId": fmt.Sprintf("ff%030x", rnd.Uint64()), "spanId": fmt.Sprintf("ff%014x", rnd.Uint64()>>8), "name": "fill", "kind": 2,
				"startTimeUnixNano": strconv.FormatInt(now.UnixNano(), 10), "endTimeUnixNano": strconv.FormatInt(now.UnixNano(), 10),
				"traceState": "filler=" + text(),
			}
		}
		return encodeJSON(map[string]any{"resourceSpans": []any{map[string]any{"scopeSpans": []any{map[string]any{"spans": list}}}}})
	}
	return fillerSamples(rnd, now)
}

func fillerSamples(rnd *rand.Rand, now time.Time) []byte {
	const samples = fillBytes / 16
	series := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "filler"}, {Name: "lane", Value: strconv.FormatUint(rnd.Uint64(), 16)}}}
	for i := range samples {
		series.Samples = append(series.Samples, prompb.Sample{Timestamp: now.UnixMilli() - int64(i), Value: rnd.Float64()})
	}
	body, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}).Marshal()
	if err != nil {
		panic(err) // the message is ours
	}
	return snappy.Encode(nil, body)
}
