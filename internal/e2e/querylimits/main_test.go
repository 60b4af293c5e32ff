// Package querylimits_test has several nodes of one installation, and asks them what a tenant's queries may take: limits are changed over
// the API, queries run on one node and are seen and ended from another, and what a tenant is told of its cost is what ClickHouse has counted.
package querylimits_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	// within is how long a state may take to come, on a machine under heavy load.
	within   = 2 * time.Minute
	password = "correct horse battery staple 7"
	// maxWait is how long a query waits for its place on these nodes.
	maxWait = 2 * time.Second
)

// fleet is several nodes on one NATS and one ClickHouse, and a tenant.
type fleet struct {
	*account
	t        *testing.T
	bus      string
	engine   *harness.Engine
	nodes    []*harness.Server
	operator string // session
}

// account is a tenant with its tokens.
type account struct {
	*harness.Account
	id, admin string
}

// makeAccount makes a tenant.
func (f *fleet) makeAccount(slug string) *account {
	f.t.Helper()
	admin := func(out any, args ...string) {
		f.t.Helper()
		text := harness.MustRun(f.t, "", append([]string{"admin", "--json", "--nats.url", f.bus}, args...)...)
		if out == nil {
			return
		}
		if err := json.Unmarshal([]byte(text), out); err != nil {
			f.t.Fatalf("%v: %v in %s", args, err, text)
		}
	}
	a := &account{Account: harness.NewAccount(admin, slug)}
	var tenants []struct{ ID, Slug string }
	admin(&tenants, "tenant", "list")
	for _, one := range tenants {
		if one.Slug == slug {
			a.id = one.ID
		}
	}
	var token struct{ Token string }
	admin(&token, "token", "create", slug, "--kind", "admin")
	a.admin = token.Token
	return a
}

func newFleet(t *testing.T, nodes int) *fleet {
	t.Helper()
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	f := &fleet{t: t, bus: bus.URL, engine: engine}
	args := append([]string{
		"serve", "--nats.url", bus.URL, "--writer.max-batch-age", "100ms", "--query.max-wait", maxWait.String(), "--alerting.evaluation-interval", "1s",
		"--metering.flush-interval", "1s",
	}, engine.Flags()...)
	f.nodes = []*harness.Server{harness.Serve(t, t.TempDir(), args...)} // alone, since each would make the operator
	var launched []*harness.Launched
	for range nodes - 1 {
		launched = append(launched, harness.Launch(t, t.TempDir(), args...))
	}
	for _, l := range launched {
		if err := l.WaitReady(within); err != nil {
			t.Fatal(err)
		}
		f.nodes = append(f.nodes, &l.Server)
	}
	f.account = f.makeAccount("acme")
	harness.MustRun(f.t, password+"\n", "admin", "--nats.url", bus.URL, "user", "create", "op", "--operator", "--password-stdin")
	var session struct{ Token string }
	testkit.Eventually(t, within, func() error {
		got := f.ask(0, &request{method: http.MethodPost, path: "/api/v1/session", body: fmt.Sprintf(`{"login":"op","password":%q}`, password)})
		if got.Status != http.StatusOK {
			return fmt.Errorf("sign in: %d %s", got.Status, got.Body)
		}
		return json.Unmarshal(got.Body, &session)
	})
	f.operator = session.Token
	return f
}

// request is one request to a node.
type request struct {
	method, path, token, body string // GET when there is no method
	prefer                    string
}

// ask sends a request and reads the answer with its trailers, which become headers. What fails has the status 0.
func (f *fleet) ask(node int, q *request) harness.Answer {
	method := q.method
	if method == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequest(method, f.nodes[node].URL+q.path, strings.NewReader(q.body))
	if err != nil {
		return harness.Answer{Body: []byte(err.Error())}
	}
	r.Header.Set("Content-Type", "application/json")
	if q.token != "" {
		r.Header.Set("Authorization", "Bearer "+q.token)
	}
	if q.prefer != "" {
		r.Header.Set("Prefer", q.prefer)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return harness.Answer{Body: []byte(err.Error())}
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return harness.Answer{Body: []byte(err.Error())}
	}
	for name, values := range answer.Trailer {
		answer.Header[name] = values
	}
	return harness.Answer{Status: answer.StatusCode, Header: answer.Header, Body: text}
}

// must is ask for what has to succeed; the answer is decoded into out, unless nil.
func (f *fleet) must(out any, node int, q *request) {
	f.t.Helper()
	got := f.ask(node, q)
	if got.Status/100 != 2 {
		f.t.Fatalf("%s %s %s on node %d: %d %s", q.method, q.path, q.body, node, got.Status, got.Body)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(got.Body, out); err != nil {
		f.t.Fatalf("%s: %v in %s", q.path, err, got.Body)
	}
}

// push sends a tenant's data to the first node.
func (f *fleet) push(a *harness.Account, path, media, body string) {
	f.t.Helper()
	got, err := harness.Do(f.t.Context(), http.DefaultClient, &harness.Request{URL: f.nodes[0].URL + path, Token: a.Ingest, Type: media, Body: []byte(body)})
	if err != nil || got.Status/100 != 2 {
		f.t.Fatalf("push to %s: %+v, %v", path, got, err)
	}
}

// lines pushes lines of an app that come evenly over the time until now, and waits until every node finds them.
func (f *fleet) lines(a *harness.Account, app string, lines int, over time.Duration) {
	f.t.Helper()
	const perPush = 10_000
	begin := time.Now().Add(-over)
	for from := 0; from < lines; from += perPush {
		var b strings.Builder
		b.WriteString(`{"streams":[{"stream":{"app":"` + app + `"},"values":[`)
		for i := from; i < min(from+perPush, lines); i++ {
			if i > from {
				b.WriteByte(',')
			}
			at := begin.Add(over * time.Duration(i) / time.Duration(lines))
			_, _ = fmt.Fprintf(&b, `["%d","line %d of %s, which is as long as others %x"]`, at.UnixNano(), i, app, i*7919)
		}
		b.WriteString("]}]}")
		f.push(a, "/loki/api/v1/push", "application/json", b.String())
	}
	for node := range f.nodes {
		testkit.Eventually(f.t, within, func() error {
			got := f.ask(node, &request{path: "/loki/api/v1/query?" + url.Values{"query": {`sum(count_over_time({app="` + app + `"}[72h]))`}}.Encode(), token: a.Query})
			if want := fmt.Sprintf(`"%d"]`, lines); got.Status != http.StatusOK || !strings.Contains(string(got.Body), want) {
				return fmt.Errorf("node %d: %d %s, want %s", node, got.Status, got.Body, want)
			}
			return nil
		})
	}
}

// logs is a search of an app's lines over the time until now.
func (f *fleet) logs(app, filter string, over time.Duration) *request {
	now := time.Now()
	return &request{token: f.Query, path: "/loki/api/v1/query_range?" + url.Values{
		"query": {`{app="` + app + `"} ` + filter}, "start": {fmt.Sprint(now.Add(-over).UnixNano())}, "end": {fmt.Sprint(now.UnixNano())}, "limit": {"10"},
	}.Encode()}
}

// sql is a statement in a format.
func (f *fleet) sql(statement, format string) *request {
	body, _ := json.Marshal(map[string]string{"query": statement, "format": format})
	return &request{method: http.MethodPost, path: "/api/v1/sql", token: f.Query, body: string(body)}
}

// endless is a statement that runs for as long as it is let, and that is told from others by its text.
func (f *fleet) endless(text string) *request {
	return f.sql("SELECT '"+text+"', sum(cityHash64(a, b, c)) FROM (SELECT arrayJoin(range(20000)) AS a) CROSS JOIN (SELECT arrayJoin(range(20000)) AS b) "+
		"CROSS JOIN (SELECT arrayJoin(range(20000)) AS c)", "json")
}
