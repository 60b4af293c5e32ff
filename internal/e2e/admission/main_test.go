// Package admission_test asks the product what queries may take: places, limits and budgets, and what refusals and answers tell.
package admission_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

const patience = time.Minute

// open returns the server that the tests of the package share. It has places for two scans, and little is much to it.
func open(t *testing.T) *app.App {
	t.Helper()
	return inprocess.App(t, func(o *app.Options) {
		o.Query.MaxConcurrent, o.Query.MaxScans, o.Query.ScanBytes = 8, 2, 1<<20
		o.Query.MaxWait = 10 * time.Second
	})
}

// push stores lines of a tenant that come evenly over the time until now, and waits until they can be read.
func push(t *testing.T, x *inprocess.Tenant, app string, lines int, over time.Duration) {
	t.Helper()
	const perPush = 20_000
	begin := time.Now().Add(-over)
	for from := 0; from < lines; from += perPush {
		var values []string
		for i := from; i < min(from+perPush, lines); i++ {
			at := begin.Add(over * time.Duration(i) / time.Duration(lines))
			values = append(values, fmt.Sprintf(`["%d","line %d of %s, which is as long as others %x"]`, at.UnixNano(), i, app, i*7919))
		}
		x.Post(t, x.Ingest, "/loki/api/v1/push", "application/json",
			`{"streams":[{"stream":{"app":"`+app+`"},"values":[`+strings.Join(values, ",")+`]}]}`, http.StatusNoContent)
	}
	testkit.Eventually(t, patience, func() error {
		if n := count(t, x, app); n != lines {
			return fmt.Errorf("%d of %d lines are there", n, lines)
		}
		return nil
	})
}

// count counts an app's lines.
func count(t *testing.T, x *inprocess.Tenant, app string) int {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	x.Get(t, "/loki/api/v1/query", url.Values{"query": {`sum(count_over_time({app="` + app + `"}[72h]))`}}, &answer)
	if len(answer.Data.Result) == 0 {
		return 0
	}
	var n int
	_, _ = fmt.Sscan(fmt.Sprint(answer.Data.Result[0].Value[1]), &n)
	return n
}

// limit sets what a tenant's queries may take, as an operator does.
func limit(t *testing.T, x *inprocess.Tenant, q seamark.Quota) {
	t.Helper()
	if err := x.App.Directory().SetTenantQuota(t.Context(), x.ID, q); err != nil {
		t.Fatal(err)
	}
}

// ask asks Loki's API for lines or numbers of the time until now.
func ask(t *testing.T, x *inprocess.Tenant, query string, over time.Duration, header http.Header) inprocess.Response {
	t.Helper()
	now := time.Now()
	values := url.Values{
		"query": {query}, "start": {fmt.Sprint(now.Add(-over).UnixNano())}, "end": {fmt.Sprint(now.UnixNano())}, "limit": {"10"}, "step": {"60"},
	}
	return x.Do(t, x.Query, http.MethodGet, "/loki/api/v1/query_range?"+values.Encode(), header, "")
}

// costOf reads the header of what a query has cost.
func costOf(t *testing.T, r inprocess.Response) map[string]int {
	t.Helper()
	cost := map[string]int{}
	for part := range strings.SplitSeq(r.Header.Get("Seamark-Query-Cost"), ";") {
		name, value, _ := strings.Cut(part, "=")
		var n int
		if _, err := fmt.Sscan(value, &n); err != nil {
			t.Fatalf("the header Seamark-Query-Cost is %q", r.Header.Get("Seamark-Query-Cost"))
		}
		cost[name] = n
	}
	return cost
}

// wantRefusal wants an error that says some words.
func wantRefusal(t *testing.T, r inprocess.Response, status int, words ...string) {
	t.Helper()
	if r.Status != status {
		t.Errorf("got %d %s, want %d", r.Status, r.Body, status)
	}
	var text string
	if json.Unmarshal([]byte(r.Body), &text) != nil {
		text = r.Body
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("the refusal %q does not say %q", text, word)
		}
	}
}
