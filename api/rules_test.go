package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAA")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBB")
)

// tokens takes `smk_<tenant>` as the tenant's token with all permissions but those in denied.
type tokens struct{ denied string }

func (v tokens) Authenticate(_ context.Context, token string) (seamark.Principal, error) {
	id, err := seamark.ParseTenantID(strings.TrimPrefix(token, "smk_"))
	if err != nil {
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "The token is unknown.")
	}
	return seamark.Principal{Tenant: id, Kind: seamark.AdminToken}, nil
}

func (v tokens) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, errors.New("no sessions in this test")
}

func (v tokens) Permit(_ seamark.Principal, permission string) error {
	if permission == v.denied {
		return seamark.Errorf(seamark.Forbidden, "seamark-permission", "The credential may not use %s.", permission)
	}
	return nil
}

type edge struct {
	t *testing.T
	*httpx.Edge
}

func newEdge(t *testing.T, denied string, routes []httpx.Route) edge {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: routes, Verifier: tokens{denied}, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return edge{t, e}
}

// do sends one request as tenant and returns the answer.
func (e edge) do(tenant seamark.TenantID, method, path, body string) *httptest.ResponseRecorder {
	e.t.Helper()
	return e.doWith(tenant, method, path, body)
}

// doWith is do with headers, given as names and values.
func (e edge) doWith(tenant seamark.TenantID, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer smk_"+string(tenant))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// want fails the test unless the answer has the status and holds text.
func want(t *testing.T, w *httptest.ResponseRecorder, status int, text string) {
	t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), text) {
		t.Errorf("answer %d %q, want %d with %q", w.Code, w.Body, status, text)
	}
}

// ruleBook keeps rule groups in memory, of any language. It implements api.RuleStore and api.RuleState.
type ruleBook struct {
	groups  map[seamark.TenantID]map[string][]rulefmt.RuleGroup
	running map[seamark.TenantID][]*rules.Group
	err     error
}

func (b *ruleBook) ListRuleGroups(_ context.Context, tenant seamark.TenantID, language string) (map[string][]rulefmt.RuleGroup, error) {
	return maps.Clone(b.groups[of(tenant, language)]), b.err
}

func (b *ruleBook) SaveRuleGroup(_ context.Context, tenant seamark.TenantID, namespace, language string, body []byte) error {
	tenant = of(tenant, language)
	var group rulefmt.RuleGroup
	if err := yaml.Unmarshal(body, &group); err != nil {
		return seamark.Errorf(seamark.Invalid, "seamark-rule-invalid", "%s", err)
	}
	if b.groups[tenant] == nil {
		b.groups[tenant] = map[string][]rulefmt.RuleGroup{}
	}
	b.groups[tenant][namespace] = append(b.groups[tenant][namespace], group)
	return b.err
}

func (b *ruleBook) DeleteRuleGroup(_ context.Context, tenant seamark.TenantID, namespace, group, language string) error {
	tenant = of(tenant, language)
	for i, g := range b.groups[tenant][namespace] {
		if g.Name == group {
			b.groups[tenant][namespace] = append(b.groups[tenant][namespace][:i:i], b.groups[tenant][namespace][i+1:]...)
			return nil
		}
	}
	return seamark.Errorf(seamark.NotFound, "seamark-rule-group-unknown", "There is no rule group %q.", group)
}

func (b *ruleBook) DeleteRuleNamespace(_ context.Context, tenant seamark.TenantID, namespace, language string) error {
	delete(b.groups[of(tenant, language)], namespace)
	return nil
}

func (b *ruleBook) RuleGroups(_ context.Context, tenant seamark.TenantID) ([]*rules.Group, error) {
	return b.running[tenant], b.err
}

// of keeps the groups of the languages apart.
func of(tenant seamark.TenantID, language string) seamark.TenantID {
	if language == "promql" {
		return tenant
	}
	return tenant + seamark.TenantID("/"+language)
}

func newRuleBook() *ruleBook {
	return &ruleBook{groups: map[seamark.TenantID]map[string][]rulefmt.RuleGroup{}, running: map[seamark.TenantID][]*rules.Group{}}
}

const podGroup = `name: pods
interval: 1m
rules:
  - alert: PodDown
    expr: up == 0
    for: 5m
    labels: {severity: page}
    annotations: {summary: '{{ $labels.pod }} is down'}
  - record: pod:up:sum
    expr: sum(up)
`

func TestRuleConfigRoundTrip(t *testing.T) {
	e := newEdge(t, "", api.RuleRoutes(newRuleBook(), newRuleBook()))
	const path = "/prometheus/config/v1/rules"
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, "{}")
	for _, namespace := range []string{"ns", "team%2Fa%20b"} {
		want(t, e.do(tenantA, http.MethodPost, path+"/"+namespace, podGroup), http.StatusAccepted, `"status":"success"`)
	}
	var sent, one rulefmt.RuleGroup
	if err := yaml.Unmarshal([]byte(podGroup), &sent); err != nil {
		t.Fatal(err)
	}
	w := e.do(tenantA, http.MethodGet, path+"/team%2Fa%20b/pods", "")
	if err := yaml.Unmarshal(w.Body.Bytes(), &one); err != nil {
		t.Fatalf("%v in %d %s", err, w.Code, w.Body)
	}
	if diff := cmp.Diff(sent, one); diff != "" {
		t.Error(diff)
	}
	var all map[string][]rulefmt.RuleGroup
	w = e.do(tenantA, http.MethodGet, path, "")
	if err := yaml.Unmarshal(w.Body.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]rulefmt.RuleGroup{"ns": {sent}, "team/a b": {sent}}, all); diff != "" {
		t.Error(diff)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/yaml" {
		t.Errorf("Content-Type = %q", ct)
	}
	want(t, e.do(tenantA, http.MethodGet, path+"/ns", ""), http.StatusOK, "ns:\n")
	want(t, e.do(tenantB, http.MethodGet, path, ""), http.StatusOK, "{}")
	want(t, e.do(tenantA, http.MethodDelete, path+"/ns/pods", ""), http.StatusAccepted, "success")
	want(t, e.do(tenantA, http.MethodDelete, path+"/ns/pods", ""), http.StatusNotFound, "no rule group")
	want(t, e.do(tenantA, http.MethodDelete, path+"/team%2Fa%20b", ""), http.StatusAccepted, "success")
	want(t, e.do(tenantA, http.MethodGet, path+"/team%2Fa%20b", ""), http.StatusNotFound, `no rule groups in namespace "team/a b"`)
}

func TestRuleProbeOfGrafana(t *testing.T) {
	e := newEdge(t, "", api.RuleRoutes(newRuleBook(), newRuleBook()))
	w := e.do(tenantA, http.MethodGet, "/prometheus/config/v1/rules/test/test", "")
	want(t, w, http.StatusNotFound, `There is no rule group "test" in namespace "test".`)
	if strings.Contains(w.Body.String(), "page not found") {
		t.Error("Grafana takes this text as a missing ruler")
	}
	if ct := w.Header().Get("Content-Type"); !strings.HasPrefix(ct, "text/plain") {
		t.Errorf("Content-Type = %q, want text/plain", ct)
	}
}

func TestRulePermissions(t *testing.T) {
	book := newRuleBook()
	const path = "/prometheus/config/v1/rules"
	reader := newEdge(t, "rules:write", api.RuleRoutes(book, book))
	want(t, reader.do(tenantA, http.MethodPost, path+"/ns", podGroup), http.StatusForbidden, "rules:write")
	want(t, reader.do(tenantA, http.MethodDelete, path+"/ns", ""), http.StatusForbidden, "rules:write")
	want(t, reader.do(tenantA, http.MethodDelete, path+"/ns/g", ""), http.StatusForbidden, "rules:write")
	none := newEdge(t, "rules:read", api.RuleRoutes(book, book))
	for _, p := range []string{path, path + "/ns", path + "/ns/g", "/prometheus/api/v1/rules", "/prometheus/api/v1/alerts"} {
		want(t, none.do(tenantA, http.MethodGet, p, ""), http.StatusForbidden, "rules:read")
	}
	want(t, none.do("nobody", http.MethodGet, path, ""), http.StatusUnauthorized, "unknown")
}

func TestRuleErrorsKeepTheirDialect(t *testing.T) {
	book := newRuleBook()
	book.err = seamark.Errorf(seamark.Unavailable, "seamark-alerting-standby", "Another process evaluates.")
	e := newEdge(t, "", api.RuleRoutes(book, book))
	w := e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules", "")
	want(t, w, http.StatusServiceUnavailable, `"errorType":"unavailable"`)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	want(t, e.do(tenantA, http.MethodGet, "/prometheus/api/v1/alerts", ""), http.StatusServiceUnavailable, `"status":"error"`)
	want(t, e.do(tenantA, http.MethodGet, "/prometheus/config/v1/rules", ""), http.StatusServiceUnavailable, "Another process evaluates.\n")
	want(t, e.do(tenantA, http.MethodPost, "/prometheus/config/v1/rules/ns", strings.Repeat("x", 2<<20)), http.StatusRequestEntityTooLarge, "limit")
	book.err = nil
	want(t, e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules?type=x", ""), http.StatusBadRequest, `"errorType":"bad_data"`)
	want(t, e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules?exclude_alerts=x", ""), http.StatusBadRequest, `"errorType":"bad_data"`)
}

// nowhere implements storage.Appendable.
type nowhere struct{}

func (nowhere) Appender(context.Context) storage.Appender { return nothing{} }

// nothing swallows samples; the methods it lacks are not called by rules.
type nothing struct{ storage.Appender }

func (nothing) Append(storage.SeriesRef, labels.Labels, int64, float64) (storage.SeriesRef, error) {
	return 0, nil
}

func (nothing) AppendHistogram(storage.SeriesRef, labels.Labels, int64, *histogram.Histogram, *histogram.FloatHistogram) (storage.SeriesRef, error) {
	return 0, nil
}
func (nothing) SetOptions(*storage.AppendOptions) {}
func (nothing) Commit() error                     { return nil }

// evaluated returns a group that was evaluated at at: PodDown fires for one pod, the recording rule fails.
func evaluated(t *testing.T, namespace, name string, at time.Time) *rules.Group {
	t.Helper()
	promqlParser := parser.NewParser(parser.Options{})
	expr := func(text string) parser.Expr {
		e, err := promqlParser.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	alert := rules.NewAlertingRule("PodDown", expr("up == 0"), 0, time.Minute, labels.FromStrings("severity", "page"),
		labels.FromStrings("summary", "{{ $labels.pod }} is down"), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	record := rules.NewRecordingRule("up:sum", expr("sum(up)"), labels.EmptyLabels())
	g := rules.NewGroup(rules.GroupOptions{
		Name: name, File: namespace, Interval: time.Minute, Limit: 7, Rules: []rules.Rule{alert, record},
		Opts: &rules.ManagerOptions{
			QueryFunc: func(_ context.Context, q string, at time.Time) (promql.Vector, error) {
				if strings.HasPrefix(q, "sum") {
					return nil, errors.New("too many series")
				}
				return promql.Vector{{Metric: labels.FromStrings("pod", "a"), T: timestamp.FromTime(at), F: 0.5}}, nil
			},
			NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
			Appendable: nowhere{},
		},
	})
	rules.DefaultEvalIterationFunc(t.Context(), g, at)
	return g
}

func TestRuleStateInPrometheusForm(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	book := newRuleBook()
	book.running[tenantA] = []*rules.Group{evaluated(t, "ns", "pods", at)}
	e := newEdge(t, "", api.RuleRoutes(book, book))
	var got struct {
		Status string
		Data   struct {
			Groups []struct {
				Name, File      string
				Interval, Limit float64
				LastEvaluation  time.Time
				EvaluationTime  *float64
				Rules           []map[string]any
			}
		}
	}
	w := e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules", "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != "success" || len(got.Data.Groups) != 1 || len(got.Data.Groups[0].Rules) != 2 {
		t.Fatalf("answer = %s", w.Body)
	}
	g := got.Data.Groups[0]
	if g.Name != "pods" || g.File != "ns" || g.Interval != 60 || g.Limit != 7 || g.LastEvaluation.IsZero() || g.EvaluationTime == nil {
		t.Errorf("group = %+v", g)
	}
	alerting, recording := g.Rules[0], g.Rules[1]
	for _, volatile := range []string{"evaluationTime", "lastEvaluation"} {
		if alerting[volatile] == nil || recording[volatile] == nil {
			t.Errorf("%s is missing", volatile)
		}
		delete(alerting, volatile)
		delete(recording, volatile)
	}
	if diff := cmp.Diff(map[string]any{
		"state": "firing", "name": "PodDown", "query": "up == 0", "duration": 0.0, "keepFiringFor": 60.0, "health": "ok",
		"labels": map[string]any{"severity": "page"}, "annotations": map[string]any{"summary": "{{ $labels.pod }} is down"},
		"type": "alerting", "alerts": []any{map[string]any{
			"labels":      map[string]any{"alertname": "PodDown", "pod": "a", "severity": "page"},
			"annotations": map[string]any{"summary": "a is down"}, "state": "firing", "activeAt": "2026-11-20T12:00:00Z", "value": "5e-01",
		}},
	}, alerting); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{
		"name": "up:sum", "query": "sum(up)", "labels": map[string]any{}, "health": "err", "lastError": "too many series", "type": "recording",
	}, recording); diff != "" {
		t.Error(diff)
	}
	want(t, e.do(tenantA, http.MethodGet, "/prometheus/api/v1/alerts", ""), http.StatusOK,
		`"data":{"alerts":[{"labels":{"alertname":"PodDown","pod":"a","severity":"page"},"annotations":{"summary":"a is down"},"state":"firing","activeAt":"2026-11-20T12:00:00Z","value":"5e-01"}]}`)
	want(t, e.do(tenantB, http.MethodGet, "/prometheus/api/v1/rules", ""), http.StatusOK, `"data":{"groups":[]}`)
	want(t, e.do(tenantB, http.MethodGet, "/prometheus/api/v1/alerts", ""), http.StatusOK, `"data":{"alerts":[]}`)
}

func TestRuleStateFilters(t *testing.T) {
	book := newRuleBook()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	book.running[tenantA] = []*rules.Group{evaluated(t, "ns1", "g1", at), evaluated(t, "ns2", "g2", at)}
	e := newEdge(t, "", api.RuleRoutes(book, book))
	tests := []struct{ query, want string }{
		{"", "g1 PodDown up:sum g2 PodDown up:sum"},
		{"type=alert", "g1 PodDown g2 PodDown"},
		{"type=record", "g1 up:sum g2 up:sum"},
		{"rule_group[]=g2", "g2 PodDown up:sum"},
		{"rule_group=g2", "g2 PodDown up:sum"},
		{"file[]=ns1", "g1 PodDown up:sum"},
		{"file[]=ns1&file[]=ns2&rule_name[]=up:sum", "g1 up:sum g2 up:sum"},
		{"rule_name[]=nope", ""},
		{"file[]=ns1&rule_group[]=g2", ""},
		{"type=alert&rule_name=up:sum", ""},
	}
	for _, tt := range tests {
		var got struct {
			Data struct {
				Groups []struct {
					Name  string
					Rules []struct {
						Name   string
						Alerts []any
					}
				}
			}
		}
		w := e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules?"+tt.query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, g := range got.Data.Groups {
			names = append(names, g.Name)
			for _, r := range g.Rules {
				names = append(names, r.Name)
			}
		}
		if s := strings.Join(names, " "); s != tt.want {
			t.Errorf("%q shows %q, want %q", tt.query, s, tt.want)
		}
	}
	checkRulePages(t, e)
	w := e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules?exclude_alerts=true&type=alert", "")
	want(t, w, http.StatusOK, `"alerts":[]`)
}

// checkRulePages reads two groups page by page, as Prometheus' own console does.
func checkRulePages(t *testing.T, e edge) {
	t.Helper()
	type page struct {
		Data struct {
			Groups         []struct{ Name string }
			GroupNextToken string
		}
	}
	read := func(query string) (p page) {
		w := e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules?"+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		return p
	}
	first := read("group_limit=1")
	if len(first.Data.Groups) != 1 || first.Data.Groups[0].Name != "g1" || first.Data.GroupNextToken == "" {
		t.Fatalf("first page: %+v", first)
	}
	second := read("group_limit=1&group_next_token=" + first.Data.GroupNextToken)
	if len(second.Data.Groups) != 1 || second.Data.Groups[0].Name != "g2" || second.Data.GroupNextToken != "" {
		t.Errorf("second page: %+v", second)
	}
	if got := read(`match[]={severity="page"}`); len(got.Data.Groups) != 2 {
		t.Errorf("match: %+v", got)
	}
	if got := read(`match[]={severity="none"}`); len(got.Data.Groups) != 0 {
		t.Errorf("match of none: %+v", got)
	}
	for _, query := range []string{"group_limit=0", "group_limit=x", "group_next_token=a", "group_limit=1&group_next_token=gone", "match[]={"} {
		want(t, e.do(tenantA, http.MethodGet, "/prometheus/api/v1/rules?"+query, ""), http.StatusBadRequest, `"errorType":"bad_data"`)
	}
}

// TestLogRules keeps a group under Loki's two paths, apart from those over metrics. The texts of a 404 are those by which Grafana
// and Loki's own clients know a ruler that has no such rules.
func TestLogRules(t *testing.T) {
	e := newEdge(t, "", api.RuleRoutes(newRuleBook(), newRuleBook()))
	const body = "name: logs\nrules:\n  - alert: Errors\n    expr: sum(rate({app=\"a\"} |= `error` [5m])) > 1\n"
	for _, prefix := range []string{"/loki/api/v1/rules", "/api/prom/rules"} {
		for path, text := range map[string]string{"": "no rule groups found", "/test": "no rule groups found", "/test/test": "group does not exist"} {
			w := e.do(tenantA, http.MethodGet, prefix+path, "")
			want(t, w, http.StatusNotFound, text)
			if strings.Contains(w.Body.String(), "page not found") {
				t.Errorf("GET %s%s: %s is a ruler that is not there", prefix, path, w.Body)
			}
		}
		want(t, e.do(tenantA, http.MethodPost, prefix+"/ns", body), http.StatusAccepted, "success")
		want(t, e.do(tenantA, http.MethodGet, prefix, ""), http.StatusOK, "name: logs")
		want(t, e.do(tenantA, http.MethodGet, prefix+"/ns/logs", ""), http.StatusOK, "name: logs")
		want(t, e.do(tenantA, http.MethodGet, "/prometheus/config/v1/rules", ""), http.StatusOK, "{}")
		want(t, e.do(tenantA, http.MethodDelete, prefix+"/ns", ""), http.StatusAccepted, "success")
	}
	want(t, e.do(tenantA, http.MethodPost, "/api/v1/rules/ns", podGroup), http.StatusAccepted, "success")
	want(t, e.do(tenantA, http.MethodGet, "/prometheus/config/v1/rules/ns/pods", ""), http.StatusOK, "name: pods")
}
