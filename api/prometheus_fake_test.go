package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const promTenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

type promVerifier struct{}

func (promVerifier) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Tenant: promTenant, Kind: seamark.QueryToken}, nil
}

func (promVerifier) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, errors.New("no sessions in this test")
}

func (promVerifier) Permit(_ seamark.Principal, permission string) error {
	if permission != "data:read" {
		return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing", "No permission %s.", permission)
	}
	return nil
}

// promFake evaluates with Prometheus' engine over Prometheus' storage and lists what it is told to.
type promFake struct {
	engine  *promql.Engine
	storage storage.Storage
	err     error // of every call, when set

	tenant seamark.TenantID
	name   string
	hints  *storage.SelectHints
	sets   [][]*labels.Matcher
	limit  int
	opts   promql.QueryOpts
	at     time.Time
	result *promql.Result // of the last query
	wait   bool           // for the context's end
	cost   *api.QueryCost

	reads     []storage.SelectHints
	exemplars []api.SeriesExemplars
	counted   []api.CardinalityQuery
}

const promData = `load 1m
  up{job="a", instance="x"} 0+1x10
  up{job="b", instance="<y>&\"quoted\"\n"} 5 NaN Inf -Inf 1e30 1e-9 -0.5
`

func newPromFake(t *testing.T) *promFake {
	t.Helper()
	return &promFake{engine: promqltest.NewTestEngine(t, true, 0, 1000), storage: promqltest.LoadedStorage(t, promData)}
}

func (f *promFake) run(ctx context.Context, scope seamark.Scope, opts promql.QueryOpts, q promql.Query, err error) (promql.Query, *promql.Result, error) {
	f.tenant, f.opts = scope.Tenant, opts
	if f.wait {
		<-ctx.Done()
		return nil, nil, seamark.Wrap(ctx.Err(), seamark.Timeout, "seamark-query-timeout", "Too slow.")
	}
	if err != nil {
		return nil, nil, seamark.Errorf(seamark.Invalid, "seamark-query-syntax", `invalid parameter "query": %s`, err)
	}
	f.result = q.Exec(ctx)
	if f.result.Err != nil {
		return q, f.result, seamark.Wrap(f.result.Err, seamark.Unprocessable, "seamark-query-execution", "%s", f.result.Err)
	}
	return q, f.result, f.err
}

func (f *promFake) Instant(ctx context.Context, scope seamark.Scope, query string, at time.Time, opts promql.QueryOpts) (promql.Query, *promql.Result, error) {
	f.at = at
	q, err := f.engine.NewInstantQuery(ctx, f.storage, opts, query, at)
	return f.run(ctx, scope, opts, q, err)
}

func (f *promFake) Range(ctx context.Context, scope seamark.Scope, query string, start, end time.Time, step time.Duration, opts promql.QueryOpts) (promql.Query, *promql.Result, error) {
	q, err := f.engine.NewRangeQuery(ctx, f.storage, opts, query, start, end, step)
	return f.run(ctx, scope, opts, q, err)
}

func (f *promFake) remember(scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) annotations.Annotations {
	f.tenant, f.hints, f.sets = scope.Tenant, hints, sets
	var notes annotations.Annotations
	if hints.Limit > 0 {
		notes = notes.Add(errors.New("results truncated due to limit"))
	}
	return notes
}

func (f *promFake) Labels(_ context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	return []string{"__name__", "job"}, f.remember(scope, hints, sets), f.err
}

func (f *promFake) LabelValues(_ context.Context, scope seamark.Scope, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error) {
	f.name = name
	return []string{"a", "b"}, f.remember(scope, hints, sets), f.err
}

func (f *promFake) Series(_ context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error) {
	return []labels.Labels{labels.FromStrings("__name__", "up", "job", "a"), labels.FromStrings("__name__", "up", "job", `"`)}, f.remember(scope, hints, sets), f.err
}

func (f *promFake) Metadata(_ context.Context, scope seamark.Scope, metric string, limit int) ([]seamark.MetricMetadata, error) {
	f.tenant, f.name, f.limit = scope.Tenant, metric, limit
	return []seamark.MetricMetadata{{Metric: "up", Type: "gauge", Help: "Is it up?", Unit: "bool"}}, f.err
}

// ReadSeries selects in Prometheus' storage, which keeps to the range.
func (f *promFake) ReadSeries(ctx context.Context, scope seamark.Scope, hints []storage.SelectHints, sets [][]*labels.Matcher, visit func(int, storage.Series) error) error {
	f.tenant, f.reads = scope.Tenant, hints
	for i, matchers := range sets {
		q, err := f.storage.Querier(hints[i].Start, hints[i].End)
		if err != nil {
			return err
		}
		set := q.Select(ctx, true, &hints[i], matchers...)
		for set.Next() {
			if err := visit(i, set.At()); err != nil {
				return err
			}
		}
		if err := errors.Join(set.Err(), q.Close()); err != nil {
			return err
		}
	}
	return f.err
}

// CountCardinality answers with the name of what was asked for, and with an entry that is gone.
func (f *promFake) CountCardinality(_ context.Context, scope seamark.Scope, q api.CardinalityQuery) (*api.Cardinality, error) {
	f.tenant, f.limit, f.counted = scope.Tenant, q.Limit, append(f.counted, q)
	count := api.CardinalityCount{Series: 3, Before: 2, Appeared: 2, Vanished: 1, Samples: 30}
	c := &api.Cardinality{Total: count, Entries: 7}
	switch q.By {
	case api.ByMetric:
		c.List = []api.CardinalityEntry{{Name: "up", CardinalityCount: count}, {Name: "old", CardinalityCount: api.CardinalityCount{Before: 1, Vanished: 1}}}
	case api.ByLabel:
		c.Values, c.List = 4, []api.CardinalityEntry{{Name: "job", CardinalityCount: count, Values: 2, ValueBytes: 5}}
	case api.ByPair, api.ByLabelValue:
		c.List = []api.CardinalityEntry{{Name: "job", Value: "<a>", CardinalityCount: api.CardinalityCount{Series: 2, Appeared: 2}}}
	}
	return c, f.err
}

func (f *promFake) Exemplars(_ context.Context, scope seamark.Scope, query string, start, end int64) ([]api.SeriesExemplars, error) {
	f.tenant, f.name, f.reads = scope.Tenant, query, []storage.SelectHints{{Start: start, End: end}}
	return f.exemplars, f.err
}

func promEdge(t *testing.T, f *promFake) http.Handler {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: api.PrometheusRoutes(api.PrometheusOptions{
			Cost:    func(context.Context) *api.QueryCost { return f.cost },
			Querier: f, Lister: f, Exemplars: f, Reader: f, Cardinality: f, Parser: parser.NewParser(parser.Options{}), Version: "1.2.3", Now: func() time.Time { return time.Unix(600, 0) },
		}),
		Verifier: promVerifier{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	return e
}

// promDo sends a request whose parameters stand in the URL, or in a form when the method is POST.
func promDo(t *testing.T, f *promFake, method, path string, params ...string) *httptest.ResponseRecorder {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Add(params[i], params[i+1])
	}
	target, body := "/prometheus/api/v1"+path, ""
	if method == http.MethodPost {
		body = values.Encode()
	} else {
		target += "?" + values.Encode()
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer smk_x")
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	promEdge(t, f).ServeHTTP(w, r)
	return w
}
