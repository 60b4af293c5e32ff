package lifecycle_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestSuspendAndRestore suspends a tenant, resumes it, deletes it and has it back: credentials are refused on every node and
// its rules stand still meanwhile, and all data is there afterwards. What was done stands in both logs of changes.
func TestSuspendAndRestore(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, "--alerting.evaluation-interval", "1s")
	a := f.account("pauser")
	f.furnish(a, "canarypause")
	push := f.pushing(a, "canarypause", 1)
	recorded := func() string {
		return f.sql("SELECT count() FROM " + a.Database() + ".samples WHERE metric = 'a:b'")
	}
	testkit.Eventually(t, within, func() error {
		if f.sql("EXISTS TABLE "+a.Database()+".samples") == "0" || recorded() == "0" {
			return errors.New("the rule has recorded nothing yet")
		}
		return nil
	})
	one := "/api/v1/tenants/" + a.id
	for _, c := range []struct{ stop, method, again string }{
		{one + "/suspend", http.MethodPost, one + "/resume"}, {one + "?grace=1h", http.MethodDelete, one + "/restore"},
	} {
		f.call(0, c.method, c.stop, f.operator, "", http.StatusOK)
		f.refusedEverywhere(a, time.Second)
		answer, err := f.send(t.Context(), 1, http.MethodPost, "/loki/api/v1/push", a.Ingest, `{"streams":[]}`)
		if err != nil || answer.Status != http.StatusForbidden {
			t.Errorf("push after %s: got %+v, %v, want 403", c.stop, answer, err)
		}
		f.standsStill(recorded)
		before := recorded()
		f.call(1, http.MethodPost, c.again, f.operator, "", http.StatusOK)
		testkit.Eventually(t, within, func() error {
			if recorded() == before {
				return fmt.Errorf("the rule has recorded nothing since %s", c.again)
			}
			return nil
		})
	}
	push.end()
	f.checkStays(a, push.stored.Load())
	for who, token := range map[string]string{"tenant": a.session, "operator": f.operator} {
		var list struct {
			Items []struct{ Action, Result string }
		}
		if err := json.Unmarshal([]byte(f.call(0, http.MethodGet, "/api/v1/changes?limit=1000", token, "", http.StatusOK)), &list); err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, c := range list.Items {
			actions = append(actions, c.Action+"="+c.Result)
		}
		all := strings.Join(actions, " ")
		for _, want := range []string{"tenant.suspend=done", "tenant.resume=done", "tenant.delete=done", "tenant.restore=done", "token.create=done"} {
			if !strings.Contains(all, want) {
				t.Errorf("the %s's changes lack %s: %s", who, want, all)
			}
		}
	}
	if out := harness.MustRun(f.t, "", "admin", "--nats.url", f.nats.URL, "changes", "verify"); !strings.Contains(out, "whole") {
		t.Errorf("the chains are not whole:\n%s", out)
	}
}

// standsStill waits until a count has not moved for some evaluations.
func (f *fleet) standsStill(count func() string) {
	f.t.Helper()
	last, since := count(), time.Now()
	testkit.Eventually(f.t, within, func() error {
		if now := count(); now != last {
			last, since = now, time.Now()
		}
		if still := time.Since(since); still < 4*time.Second {
			return fmt.Errorf("it moved %s ago", still)
		}
		return nil
	})
}
