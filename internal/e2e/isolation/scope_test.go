package isolation_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// What restricted readers may see, and what must not reach them: another namespace, rows that tell none, another cluster.
const (
	insideNamespace = "shopmine"
	insideCluster   = "prodmine"
)

var outside = []string{"bankcanary", "nonecanary", "othercanary"}

// part is the tenant of the test, and the credentials of who may see a part of it.
type part struct {
	*inprocess.Tenant
	start       time.Time
	credentials map[string]string
}

// TestRestrictedReadersSeeTheirPartAlone asks every route of the server with credentials that are restricted to one namespace
// of one cluster: whatever the route, nothing of the others is in the answer, and routes that cannot see to that refuse.
func TestRestrictedReadersSeeTheirPartAlone(t *testing.T) {
	p := newPart(t)
	asked := map[string]bool{}
	for _, route := range server(t).Routes() {
		if route.Foreign || route.Permission == httpx.Anonymous || strings.HasPrefix(route.Permission, "ingest:") {
			continue
		}
		if route.Permission == "session:read" && route.Method != http.MethodGet { // ends or changes the session, and shows nothing
			continue
		}
		t.Run(route.Method+" "+route.Path, func(t *testing.T) {
			queries, known := partQueries(p)[strings.TrimSuffix(route.Path, "/")]
			if route.HonoursScope && route.Permission == "data:read" && !known {
				t.Fatal("the route says that it honours restrictions, and this test does not know how to ask it")
			}
			for name, token := range p.credentials {
				if p.allowed(t, token, route.Permission) {
					p.ask(t, &route, name, token, queries)
				}
			}
		})
		asked[route.Path] = true
	}
	for path := range partQueries(p) {
		if !asked[path] {
			t.Errorf("%s is no route", path)
		}
	}
}

func newPart(t *testing.T) *part {
	t.Helper()
	p := &part{Tenant: inprocess.NewTenant(t, server(t), "parts", insideCluster), start: startOfData(), credentials: map[string]string{}}
	d := p.App.Directory()
	other, err := d.CreateCluster(t.Context(), p.ID, tenant.ClusterSpec{Name: "othercanary"})
	if err != nil {
		t.Fatal(err)
	}
	foreign := p.Token(t, tenant.TokenSpec{Kind: seamark.IngestToken, Name: "x", Cluster: other.ID})
	p.push(t, p.Ingest, insideNamespace, insideNamespace)
	p.push(t, p.Ingest, "bankcanary", "bankcanary")
	p.push(t, p.Ingest, "", "nonecanary")
	p.push(t, foreign, insideNamespace, "othercanary")
	p.invite(t)
	p.await(t, p.Query, append(slices.Clone(outside), insideNamespace)) // it is there, before its absence says anything
	for _, token := range p.credentials {
		p.await(t, token, []string{insideNamespace})
	}
	return p
}

// invite makes a restricted viewer, an own key of theirs and a machine's key.
func (p *part) invite(t *testing.T) {
	t.Helper()
	d := p.App.Directory()
	only := &seamark.Restriction{Clusters: []string{insideCluster}, Namespaces: []string{insideNamespace}}
	owner := seamark.Principal{Tenant: p.ID, Kind: seamark.Session, CredentialID: "test", Role: seamark.RoleOwner}
	user, err := d.CreateUser(t.Context(), tenant.UserSpec{
		Login: "viewer@" + strings.ToLower(string(p.ID)), Password: password, Memberships: map[seamark.TenantID]seamark.Role{p.ID: seamark.RoleViewer},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetMember(t.Context(), owner, p.ID, user.ID, tenant.MemberSpec{Role: seamark.RoleAdmin, Only: only}); err != nil {
		t.Fatal(err)
	}
	s := &side{Tenant: p.Tenant}
	p.credentials["session of a restricted admin"] = signIn(t, s, user.Login)
	if _, p.credentials["machine's key"], err = d.CreateKey(t.Context(), owner, tenant.KeySpec{Name: "x", Role: seamark.RoleViewer, Only: only}); err != nil {
		t.Fatal(err)
	}
	member := seamark.Principal{Tenant: p.ID, Kind: seamark.Session, CredentialID: "test", Login: user.Login, Role: seamark.RoleAdmin, Only: only}
	if _, p.credentials["personal key"], err = d.CreateKey(t.Context(), member, tenant.KeySpec{Name: "x", Role: seamark.RoleViewer, Personal: true}); err != nil {
		t.Fatal(err)
	}
}

// push stores one of everything in a namespace, "" being none. word stands wherever data can hold one.
func (p *part) push(t *testing.T, token, namespace, word string) {
	t.Helper()
	series := func(pairs ...string) prompb.TimeSeries {
		ts := prompb.TimeSeries{
			Samples:   []prompb.Sample{{Value: 1, Timestamp: p.start.UnixMilli()}},
			Exemplars: []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace_id", Value: word}}, Value: 1, Timestamp: p.start.UnixMilli()}},
		}
		if namespace != "" {
			pairs = append(pairs, "namespace", namespace)
		}
		for i := 0; i < len(pairs); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		slices.SortFunc(ts.Labels, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
		return ts
	}
	request := prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{series("__name__", "same", "who", word), series("__name__", word+"_total"), series("__name__", "same", word, "x")},
		Metadata:   []prompb.MetricMetadata{{Type: prompb.MetricMetadata_COUNTER, MetricFamilyName: word + "_total", Help: "Help of " + word}},
	}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p.Post(t, token, "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, body)), http.StatusNoContent)
	labels := `"app":"same","who":"` + word + `"`
	if namespace != "" {
		labels += `,"namespace":"` + namespace + `"`
	}
	line := `["` + strconv.FormatInt(p.start.UnixNano(), 10) + `","{\"said\":\"` + word + `\"}",{"meta":"` + word + `"}]`
	p.Post(t, token, "/loki/api/v1/push", "application/json", `{"streams":[{"stream":{`+labels+`},"values":[`+line+`]}]}`, http.StatusNoContent)
	at := p.start.Format(time.RFC3339)
	p.Post(t, token, "/api/v1/push/events", "application/json", fmt.Sprintf(`{"kind":"Event","apiVersion":"v1",
		"metadata":{"name":"same","namespace":%q,"uid":"0b8f7c52-8a0d-4a57-9f0e-0000000%05d"},"involvedObject":{"kind":"Pod","namespace":%[1]q,"name":"same"},
		"reason":"Same","message":"says %[3]s","type":"Warning","count":1,"source":{"component":%[3]q},"firstTimestamp":%[4]q,"lastTimestamp":%[4]q}`,
		namespace, len(word)*100+len(namespace), word, at), http.StatusOK)
	audited := p.start.Format(time.RFC3339Nano)
	p.Post(t, token, "/api/v1/push/audit", "application/json", fmt.Sprintf(`{"kind":"EventList","items":[{"auditID":"a-%[1]s","stage":"ResponseComplete",
		"verb":"update","user":{"username":%[1]q},"responseStatus":{"code":200},"requestReceivedTimestamp":%[2]q,"stageTimestamp":%[2]q,
		"objectRef":{"resource":"deployments","namespace":%[3]q,"name":"same","apiGroup":"apps"}},{"auditID":"b-%[1]s","stage":"ResponseComplete",
		"verb":"list","user":{"username":%[1]q},"requestReceivedTimestamp":%[2]q,"stageTimestamp":%[2]q,"objectRef":{"resource":"pods","namespace":%[3]q}}]}`,
		word, audited, namespace), http.StatusOK)
}

// await waits until a credential sees the words in metrics, logs, events and audit logs.
func (p *part) await(t *testing.T, token string, words []string) {
	t.Helper()
	queries := partQueries(p)
	for _, path := range []string{"/prometheus/api/v1/series", "/loki/api/v1/query_range", "/api/v1/events", "/api/v1/audit"} {
		testkit.Eventually(t, time.Minute, func() error {
			body := p.Do(t, token, http.MethodGet, path+"?"+queries[path][0], nil, "").Body
			for _, word := range words {
				if !strings.Contains(body, word) {
					return fmt.Errorf("%s shows no %s: %s", path, word, body)
				}
			}
			return nil
		})
	}
}

// allowed reports whether the credential holds a route's permission, restricted or not.
func (p *part) allowed(t *testing.T, token, permission string) bool {
	t.Helper()
	d := p.App.Directory()
	who, err := d.Authenticate(t.Context(), token)
	if err != nil {
		if who, err = d.VerifySession(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	return d.Permit(who, permission) == nil
}

// partQueries are what each route that honours restrictions is asked: for everything there is, for what is outside by its
// name, and for what is outside by leaving the inside out.
func partQueries(p *part) map[string][]string {
	at, from, to := strconv.FormatInt(p.start.Unix(), 10), strconv.FormatInt(p.start.Add(-time.Minute).Unix(), 10), strconv.FormatInt(p.start.Add(time.Minute).Unix(), 10)
	span := []string{"start", from, "end", to}
	q := func(pairs ...string) string { return query(append(pairs, span...)...) }
	prom := func(pairs ...string) []string {
		var list []string
		for _, selector := range []string{`{__name__=~".+"}`, `{namespace="bankcanary"}`, `{namespace=""}`, `{cluster="othercanary"}`, `{namespace!="shopmine"}`} {
			list = append(list, q(append([]string{"query", selector, "match[]", selector, "time", at, "step", "15"}, pairs...)...))
		}
		return append(list, q("query", `count by (who, namespace, cluster) (same)`, "time", at, "step", "15", "match[]", "same"), q("query", `sum(same)`, "time", at, "step", "15", "match[]", "same"))
	}
	loki := func(pairs ...string) []string {
		var list []string
		for _, selector := range []string{`{app="same"}`, `{namespace="bankcanary"}`, `{app="same",namespace=""}`, `{cluster="othercanary"}`, `{app=~".+"} | json | said != "shopmine"`} {
			list = append(list, q(append([]string{"query", selector, "step", "60", "limit", "100"}, pairs...)...))
		}
		return append(list, q("query", `sum by (who, namespace, cluster) (count_over_time({app="same"}[2m]))`, "time", to, "step", "60", "match[]", `{app="same"}`))
	}
	stamp := func(add time.Duration) string { return p.start.Add(add).UTC().Format(time.RFC3339) }
	k8s := func(more ...string) []string {
		var list []string
		for _, pairs := range [][]string{{}, {"namespace", "bankcanary"}, {"cluster", "othercanary"}, {"not_namespace", insideNamespace}, {"q", "canary"}} {
			list = append(list, query(append(append(pairs, more...), "start", stamp(-time.Minute), "end", stamp(time.Minute))...))
		}
		return list
	}
	timeline := func(namespace, cluster string) string {
		return query("kind", "Pod", "object", "same", "namespace", namespace, "cluster", cluster, "start", stamp(-time.Minute), "end", stamp(time.Minute))
	}
	writes := func(namespace, cluster string) string {
		return query("resource", "deployments", "name", "same", "namespace", namespace, "api_group", "apps", "cluster", cluster, "start", stamp(-time.Minute), "end", stamp(time.Minute))
	}
	around := func(stream string) string {
		return query("stream", stream, "time", strconv.FormatInt(p.start.UnixNano(), 10), "scope", "stream")
	}
	nothing := []string{""}
	statement := func(sql string) string { return fmt.Sprintf(`{"query":%q,"format":"ndjson"}`, sql) }
	suspects := func(labels string) string { return `{"labels":{` + labels + `},"start":"` + stamp(time.Minute) + `"}` }
	day := p.start.UTC().Format(time.DateOnly)
	queries := map[string][]string{
		"/prometheus/api/v1/query": prom(), "/prometheus/api/v1/query_range": prom(), "/prometheus/api/v1/query_exemplars": prom(),
		"/prometheus/api/v1/labels": append(prom(), q()), "/prometheus/api/v1/series": prom(), "/prometheus/api/v1/metadata": nothing,
		"/prometheus/api/v1/format_query": {query("query", "up")}, "/prometheus/api/v1/parse_query": {query("query", "up")},
		"/prometheus/api/v1/status/buildinfo": nothing, "/prometheus/api/v1/status/tsdb": nothing, "/prometheus/federate": prom(),
		"/api/v1/cardinality": {"", query("by", "label"), query("by", "label_value", "label", "namespace"), query("start", day, "end", day)}, "/prometheus/api/v1/read": nothing,
		"/prometheus/api/v1/label/:name/values": append(prom(), q()),
		"/loki/api/v1/label/:name/values":       append(loki(), q()), "/loki/api/v1/label": append(loki(), q()), "/loki/api/v1/labels": append(loki(), q()),
		"/loki/api/v1/detected_field/:name/values": loki(),
		"/loki/api/v1/tail":                        nothing, "/loki/api/v1/drilldown-limits": nothing, "/loki/api/v1/status/buildinfo": nothing,
		"/loki/api/v1/format_query": {query("query", `{app="x"}`)},
		"/api/v1/events":            k8s(), "/api/v1/events/facets": k8s(), "/api/v1/events/series": k8s("by", "namespace"), "/api/v1/events/trend": k8s("by", "namespace"),
		"/api/v1/events/timeline": {timeline(insideNamespace, insideCluster), timeline("bankcanary", insideCluster), timeline(insideNamespace, "othercanary"), timeline("", insideCluster)},
		"/api/v1/audit":           k8s(), "/api/v1/audit/clients": k8s("by", "user,namespace,cluster"), "/api/v1/audit/lists": k8s(),
		"/api/v1/audit/writes":  {writes(insideNamespace, insideCluster), writes("bankcanary", insideCluster), writes(insideNamespace, "othercanary")},
		"/api/v1/logs/export":   append(loki(), loki("format", "csv")...),
		"/api/v1/logs/patterns": append(loki(), loki("sort", "new")...),
		"/api/v1/sql": {
			statement("SELECT * FROM logs"), statement("SELECT * FROM metrics"), statement("SELECT * FROM series"), statement("SELECT * FROM events"), statement("SELECT * FROM audit"),
			statement("SELECT * FROM traces"), statement("SELECT * FROM log_patterns"), statement("SELECT a.body FROM logs AS a JOIN (SELECT body FROM logs) AS b USING (body)"),
		},
		"/api/v1/alerting/suspects": {suspects(""), suspects(`"namespace":"bankcanary"`), suspects(`"cluster":"othercanary"`), suspects(`"namespace":"shopmine","service":"same"`)},
		"/api/v1/sql/explain":       {statement("SELECT * FROM logs")}, "/api/v1/sql/schema": nothing,
		"/api/v1/logs/context": {
			around(`{who="shopmine"}`), around(`{namespace="bankcanary"}`), around(`{who="nonecanary"}`), around(`{cluster="othercanary"}`),
		},
	}
	for _, path := range []string{"query", "query_range", "series", "index/stats", "index/shards", "index/volume", "index/volume_range", "detected_labels", "detected_fields", "patterns"} {
		queries["/loki/api/v1/"+path] = loki("match[]", `{app="same"}`, "time", to, "targetBytesPerShard", "1")
	}
	return queries
}

// ask sends a route's queries. The words that a query itself holds may come back in an error's text, so only answers count.
func (p *part) ask(t *testing.T, route *httpx.Route, name, token string, queries []string) {
	t.Helper()
	if len(queries) == 0 {
		queries = []string{""}
	}
	if strings.HasSuffix(route.Path, "/tail") {
		p.tail(t, token)
		return
	}
	served, labels := false, []string{""}
	if strings.Contains(route.Path, ":name") {
		labels = []string{"namespace", "who", "said"}
	}
	for _, label := range labels {
		path := strings.NewReplacer(":name", label, ":id", "000000000000", ":namespace", "x", ":group", "x").Replace(route.Path)
		for _, q := range queries {
			header, body := http.Header{}, ""
			switch {
			case strings.HasSuffix(route.Path, "/read"):
				body = readEverything(t, p.start)
			case route.Path == "/api/v1/sql" || route.Path == "/api/v1/sql/explain" || route.Path == "/api/v1/alerting/suspects":
				header.Set("Content-Type", inJSON)
				body, q = q, ""
			case route.Method != http.MethodGet && route.Permission == "data:read":
				header.Set("Content-Type", form)
				body, q = q, ""
			}
			answer := p.Do(t, token, route.Method, path+"?"+q, header, body)
			text := answer.Body
			if strings.HasSuffix(route.Path, "/read") && answer.Status == http.StatusOK {
				text = inflated(t, answer.Body)
			}
			if !route.HonoursScope && (answer.Status != http.StatusForbidden || !strings.Contains(text, "restricted to")) {
				t.Errorf("%s: got %d %s, want a refusal of who is restricted", name, answer.Status, text)
			}
			if answer.Status != http.StatusOK {
				continue
			}
			served = true
			for _, canary := range outside {
				if strings.Contains(text, canary) {
					t.Errorf("%s: %s?%s%s: the answer holds %s: %s", name, path, q, body, canary, text)
				}
			}
		}
	}
	// Metadata of metrics is refused beneath the route.
	if route.HonoursScope && route.Permission == "data:read" && !served && !strings.HasSuffix(route.Path, "/metadata") {
		t.Errorf("%s: no question was answered, which proves nothing", name)
	}
}

// readEverything is a remote read of all series.
func readEverything(t *testing.T, at time.Time) string {
	t.Helper()
	request := prompb.ReadRequest{Queries: []*prompb.Query{{
		StartTimestampMs: at.Add(-time.Minute).UnixMilli(), EndTimestampMs: at.Add(time.Minute).UnixMilli(),
		Matchers: []*prompb.LabelMatcher{{Type: prompb.LabelMatcher_RE, Name: "__name__", Value: ".+"}},
	}}}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(snappy.Encode(nil, body))
}

// inflated is the body of a remote read that is not streamed.
func inflated(t *testing.T, body string) string {
	t.Helper()
	text, err := snappy.Decode(nil, []byte(body))
	if err != nil {
		t.Fatalf("remote read: %v in %q", err, body)
	}
	if !strings.Contains(string(text), insideNamespace) {
		t.Errorf("a remote read shows nothing of %s", insideNamespace)
	}
	return string(text)
}

// tail follows everything while lines come in from inside and outside.
func (p *part) tail(t *testing.T, token string) {
	t.Helper()
	header := bearer(token)
	header.Set("Origin", p.App.URL())
	conn, _, err := websocket.Dial(t.Context(), p.App.URL()+"/loki/api/v1/tail?"+query("query", `{app="same"}`, "limit", "100", "start", strconv.FormatInt(p.start.Add(-time.Minute).UnixNano(), 10)),
		&websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatalf("tail: %v", err)
	}
	defer func() { _ = conn.CloseNow() }()
	late := *p
	late.start = time.Now()
	late.push(t, p.Ingest, "bankcanary", "bankcanary")
	late.push(t, p.Ingest, insideNamespace, insideNamespace)
	for shown := ""; strings.Count(shown, `\"said\"`) < 2; { // one line of before, one that came live
		text, err := readTail(t.Context(), conn)
		if err != nil {
			t.Fatalf("the tail shows %s, want two lines of %s: %v", shown, insideNamespace, err)
		}
		shown += text
		for _, canary := range outside {
			if strings.Contains(text, canary) {
				t.Fatalf("the tail shows %s: %s", canary, text)
			}
		}
	}
}
