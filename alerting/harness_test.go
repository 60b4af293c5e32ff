package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAA")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBB")

	patience = time.Minute // of a condition, on a machine under heavy load
)

// world is what lies outside the alerting role: the series that rules read, and what they wrote.
type world struct {
	nats *engine.NATS

	mu        sync.Mutex // guards all fields below
	values    map[seamark.TenantID]map[string][]labels.Labels
	published map[seamark.TenantID][]Sample
	states    []storage.Series // answered to the restore of `for` state
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{
		nats:      testkit.NATS(t),
		values:    map[seamark.TenantID]map[string][]labels.Labels{},
		published: map[seamark.TenantID][]Sample{},
	}
}

// set makes the tenant's expression have one series per label set; none ends the cause.
func (w *world) set(tenant seamark.TenantID, expr string, series ...labels.Labels) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.values[tenant] == nil {
		w.values[tenant] = map[string][]labels.Labels{}
	}
	w.values[tenant][expr] = series
}

func (w *world) query(tenant seamark.TenantID) rules.QueryFunc {
	return func(_ context.Context, expr string, at time.Time) (promql.Vector, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		series, ok := w.values[tenant][expr]
		if !ok {
			return nil, fmt.Errorf("%q has no value in this test", expr)
		}
		var v promql.Vector
		for _, l := range series {
			v = append(v, promql.Sample{Metric: l, T: timestamp.FromTime(at), F: 1})
		}
		return v, nil
	}
}

func (w *world) publish(_ context.Context, tenant seamark.TenantID, batch []Sample) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published[tenant] = append(w.published[tenant], batch...)
	return nil
}

// publishedSeries returns the published samples' label sets.
func (w *world) publishedSeries(tenant seamark.TenantID) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, s := range w.published[tenant] {
		list = append(list, s.Labels.String())
	}
	return list
}

// Querier implements storage.Queryable.
func (w *world) Querier(int64, int64) (storage.Querier, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := slices.Clone(w.states)
	return &storage.MockQuerier{SelectMockFunction: func(bool, *storage.SelectHints, ...*labels.Matcher) storage.SeriesSet {
		return &seriesList{series: found, at: -1}
	}}, nil
}

// seriesList implements storage.SeriesSet over a slice.
type seriesList struct {
	storage.SeriesSet
	series []storage.Series
	at     int
}

func (s *seriesList) Next() bool         { s.at++; return s.at < len(s.series) }
func (s *seriesList) At() storage.Series { return s.series[s.at] }
func (s *seriesList) Err() error         { return nil }

// process is one running Service with a NATS connection of its own.
type process struct {
	*Service
	conn *nats.Conn
}

func (w *world) options(t *testing.T, owner string) (Options, *nats.Conn) {
	t.Helper()
	conn, err := w.nats.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Keys, err = seal.Open(t.Context(), seal.Options{JS: js, Root: seal.RootSource{Text: strings.Repeat("5a", 32)}})
	if err != nil {
		t.Fatal(err)
	}
	o.JS, o.Owner, o.LeaseTTL = js, owner, time.Second
	o.Query, o.Publish = w.query, w.publish
	o.Queryable = func(seamark.TenantID) storage.Queryable { return w }
	o.ExternalURL = func(id seamark.TenantID) *url.URL {
		return &url.URL{Scheme: "https", Host: "seamark.example.com", Path: "/" + string(id)}
	}
	o.PrivateReceivers = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	o.EvaluationInterval, o.ForGracePeriod, o.ResendDelay = 100*time.Millisecond, 50*time.Millisecond, time.Second
	o.Limits.MinInterval = 50 * time.Millisecond
	o.Logger, o.Registerer = slog.New(slog.DiscardHandler), prometheus.NewRegistry()
	return o, conn
}

// start runs a process with the test's options until the test ends.
func (w *world) start(t *testing.T, owner string, change ...func(*Options)) *process {
	t.Helper()
	o, conn := w.options(t, owner)
	for _, f := range change {
		f(&o)
	}
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return &process{s, conn}
}

// leads waits until the process evaluates.
func (p *process) leads(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		_, err := p.RuleGroups(t.Context(), tenantA)
		return err
	})
}

// kill cuts the process from NATS, which is all that others see of a crash, and waits until it knows.
func (p *process) kill(t *testing.T) {
	t.Helper()
	p.conn.Close()
	testkit.Eventually(t, patience, func() error {
		if _, err := p.RuleGroups(t.Context(), tenantA); err == nil {
			return fmt.Errorf("the process still evaluates")
		}
		return nil
	})
}

func (p *process) saveGroup(t *testing.T, tenant seamark.TenantID, namespace, body string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		err := p.SaveRuleGroup(t.Context(), tenant, namespace, PromQL, []byte(body))
		if err != nil && seamark.KindOf(err) != seamark.Unavailable {
			t.Fatal(err)
		}
		return err
	})
}

// saveHook makes the tenant's alerts go to target, grouped by alert name, without waits.
func (p *process) saveHook(t *testing.T, tenant seamark.TenantID, target string) {
	t.Helper()
	config := fmt.Sprintf(`
route: {receiver: hook, group_by: [alertname], group_wait: 10ms, group_interval: 100ms, repeat_interval: 4h}
receivers:
  - name: hook
    webhook_configs: [{url: %q}]
`, target)
	testkit.Eventually(t, patience, func() error {
		err := p.SaveAlertmanagerConfig(t.Context(), tenant, config, nil)
		if err != nil && seamark.KindOf(err) != seamark.Unavailable {
			t.Fatal(err)
		}
		return err
	})
}

// receiver records the webhook messages that reach it.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex // guards messages and keys
	messages []webhook.Message
	keys     []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var m webhook.Message
		if err := json.NewDecoder(req.Body).Decode(&m); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.messages = append(r.messages, m)
		r.keys = append(r.keys, req.Header.Get("Idempotency-Key"))
	}))
	t.Cleanup(r.Close)
	return r
}

// heard returns a copy of the messages so far and of their idempotency keys.
func (r *receiver) heard() ([]webhook.Message, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages), slices.Clone(r.keys)
}

// story returns "status name" of every message so far.
func (r *receiver) story() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, m := range r.messages {
		list = append(list, m.Status+" "+m.GroupLabels["alertname"])
	}
	return list
}

// hears waits for a message.
func (r *receiver) hears(t *testing.T, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if got := r.story(); !slices.Contains(got, want) {
			return fmt.Errorf("heard %q, want %q among it", strings.Join(got, ", "), want)
		}
		return nil
	})
}

func (r *receiver) heardExactly(t *testing.T, want ...string) {
	t.Helper()
	if got := r.story(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

func alertGroup(name, expr, hold string) string {
	return fmt.Sprintf("name: %s\nrules:\n  - alert: %s\n    expr: %s\n    for: %s\n    labels: {severity: page}\n    annotations: {summary: '{{ $labels.pod }} is %s'}\n",
		strings.ToLower(name), name, expr, hold, name)
}
