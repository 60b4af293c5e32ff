package alerting

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestAlertmanagerAPI makes the calls that amtool and Grafana make.
func TestAlertmanagerAPI(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	p := w.start(t, "one")
	p.leads(t)
	id := p.silence(t, tenantA, "PodDown")
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	p.sees(t, tenantA, "PodDown", "suppressed")

	var status struct {
		Cluster struct{ Status string }
		Config  struct{ Original string }
	}
	testkit.Eventually(t, patience, func() error { // rules and receivers are told of apart
		p.call(t, tenantA, http.MethodGet, "/api/v2/status", "", &status)
		if status.Cluster.Status != "disabled" || !strings.Contains(status.Config.Original, "receiver: hook") {
			return fmt.Errorf("status = %+v", status)
		}
		return nil
	})
	if strings.Contains(status.Config.Original, hook.URL) {
		t.Error("the status shows the webhook's URL")
	}
	var receivers []struct{ Name string }
	p.call(t, tenantA, http.MethodGet, "/api/v2/receivers", "", &receivers)
	if len(receivers) != 1 || receivers[0].Name != "hook" {
		t.Errorf("receivers = %+v", receivers)
	}
	testkit.Eventually(t, patience, func() error {
		var groups []struct {
			Receiver struct{ Name string }
			Alerts   []v2Alert
		}
		p.call(t, tenantA, http.MethodGet, "/api/v2/alerts/groups", "", &groups)
		if len(groups) != 1 || groups[0].Receiver.Name != "hook" || len(groups[0].Alerts) != 1 {
			return fmt.Errorf("groups = %+v", groups)
		}
		return nil
	})
	var one struct{ ID, CreatedBy string }
	if code := p.call(t, tenantA, http.MethodGet, "/api/v2/silence/"+id, "", &one); code != http.StatusOK || one.CreatedBy != "ann" {
		t.Errorf("silence = %d, %+v", code, one)
	}
	if code := p.call(t, tenantB, http.MethodGet, "/api/v2/silence/"+id, "", nil); code != http.StatusNotFound {
		t.Errorf("another tenant's silence answered %d, want 404", code)
	}
	if code := p.call(t, tenantB, http.MethodDelete, "/api/v2/silence/"+id, "", nil); code != http.StatusNotFound {
		t.Errorf("expiring another tenant's silence answered %d, want 404", code)
	}
	if code := p.call(t, tenantA, http.MethodPost, "/api/v2/silences", `{"matchers":[]}`, nil); code/100 != 4 {
		t.Errorf("a silence without matchers answered %d, want 4xx", code)
	}
	if code := p.call(t, tenantA, http.MethodDelete, "/api/v2/silence/"+id, "", nil); code != http.StatusOK {
		t.Fatalf("expire silence: %d", code)
	}
	hook.hears(t, "firing PodDown")
}

func TestReceiverThatFailsIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "down", pod("a"))
	type call struct{ key, body string }
	calls := make(chan call, 100)
	var asked atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		calls <- call{r.Header.Get("Idempotency-Key"), string(body)}
		if asked.Add(1) == 1 {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(hook.Close)
	p := w.start(t, "one")
	config := fmt.Sprintf(`
route: {receiver: hook, group_by: [alertname], group_wait: 10ms, group_interval: 10s, repeat_interval: 4h}
templates: [short]
receivers:
  - name: hook
    webhook_configs:
      - url: %q
        payload: {text: '{{ template "short.text" . }}', count: 2}
`, hook.URL)
	testkit.Eventually(t, patience, func() error {
		return p.SaveAlertmanagerConfig(t.Context(), tenantA, config, map[string]string{"short": `{{ define "short.text" }}{{ .Status }} {{ len .Alerts }}{{ end }}`})
	})
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var got [2]call
	for i := range got {
		select {
		case got[i] = <-calls:
		case <-ctx.Done():
			t.Fatalf("%d calls, want 2", i)
		}
	}
	if got[0].key == "" || got[0].key != got[1].key {
		t.Errorf("idempotency keys %q and %q, want the same for a retry", got[0].key, got[1].key)
	}
	var payload map[string]any
	if err := json.Unmarshal([]byte(got[1].body), &payload); err != nil || payload["text"] != "firing 1" {
		t.Errorf("payload = %s, %v", got[1].body, err)
	}
}

func TestBlockedReceiverIsCounted(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "down", labels.FromStrings("target", "http://127.0.0.1:1/"))
	p := w.start(t, "one", func(o *Options) { o.PrivateReceivers = nil })
	// The URL comes from a label, as anybody with an ingest token may set it; only the dial can refuse it.
	p.saveHook(t, tenantA, "{{ (index .Alerts 0).Labels.target }}")
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	testkit.Eventually(t, patience, func() error {
		if n := counted(t, p, "blocked"); n == 0 {
			return fmt.Errorf("no blocked delivery was counted")
		}
		return nil
	})
	if n := counted(t, p, "sent"); n != 0 {
		t.Errorf("%v deliveries were sent", n)
	}
}

func counted(t *testing.T, p *process, outcome string) float64 {
	t.Helper()
	families, err := p.opts.Registerer.(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "seamark_alerting_deliveries_total" && m.GetLabel()[0].GetValue() == outcome {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestRemovedRuleDoesNotFireAgainAfterTakeover(t *testing.T) {
	w, hook := newWorld(t), newReceiver(t)
	w.set(tenantA, "down", pod("a"))
	var ahead atomic.Int64
	p := w.start(t, "one", func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	p.saveHook(t, tenantA, hook.URL)
	p.saveGroup(t, tenantA, "ns", alertGroup("PodDown", "down", "0s"))
	hook.hears(t, "firing PodDown")
	if err := p.DeleteRuleGroup(t.Context(), tenantA, "ns", "poddown", PromQL); err != nil {
		t.Fatal(err)
	}
	running, err := p.tenant(tenantA, false)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		if n := len(running.manager.RuleGroups()); n != 0 {
			return fmt.Errorf("%d groups run", n)
		}
		return nil
	})
	ahead.Store(int64(time.Hour)) // longer than any alert is valid without news
	running.forward.sweep()
	if err := p.SyncAlertmanager(t.Context(), tenantA); err != nil {
		t.Fatal(err)
	}
	ended := 0
	for rest, entry := range running.journal.snapshot() {
		if kind(rest) != alertState {
			continue
		}
		doc, err := decodeAlert(entry.body)
		later := time.Now().Add(time.Hour)
		if err != nil || !doc.restored(later).ResolvedAt(later) {
			t.Errorf("stored alert = %+v, %v, want it resolved", doc, err)
		}
		ended++
	}
	if ended != 1 {
		t.Errorf("%d alerts stored, want 1", ended)
	}
}
