package pushgateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAX")
)

func principal() seamark.Principal {
	return seamark.Principal{Tenant: tenantA, Kind: seamark.IngestToken, Cluster: "01ARZ3NDEKTSV4RRFFQ69G5FAW", ClusterName: "prod"}
}

// sample is one row as the recorder keeps it.
type sample struct {
	milli int64
	value float64
}

// recorder stands in for ingest: it keeps what was pushed, by series.
type recorder struct {
	mu        sync.Mutex // guards all fields
	catalog   *catalogtest.Catalog
	rows      map[string][]sample
	exemplars []seamark.Exemplar
	metadata  map[string]seamark.MetricMetadata
	ids       map[string]bool
	fail      error
}

func newRecorder() *recorder {
	return &recorder{catalog: catalogtest.New(), rows: map[string][]sample{}, metadata: map[string]seamark.MetricMetadata{}, ids: map[string]bool{}}
}

func (r *recorder) push(_ context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	if r.ids[id] || signal != seamark.Metrics || p.ClusterName == "" {
		return fmt.Errorf("id %s again, or a batch of %s by %+v", id, signal, p)
	}
	r.ids[id] = true
	for i := range b.Samples.Len() {
		r.add(b.Samples.Series[b.Samples.SeriesRef[i]], sample{b.Samples.TimeMilli[i], b.Samples.Value[i]})
	}
	for i := range b.Histograms.Len() {
		value := b.Histograms.Count[i]
		if math.IsNaN(b.Histograms.Sum[i]) {
			value = b.Histograms.Sum[i]
		}
		r.add(b.Samples.Series[b.Histograms.SeriesRef[i]], sample{b.Histograms.TimeMilli[i], value})
	}
	for _, e := range b.Exemplars {
		e.Labels = slices.Clone(e.Labels)
		r.exemplars = append(r.exemplars, e)
	}
	for _, m := range b.Metadata {
		r.metadata[m.Metric] = seamark.MetricMetadata{Metric: strings.Clone(m.Metric), Type: strings.Clone(m.Type), Help: strings.Clone(m.Help)}
	}
	return nil
}

func (r *recorder) add(s *seamark.Series, row sample) {
	var labels []string
	for _, l := range s.Labels {
		if l.Name != seamark.MetricNameLabel {
			labels = append(labels, fmt.Sprintf("%s=%q", l.Name, l.Value))
		}
	}
	name := s.Name + "{" + strings.Join(labels, ",") + "}"
	r.rows[name] = append(r.rows[name], row)
}

// at answers as PromQL's instant vector selector would: each series' newest sample within five minutes, unless it is a
// stale marker. The two times of pushes are left out.
func (r *recorder) at(now time.Time) map[string]float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := map[string]float64{}
	for name, rows := range r.rows {
		newest := sample{milli: math.MinInt64}
		for _, row := range rows {
			if row.milli <= now.UnixMilli() && row.milli >= newest.milli {
				newest = row
			}
		}
		own := strings.HasPrefix(name, "push_time_seconds") || strings.HasPrefix(name, "push_failure_time_seconds")
		if !own && newest.milli > now.Add(-5*time.Minute).UnixMilli() && math.Float64bits(newest.value) != 0x7ff0000000000002 {
			found[name] = newest.value
		}
	}
	return found
}

// newest returns the newest value of a series.
func (r *recorder) newest(name string) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := r.rows[name]
	if len(rows) == 0 {
		return math.Inf(-1)
	}
	return slices.MaxFunc(rows, func(a, b sample) int { return int(a.milli - b.milli) }).value
}

// gateway is a service with all that is around it.
type gateway struct {
	clock    *testkit.Clock
	docs     *bus.Docs[pushgateway.Doc]
	groups   pushgateway.Groups
	recorder *recorder
	service  *pushgateway.Service
}

func newGateway(t *testing.T, change func(*pushgateway.Options)) *gateway {
	t.Helper()
	docs, err := bus.OpenDocs[pushgateway.Doc](t.Context(), testkit.JetStream(t), "pushgateway", 1)
	require.NoError(t, err)
	g := &gateway{
		clock: testkit.NewClock(time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)), docs: docs, groups: pushgateway.NewShelves(docs), recorder: newRecorder(),
	}
	g.service = g.node(t, change)
	return g
}

// node returns one more service on the same store, as another ingest node has it.
func (g *gateway) node(t *testing.T, change func(*pushgateway.Options)) *pushgateway.Service {
	t.Helper()
	o := pushgateway.Options{
		Groups: g.groups, Push: g.recorder.push, Limits: pushgateway.DefaultLimits(), Now: g.clock.Now,
		Catalog: func(seamark.Principal) seamark.Catalog { return g.recorder.catalog },
	}
	if change != nil {
		change(&o)
	}
	s, err := pushgateway.New(o)
	require.NoError(t, err)
	return s
}

func (g *gateway) options() pushgateway.ReemitterOptions {
	return pushgateway.ReemitterOptions{
		Groups: g.groups, Push: g.recorder.push, Now: g.clock.Now, Logger: slog.New(slog.DiscardHandler), Interval: pushgateway.DefaultInterval,
		Catalog: func(seamark.Principal) seamark.Catalog { return g.recorder.catalog },
		Hold:    func(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) },
		Ticks:   pushgateway.Ticks,
	}
}

func (g *gateway) reemitter(t *testing.T) *pushgateway.Reemitter {
	t.Helper()
	r, err := pushgateway.NewReemitter(g.options())
	require.NoError(t, err)
	return r
}

func key(t *testing.T, path string) pushgateway.Key {
	t.Helper()
	k, err := pushgateway.ParsePath(path)
	require.NoError(t, err)
	return k
}

func text(t *testing.T, path, body string) *pushgateway.Push {
	t.Helper()
	return &pushgateway.Push{Key: key(t, path), ContentType: "text/plain", Body: []byte(body)}
}

// serve is the tiny HTTP front that clients of the test talk to.
func (g *gateway) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := g.answer(r)
		if err != nil {
			http.Error(w, err.Error(), statusOf(err))
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (g *gateway) answer(r *http.Request) (int, error) {
	k, err := pushgateway.ParsePath(r.URL.EscapedPath())
	if err != nil {
		return 0, err
	}
	ttl, err := pushgateway.ParseTTL(r.URL.Query().Get("ttl"))
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err
	}
	p := &pushgateway.Push{Key: k, ContentType: r.Header.Get("Content-Type"), Body: body, TTL: ttl}
	switch r.Method {
	case http.MethodPut:
		return http.StatusOK, g.service.Put(r.Context(), principal(), p)
	case http.MethodPost:
		return http.StatusOK, g.service.Post(r.Context(), principal(), p)
	case http.MethodDelete:
		return http.StatusAccepted, g.service.Delete(r.Context(), principal(), k)
	}
	return 0, errors.New("method")
}

func statusOf(err error) int {
	switch seamark.KindOf(err) {
	case seamark.Invalid:
		return http.StatusBadRequest
	case seamark.TooLarge:
		return http.StatusRequestEntityTooLarge
	case seamark.Unsupported:
		return http.StatusUnsupportedMediaType
	}
	return http.StatusInternalServerError
}

// requireError checks kind and id of an error.
func requireError(t *testing.T, err error, kind seamark.Kind, id string) {
	t.Helper()
	var e *seamark.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	require.Equal(t, id, e.ID, "%v", err)
}
