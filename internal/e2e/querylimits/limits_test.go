package querylimits_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// maxChange is the promise for every change on every node.
const maxChange = time.Second

// TestLimitsActEverywhere changes over the API what a tenant's queries may take, for the tenant and for its plan: each change holds for
// the queries of every node. Over its budget the tenant still reads its last minutes, its lists are answered, its rules are evaluated, and
// all else is refused.
func TestLimitsActEverywhere(t *testing.T) {
	f := newFleet(t, 3)
	f.lines(f.Account, "web", 30_000, 2*time.Hour)
	f.push(f.Account, "/api/v2/write?precision=s", "text/plain", fmt.Sprintf("probe value=1 %d\nprobe value=2 %d\n", time.Now().Add(-time.Hour).Unix(), time.Now().Unix()))
	for _, c := range []struct {
		name string
		run  func(*fleet, *testing.T)
	}{
		{"bytes of a query", (*fleet).bytes}, {"seconds of a query", (*fleet).seconds}, {"queries at once, seen and cancelled from other nodes", (*fleet).concurrency},
		{"a minute's bytes", (*fleet).minute}, {"a day's bytes", (*fleet).day}, {"a day's bytes on other nodes", (*fleet).shared},
	} {
		t.Run(c.name, func(t *testing.T) {
			one := *f
			one.t = t
			c.run(&one, t)
		})
	}
}

// limits sets what the tenant's queries may take, its plan included.
func (f *fleet) limits(tenant, plan string) {
	f.t.Helper()
	f.must(nil, 0, &request{method: http.MethodPut, path: "/api/v1/plans/small", token: f.operator, body: `{"title":"Small","quota":` + plan + `}`})
	f.must(nil, 1, &request{method: http.MethodPut, path: "/api/v1/tenants/" + f.id + "/quotas", token: f.operator, body: tenant})
	testkit.Eventually(f.t, within, func() error { // the node may hear of the plan a moment later
		if got := f.ask(2, &request{method: http.MethodPut, path: "/api/v1/tenants/" + f.id + "/plan", token: f.operator, body: `{"plan":"small"}`}); got.Status != http.StatusOK {
			return fmt.Errorf("give the tenant its plan: %d %s", got.Status, got.Body)
		}
		return nil
	})
}

// refused wants an answer that refuses and says some words.
func refused(got harness.Answer, status int, words ...string) error {
	text := string(got.Body)
	if plain := ""; json.Unmarshal(got.Body, &plain) == nil {
		text = plain
	}
	if got.Status != status {
		return fmt.Errorf("got %d %.600s, want %d", got.Status, text, status)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			return fmt.Errorf("%q does not say %q", text, word)
		}
	}
	return nil
}

func answered(got harness.Answer) error { return refused(got, http.StatusOK) }

// everywhere makes a change and asks every node until it goes by it. No request that is sent later than promised may be treated as before.
func (f *fleet) everywhere(t *testing.T, change func(), ask func(node int) error) {
	t.Helper()
	change()
	acked := time.Now()
	var nodes sync.WaitGroup
	for node := range f.nodes {
		nodes.Go(func() {
			for {
				begun := time.Now()
				err := ask(node)
				if err == nil {
					return
				}
				if begun.Sub(acked) > maxChange {
					t.Errorf("node %d, asked %s after the change: %v", node, begun.Sub(acked).Round(time.Millisecond), err)
					return
				}
			}
		})
	}
	nodes.Wait()
}

const old = 2 * time.Hour

// search asks a node for lines of all the time that there are some of.
func (f *fleet) search(node int) harness.Answer { return f.ask(node, f.logs("web", `|~ "7$"`, old)) }

func (f *fleet) bytes(t *testing.T) {
	defer f.limits("{}", "{}")
	for _, c := range []struct{ tenant, plan, whose string }{
		{`{"query_max_bytes":1000}`, "{}", "the tenant's limit"}, {"{}", `{"query_max_bytes":1000}`, "the limit of the tenant's plan"},
	} {
		f.everywhere(t, func() { f.limits(c.tenant, c.plan) }, func(node int) error {
			return refused(f.search(node), http.StatusUnprocessableEntity, "query_max_bytes", c.whose, "1000 B")
		})
		f.everywhere(t, func() { f.limits("{}", "{}") }, func(node int) error { return answered(f.search(node)) })
	}
	// A background job has a limit of its own, and its refusal says so.
	f.everywhere(t, func() { f.limits(`{"query_max_bytes":1000,"query_job_bytes":2000}`, "{}") }, func(node int) error {
		return refused(f.search(node), http.StatusUnprocessableEntity, "query_max_bytes", "Prefer: respond-async")
	})
	q := f.logs("web", `|~ "7$"`, old)
	q.prefer = "respond-async"
	got := f.ask(0, q)
	if got.Status != http.StatusAccepted {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	testkit.Eventually(t, within, func() error {
		return refused(f.ask(1, &request{path: got.Header.Get("Location") + "/result", token: f.Query}), http.StatusUnprocessableEntity, "query_job_bytes", "2.0 KiB")
	})
}

func (f *fleet) seconds(t *testing.T) {
	defer f.limits("{}", "{}")
	f.everywhere(t, func() { f.limits(`{"query_max_seconds":1}`, "{}") }, func(node int) error {
		return refused(f.ask(node, f.endless("seconds")), http.StatusUnprocessableEntity, "query_max_seconds", "the tenant's limit", "1s")
	})
}

// running is a query as the API lists it.
type running struct{ ID, State, Query, Node string }

// list has a node list what runs on all nodes.
func (f *fleet) list(node int) (list []running, nodes int) {
	f.t.Helper()
	var answer struct {
		Items []running
		Nodes int
	}
	f.must(&answer, node, &request{path: "/api/v1/queries", token: f.admin})
	for _, q := range answer.Items {
		if strings.Contains(q.Query, "sum(cityHash64") && q.State == "running" {
			list = append(list, q)
		}
	}
	return list, answer.Nodes
}

func (f *fleet) concurrency(t *testing.T) {
	defer f.limits("{}", "{}")
	ended := make([]chan harness.Answer, len(f.nodes))
	for node := range f.nodes {
		ended[node] = make(chan harness.Answer, 1)
		go func() { ended[node] <- f.ask(node, f.endless(fmt.Sprintf("on node %d", node))) }()
	}
	for node := range f.nodes {
		testkit.Eventually(t, within, func() error {
			list, nodes := f.list(node)
			names := map[string]bool{}
			for _, q := range list {
				names[q.Node] = true
			}
			if len(list) != len(f.nodes) || len(names) != len(f.nodes) || nodes < len(f.nodes) {
				return fmt.Errorf("node %d lists %+v of %d nodes", node, list, nodes)
			}
			return nil
		})
	}
	f.everywhere(t, func() { f.limits(`{"query_concurrency":1}`, "{}") }, func(node int) error {
		got := f.search(node)
		if err := refused(got, http.StatusTooManyRequests, "query_concurrency", "number 1 of your 1 that wait"); err != nil {
			return err
		}
		if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || seconds < 1 {
			return fmt.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
		}
		return nil
	})
	f.everywhere(t, func() { f.limits("{}", `{"query_concurrency":5}`) }, func(node int) error { return answered(f.search(node)) })
	list, _ := f.list(0)
	for _, q := range list { // each is ended by a node that does not run it
		on := int(q.Query[strings.Index(q.Query, "on node ")+len("on node ")] - '0')
		f.must(nil, (on+1)%len(f.nodes), &request{method: http.MethodDelete, path: "/api/v1/queries/" + q.ID, token: f.admin})
		if err := refused(<-ended[on], 499, "cancelled by"); err != nil {
			t.Errorf("the caller on node %d: %v", on, err)
		}
	}
	if list, _ := f.list(1); len(list) > 0 {
		t.Errorf("%+v still run", list)
	}
}

func (f *fleet) minute(t *testing.T) {
	defer f.limits("{}", "{}")
	// What a minute has may be read at once, so that it is the second query that is refused.
	f.everywhere(t, func() { f.limits("{}", `{"query_bytes_per_minute":1000}`) }, func(node int) error {
		f.search(node)
		return refused(f.search(node), http.StatusTooManyRequests, "query_bytes_per_minute", "the limit of the tenant's plan", "1000 B")
	})
	f.everywhere(t, func() { f.limits("{}", "{}") }, func(node int) error { return answered(f.search(node)) })
}

func (f *fleet) day(t *testing.T) {
	defer f.limits("{}", "{}")
	f.must(nil, 0, &request{
		method: http.MethodPost, path: "/prometheus/config/v1/rules/limits", token: f.admin,
		body: `{"name":"g","interval":"1s","rules":[{"record":"limits:probe","expr":"sum(count_over_time(probe[90m])) or vector(0)"}]}`,
	})
	f.everywhere(t, func() { f.limits(`{"query_bytes_per_day":1000}`, "{}") }, func(node int) error {
		got := f.search(node)
		if seconds, err := strconv.Atoi(got.Header.Get("Retry-After")); got.Status == http.StatusTooManyRequests && (err != nil || seconds < 1) {
			return fmt.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
		}
		return refused(got, http.StatusTooManyRequests, "query_bytes_per_day", "the tenant's limit", "since midnight UTC", "the last 15m", "/quotas")
	})
	for node := range f.nodes {
		for name, q := range f.refusedRequests() {
			got := f.ask(node, q)
			err := refused(got, http.StatusTooManyRequests, "query_bytes_per_day")
			if name == "sql" || name == "events" || name == "audit" { // that dialect has ids
				err = errors.Join(err, refused(got, http.StatusTooManyRequests, "seamark-query-budget"))
			}
			if err != nil {
				t.Errorf("node %d: %s: %v", node, name, err)
			}
		}
		for name, path := range recentRequests() {
			if err := answered(f.ask(node, &request{path: path, token: f.Query})); err != nil {
				t.Errorf("node %d: %s: %v", node, name, err)
			}
		}
		if err := refused(f.ask(node, f.logs("web", "", 10*time.Minute)), http.StatusOK, "line 29"); err != nil {
			t.Errorf("node %d: the last lines: %v", node, err)
		}
	}
	f.rules(t)
	f.everywhere(t, func() { f.limits("{}", `{"query_bytes_per_day":1000}`) }, func(node int) error {
		return refused(f.search(node), http.StatusTooManyRequests, "query_bytes_per_day", "the limit of the tenant's plan")
	})
	f.everywhere(t, func() { f.limits("{}", "{}") }, func(node int) error { return answered(f.search(node)) })
}

// refusedRequests read what is older than the last minutes, in all languages, or do not say how old it is.
func (f *fleet) refusedRequests() map[string]*request {
	now := time.Now()
	times := url.Values{"start": {now.Add(-old).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)}}
	with := func(path string, more url.Values) *request {
		for name, values := range times {
			more[name] = values
		}
		return &request{path: path + "?" + more.Encode(), token: f.Query}
	}
	return map[string]*request{
		"lines": f.logs("web", "", old), "counts": with("/loki/api/v1/query_range", url.Values{"query": {`sum(rate({app="web"}[1m]))`}, "step": {"60"}}),
		"volume": with("/loki/api/v1/index/volume", url.Values{"query": {`{app="web"}`}}), "patterns": with("/loki/api/v1/patterns", url.Values{"query": {`{app="web"}`}}),
		"metrics": with("/prometheus/api/v1/query_range", url.Values{"query": {"probe"}, "step": {"60"}}),
		"instant": with("/prometheus/api/v1/query", url.Values{"query": {"max_over_time(probe[1h])"}}),
		"events":  with("/api/v1/events", url.Values{}), "audit": with("/api/v1/audit", url.Values{}), "sql": f.sql("SELECT count() FROM logs", "json"),
	}
}

// recentRequests read the last minutes, or lists.
func recentRequests() map[string]string {
	now := time.Now()
	recent := url.Values{"start": {now.Add(-9 * time.Minute).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)}, "step": {"60"}}.Encode()
	return map[string]string{
		"counts":  "/loki/api/v1/query_range?query=" + url.QueryEscape(`sum(count_over_time({app="web"}[1m]))`) + "&" + recent,
		"metrics": "/prometheus/api/v1/query_range?query=probe&" + recent, "instant": "/prometheus/api/v1/query?query=probe",
		"events": "/api/v1/events?" + recent, "audit": "/api/v1/audit?" + recent,
		"labels": "/loki/api/v1/labels", "label values": "/loki/api/v1/label/app/values", "streams": "/loki/api/v1/series?match[]=" + url.QueryEscape(`{app="web"}`),
		"metric labels": "/prometheus/api/v1/labels", "metric values": "/prometheus/api/v1/label/__name__/values", "series": "/prometheus/api/v1/series?match[]=probe",
	}
}

// rules waits for three more evaluations of a rule that reads more than an hour, while the budget is used up.
func (f *fleet) rules(t *testing.T) {
	t.Helper()
	evaluations := map[string]bool{}
	testkit.Eventually(t, within, func() error {
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Health, LastError, LastEvaluation string }
				}
			}
		}
		for node := range f.nodes { // one of them evaluates the rules, or is about to
			got := f.ask(node, &request{path: "/prometheus/api/v1/rules", token: f.Query})
			if got.Status != http.StatusOK {
				continue
			}
			if err := json.Unmarshal(got.Body, &answer); err != nil {
				return fmt.Errorf("%w in %s", err, got.Body)
			}
		}
		for _, g := range answer.Data.Groups {
			for _, r := range g.Rules {
				if r.Health == "ok" {
					evaluations[r.LastEvaluation] = true
				} else if r.LastError != "" {
					t.Fatalf("the rule is not evaluated: %s", r.LastError)
				}
			}
		}
		if len(evaluations) < 4 {
			return fmt.Errorf("%d evaluations: %+v", len(evaluations), answer.Data)
		}
		return nil
	})
	testkit.Eventually(t, within, func() error { // what it records is read back: two samples are in its range
		return refused(f.ask(1, &request{path: "/prometheus/api/v1/query?query=" + url.QueryEscape("limits:probe"), token: f.Query}), http.StatusOK, `"2"]`)
	})
}

// shared has another tenant read on one node alone: over its day it is refused on the nodes, too, on which it has read nothing.
func (f *fleet) shared(t *testing.T) {
	beta := f.makeAccount("beta")
	one := *f // as the first node alone
	one.nodes = f.nodes[:1]
	one.lines(beta.Account, "web", 1000, time.Hour)
	nothing := f.logs("nothing", "", old) // what there is nothing of reads nothing
	nothing.token = beta.Query
	f.must(nil, 0, &request{method: http.MethodPut, path: "/api/v1/tenants/" + beta.id + "/quotas", token: f.operator, body: `{"query_bytes_per_day":1000}`})
	for node := range f.nodes {
		testkit.Eventually(t, within, func() error { return refused(f.ask(node, nothing), http.StatusTooManyRequests, "query_bytes_per_day") })
	}
	if err := answered(f.search(1)); err != nil {
		t.Errorf("the other tenant: %v", err)
	}
}
