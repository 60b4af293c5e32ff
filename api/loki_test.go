package api_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const lokiTenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

var lokiNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// lokiVerifier knows one token.
type lokiVerifier struct{}

func (lokiVerifier) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Tenant: lokiTenant, Kind: seamark.QueryToken}, nil
}

func (lokiVerifier) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-test", "No sessions here.")
}

func (lokiVerifier) Permit(_ seamark.Principal, permission string) error {
	if permission != "data:read" && permission != "rules:read" {
		return seamark.Errorf(seamark.Forbidden, "seamark-test", "Not allowed.")
	}
	return nil
}

// lokiEngine records what it is asked.
type lokiEngine struct {
	query     api.LogQuery
	tenant    seamark.TenantID
	name      string
	selectors []string
	span      seamark.TimeRange
	tags      string
	err       error
	explorer  lokiExplorer
}

func (e *lokiEngine) tag(ctx context.Context, tags string) context.Context {
	e.tags = tags
	return ctx
}

func (e *lokiEngine) QueryLogs(_ context.Context, scope seamark.Scope, q api.LogQuery) (func(io.Writer) error, error) {
	e.tenant, e.query = scope.Tenant, q
	return func(w io.Writer) error { _, err := io.WriteString(w, `{"answer":1}`); return err }, e.err
}

func (e *lokiEngine) LabelNames(_ context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) ([]string, error) {
	e.tenant, e.selectors, e.span = scope.Tenant, []string{selector}, r
	return []string{"app", "ns"}, e.err
}

func (e *lokiEngine) LabelValues(_ context.Context, scope seamark.Scope, name, selector string, r seamark.TimeRange) ([]string, error) {
	e.tenant, e.name, e.selectors, e.span = scope.Tenant, name, []string{selector}, r
	return nil, e.err
}

func (e *lokiEngine) Series(_ context.Context, scope seamark.Scope, selectors []string, r seamark.TimeRange) ([][]seamark.Label, error) {
	e.tenant, e.selectors, e.span = scope.Tenant, selectors, r
	return [][]seamark.Label{{{Name: "app", Value: "api"}, {Name: "ns", Value: "prod"}}}, e.err
}

func (e *lokiEngine) Format(query string) (string, error) { return "formatted " + query, e.err }

// lokiDo sends a request to the Loki routes over a fresh edge.
func lokiDo(t *testing.T, e *lokiEngine, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	edge, err := httpx.New(httpx.Options{
		Routes: api.LokiRoutes(api.LokiOptions{Logs: e, Explorer: &e.explorer, Limits: lokiLimits, Tag: e.tag, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return lokiNow }}), Verifier: lokiVerifier{}, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer smk_query_x_y")
	w := httptest.NewRecorder()
	edge.ServeHTTP(w, r)
	return w
}

func lokiGet(path string, params ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Add(params[i], params[i+1])
	}
	return httptest.NewRequest(http.MethodGet, "/loki/api/v1"+path+"?"+values.Encode(), http.NoBody)
}

func TestLokiQueryParameters(t *testing.T) {
	hour := lokiNow.Add(-time.Hour)
	for name, c := range map[string]struct {
		path   string
		params []string
		want   api.LogQuery
	}{
		"defaults": {"/query_range", nil, api.LogQuery{Start: hour, End: lokiNow, Step: 14 * time.Second}},
		"nanoseconds and a duration": {"/query_range", []string{"start", "1790000000000000001", "end", "1790000060000000002", "step", "1500ms", "limit", "7", "direction", "FORWARD"},
			api.LogQuery{Start: time.Unix(1790000000, 1), End: time.Unix(1790000060, 2), Step: 1500 * time.Millisecond, Limit: 7, Forward: true}},
		"seconds and a number": {"/query_range", []string{"start", "1790000000", "end", "1790000060.25", "step", "0.5", "direction", "backward"},
			api.LogQuery{Start: time.Unix(1790000000, 0), End: time.Unix(1790000060, 250e6), Step: 500 * time.Millisecond}},
		"RFC 3339": {"/query_range", []string{"start", "2026-11-20T10:00:00.5Z", "end", "2026-11-20T12:00:00+01:00", "step", "1d"},
			api.LogQuery{Start: hour.Add(-time.Hour + 500*time.Millisecond), End: hour, Step: 24 * time.Hour}},
		"since": {"/query_range", []string{"since", "10m", "step", "1m"}, api.LogQuery{Start: lokiNow.Add(-10 * time.Minute), End: lokiNow, Step: time.Minute}},
		"since before an end": {"/query_range", []string{"since", "10m", "end", "2026-11-20T11:00:00Z", "step", "1m"},
			api.LogQuery{Start: hour.Add(-10 * time.Minute), End: hour, Step: time.Minute}},
		"an end to come":  {"/query_range", []string{"end", "2026-11-20T13:00:00Z", "step", "1m"}, api.LogQuery{Start: hour, End: lokiNow.Add(time.Hour), Step: time.Minute}},
		"a step of 1 s":   {"/query_range", []string{"since", "1m"}, api.LogQuery{Start: lokiNow.Add(-time.Minute), End: lokiNow, Step: time.Second}},
		"instant":         {"/query", []string{"limit", "5"}, api.LogQuery{Start: lokiNow, End: lokiNow, Limit: 5}},
		"instant in time": {"/query", []string{"time", "1790000000000000000"}, api.LogQuery{Start: time.Unix(1790000000, 0), End: time.Unix(1790000000, 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			const query = `sum(rate({app="a+b"}[1m]))`
			c.want.Query = query
			params := append([]string{"query", query}, c.params...)
			get := lokiGet(c.path, params...)
			post := httptest.NewRequest(http.MethodPost, get.URL.Path, strings.NewReader(get.URL.RawQuery))
			post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, r := range []*http.Request{get, post} {
				e := &lokiEngine{}
				w := lokiDo(t, e, r)
				if w.Code != http.StatusOK || w.Body.String() != `{"answer":1}` || w.Header().Get("Content-Type") != "application/json" {
					t.Fatalf("%s: %d %s %s", r.Method, w.Code, w.Header().Get("Content-Type"), w.Body)
				}
				if diff := cmp.Diff(c.want, e.query); diff != "" {
					t.Errorf("%s: query (-want +got):\n%s", r.Method, diff)
				}
				if e.tenant != lokiTenant {
					t.Errorf("tenant %q, want %q", e.tenant, lokiTenant)
				}
			}
		})
	}
}

func TestLokiCategorizeFlag(t *testing.T) {
	r := lokiGet("/query_range", "query", "{}")
	r.Header.Set("X-Loki-Response-Encoding-Flags", "other,categorize-labels")
	e := &lokiEngine{}
	lokiDo(t, e, r)
	if !e.query.Categorize {
		t.Error("the flag was not seen")
	}
}

func TestLokiParameterFaults(t *testing.T) {
	for name, c := range map[string]struct {
		request *http.Request
		want    string
	}{
		"no query":        {lokiGet("/query_range"), "The parameter query is missing."},
		"bad start":       {lokiGet("/query_range", "query", "{}", "start", "yesterday"), `The parameter start="yesterday" is not a time`},
		"far end":         {lokiGet("/query_range", "query", "{}", "end", "9e12"), `The parameter end="9e12" is not a time`},
		"far year":        {lokiGet("/query_range", "query", "{}", "end", "9999-01-01T00:00:00Z"), "is not a time"},
		"not a number":    {lokiGet("/query_range", "query", "{}", "end", "NaN"), "is not a time"},
		"bad step":        {lokiGet("/query_range", "query", "{}", "step", "0"), `The parameter step="0" is not a duration longer than zero`},
		"negative step":   {lokiGet("/query_range", "query", "{}", "step", "-5s"), "is not a duration longer than zero"},
		"bad since":       {lokiGet("/labels", "since", "x"), `The parameter since="x" is not a duration`},
		"bad limit":       {lokiGet("/query", "query", "{}", "limit", "many"), `The parameter limit="many" is not a whole number`},
		"bad direction":   {lokiGet("/query", "query", "{}", "direction", "up"), `The parameter direction="up" is not forward or backward`},
		"backwards":       {lokiGet("/query_range", "query", "{}", "start", "20", "end", "10"), "must lie after the start"},
		"bad time":        {lokiGet("/query", "query", "{}", "time", "x"), `The parameter time="x"`},
		"bad parameters":  {httptest.NewRequest(http.MethodGet, "/loki/api/v1/query?query=%zz", http.NoBody), "not a well-formed query string"},
		"format, nothing": {lokiGet("/format_query"), "The parameter query is missing."},
	} {
		t.Run(name, func(t *testing.T) {
			w := lokiDo(t, &lokiEngine{}, c.request)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d %q, want 400 with %q", w.Code, w.Body, c.want)
			}
			if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q, want Loki's plain text", got)
			}
		})
	}
}

func TestLokiLists(t *testing.T) {
	const labels, none, series = `{"status":"success","data":["app","ns"]}`, `{"status":"success","data":[]}`, `{"status":"success","data":[{"app":"api","ns":"prod"}]}`
	sixHours := seamark.TimeRange{Start: lokiNow.Add(-6 * time.Hour), End: lokiNow}
	for name, c := range map[string]struct {
		request   *http.Request
		body      string
		selectors []string
		label     string
	}{
		"labels":              {lokiGet("/labels"), labels, []string{""}, ""},
		"labels, old name":    {lokiGet("/label", "query", `{a="b"}`), labels, []string{`{a="b"}`}, ""},
		"values":              {lokiGet("/label/service_name/values", "query", "{}"), none, []string{"{}"}, "service_name"},
		"series":              {lokiGet("/series", "match[]", `{a="b"}`, "match[]", `{c="d"}`), series, []string{`{a="b"}`, `{c="d"}`}, ""},
		"series, plain match": {lokiGet("/series", "match", `{a="b"}`), series, []string{`{a="b"}`}, ""},
		"series, all":         {lokiGet("/series"), series, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := &lokiEngine{}
			w := lokiDo(t, e, c.request)
			if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != c.body {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, c.body)
			}
			if diff := cmp.Diff(&lokiEngine{tenant: lokiTenant, name: c.label, selectors: c.selectors, span: sixHours}, e, cmp.AllowUnexported(lokiEngine{}, lokiExplorer{})); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLokiErrorsPass(t *testing.T) {
	e := &lokiEngine{err: seamark.Errorf(seamark.Unprocessable, "seamark-logql-series", "Too many series.")}
	for _, path := range []string{"/query", "/query_range", "/labels", "/label/a/values", "/series", "/format_query"} {
		w := lokiDo(t, e, lokiGet(path, "query", "{}"))
		if w.Code != http.StatusUnprocessableEntity || w.Body.String() != "Too many series.\n" {
			t.Errorf("%s: got %d %q", path, w.Code, w.Body)
		}
	}
}

func TestLokiFormatAndBuildInfo(t *testing.T) {
	w := lokiDo(t, &lokiEngine{}, lokiGet("/format_query", "query", `{a="b"}`))
	if want := `{"status":"success","data":"formatted {a=\"b\"}"}`; strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("format_query: got %s, want %s", w.Body, want)
	}
	w = lokiDo(t, &lokiEngine{}, lokiGet("/status/buildinfo"))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"version":"3.6.0"`) {
		t.Errorf("buildinfo: got %d %s", w.Code, w.Body)
	}
}
