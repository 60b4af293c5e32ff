// Package reading_test asks the built product what its readers ask: the requests of Grafana's Prometheus data source, in the
// shape in which it sends them, and those of the cardinality explorer.
package reading_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	// within is how long a test waits for its rows. They are there after some 100 ms on an idle machine.
	within = 30 * time.Second
	step   = 15 * time.Second
	// slug is the tenant's and its cluster's.
	slug = "acme"
)

// world is a server with a tenant that has a little of everything that Prometheus stores, in the last three minutes.
type world struct {
	*harness.Server
	*harness.Account
	admin string // token
	start time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), "serve", "--writer.max-batch-age", "100ms")
	admin := s.Admin(t)
	w := &world{Server: s, Account: harness.NewAccount(admin, slug), start: time.Now().Add(-3 * time.Minute).Truncate(step)}
	var token struct{ Token string }
	admin(&token, "token", "create", slug, "--kind", "admin")
	w.admin = token.Token
	return w
}

func (w *world) at(steps int) time.Time { return w.start.Add(time.Duration(steps) * step) }

// series makes a series whose labels are pairs, with a sample at each step.
func (w *world) series(pairs []string, values ...float64) prompb.TimeSeries {
	var s prompb.TimeSeries
	for i := 0; i < len(pairs); i += 2 {
		s.Labels = append(s.Labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	for i, v := range values {
		s.Samples = append(s.Samples, prompb.Sample{Timestamp: w.at(i).UnixMilli(), Value: v})
	}
	return s
}

// push sends a request of remote write.
func (w *world) push(t *testing.T, request *prompb.WriteRequest) {
	t.Helper()
	for i := range request.Timeseries {
		slices.SortFunc(request.Timeseries[i].Labels, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
	}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{
		URL: w.URL + "/api/v1/write", Token: w.Ingest, Type: "application/x-protobuf", Encoding: "snappy", Body: snappy.Encode(nil, body),
	})
	if err != nil || a.Status != http.StatusNoContent {
		t.Fatalf("push: %v, %v", a, err)
	}
}

// fill pushes what Grafana's requests ask for, and a rule group, and waits until both can be read.
func (w *world) fill(t *testing.T) {
	t.Helper()
	job := func(name string, more ...string) []string {
		return append([]string{"__name__", name, "job", "node"}, more...)
	}
	request := &prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			w.series(job("up"), 1, 0, 1, 1), w.series(job("http.requests", "k8s.pod", "web-0"), 3), w.series(job("latency")), w.series(job("requests_total"), 1, 2, 3, 4),
			w.series(job("gone"), 7, math.Float64frombits(value.StaleNaN)),
		},
		Metadata: []prompb.MetricMetadata{{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "up", Help: "Is it <up>?"}},
	}
	request.Timeseries[0].Exemplars = []prompb.Exemplar{{
		Labels: []prompb.Label{{Name: "trace_id", Value: "0af7651916cd43dd8448eb211c80319c"}}, Value: 0.25, Timestamp: w.at(1).UnixMilli(),
	}}
	for i := range 3 {
		h := prompb.FromIntHistogram(w.at(i).UnixMilli(), tsdbutil.GenerateTestHistogram(int64(i)))
		request.Timeseries[2].Histograms = append(request.Timeseries[2].Histograms, h)
	}
	w.push(t, request)
	const rules = "name: health\ninterval: 15s\nrules:\n- record: job:up:sum\n  expr: sum by (job) (up)\n- alert: Never\n  expr: up > 7\n  labels: {severity: page}\n"
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/prometheus/config/v1/rules/team", Token: w.admin, Type: "application/yaml", Body: []byte(rules)})
	if err != nil || a.Status != http.StatusAccepted {
		t.Fatalf("create a rule group: %v, %v", a, err)
	}
	v1 := w.URL + "/prometheus/api/v1"
	testkit.Eventually(t, within, func() error {
		var groups struct {
			Data struct{ Groups []struct{ Name string } }
		}
		var exemplars, names struct{ Data []any }
		span := url.Values{"query": {"up"}, "start": {fmt.Sprint(w.start.Unix())}, "end": {fmt.Sprint(w.at(4).Unix())}}.Encode()
		err := errors.Join(
			harness.Get(t.Context(), v1+"/rules", w.Query, &groups), harness.Get(t.Context(), v1+"/query_exemplars?"+span, w.Query, &exemplars),
			harness.Get(t.Context(), v1+"/label/__name__/values", w.Query, &names),
		)
		if err == nil && (len(groups.Data.Groups) != 1 || len(exemplars.Data) != 1 || len(names.Data) != len(request.Timeseries)) {
			err = fmt.Errorf("got %v, %v, %v", groups, exemplars, names)
		}
		return err
	})
}
