package usage_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// batchRows is how many rows each request has.
const batchRows = 20

// sender pushes in one protocol. Every body is its own and has rows with times of their own.
type sender struct {
	signal, source, path, media, encoding string
	body                                  func(n int) []byte

	mu    sync.Mutex // guards all fields below
	acked int        // requests, each counted once however often it was sent
	wire  int        // bytes of them
}

func senders() []*sender {
	begin := time.Now()
	at := func(n, row int) time.Time { return begin.Add(time.Duration(n*batchRows+row) * time.Microsecond) }
	return []*sender{
		{
			signal: "logs", source: "loki", path: "/loki/api/v1/push", media: "application/json",
			body: func(n int) []byte {
				values := ""
				for row := range batchRows {
					values += fmt.Sprintf(`,["%d","line %d of %d"]`, at(n, row).UnixNano(), row, n)
				}
				return []byte(`{"streams":[{"stream":{"app":"usage"},"values":[` + values[1:] + `]}]}`)
			},
		},
		{
			signal: "metrics", source: "remotewrite", path: "/api/v1/push", media: "application/x-protobuf", encoding: "snappy",
			body: func(n int) []byte {
				w := &prompb.WriteRequest{}
				for row := range batchRows {
					w.Timeseries = append(w.Timeseries, prompb.TimeSeries{
						Labels:  []prompb.Label{{Name: "__name__", Value: "usage_test"}, {Name: "row", Value: fmt.Sprint(row)}},
						Samples: []prompb.Sample{{Value: float64(n), Timestamp: begin.Add(time.Duration(n) * time.Millisecond).UnixMilli()}},
					})
				}
				body, err := w.Marshal()
				if err != nil {
					panic(err) // a test's own message
				}
				return snappy.Encode(nil, body)
			},
		},
		{
			signal: "traces", source: "otlp", path: "/v1/traces", media: "application/json",
			body: func(n int) []byte {
				spans := ""
				for row := range batchRows {
					t := at(n, row).UnixNano()
					spans += fmt.Sprintf(`,{"traceId":"%032x","spanId":"%016x","name":"span","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}`, n+1, n*batchRows+row+1, t, t+1000)
				}
				return []byte(`{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"spans":[` + spans[1:] + `]}]}]}`)
			},
		},
	}
}

// target is where senders send, which changes when the server starts again.
type target struct {
	mu  sync.Mutex // guards url
	url string
}

func (a *target) set(url string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.url = url
}

func (a *target) get() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.url
}

// run sends request after request until ctx ends, each until it was acknowledged and then once more, as a sender does that never
// saw the answer.
func (s *sender) run(ctx context.Context, t *testing.T, to *target, token string) {
	for n := 0; ctx.Err() == nil; n++ {
		body := s.body(n)
		for acks := 0; acks < 2; {
			a, err := harness.Do(context.WithoutCancel(ctx), http.DefaultClient, &harness.Request{URL: to.get() + s.path, Token: token, Type: s.media, Encoding: s.encoding, Body: body})
			switch {
			case err != nil || a.Status >= http.StatusInternalServerError || a.Status == http.StatusTooManyRequests:
				<-time.After(20 * time.Millisecond) // the server is away, and a sender paces its retries
			case a.Status/100 == 2:
				acks++
			default:
				t.Errorf("%s: got %d %s", s.source, a.Status, a.Body)
				return
			}
		}
		s.mu.Lock()
		s.acked, s.wire = s.acked+1, s.wire+len(body)
		s.mu.Unlock()
	}
}

func (s *sender) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked
}

// TestUsageIsWhatIsStored pushes in three protocols, every request twice, and kills the server twice in between. In the end the meter,
// the store and the senders' acknowledgements say the same.
func TestUsageIsWhatIsStored(t *testing.T) {
	w := newWorld(t, "billed")
	to := &target{url: w.server.URL}
	list := senders()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var running sync.WaitGroup
	for _, s := range list {
		running.Go(func() { s.run(ctx, t, to, w.account.Ingest) })
	}
	progress := func(more int) {
		t.Helper()
		var before []int
		for _, s := range list {
			before = append(before, s.count())
		}
		testkit.Eventually(t, patience, func() error {
			for i, s := range list {
				if n := s.count() - before[i]; n < more {
					return fmt.Errorf("%s has had %d acknowledgements, want %d", s.source, n, more)
				}
			}
			return nil
		})
	}
	for range 2 {
		progress(30)
		w.server.Kill()
		w.start()
		to.set(w.server.URL)
	}
	progress(30)
	end()
	running.Wait()

	testkit.Eventually(t, patience, func() error {
		var faults []error
		got := map[string]usageItem{}
		for _, u := range w.usage("signal,source") {
			if u.Rows > 0 {
				got[u.Signal+"/"+u.Source] = u
			}
		}
		for _, s := range list {
			u := got[s.signal+"/"+s.source]
			if u.Rows != float64(s.acked*batchRows) || u.Requests != float64(s.acked) || u.WireBytes != float64(s.wire) {
				faults = append(faults, fmt.Errorf("%s: metered %+v, acknowledged %d requests, %d rows, %d bytes", s.source, got, s.acked, s.acked*batchRows, s.wire))
			}
		}
		if len(got) != len(list) {
			faults = append(faults, fmt.Errorf("metered %d protocols: %+v", len(got), got))
		}
		return errors.Join(faults...)
	})
	checkReconciled(t, w, list)
}

// checkReconciled holds the meter against the store.
func checkReconciled(t *testing.T, w *world, list []*sender) {
	t.Helper()
	var answer struct {
		Items []struct {
			Signal      string
			Metered     int `json:"metered_rows"`
			Stored      int `json:"stored_rows"`
			Difference  int
			Unexplained int
		}
		Unexplained int
	}
	w.do(w.admin, http.MethodGet, "/api/v1/usage/reconciliation", "", http.StatusOK, &answer)
	stored := map[string]int{}
	for _, l := range answer.Items {
		stored[l.Signal] += l.Stored
		if l.Difference != 0 || l.Unexplained != 0 || l.Metered != l.Stored {
			t.Errorf("the meter and the store differ: %+v", l)
		}
	}
	for _, s := range list {
		if want := s.acked * batchRows; stored[s.signal] != want {
			t.Errorf("%d rows of %s are stored, want %d", stored[s.signal], s.signal, want)
		}
	}
	series, err := harness.LogQL(t.Context(), w.server.URL, w.account.Query, `sum(count_over_time({app="usage"}[1h]))`)
	if err != nil || len(series) != 1 || math.Abs(series[0].Point.Value-float64(list[0].acked*batchRows)) > 0 {
		t.Errorf("a query counts %+v lines, %v; want %d", series, err, list[0].acked*batchRows)
	}
}
