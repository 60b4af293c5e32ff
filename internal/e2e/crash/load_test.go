package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

const (
	batchRows = 10
	// batchPause keeps a run's rows countable; the crashes, not the rate, are what is tested.
	batchPause = 50 * time.Millisecond
	retryPause = 20 * time.Millisecond
	// clientIDs is the room for row ids of one client. A sample's value is its id, so ids stay far below 2^53.
	clientIDs = 100_000_000
	// lostAnswers is the share of acknowledgements that a client does not get to see, so that it sends the bytes again.
	lostAnswers = 0.1
	// impatient is the share of batches that are sent once, whatever the answer: they may be stored, but not twice.
	impatient = 0.05
)

// sender is one client: it pushes batch after batch of rows with unique ids, each until it is acknowledged, and keeps the
// ledger of what was.
type sender struct {
	number  int
	signal  string
	path    string
	media   string
	encode  func(s *sender, first uint64, at time.Time) []byte
	account *harness.Account
	rnd     *rand.Rand
	lastAt  time.Time

	first   []byte       // the first batch
	done    atomic.Int64 // acknowledgements
	acked   []bool       // per batch; read after the load has ended
	retries int
	odd     map[int]int // answers that are neither success nor a request to come back
}

// fleet is the load on a server that comes and goes.
type fleet struct {
	t       *testing.T
	client  *http.Client
	url     atomic.Pointer[string] // of the server that is up, or was last
	senders []*sender
	pushed  atomic.Int64
	flooded atomic.Int64
	watch   watch
	rnd     *rand.Rand // of the test, not of the senders
	proxy   *proxy     // between the senders and the server, when there is one
	stop    chan struct{}
	wait    sync.WaitGroup
	totals  map[string]tally // of what was counted in the tables, by signal
	counted uint64           // lines by their patterns
}

// newFleet makes a sender per signal and account.
func newFleet(t *testing.T, rnd *rand.Rand, accounts ...*harness.Account) *fleet {
	f := &fleet{t: t, rnd: rnd, totals: map[string]tally{}, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	for _, account := range accounts {
		for _, s := range []*sender{
			{signal: "logs", path: "/loki/api/v1/push", media: "application/json", encode: (*sender).logs},
			{signal: "samples", path: "/api/v1/push", media: "application/x-protobuf", encode: (*sender).samples},
			{signal: "events", path: "/api/v1/push/events", media: "application/json", encode: (*sender).events},
			{signal: "spans", path: "/v1/traces", media: "application/json", encode: (*sender).spans},
		} {
			s.number, s.account, s.odd = len(f.senders)+1, account, map[int]int{}
			s.rnd = rand.New(rand.NewPCG(rnd.Uint64(), uint64(s.number)))
			f.senders = append(f.senders, s)
		}
	}
	return f
}

// start begins the load against a server.
func (f *fleet) start(s *harness.Server) {
	f.aim(s)
	f.resume()
}

// resume begins the load, or goes on with it after a pause.
func (f *fleet) resume() {
	f.stop = make(chan struct{})
	for _, s := range f.senders {
		f.wait.Go(func() { f.run(s) })
	}
}

// pause stops the load; batches under way are pushed to their end first.
func (f *fleet) pause() {
	close(f.stop)
	f.wait.Wait()
	if f.proxy != nil {
		f.proxy.pending.Wait()
	}
}

// aim points the load to the server that has come up.
func (f *fleet) aim(s *harness.Server) {
	url := s.URL
	if f.proxy != nil {
		f.proxy.aim(url)
		url = f.proxy.url
	}
	f.url.Store(&url)
}

// end stops the load for good. Each sender's last batch comes after every repeat of those before it, so that when its rows
// are stored there is nothing of the sender in the queue that would show later.
func (f *fleet) end() {
	f.pause()
	for _, s := range f.senders {
		f.next(s, false)
	}
	f.client.CloseIdleConnections()
	for _, s := range f.senders {
		if len(s.odd) > 0 {
			f.t.Errorf("sender %d (%s) got answers beside 2xx, 429 and 503: %v", s.number, s.signal, s.odd)
		}
	}
}

// pushes waits for so many more acknowledgements, so that a crash hits a server at work.
func (f *fleet) pushes(n int64) {
	f.t.Helper()
	want := f.pushed.Load() + n
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for f.pushed.Load() < want {
		select {
		case <-tick.C:
		case <-deadline:
			f.t.Fatalf("the load stands still at %d acknowledgements", f.pushed.Load())
		}
	}
}

func (f *fleet) run(s *sender) {
	tick := time.NewTicker(batchPause)
	defer tick.Stop()
	for {
		select {
		case <-f.stop:
			return
		case <-tick.C:
		}
		f.next(s, s.rnd.Float64() < impatient)
	}
}

// next pushes the sender's next batch: once, or until it is acknowledged.
func (f *fleet) next(s *sender, once bool) {
	at := time.Now().Truncate(time.Millisecond)
	if !at.After(s.lastAt) {
		at = s.lastAt.Add(time.Millisecond) // no two samples of a series share a time, which has milliseconds
	}
	s.lastAt = at
	body := s.encode(s, uint64(s.number)*clientIDs+uint64(len(s.acked))*batchRows, at)
	if len(s.acked) == 0 {
		s.first = body
	}
	s.acked = append(s.acked, f.push(s, body, once))
}

// push sends the same bytes until they are acknowledged, or once, and reports whether they were.
func (f *fleet) push(s *sender, body []byte, once bool) bool {
	for {
		begin := time.Now()
		answer, err := harness.Do(context.Background(), f.client, &harness.Request{
			URL: *f.url.Load() + s.path, Token: s.account.Ingest, Type: s.media, Body: body,
		})
		f.watch.note(answer, err, begin, time.Since(begin))
		switch {
		case err != nil: // the server is gone, or its answer is
		case answer.Status/100 == 2 && (once || s.rnd.Float64() >= lostAnswers):
			f.pushed.Add(1)
			s.done.Add(1)
			return true
		case answer.Status/100 == 2, answer.Status == http.StatusTooManyRequests, answer.Status == http.StatusServiceUnavailable:
		default:
			s.odd[answer.Status]++
			return false
		}
		if once {
			return false
		}
		s.retries++
		time.Sleep(retryPause) // a sender's own back-off
	}
}

// place gives row i of a batch its time: half of the rows are a day old, so that each batch is several blocks.
func place(at time.Time, i int) time.Time {
	if i%2 == 1 {
		return at.AddDate(0, 0, -1)
	}
	return at
}

// pageRows is how many rows of a sender one query may name apart: LogQL answers with 10,000 series at most.
const pageRows = 8000

// page numbers the rows by what one query can answer.
func page(first uint64) string { return strconv.FormatUint(first%clientIDs/pageRows, 10) }

// round changes now and then, so that new series keep coming.
func round(first uint64) string { return strconv.FormatUint(first%clientIDs/(50*batchRows), 10) }

func (s *sender) logs(first uint64, at time.Time) []byte {
	values := make([][2]string, batchRows)
	for i := range values {
		values[i] = [2]string{strconv.FormatInt(place(at, i).UnixNano(), 10), fmt.Sprintf("level=info id=%d msg=\"the lease was renewed\"", first+uint64(i))}
	}
	return encodeJSON(map[string]any{"streams": []any{map[string]any{
		"stream": map[string]string{"app": "crash", "sender": strconv.Itoa(s.number), "round": round(first), "page": page(first)}, "values": values,
	}}})
}

func (s *sender) samples(first uint64, at time.Time) []byte {
	req := prompb.WriteRequest{}
	for i := range batchRows {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{
			Labels: []prompb.Label{
				{Name: "__name__", Value: "crash_value"}, {Name: "lane", Value: strconv.Itoa(i)}, {Name: "round", Value: round(first)},
				{Name: "sender", Value: strconv.Itoa(s.number)},
			},
			Samples: []prompb.Sample{{Timestamp: place(at, i).UnixMilli(), Value: float64(first + uint64(i))}},
		})
	}
	body, err := req.Marshal()
	if err != nil {
		panic(err) // the message is ours
	}
	return snappy.Encode(nil, body)
}

func (s *sender) events(first uint64, at time.Time) []byte {
	items := make([]any, batchRows)
	for i := range items {
		id := first + uint64(i)
		items[i] = map[string]any{
			"kind": "Event", "metadata": map[string]string{"uid": fmt.Sprintf("00000000-0000-4000-8000-%012d", id)},
			"involvedObject": map[string]string{"kind": "Pod", "namespace": "page-" + page(first), "name": strconv.FormatUint(id, 10)},
			"type":           "Normal", "reason": "Renewed", "message": "the lease was renewed", "count": 1,
			"firstTimestamp": place(at, i).UTC().Format(time.RFC3339), "lastTimestamp": place(at, i).UTC().Format(time.RFC3339),
		}
	}
	return encodeJSON(map[string]any{"kind": "List", "items": items})
}

// spans carry their row's id as the span's.
func (s *sender) spans(first uint64, at time.Time) []byte {
	list := make([]any, batchRows)
	for i := range list {
		begin := place(at, i)
		list[i] = map[string]any{
			"traceId": fmt.Sprintf("%016x%016x", s.number, first), "spanId": fmt.Sprintf("%016x", first+uint64(i)), "name": "renew", "kind": 2,
			"startTimeUnixNano": strconv.FormatInt(begin.UnixNano(), 10), "endTimeUnixNano": strconv.FormatInt(begin.Add(time.Millisecond).UnixNano(), 10),
		}
	}
	service := map[string]any{"key": "service.name", "value": map[string]string{"stringValue": "crash"}}
	return encodeJSON(map[string]any{"resourceSpans": []any{map[string]any{
		"resource": map[string]any{"attributes": []any{service}}, "scopeSpans": []any{map[string]any{"spans": list}},
	}}})
}

func encodeJSON(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // the value is ours
	}
	return body
}
