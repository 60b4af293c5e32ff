package logtail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logtail"
)

const (
	tenant  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	other   = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	cluster = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAX")
	within  = time.Minute
)

var base = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// server is a bus of two shards, a store and a log query engine, as a tail sees them.
type server struct {
	t *testing.T

	mu      sync.Mutex // guards all below
	shards  [2][][]byte
	stored  [2]uint64
	changed chan struct{} // closed and made anew at each change
	fault   error         // of Follow
	streams map[uint64]store.LogStream
	rows    *logmem.Rows
	block   store.LogBlock
	lookups int
	// beforeQuery and afterQuery are called around the history's query, without the lock.
	beforeQuery, afterQuery func()
}

func newServer(t *testing.T) *server {
	return &server{t: t, changed: make(chan struct{}), streams: map[uint64]store.LogStream{}, rows: logmem.New()}
}

func (s *server) Shards(seamark.TenantID) (int, error) { return len(s.shards), nil }

func (s *server) Position(_ context.Context, _ seamark.TenantID, shard int) (stored, last uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored[shard], uint64(len(s.shards[shard])), nil
}

func (s *server) Follow(ctx context.Context, _ seamark.TenantID, shard int, from uint64, fn func(uint64, []byte) error) error {
	for {
		s.mu.Lock()
		list, changed, fault := s.shards[shard], s.changed, s.fault
		s.mu.Unlock()
		for ; from <= uint64(len(list)); from++ {
			if err := fn(from, slices.Clone(list[from-1])); err != nil {
				return err
			}
		}
		if fault != nil {
			return fault
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (s *server) LogStreamsByFP(_ context.Context, _ seamark.TenantID, fps []uint64) ([]store.LogStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	var list []store.LogStream
	for _, fp := range fps {
		if found, ok := s.streams[fp]; ok {
			list = append(list, found)
		}
	}
	return list, nil
}

func (s *server) Query(ctx context.Context, id seamark.TenantID, p engine.Params) (*engine.Result, error) {
	if s.beforeQuery != nil {
		s.beforeQuery()
	}
	defer func() {
		if s.afterQuery != nil {
			s.afterQuery()
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	streams := []store.LogStream{}
	for _, one := range s.streams {
		streams = append(streams, one)
	}
	s.rows.Set(streams, &s.block)
	e, err := engine.New(engine.Options{Storage: s.rows})
	if err != nil {
		return nil, err
	}
	return e.Query(ctx, id, p)
}

// change runs fn with the lock and wakes the followers.
func (s *server) change(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
	close(s.changed)
	s.changed = make(chan struct{})
}

// line is one line of a stream, whose label app is its name.
type line struct {
	app, text string
	at        int // seconds after base
}

func streamOf(app string) store.LogStream {
	fp := uint64(0)
	for _, c := range app {
		fp = fp*31 + uint64(c)
	}
	return store.LogStream{FP: fp, Group: "/" + app, Labels: []seamark.Label{{Name: "app", Value: app}}}
}

// send publishes lines to a shard in one message; its streams' labels come along where announce is set.
func (s *server) send(shard int, announce bool, lines ...line) {
	s.t.Helper()
	s.sendAs(tenant, shard, announce, lines...)
}

func (s *server) sendAs(id seamark.TenantID, shard int, announce bool, lines ...line) {
	s.t.Helper()
	b := &seamark.Batch{}
	refs := map[string]uint32{}
	for _, l := range lines {
		if _, ok := refs[l.app]; !ok {
			of := streamOf(l.app)
			series := &seamark.Series{Kind: seamark.LogStream, FP: of.FP, Name: of.Group, Labels: of.Labels}
			if !announce {
				series.MarkAcked(int32(base.Unix() / 86400))
			}
			refs[l.app] = b.Logs.AddStream(series)
		}
		b.Logs.Append(&seamark.LogRow{Stream: refs[l.app], TimeNano: base.Add(time.Duration(l.at) * time.Second).UnixNano(), Body: l.text})
	}
	encoded, err := store.NewEncoder().Encode(b, base)
	if err != nil {
		s.t.Fatal(err)
	}
	data := store.AppendFrame(nil, &store.Frame{Tenant: id, Cluster: cluster, Signal: seamark.Logs, Segments: encoded.Segments})
	s.change(func() { s.shards[shard] = append(s.shards[shard], data) })
}

// store puts lines into the store, and says that a shard's messages are there up to a sequence.
func (s *server) store(shard int, upTo uint64, lines ...line) {
	s.change(func() {
		for _, l := range lines {
			of := streamOf(l.app)
			s.streams[of.FP] = of
			s.block.Time = append(s.block.Time, base.Add(time.Duration(l.at)*time.Second).UnixNano())
			s.block.FP = append(s.block.FP, of.FP)
			s.block.Body = append(s.block.Body, l.text)
			s.block.Level = append(s.block.Level, 0)
			s.block.TraceID, s.block.SpanID = append(s.block.TraceID, [16]byte{}), append(s.block.SpanID, [8]byte{})
			s.block.AttrEnd = append(s.block.AttrEnd, 0)
		}
		s.stored[shard] = upTo
	})
}

func newTailer(t *testing.T, s *server, change func(*logtail.Options)) *logtail.Tailer {
	t.Helper()
	o := logtail.Options{
		Source: s, Storage: s, History: s, Gather: time.Millisecond, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		Now: func() time.Time { return base.Add(time.Hour) },
	}
	if change != nil {
		change(&o)
	}
	tailer, err := logtail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tailer.Close)
	return tailer
}

// shown gathers what a tail sends.
type shown struct {
	mu      sync.Mutex // guards what follows
	lines   []string
	dropped int
	ended   chan error
}

func (s *shown) take(b *logtail.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.Streams {
		for _, e := range b.Streams[i].Entries {
			s.lines = append(s.lines, e.Line)
		}
	}
	s.dropped += b.DroppedLines
	return nil
}

// start opens a tail and runs it until the test's end.
func start(t *testing.T, tailer *logtail.Tailer, p logtail.Params, send func(*shown) func(*logtail.Batch) error) *shown {
	t.Helper()
	tail, err := tailer.Open(t.Context(), tenant, p)
	if err != nil {
		t.Fatal(err)
	}
	s := &shown{ended: make(chan error, 1)}
	take := s.take
	if send != nil {
		take = send(s)
	}
	go func() { s.ended <- tail.Run(t.Context(), take) }()
	return s
}

// wants waits until the tail has shown exactly these lines, in any order.
func (s *shown) wants(t *testing.T, lines ...string) {
	t.Helper()
	slices.Sort(lines)
	testkit.Eventually(t, within, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if got := slices.Sorted(slices.Values(s.lines)); !slices.Equal(got, lines) {
			return fmt.Errorf("got %q, want %q", got, lines)
		}
		return nil
	})
}

func all() logtail.Params { return logtail.Params{Query: `{app=~".+"}`, Start: base, Limit: 100} }

func TestLiveLines(t *testing.T) {
	s := newServer(t)
	got := start(t, newTailer(t, s, nil), logtail.Params{Query: `{app="a"} |= "x" != "y" |~ "[0-9]"`, Start: base, Limit: 100}, nil)
	s.send(0, true, line{"a", "x1", 1}, line{"b", "x2", 1}, line{"a", "x", 1}, line{"a", "xy3", 1})
	s.send(1, true, line{"a", "x4", 2}, line{"c", "x5", 2})
	s.send(0, false, line{"a", "x6", 3}, line{"b", "x7", 3})
	got.wants(t, "x1", "x4", "x6")
}

// TestHistory has lines in the store, in messages that are being stored, and in both, and pushes more while the store is read.
func TestHistory(t *testing.T) {
	s := newServer(t)
	s.send(0, true, line{"a", "stored long ago", 1})
	s.send(0, true, line{"a", "stored just now", 2}, line{"a", "twice", 3}, line{"a", "twice", 3}, line{"b", "of b", 3})
	s.send(1, true, line{"a", "not stored yet", 4}, line{"a", "before the start", -10})
	s.store(0, 1, line{"a", "stored long ago", 1}, line{"a", "before the start", -10}, line{"a", "stored just now", 2}, line{"a", "twice", 3}, line{"a", "twice", 3}, line{"b", "of b", 3})
	s.beforeQuery = func() {
		s.send(1, false, line{"a", "during the query, stored", 5}, line{"a", "during the query, old", -20})
		s.store(1, 0, line{"a", "during the query, stored", 5})
	}
	s.afterQuery = func() { s.send(0, false, line{"a", "after the query", 6}) }
	got := start(t, newTailer(t, s, nil), logtail.Params{Query: `{app="a"}`, Start: base, Limit: 100}, nil)
	got.wants(t, "stored long ago", "stored just now", "twice", "twice", "not stored yet", "during the query, stored", "during the query, old", "after the query")
	s.send(0, false, line{"a", "stored just now", 2}, line{"a", "live and older than the start", -30})
	got.wants(t, "stored long ago", "stored just now", "twice", "twice", "not stored yet", "during the query, stored", "during the query, old", "after the query",
		"stored just now", "live and older than the start")
}

// TestLimit shows the newest lines, and none of the messages that were before the tail and are older.
func TestLimit(t *testing.T) {
	s := newServer(t)
	s.store(0, 0, line{"a", "1", 1}, line{"a", "2", 2}, line{"a", "3", 3})
	s.send(0, true, line{"a", "1", 1}, line{"a", "2", 2}, line{"a", "3", 3}, line{"a", "4", 4})
	p := all()
	p.Limit = 2
	got := start(t, newTailer(t, s, nil), p, nil)
	s.send(0, false, line{"a", "5", 5})
	got.wants(t, "2", "3", "4", "5")

	p.Limit = 0
	none := start(t, newTailer(t, s, nil), p, nil)
	s.send(0, false, line{"a", "6", 6})
	none.wants(t, "6")
}

// TestUnknownStreams sends lines whose streams only the store knows, or a later message, or nobody.
func TestUnknownStreams(t *testing.T) {
	s := newServer(t)
	s.store(0, 0, line{"stored", "old", -5})
	var mu sync.Mutex
	now := base
	tailer := newTailer(t, s, func(o *logtail.Options) {
		o.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(50 * time.Millisecond)
			return now
		}
	})
	got := start(t, tailer, all(), nil)
	s.send(0, false, line{"stored", "of a stream in the store", 1})
	got.wants(t, "of a stream in the store")
	s.send(0, false, line{"later", "of a stream to come", 1}, line{"nobody", "lost", 1})
	s.send(0, true, line{"known", "meanwhile", 1})
	got.wants(t, "of a stream in the store", "meanwhile")
	s.send(1, true, line{"later", "and its labels", 2})
	got.wants(t, "of a stream in the store", "meanwhile", "of a stream to come", "and its labels")
	testkit.Eventually(t, within, func() error {
		s.send(0, false, line{"known", "tick", 1}) // held lines wait while nothing comes
		got.mu.Lock()
		defer got.mu.Unlock()
		if got.dropped != 1 {
			return fmt.Errorf("%d lines dropped, want 1", got.dropped)
		}
		return nil
	})
}

// TestSlowReader pushes more than a reader takes: what does not fit is counted and named, nothing is shown late or twice.
func TestSlowReader(t *testing.T) {
	s := newServer(t)
	const room = 10
	registry := prometheus.NewRegistry()
	tailer := newTailer(t, s, func(o *logtail.Options) { o.MaxQueuedLines, o.Registerer = room, registry })
	reading, read := make(chan struct{}), make(chan struct{})
	var named []logtail.Dropped
	got := start(t, tailer, all(), func(out *shown) func(*logtail.Batch) error {
		first := true
		return func(b *logtail.Batch) error {
			if first {
				first = false
				close(reading)
				<-read
			}
			named = append(named, b.Dropped...)
			return out.take(b)
		}
	})
	s.send(0, true, line{"a", "first", 0})
	<-reading
	for i := range 5 * room {
		s.send(0, false, line{"a", fmt.Sprint(i), i})
	}
	s.send(0, true, line{"last", "last", 100})
	testkit.Eventually(t, within, func() error {
		if n := counter(t, registry, "seamark_querier_tail_dropped_lines_total"); n < 4*room+1 {
			return fmt.Errorf("%v dropped", n)
		}
		return nil
	})
	close(read)
	want := []string{"first"}
	for i := range room {
		want = append(want, fmt.Sprint(i))
	}
	got.wants(t, want...)
	testkit.Eventually(t, within, func() error {
		got.mu.Lock()
		defer got.mu.Unlock()
		if got.dropped != 4*room+1 || len(named) != got.dropped || named[0].Labels[0].Value != "a" {
			return fmt.Errorf("%d dropped, %d named", got.dropped, len(named))
		}
		return nil
	})
}

// counter reads a counter of a registry.
func counter(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func TestForeignAndBrokenMessages(t *testing.T) {
	s := newServer(t)
	got := start(t, newTailer(t, s, nil), all(), nil)
	s.sendAs(other, 0, true, line{"a", "another tenant's", 1})
	s.change(func() { s.shards[0] = append(s.shards[0], []byte("broken")) })
	s.send(0, true, line{"a", "mine", 2})
	got.wants(t, "mine")
}

func TestEnds(t *testing.T) {
	s := newServer(t)
	fault := errors.New("send failed")
	failing := start(t, newTailer(t, s, nil), all(), func(*shown) func(*logtail.Batch) error { return func(*logtail.Batch) error { return fault } })
	s.send(0, true, line{"a", "x", 1})
	if err := <-failing.ended; !errors.Is(err, fault) {
		t.Errorf("a tail whose reader fails ended with %v", err)
	}
	tailer := newTailer(t, s, nil)
	closed := start(t, tailer, all(), nil)
	tailer.Close()
	if err := <-closed.ended; !errors.Is(err, logtail.ErrClosing) {
		t.Errorf("a closed tailer's tail ended with %v", err)
	}
	if _, err := tailer.Open(t.Context(), tenant, all()); seamark.KindOf(err) != seamark.Unavailable {
		t.Errorf("a closed tailer answers %v", err)
	}
	lost := start(t, newTailer(t, s, nil), all(), nil)
	s.change(func() { s.fault = errors.New("away") })
	if err := <-lost.ended; seamark.KindOf(err) != seamark.Unavailable || !strings.Contains(err.Error(), "seamark-tail-source") && !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("a tail without a source ended with %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := newServer(t)
	tailer := newTailer(t, s, func(o *logtail.Options) { o.MaxTails = 2 })
	for query, kind := range map[string]seamark.Kind{
		`{app=`: seamark.Invalid, `count_over_time({app="a"}[1m])`: seamark.Invalid, `{app=~"("}`: seamark.Invalid,
	} {
		if _, err := tailer.Open(t.Context(), tenant, logtail.Params{Query: query}); seamark.KindOf(err) != kind {
			t.Errorf("%s: got %v", query, err)
		}
	}
	if _, err := tailer.Open(t.Context(), tenant, logtail.Params{Query: `{app="a"}`, Delay: 6 * time.Second}); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("a long delay: got %v", err)
	}
	if _, err := tailer.Open(t.Context(), "", all()); err == nil {
		t.Error("no tenant was taken")
	}
	first, err := tailer.Open(t.Context(), tenant, all())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tailer.Open(t.Context(), tenant, all()); err != nil {
		t.Fatal(err)
	}
	if _, err := tailer.Open(t.Context(), tenant, all()); seamark.KindOf(err) != seamark.RateLimited || !strings.Contains(err.Error(), "limit of 2 open tails") {
		t.Errorf("a third tail: got %v", err)
	}
	if _, err := tailer.Open(t.Context(), other, all()); err != nil {
		t.Errorf("another tenant: got %v", err)
	}
	first.Close()
	first.Close()
	if _, err := tailer.Open(t.Context(), tenant, all()); err != nil {
		t.Errorf("after one was closed: got %v", err)
	}
}

func TestFrame(t *testing.T) {
	entry := engine.Entry{Time: 1, Line: "<a> & \"b\""}
	labels := []seamark.Label{{Name: "app", Value: "a"}}
	plain := logtail.Batch{Streams: []engine.Stream{{Labels: labels, Entries: []engine.Entry{entry}}}}
	got, err := plain.Frame()
	if want := `{"streams":[{"stream":{"app":"a"},"values":[["1","<a> & \"b\""]]}]}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	entry.Metadata, entry.Parsed = []seamark.Label{{Name: "m", Value: "1"}}, []seamark.Label{{Name: "p", Value: "2"}}
	full := logtail.Batch{
		Streams: []engine.Stream{{Labels: labels, Entries: []engine.Entry{entry}}}, Categorized: true,
		Dropped: []logtail.Dropped{{Labels: labels, Time: 7}}, DroppedLines: 1,
	}
	got, err = full.Frame()
	want := `{"streams":[{"stream":{"app":"a"},"values":[["1","<a> & \"b\"",{"structuredMetadata":{"m":"1"},"parsed":{"p":"2"}}]]}],` +
		`"dropped_entries":[{"labels":{"app":"a"},"timestamp":"7"}],"encodingFlags":["categorize-labels"]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
