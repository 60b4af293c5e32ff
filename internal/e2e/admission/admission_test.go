package admission_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const everyLine = `sum(count_over_time({app="web"} |~ "l[aeiou]ne .*7[0-9a-f]+$" [2h]))`

// TestAVictimBesideScans has one tenant scan without end, four at a time, while another asks for little.
func TestAVictimBesideScans(t *testing.T) {
	a := open(t)
	noisy, victim := inprocess.NewTenant(t, a, "noisy", "prod"), inprocess.NewTenant(t, a, "victim", "prod")
	push(t, noisy, "web", 60_000, 2*time.Hour)
	push(t, victim, "web", 100, time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	var scans sync.WaitGroup
	for range 4 {
		scans.Go(func() {
			for ctx.Err() == nil {
				ask(t, noisy, everyLine, 2*time.Hour, nil)
			}
		})
	}
	for range 20 {
		r := ask(t, victim, `{app="web"} |= "line 7"`, time.Hour, nil)
		if r.Status != http.StatusOK {
			t.Errorf("the victim got %d %s", r.Status, r.Body)
		}
		if queued := costOf(t, r)["queued_ms"]; queued > 50 {
			t.Errorf("the victim's query waited %d ms for its place", queued)
		}
	}
	stop()
	scans.Wait()
}

// TestAnswersTellTheirCost looks at the headers of answers, refusals included.
func TestAnswersTellTheirCost(t *testing.T) {
	a := open(t)
	x := inprocess.NewTenant(t, a, "costs", "prod")
	push(t, x, "web", 1000, time.Hour)
	r := ask(t, x, `{app="web"} |~ "line .*5 of"`, time.Hour, http.Header{"X-Dashboard-Uid": {"abc"}, "X-Panel-Id": {"2"}})
	if cost := costOf(t, r); r.Status != http.StatusOK || cost["rows"] == 0 || cost["bytes"] == 0 || r.Header.Get("Seamark-Query-Id") == "" {
		t.Errorf("got %d with %v of query %q", r.Status, cost, r.Header.Get("Seamark-Query-Id"))
	}
	r = ask(t, x, `{app="web"`, time.Hour, nil)
	if r.Status != http.StatusBadRequest || r.Header.Get("Seamark-Query-Cost") == "" {
		t.Errorf("the error has the headers %v", r.Header)
	}
	r = x.Do(t, x.Query, http.MethodPost, "/prometheus/api/v1/query", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, url.Values{"query": {"1+1"}}.Encode())
	if r.Status != http.StatusOK || r.Header.Get("Seamark-Query-Id") == "" {
		t.Errorf("got %d %s", r.Status, r.Body)
	}
}

// TestLimitsOfAQuery changes what queries may take; each change holds for the next one.
func TestLimitsOfAQuery(t *testing.T) {
	a := open(t)
	x := inprocess.NewTenant(t, a, "limits", "prod")
	push(t, x, "web", 30_000, 2*time.Hour)
	push(t, x, "other", 1, time.Minute)
	if r := ask(t, x, everyLine, 2*time.Hour, nil); r.Status != http.StatusOK {
		t.Fatalf("without limits: %d %s", r.Status, r.Body)
	}
	limit(t, x, seamark.Quota{QueryMaxBytes: 100_000})
	refused := ask(t, x, everyLine, 2*time.Hour, nil)
	wantRefusal(t, refused, http.StatusUnprocessableEntity, "query_max_bytes", "the tenant's limit", "97.7 KiB", "/quotas")
	testkit.Eventually(t, patience, func() error { // the estimate learns of new rows after some seconds
		refused = ask(t, x, everyLine, 2*time.Hour, nil)
		if !strings.Contains(refused.Body, "would fit") {
			return errors.New(refused.Body)
		}
		return nil
	})
	if cost := costOf(t, refused); cost["rows"] > 10 { // the index analysis has an answer of its own
		t.Errorf("a query that was not begun has cost %v", cost)
	}
	limit(t, x, seamark.Quota{QueryMaxRows: 100})
	wantRefusal(t, ask(t, x, everyLine, 2*time.Hour, nil), http.StatusUnprocessableEntity, "100 rows (query_max_rows)")
	limit(t, x, seamark.Quota{QueryMaxResultBytes: 100})
	wantRefusal(t, ask(t, x, `{app="web"}`, time.Hour, nil), http.StatusUnprocessableEntity, "query_max_result_bytes", "100 B")
	limit(t, x, seamark.Quota{QueryMaxSeries: 1})
	wantRefusal(t, ask(t, x, `{app=~".+"}`, time.Hour, nil), http.StatusUnprocessableEntity, "1 streams")
	limit(t, x, seamark.Quota{})
	if r := ask(t, x, everyLine, 2*time.Hour, nil); r.Status != http.StatusOK {
		t.Errorf("without limits again: %d %s", r.Status, r.Body)
	}
}

// TestBudget reads more than a day's budget: what is left is the last quarter of an hour.
func TestBudget(t *testing.T) {
	a := open(t)
	x := inprocess.NewTenant(t, a, "budget", "prod")
	push(t, x, "web", 10_000, 2*time.Hour)
	limit(t, x, seamark.Quota{QueryBytesPerDay: 1000})
	r := ask(t, x, `{app="web"} |~ "7$"`, 2*time.Hour, nil)
	wantRefusal(t, r, http.StatusTooManyRequests, "query_bytes_per_day", "the tenant's limit", "since midnight UTC", "over", "the last 15m", "/quotas")
	if r.Header.Get("Retry-After") == "" {
		t.Error("nothing says when to come back")
	}
	for _, query := range []string{`{app="web"} |~ "7$"`, `sum(count_over_time({app="web"}[1m]))`} {
		if r := ask(t, x, query, 10*time.Minute, nil); r.Status != http.StatusOK {
			t.Errorf("the last minutes: %d %s", r.Status, r.Body)
		}
	}
	var labels struct{ Data []string }
	x.Get(t, "/loki/api/v1/labels", nil, &labels)
	if fmt.Sprint(labels.Data) == "[]" {
		t.Error("no labels")
	}
	limit(t, x, seamark.Quota{})
	if r := ask(t, x, `{app="web"} |~ "7$"`, 2*time.Hour, nil); r.Status != http.StatusOK {
		t.Errorf("without a budget: %d %s", r.Status, r.Body)
	}
}
