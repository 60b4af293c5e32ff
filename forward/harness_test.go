package forward_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenant  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	other   = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAX")
	cluster = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	within  = time.Minute
)

// world is a bus, and what forwarders need beside it. It implements forward.Streams.
type world struct {
	bus      *bus.Bus
	js       jetstream.JetStream
	keys     *seal.Ring
	log      *lockedBuffer
	registry *prometheus.Registry

	mu     sync.Mutex // guards all below
	known  map[uint64]store.LogStream
	stored uint64 // up to which message the store is said to have all
	away   bool   // the store does not answer
	series map[string]*seamark.Series
	pushed int
	hidden bool // the store is not told of streams
}

type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	nc, err := testkit.NATS(t).Connect()
	require.NoError(t, err)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	o := bus.DefaultOptions()
	o.Conn, o.JS, o.Logger, o.Registerer, o.Shards, o.MaxStreamBytes = nc, js, slog.New(slog.DiscardHandler), prometheus.NewRegistry(), 1, 32<<20
	b, err := bus.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(b.Close)
	w := &world{bus: b, js: js, log: &lockedBuffer{}, known: map[uint64]store.LogStream{}, series: map[string]*seamark.Series{}}
	w.keys, err = seal.Open(t.Context(), seal.Options{JS: js, Root: seal.RootSource{Text: seal.GenerateRoot()}})
	require.NoError(t, err)
	return w
}

// LogStreamsByFP implements forward.Streams.
func (w *world) LogStreamsByFP(_ context.Context, _ seamark.TenantID, fps []uint64) ([]store.LogStream, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		return nil, errors.New("the store is away")
	}
	var list []store.LogStream
	for _, fp := range fps {
		if s, ok := w.known[fp]; ok {
			list = append(list, s)
		}
	}
	return list, nil
}

// set changes w under its lock.
func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// filter is a query of the form `<app> <text>`: lines of the app that have the text. It implements forward.Filter.
type filter struct{ app, text string }

func compile(_ context.Context, _ seamark.TenantID, query string) (forward.Filter, error) {
	app, text, ok := strings.Cut(query, " ")
	if !ok {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-test-query", "The query %q has no text.", query)
	}
	return filter{app, text}, nil
}

func (f filter) Selects(labels []seamark.Label) bool {
	for _, l := range labels {
		if l.Name == "app" && (l.Value == f.app || f.app == "*") {
			return true
		}
	}
	return false
}

func (f filter) Apply(_ context.Context, _ time.Time, streams []store.LogStream, block *store.LogBlock) ([]forward.Row, error) {
	var rows []forward.Row
	for i := range block.Len() {
		for _, s := range streams {
			if s.FP == block.FP[i] && strings.Contains(block.Body[i], f.text) {
				rows = append(rows, forward.Row{Time: block.Time[i], Line: block.Body[i], Labels: s.Labels})
			}
		}
	}
	return rows, nil
}

func appendRow(out []byte, r *forward.Row) []byte {
	labels := map[string]string{}
	for _, l := range r.Labels {
		labels[l.Name] = l.Value
	}
	text, err := json.Marshal(map[string]any{"line": r.Line, "labels": labels})
	if err != nil {
		panic(err)
	}
	return append(out, text...)
}

// options returns those of a process that forwards, with short pauses.
func (w *world) options(node string) forward.Options {
	w.registry = prometheus.NewRegistry()
	o := forward.DefaultOptions()
	o.JS, o.Keys, o.Owner = w.js, w.keys, node
	o.Followers = map[seamark.Signal]*bus.Follower{seamark.Logs: bus.NewFollower(w.js, seamark.Logs, 1, nil), seamark.Events: bus.NewFollower(w.js, seamark.Events, 1, nil)}
	o.Guard = guard.New(guard.Options{Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	o.Language = forward.Language{Compile: compile, JSON: appendRow, Parquet: func(out io.Writer, rows []forward.Row) error {
		_, err := fmt.Fprintf(out, "parquet of %d rows", len(rows))
		return err
	}}
	o.Streams, o.Active = w, func(seamark.TenantID) bool { return true }
	o.Stored = func(context.Context, bus.Shard) (uint64, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.stored, nil
	}
	o.LeaseTTL, o.Backoff, o.MaxBackoff, o.Look = 2*time.Second, 10*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	o.Logger, o.Registerer, o.Now = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), w.registry, time.Now
	return o
}

// service returns a service that does not run.
func (w *world) service(t *testing.T, change func(*forward.Options)) *forward.Service {
	t.Helper()
	o := w.options("n1")
	o.Leases, _ = bus.OpenLeases(t.Context(), w.js, "seamark_leases", 1)
	if change != nil {
		change(&o)
	}
	s, err := forward.New(t.Context(), o)
	require.NoError(t, err)
	return s
}

// run runs a service until stop is called, or the test ends.
func run(t *testing.T, s *forward.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

// push publishes one message with the lines of an app.
func (w *world) push(t *testing.T, id seamark.TenantID, app string, lines ...string) {
	t.Helper()
	w.pushAs(t, seamark.Logs, id, app, lines...)
}

// pushAs publishes a message of a signal: events are log lines, too, and both stand in one message.
func (w *world) pushAs(t *testing.T, signal seamark.Signal, id seamark.TenantID, app string, lines ...string) {
	t.Helper()
	w.mu.Lock()
	key := string(id) + app
	series := w.series[key]
	if series == nil {
		labels := []seamark.Label{{Name: "app", Value: app}, {Name: "cluster", Value: "c-" + app}}
		series = &seamark.Series{Kind: seamark.LogStream, FP: xxhash.Sum64String(key), Name: "ns/" + app, Labels: labels}
		w.series[key] = series
	}
	w.pushed++
	name, now := fmt.Sprint("push ", w.pushed), time.Now()
	if !w.hidden {
		w.known[series.FP] = store.LogStream{FP: series.FP, Group: series.Name, Labels: series.Labels}
	}
	w.mu.Unlock()
	b := &seamark.Batch{}
	stream := b.Logs.AddStream(series)
	for i, line := range lines {
		b.Logs.Append(&seamark.LogRow{Stream: stream, TimeNano: now.UnixNano() + int64(i), Body: line})
	}
	encoded, err := store.NewEncoder().Encode(b, now)
	require.NoError(t, err)
	frame := store.Frame{Tenant: id, Cluster: cluster, Signal: signal, ReceivedMs: now.UnixMilli(), Segments: encoded.Segments}
	require.NoError(t, w.bus.Publish(t.Context(), &bus.Message{Tenant: id, Cluster: cluster, Signal: signal, ID: name, Data: store.AppendFrame(nil, &frame)}))
	series.MarkAcked(int32(now.Unix() / 86400))
}

// save makes or changes a forwarder.
func save(t *testing.T, s *forward.Service, name, filter, target string, more ...string) forward.Definition {
	t.Helper()
	body := fmt.Sprintf(`{"filter":%q,"target":%s%s}`, filter, target, strings.Join(more, ""))
	d, err := s.Save(t.Context(), tenant, name, []byte(body), nil)
	require.NoError(t, err)
	return d
}

// status waits until a forwarder's status is as check wants it.
func status(t *testing.T, s *forward.Service, name string, check func(*forward.Status) error) forward.Status {
	t.Helper()
	var found forward.Status
	testkit.Eventually(t, within, func() error {
		var err error
		if found, err = s.Status(t.Context(), tenant, name); err != nil {
			return err
		}
		return check(&found)
	})
	return found
}

// hook is a webhook that remembers what it was sent. answer decides on each request, by its number from 1.
type hook struct {
	*httptest.Server
	mu       sync.Mutex // guards received and requests
	received []delivery
	requests int
	answer   func(n int) (status int, header http.Header)
}

type delivery struct {
	id     string
	lines  []string
	header http.Header
	status int
}

func newHook(t *testing.T, answer func(n int) (int, http.Header)) *hook {
	t.Helper()
	h := &hook{answer: answer}
	h.Server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		plain, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		var lines []string
		for dec := json.NewDecoder(plain); ; {
			var row struct{ Line string }
			if err := dec.Decode(&row); err != nil {
				break
			}
			lines = append(lines, row.Line)
		}
		h.mu.Lock()
		h.requests++
		n := h.requests
		h.mu.Unlock()
		code, header := http.StatusOK, http.Header(nil)
		if h.answer != nil {
			code, header = h.answer(n)
		}
		h.mu.Lock()
		h.received = append(h.received, delivery{r.Header.Get("X-Seamark-Batch"), lines, r.Header.Clone(), code})
		h.mu.Unlock()
		for name, values := range header {
			out.Header()[name] = values
		}
		out.WriteHeader(code)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) target(more string) string {
	return fmt.Sprintf(`{"webhook":{"url":%q%s}}`, h.URL, more)
}

// taken returns the lines that the hook has acknowledged, by batch; a repeat must be the same.
func (h *hook) taken(t *testing.T) map[string][]string {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	batches := map[string][]string{}
	for _, d := range h.received {
		if d.status != http.StatusOK {
			continue
		}
		if have, ok := batches[d.id]; ok {
			require.Equal(t, have, d.lines, "repeat of %s", d.id)
		}
		batches[d.id] = d.lines
	}
	return batches
}

func (h *hook) deliveries() []delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]delivery(nil), h.received...)
}

// lines waits until the hook has n different lines, and returns them in the order of their batches' arrival.
func (h *hook) lines(t *testing.T, n int) []string {
	t.Helper()
	var lines []string
	testkit.Eventually(t, within, func() error {
		lines = lines[:0]
		seen := map[string]bool{}
		for _, d := range h.deliveries() {
			if d.status == http.StatusOK && !seen[d.id] {
				seen[d.id] = true
				lines = append(lines, d.lines...)
			}
		}
		if len(lines) < n {
			return fmt.Errorf("got %d lines, want %d", len(lines), n)
		}
		return nil
	})
	return lines
}
