package quarantine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/quarantine"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

func TestShape(t *testing.T) {
	for _, c := range []struct{ language, text, want string }{
		{"promql", `sum by (pod) (rate(http_requests_total{job="api", code=~"5.."}[5m])) > 0.5`, `sum by(pod)(rate(http_requests_total{job=?,code=~?}[?]))>?`},
		{"promql", "a - -b # why\n + 1e9", "a--b+?"},
		{"promql", `{"http.requests"}`, "{?}"},
		{"logql", "{app='x'} |= `a\"b` | json | took > 10ms", "{app=?}|=?|json|took>?"},
		{"logql", `{app="with \" quote"} |= "end`, "{app=?}|=?"},
		{"sql", "SELECT  1,2, 'x' FROM logs -- all\nWHERE id IN (1, 2,3) /* here */ AND n<.5", "SELECT ? FROM logs WHERE id IN(?)AND n<?"},
		{"sql", "SELECT a /* no end", "SELECT a"},
		{"promql", "job:rate5m", "job:rate5m"},
		{"promql", "", ""},
		{"audit", "/api/v1/audit/writes?cluster=secret&name=a%20b", "/api/v1/audit/writes?cluster=?&name=?"},
		{"events", "/api/v1/events", "/api/v1/events"},
		{"sql", "/* why */ SELECT 1", "SELECT ?"},
	} {
		if got := quarantine.Shape(c.language, c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.text, got, c.want)
		}
	}
	if quarantine.Fingerprint("promql", `a{b="1"}[5m]`) != quarantine.Fingerprint("promql", `a{ b = "2" }[1h]`) {
		t.Error("queries that differ in literals have different fingerprints")
	}
	if quarantine.Fingerprint("promql", "a") == quarantine.Fingerprint("logql", "a") || quarantine.Fingerprint("promql", "a") == quarantine.Fingerprint("promql", "b") {
		t.Error("different queries have one fingerprint")
	}
}

func FuzzShape(f *testing.F) {
	f.Add("sum(rate(a{b=\"c\"}[5m])) /* x */ -- y\n", true)
	f.Add("{a='\\", false)
	f.Fuzz(func(t *testing.T, text string, sql bool) {
		language := map[bool]string{true: "sql", false: "logql"}[sql]
		if shape := quarantine.Shape(language, text); len(shape) > 2*len(text) {
			t.Errorf("the shape of %q is %q", text, shape)
		}
	})
}

type rig struct {
	*quarantine.Keeper
	t     *testing.T
	clock *testkit.Clock
}

func open(t *testing.T, js jetstream.JetStream, clock *testkit.Clock) *rig {
	t.Helper()
	k, err := quarantine.Open(t.Context(), quarantine.Options{JS: js, Limits: quarantine.DefaultLimits(), Logger: slog.New(slog.DiscardHandler), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return &rig{k, t, clock}
}

func suspect(tenant seamark.TenantID, text string, ran time.Duration, bytes uint64) quarantine.Suspect {
	return quarantine.Suspect{Query: quarantine.Query{Tenant: tenant, Language: "promql", Text: text, Actor: "anna"}, Ran: ran, Bytes: bytes}
}

func (r *rig) died(list ...quarantine.Suspect) {
	r.t.Helper()
	if err := r.Died(r.t.Context(), "The process of the engine ended.", list); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) refused(tenant seamark.TenantID, text string) bool {
	r.t.Helper()
	err := r.Check(quarantine.Query{Tenant: tenant, Language: "promql", Text: text})
	if err != nil && seamark.KindOf(err) != seamark.Unprocessable {
		r.t.Fatalf("got %v, want a query that fails as it is", err)
	}
	return err != nil
}

func (r *rig) await(tenant seamark.TenantID, text string, want bool) {
	r.t.Helper()
	testkit.Eventually(r.t, time.Minute, func() error {
		if r.refused(tenant, text) != want {
			return fmt.Errorf("refused is not %t", want)
		}
		return nil
	})
}

// TestQuarantine strikes a query twice: it is refused with other literals too, on another node, of its own tenant alone, and
// until its time is over.
func TestQuarantine(t *testing.T) {
	js, clock := testkit.JetStream(t), testkit.NewClock(time.Now())
	one, two := open(t, js, clock), open(t, js, clock)
	one.died(suspect(tenantA, `a{b="1"}`, time.Second, 0))
	if one.refused(tenantA, `a{b="1"}`) || len(one.List(tenantA)) != 0 {
		t.Error("one strike is a quarantine")
	}
	clock.Advance(10 * time.Minute)
	two.died(suspect(tenantA, `a{b="2"}`, time.Second, 0))
	two.await(tenantA, `a{b="3"}`, true)
	one.await(tenantA, `a{b="4"}`, true)
	if one.refused(tenantB, `a{b="1"}`) || one.refused(tenantA, "a") {
		t.Error("another tenant's query, or another query, is refused")
	}
	list := one.List(tenantA)
	if len(list) != 1 || list[0].Text != `a{b="2"}` || len(list[0].Strikes) != 2 || len(one.List("")) != 1 || len(one.List(tenantB)) != 0 {
		t.Errorf("got %+v", list)
	}
	err := one.Check(quarantine.Query{Tenant: tenantA, Language: "promql", Text: `a{b="1"}`})
	for _, want := range []string{list[0].Until.UTC().Format(time.RFC3339), "2 times", "DELETE /api/v1/query-quarantine/" + list[0].ID} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	clock.Advance(time.Hour)
	if one.refused(tenantA, `a{b="1"}`) || len(one.List(tenantA)) != 0 {
		t.Error("the quarantine does not end")
	}
}

func TestStrikesFarApartAreNoQuarantine(t *testing.T) {
	r := open(t, testkit.JetStream(t), testkit.NewClock(time.Now()))
	r.died(suspect(tenantA, "a", time.Second, 0))
	r.clock.Advance(61 * time.Minute)
	r.died(suspect(tenantA, "a", time.Second, 0))
	if r.refused(tenantA, "a") {
		t.Error("two deaths more than an hour apart are a quarantine")
	}
}

// TestBystanders: of many queries under way only those that took most are suspected, a query that is under way many times is one
// suspect, and one that afterwards ends well with as much as before is none.
func TestBystanders(t *testing.T) {
	r := open(t, testkit.JetStream(t), testkit.NewClock(time.Now()))
	crowd := []quarantine.Suspect{
		suspect(tenantA, "small", time.Minute, 1), suspect(tenantA, "huge", time.Second, 1<<40), suspect(tenantA, `huge + 1`, time.Second, 1<<39),
		suspect(tenantB, "old", 2*time.Minute, 1), suspect(tenantA, "huge", time.Second, 1<<38),
	}
	r.died(crowd...)
	r.died(crowd...)
	for text, want := range map[string]bool{"small": false, "huge": true, "huge + 7": true} {
		if got := r.refused(tenantA, text); got != want {
			t.Errorf("%s: refused is %t", text, got)
		}
	}
	if !r.refused(tenantB, "old") {
		t.Error("of two that read as much, the one that ran longer is not suspected")
	}
	r.died(suspect(tenantA, "panel", 2*time.Second, 100))
	for _, s := range []quarantine.Suspect{suspect(tenantA, "panel", time.Minute, 99), suspect(tenantA, "panel", 999*time.Millisecond, 100)} {
		if err := r.Acquit(t.Context(), &s); err != nil {
			t.Fatal(err)
		}
	}
	r.died(suspect(tenantA, "panel", 2*time.Second, 100))
	r.await(tenantA, "panel", true)
	r.died(suspect(tenantA, "other", 2*time.Second, 100))
	good := suspect(tenantA, "other", time.Second, 100)
	if err := r.Acquit(t.Context(), &good); err != nil {
		t.Fatal(err)
	}
	r.died(suspect(tenantA, "other", 2*time.Second, 100))
	if r.refused(tenantA, "other") {
		t.Error("a query that ended well between two deaths is quarantined")
	}
}

func TestLift(t *testing.T) {
	r := open(t, testkit.JetStream(t), testkit.NewClock(time.Now()))
	for range 2 {
		r.died(suspect(tenantA, "a", time.Second, 0))
	}
	id := quarantine.Fingerprint("promql", "a")
	for _, c := range []struct {
		tenant seamark.TenantID
		id     string
	}{{tenantB, id}, {tenantA, "x"}, {tenantA, ">"}, {tenantA, strings.Repeat("0", 32)}} {
		if err := r.Lift(t.Context(), c.tenant, c.id); seamark.KindOf(err) != seamark.NotFound || err == nil {
			t.Errorf("lift %q of %s: got %v, want that it is not there", c.id, c.tenant, err)
		}
	}
	if err := r.Lift(t.Context(), tenantA, id); err != nil {
		t.Fatal(err)
	}
	if r.refused(tenantA, "a") {
		t.Error("a query whose quarantine was lifted is refused")
	}
	r.died(suspect(tenantA, "a", time.Second, 0))
	if r.refused(tenantA, "a") {
		t.Error("a strike from before the lift counts")
	}
}
