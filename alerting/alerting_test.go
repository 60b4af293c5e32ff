package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func pod(name string) labels.Labels { return labels.FromStrings("pod", name) }

func TestAlertFiresAndResolves(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("api-1"))
	p := w.start(t, "one")
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "300ms"))

	hook.hears(t, "firing PodDown")
	messages, _ := hook.heard()
	message := messages[0]
	if len(message.Alerts) != 1 || message.Alerts[0].Annotations["summary"] != "api-1 is PodDown" || message.Alerts[0].Labels["severity"] != "page" {
		t.Errorf("alerts = %+v", message.Alerts)
	}
	if !strings.HasPrefix(message.ExternalURL, "https://seamark.example.com/"+string(tenantA)) || message.Version != "4" {
		t.Errorf("external URL %q, version %q", message.ExternalURL, message.Version)
	}
	groups, err := p.RuleGroups(t.Context(), tenantA)
	if err != nil || len(groups) != 1 || NamespaceOf(groups[0]) != "ns" {
		t.Fatalf("groups = %v, %v", groups, err)
	}
	alert := groups[0].AlertingRules()[0].ActiveAlerts()[0]
	if alert.FiredAt.Sub(alert.ActiveAt) < 300*time.Millisecond {
		t.Errorf("fired %s after it became active, want at least 300ms", alert.FiredAt.Sub(alert.ActiveAt))
	}

	w.set(tenantA, "down")
	hook.hears(t, "resolved PodDown")
	hook.heardExactly(t, "firing PodDown", "resolved PodDown")
	if _, keys := hook.heard(); keys[0] == "" || keys[0] == keys[1] {
		t.Errorf("idempotency keys %q, want two different ones", keys)
	}
}

func TestTenantsNeverCross(t *testing.T) {
	w, hookA, hookB := newWorld(t), newReceiver(t), newReceiver(t)
	w.set(tenantA, "down", pod("marker-a"))
	w.set(tenantB, "down", pod("marker-b"))
	p := w.start(t, "one")
	for tenant, hook := range map[seamark.TenantID]*receiver{tenantA: hookA, tenantB: hookB} {
		p.saveHook(t, tenant, hook.URL)
		p.saveGroup(t, tenant, "ns", alertGroup("PodDown", "down", "0s"))
	}
	for tenant, hook := range map[seamark.TenantID]*receiver{tenantA: hookA, tenantB: hookB} {
		hook.hears(t, "firing PodDown")
		w.set(tenant, "down")
		hook.hears(t, "resolved PodDown")
	}
	for marker, hook := range map[string]*receiver{"marker-a": hookA, "marker-b": hookB} {
		hook.heardExactly(t, "firing PodDown", "resolved PodDown")
		messages, _ := hook.heard()
		for _, m := range messages {
			for _, a := range m.Alerts {
				if a.Labels["pod"] != marker {
					t.Errorf("receiver of %s heard of %s", marker, a.Labels["pod"])
				}
			}
		}
	}
	for marker, tenant := range map[string]seamark.TenantID{"marker-a": tenantA, "marker-b": tenantB} {
		for _, series := range w.publishedSeries(tenant) {
			if !strings.Contains(series, marker) {
				t.Errorf("%s published %s", marker, series)
			}
		}
	}
	if _, _, err := p.FindAlertmanagerConfig(t.Context(), tenantB); err != nil {
		t.Error(err)
	}
	if err := p.DeleteRuleNamespace(t.Context(), tenantA, "ns", PromQL); err != nil {
		t.Fatal(err)
	}
	left, err := p.ListRuleGroups(t.Context(), tenantB, PromQL)
	if err != nil || len(left["ns"]) != 1 {
		t.Errorf("the other tenant's groups = %v, %v, want one", left, err)
	}
}

// call does one request on the tenant's API v2 and decodes the answer into out.
func (p *process) call(t *testing.T, tenant seamark.TenantID, method, path, body string, out any) int {
	t.Helper()
	h, err := p.Alertmanager(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if out != nil && rec.Code == http.StatusOK {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, rec.Body)
		}
	}
	return rec.Code
}

type v2Alert struct {
	Labels map[string]string `json:"labels"`
	Status struct {
		State      string   `json:"state"`
		SilencedBy []string `json:"silencedBy"`
	} `json:"status"`
}

// sees waits until the tenant's Alertmanager has the named alert in state.
func (p *process) sees(t *testing.T, tenant seamark.TenantID, name, state string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		var alerts []v2Alert
		p.call(t, tenant, http.MethodGet, "/api/v2/alerts", "", &alerts)
		for _, a := range alerts {
			if a.Labels["alertname"] == name && a.Status.State == state {
				return nil
			}
		}
		return fmt.Errorf("alerts = %+v, want %s %s", alerts, name, state)
	})
}

func (p *process) silence(t *testing.T, tenant seamark.TenantID, alertname string) string {
	t.Helper()
	now := time.Now().UTC()
	body := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":%q,"isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"ann","comment":"c"}`,
		alertname, now.Format(time.RFC3339Nano), now.Add(time.Hour).Format(time.RFC3339Nano))
	var made struct {
		SilenceID string `json:"silenceID"`
	}
	if code := p.call(t, tenant, http.MethodPost, "/api/v2/silences", body, &made); code != http.StatusOK || made.SilenceID == "" {
		t.Fatalf("set silence: %d, %+v", code, made)
	}
	if err := p.SyncAlertmanager(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	return made.SilenceID
}

func TestCrashKeepsSilencesAndDoesNotRepeat(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "loud", pod("a"))
	w.set(tenantA, "quiet")
	first := w.start(t, "one")
	first.leads(t)
	id := first.silence(t, tenantA, "Quiet")
	first.saveHook(t, tenantA, hook.URL)
	first.saveGroup(t, tenantA, "ns", alertGroup("Loud", "loud", "0s"))
	first.saveGroup(t, tenantA, "ns", alertGroup("Quiet", "quiet", "0s"))
	w.set(tenantA, "quiet", pod("a"))
	hook.hears(t, "firing Loud")
	first.sees(t, tenantA, "Quiet", "suppressed")
	if err := first.SyncAlertmanager(t.Context(), tenantA); err != nil {
		t.Fatal(err)
	}
	first.kill(t)

	second := w.start(t, "two")
	second.leads(t)
	var silences []struct {
		ID     string `json:"id"`
		Status struct {
			State string `json:"state"`
		} `json:"status"`
	}
	second.call(t, tenantA, http.MethodGet, "/api/v2/silences", "", &silences)
	if len(silences) != 1 || silences[0].ID != id || silences[0].Status.State != "active" {
		t.Fatalf("silences after the crash = %+v, want %s active", silences, id)
	}
	second.sees(t, tenantA, "Loud", "active")
	second.sees(t, tenantA, "Quiet", "suppressed")
	w.set(tenantA, "loud")
	w.set(tenantA, "quiet")
	hook.hears(t, "resolved Loud")
	hook.heardExactly(t, "firing Loud", "resolved Loud")
}

func TestEndDuringTakeoverIsResolved(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	first := w.start(t, "one")
	first.saveHook(t, tenantA, hook.URL)
	first.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hook.hears(t, "firing PodDown")
	if err := first.SyncAlertmanager(t.Context(), tenantA); err != nil {
		t.Fatal(err)
	}
	first.kill(t)
	w.set(tenantA, "down") // ends while nobody looks
	w.start(t, "two")
	hook.hears(t, "resolved PodDown")
	hook.heardExactly(t, "firing PodDown", "resolved PodDown")
}

// TestEndDuringTakeoverIsToldAtOnce has an alert end while nobody looks whose time as an active alert is long: the first evaluations
// after the takeover tell, and what goes on is not touched.
func TestEndDuringTakeoverIsToldAtOnce(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	resend := func(o *Options) { o.ResendDelay = time.Hour }
	w.set(tenantA, "down", pod("a"))
	w.set(tenantA, "slow", pod("a"))
	w.set(tenantA, "full", pod("a"))
	first := w.start(t, "one", resend)
	first.saveHook(t, tenantA, hook.URL)
	first.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	first.saveGroup(t, tenantA, "ns", alertGroup("PodSlow", "slow", "100ms"))
	first.saveGroup(t, tenantA, "ns", alertGroup("PodFull", "full", "100ms"))
	raised := []Raised{{Labels: map[string]string{"alertname": "Raised"}}}
	for _, name := range []string{"PodDown", "PodSlow", "PodFull"} {
		hook.hears(t, "firing "+name)
	}
	if err := first.Raise(t.Context(), tenantA, raised, time.Hour); err != nil {
		t.Fatal(err)
	}
	hook.hears(t, "firing Raised")
	if err := first.SyncAlertmanager(t.Context(), tenantA); err != nil {
		t.Fatal(err)
	}
	first.kill(t)
	w.set(tenantA, "down")
	w.set(tenantA, "slow")
	second := w.start(t, "two", resend)
	hook.hears(t, "resolved PodDown")
	hook.hears(t, "resolved PodSlow")
	second.sees(t, tenantA, "PodFull", "active")
	second.sees(t, tenantA, "Raised", "active")
	for _, told := range hook.story() {
		if told == "resolved PodFull" || told == "resolved Raised" {
			t.Errorf("heard %q, which goes on", told)
		}
	}
}

// fSample is a float sample; the methods it lacks are never called for one.
type fSample struct {
	chunks.Sample
	t int64
	v float64
}

func (s fSample) T() int64                 { return s.t }
func (s fSample) F() float64               { return s.v }
func (s fSample) Type() chunkenc.ValueType { return chunkenc.ValFloat }

func TestTakeoverKeepsForState(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	now := time.Now()
	pending := labels.FromStrings("__name__", "ALERTS_FOR_STATE", "alertname", "PodDown", "pod", "a", "severity", "page")
	w.states = []storage.Series{storage.NewListSeries(pending, []chunks.Sample{
		fSample{t: now.Add(-time.Second).UnixMilli(), v: float64(now.Add(-2 * time.Hour).Unix())},
	})}
	p := w.start(t, "one")
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "1h"))
	// A manager that has run already does not restore groups that are added; a new process does.
	p.leads(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	w.start(t, "two")
	hook.hears(t, "firing PodDown")
}

func TestRulesArePublished(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "down", pod("a"))
	w.set(tenantA, "sum(x)", labels.FromStrings("zone", "z"))
	p := w.start(t, "one")
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	p.saveGroup(t, tenantA, "ns", "name: rec\nrules:\n  - record: x:sum\n    expr: sum(x)\n    labels: {by: rule}\n")
	for _, want := range []string{
		`{__name__="x:sum", by="rule", zone="z"}`,
		`{__name__="ALERTS", alertname="PodDown", alertstate="firing", pod="a", severity="page"}`,
		`{__name__="ALERTS_FOR_STATE", alertname="PodDown", pod="a", severity="page"}`,
	} {
		testkit.Eventually(t, patience, func() error {
			if got := w.publishedSeries(tenantA); !slices.Contains(got, want) {
				return fmt.Errorf("published %q, want %s among it", got, want)
			}
			return nil
		})
	}
}

func TestFailedPublishMakesTheRuleUnhealthy(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "sum(x)", pod("a"))
	p := w.start(t, "one", func(o *Options) {
		o.Publish = func(context.Context, seamark.TenantID, []Sample) error { return errors.New("the bus is full") }
	})
	p.saveGroup(t, tenantA, "ns", "name: rec\nrules:\n  - record: x:sum\n    expr: sum(x)\n")
	testkit.Eventually(t, patience, func() error {
		groups, err := p.RuleGroups(t.Context(), tenantA)
		if err != nil || len(groups) != 1 {
			return fmt.Errorf("groups = %v, %w", groups, err)
		}
		r := groups[0].Rules()[0]
		if r.Health() != rules.HealthBad || r.LastError() == nil || !strings.Contains(r.LastError().Error(), "the bus is full") {
			return fmt.Errorf("health %s, last error %w", r.Health(), r.LastError())
		}
		return nil
	})
}

func TestChangeKeepsStateOfOtherGroups(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	w.set(tenantA, "other", pod("a"))
	p := w.start(t, "one")
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hook.hears(t, "firing PodDown")
	groups, err := p.RuleGroups(t.Context(), tenantA)
	if err != nil {
		t.Fatal(err)
	}
	before := groups[0]
	start := time.Now()
	p.saveGroup(t, tenantA, "ns", alertGroup("Other", "other", "0s"))
	testkit.Eventually(t, patience, func() error {
		if groups, err = p.RuleGroups(t.Context(), tenantA); err != nil || len(groups) != 2 {
			return fmt.Errorf("%d groups, %w", len(groups), err)
		}
		return nil
	})
	t.Logf("the change was taken over after %s", time.Since(start))
	if !slices.Contains(groups, before) {
		t.Error("the unchanged group was replaced")
	}
	hook.hears(t, "firing Other")
	hook.heardExactly(t, "firing PodDown", "firing Other")
}

func TestPoisonedDocumentsHurtNobody(t *testing.T) {
	w, hookA, hookB := newWorld(t), newReceiver(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	w.set(tenantB, "down", pod("b"))
	p := w.start(t, "one")
	p.saveHook(t, tenantA, hookA.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hookA.hears(t, "firing PodDown")
	for _, key := range []string{
		string(tenantA) + "." + ruleKey("ns", "poddown"), string(tenantB) + ".x.y", "nobody." + ruleKey("ns", "g"), "x",
	} {
		if _, err := p.rules.kv.Put(t.Context(), key, []byte("\x00{{: not a group")); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{string(tenantA) + ".config", string(tenantB) + ".other", "x"} {
		if _, err := p.configs.kv.Put(t.Context(), key, []byte(`{"alertmanager_config":"tracing: {}"}`)); err != nil {
			t.Fatal(err)
		}
	}
	p.saveHook(t, tenantB, hookB.URL)
	p.saveGroup(t, tenantB, "ns", alertGroup("PodDown", "down", "0s"))
	hookB.hears(t, "firing PodDown")
	w.set(tenantA, "down")
	hookA.hears(t, "resolved PodDown") // the last good rules and receivers still run
}

// TestOneOfTwoReplicasHasTheState asks two replicas about a tenant that one of them evaluates, and both for its documents.
func TestOneOfTwoReplicasHasTheState(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	one := w.start(t, "one")
	one.leads(t)
	two := w.start(t, "two")
	two.saveHook(t, tenantA, hook.URL)
	two.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hook.hears(t, "firing PodDown")
	testkit.Eventually(t, patience, func() error {
		if a, b := one.metrics.held.Load(), two.metrics.held.Load(); a != shardCount/2 || b != shardCount/2 {
			return fmt.Errorf("they hold %d and %d shards", a, b)
		}
		return nil
	})
	for _, p := range []*process{one, two} {
		groups, err := p.ListRuleGroups(t.Context(), tenantA, PromQL)
		if err != nil || len(groups["ns"]) != 1 {
			t.Errorf("groups on %s = %v, %v, want one", p.opts.Owner, groups, err)
		}
		_, here := p.Holder(tenantA)
		for name, err := range map[string]error{
			"rule groups":  second(p.RuleGroups(t.Context(), tenantA)),
			"alertmanager": second(p.Alertmanager(t.Context(), tenantA)),
			"sync":         p.SyncAlertmanager(t.Context(), tenantA),
		} {
			if here != (err == nil) || !here && seamark.KindOf(err) != seamark.Unavailable {
				t.Errorf("%s on %s, which is the holder: %t: %v", name, p.opts.Owner, here, err)
			}
		}
	}
	hook.heardExactly(t, "firing PodDown")
}

func second[T any](_ T, err error) error { return err }

func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "down")
	p := w.start(t, "one", func(o *Options) {
		o.Limits.GroupsPerTenant, o.Limits.RulesPerGroup, o.Limits.MinInterval = 2, 1, time.Second
	})
	p.saveGroup(t, tenantA, "ns", alertGroup("A", "down", "0s"))
	p.saveGroup(t, tenantA, "ns", alertGroup("B", "down", "0s"))
	p.saveGroup(t, tenantA, "ns", alertGroup("B", "down", "5s")) // a change is not another group
	for body, want := range map[string]string{
		alertGroup("C", "down", "0s"):                                            "seamark-rule-group-count",
		"name: a\nrules: [{record: 'a:b', expr: up}, {record: 'c:d', expr: up}]": "seamark-rule-count",
		"name: a\ninterval: 100ms\nrules: []":                                    "seamark-rule-interval",
	} {
		var e *seamark.Error
		err := p.SaveRuleGroup(t.Context(), tenantA, "ns", PromQL, []byte(body))
		if !errors.As(err, &e) || e.Kind != seamark.Invalid || e.ID != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := p.SaveRuleGroup(t.Context(), tenantA, "a;b", PromQL, []byte(alertGroup("A", "down", "0s"))); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("namespace with a semicolon: %v, want Invalid", err)
	}
	if err := p.DeleteRuleGroup(t.Context(), tenantA, "ns", "c", PromQL); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("delete of nothing: %v, want NotFound", err)
	}
}
