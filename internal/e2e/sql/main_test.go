// Package sql_test sends SQL to the built binary: useful queries over pushed data, whose answers are known, and statements that try to
// get out of their tenant, which are all refused.
package sql_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	within = time.Minute
	canary = "globexcanary" // stands in whatever the other tenant has
	lines  = 1000

	jsonMedia = "application/json"
)

// world is a server over an engine that tests can reach themselves, with a tenant whose data is known and another with canaries.
type world struct {
	*harness.Server
	*harness.Account // acme
	other            *harness.Account
	engine           *harness.Engine
	start            time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	engine := harness.StartEngine(t, t.TempDir())
	args := append([]string{"serve", "--query.process", "--writer.max-batch-age", "100ms", "--sql.timeout", "20s", "--sql.max-rows", "200000", "--sql.max-result-bytes", "30000000"}, engine.Flags()...)
	s := harness.Serve(t, t.TempDir(), args...)
	w := &world{Server: s, engine: engine, start: time.Now().Add(-30 * time.Minute).Truncate(time.Minute).UTC()}
	w.Account, w.other = harness.NewAccount(s.Admin(t), "acme"), harness.NewAccount(s.Admin(t), "globex")
	w.fill(t)
	return w
}

func (w *world) push(t *testing.T, a *harness.Account, path, media, body string) {
	t.Helper()
	answer, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + path, Token: a.Ingest, Type: media, Body: []byte(body)})
	if err != nil || answer.Status >= http.StatusMultipleChoices {
		t.Fatalf("push to %s: %+v, %v", path, answer, err)
	}
}

func (w *world) fill(t *testing.T) {
	t.Helper()
	w.push(t, w.Account, "/loki/api/v1/push", jsonMedia, w.logs())
	w.push(t, w.Account, "/api/v2/write?precision=s", "text/plain", w.samples())
	w.push(t, w.Account, "/api/v1/push/events", jsonMedia, w.events(1, "BackOff", "Warning", 3))
	w.push(t, w.Account, "/api/v1/push/events", jsonMedia, w.events(1, "BackOff", "Warning", 7)) // the same, told again
	w.push(t, w.Account, "/api/v1/push/events", jsonMedia, w.events(2, "Pulled", "Normal", 1))
	w.push(t, w.Account, "/api/v1/push/audit", jsonMedia, w.audit("alice", "bob", "alice"))
	w.push(t, w.Account, "/v1/traces", jsonMedia, w.spans(4))
	at := strconv.FormatInt(w.start.UnixNano(), 10)
	w.push(t, w.other, "/loki/api/v1/push", jsonMedia, `{"streams":[{"stream":{"namespace":"shop","app":"web","pod":"`+canary+`"},"values":[["`+at+`","line of `+canary+`"]]}]}`)
	w.push(t, w.other, "/api/v2/write?precision=s", "text/plain", fmt.Sprintf("requests,who=%s value=666 %d", canary, w.start.Unix()))
	w.push(t, w.other, "/api/v1/push/events", jsonMedia, w.events(9, canary, "Warning", 1))
	w.push(t, w.other, "/api/v1/push/audit", jsonMedia, w.audit(canary))
	for view, want := range map[string]string{"logs WHERE labels['app'] != ''": "1000", "metrics": "180", "events": "2", "audit": "3", "traces": "4"} {
		w.await(t, w.Account, "SELECT count() FROM "+view, want)
	}
	w.await(t, w.Account, "SELECT sum(lines) FROM log_patterns WHERE pod != ''", strconv.Itoa(lines))
	for view, want := range map[string]string{"logs WHERE labels['app'] != ''": "1", "metrics": "1", "events": "1", "audit": "1"} {
		w.await(t, w.other, "SELECT count() FROM "+view, want)
	}
}

// await waits until a query has an answer.
func (w *world) await(t *testing.T, a *harness.Account, sql, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		status, got := w.csv(t, a, sql, nil)
		if status != http.StatusOK || got != want {
			return fmt.Errorf("%s: got %d %s, want %s", sql, status, got, want)
		}
		return nil
	})
}

// logs are four streams of lines, one each second.
func (w *world) logs() string {
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][]any           `json:"values"`
	}
	var streams []stream
	for i, pod := range []string{"web-0", "web-1", "api-0", "db-0"} {
		app, _, _ := strings.Cut(pod, "-")
		namespace := "shop"
		if app == "db" {
			namespace = "bank"
		}
		s := stream{Stream: map[string]string{"app": app, "namespace": namespace, "pod": pod, "node": fmt.Sprint("n", i%2)}}
		for n := i; n < lines; n += 4 {
			level, said := "info", fmt.Sprintf("request %d done in %dms", n, n%100)
			if n%10 == 0 {
				level, said = "error", fmt.Sprintf("request %d failed: timeout", n)
			}
			s.Values = append(s.Values, []any{
				strconv.FormatInt(w.start.Add(time.Duration(n)*time.Second).UnixNano(), 10), said,
				map[string]string{"level": level, "request": strconv.Itoa(n)},
			})
		}
		streams = append(streams, s)
	}
	body, _ := json.Marshal(map[string]any{"streams": streams})
	return string(body)
}

// samples are three series of sixty, 15 seconds apart, that count up by 1, 2 and 3.
func (w *world) samples() string {
	var b strings.Builder
	for i, pod := range []string{"web-0", "web-1", "api-0"} {
		for n := range 60 {
			fmt.Fprintf(&b, "requests,namespace=shop,pod=%s value=%d %d\n", pod, (i+1)*n, w.start.Add(time.Duration(n)*15*time.Second).Unix())
		}
	}
	return b.String()
}

func (w *world) events(uid int, reason, level string, count int) string {
	at := func(minutes int) string {
		return w.start.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339)
	}
	return fmt.Sprintf(`{"kind":"List","apiVersion":"v1","items":[{"metadata":{"uid":"00000000-0000-0000-0000-%012d","name":"e%d"},
		"involvedObject":{"kind":"Pod","name":"web-0","namespace":"shop"},"reason":%q,"message":"it is %s","type":%q,"count":%d,
		"firstTimestamp":%q,"lastTimestamp":%q,"source":{"component":"kubelet","host":"n1"}}]}`, uid, uid, reason, reason, level, count, at(0), at(count))
}

func (w *world) audit(users ...string) string {
	var items []string
	for i, user := range users {
		items = append(items, fmt.Sprintf(`{"kind":"Event","level":"Metadata","auditID":"a-%s-%d","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/shop/pods","verb":"list",
			"user":{"username":%q},"sourceIPs":["10.0.0.1"],"objectRef":{"resource":"pods","namespace":"shop"},"responseStatus":{"code":%d},
			"requestReceivedTimestamp":%q,"stageTimestamp":%q}`, user, i, user, 200+i*100, w.start.Format(time.RFC3339Nano), w.start.Format(time.RFC3339Nano)))
	}
	return `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(items, ",") + `]}`
}

// spans are of one trace, each a child of the one before.
func (w *world) spans(n int) string {
	var list []string
	for i := range n {
		parent := ""
		if i > 0 {
			parent = fmt.Sprintf(`"parentSpanId":"%016x",`, i)
		}
		begin := w.start.Add(time.Duration(i) * time.Second).UnixNano()
		list = append(list, fmt.Sprintf(`{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"%016x",%s"name":"step %d","kind":2,
			"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":%d}}`, i+1, parent, i, begin, begin+int64(i+1)*1_000_000, i%2*2))
	}
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}},{"key":"k8s.namespace.name","value":{"stringValue":"shop"}}]},
		"scopeSpans":[{"spans":[` + strings.Join(list, ",") + `]}]}]}`
}

// ask posts a statement.
func (w *world) ask(t *testing.T, a *harness.Account, path string, q map[string]any) *harness.Answer {
	t.Helper()
	body, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + path, Token: a.Query, Type: jsonMedia, Body: body})
	if err != nil {
		t.Fatalf("%v: %v", q, err)
	}
	return answer
}

// csv returns a statement's answer without its header line.
func (w *world) csv(t *testing.T, a *harness.Account, sql string, parameters map[string]any) (status int, rows string) {
	t.Helper()
	answer := w.ask(t, a, "/api/v1/sql", map[string]any{"query": sql, "format": "csv", "parameters": parameters})
	if answer.Status != http.StatusOK {
		return answer.Status, string(answer.Body)
	}
	_, rows, _ = strings.Cut(string(answer.Body), "\n")
	return answer.Status, strings.TrimSuffix(rows, "\n")
}
