package alerts_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-openapi/runtime"
	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
	amclient "github.com/prometheus/alertmanager/api/v2/client"
	amalert "github.com/prometheus/alertmanager/api/v2/client/alert"
	"github.com/prometheus/alertmanager/api/v2/client/alertgroup"
	"github.com/prometheus/alertmanager/api/v2/client/general"
	amsilence "github.com/prometheus/alertmanager/api/v2/client/silence"
	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// ruler makes the requests that mimirtool makes: YAML, basic authentication whose password is the token, slashes of namespaces
// escaped. config is the path of the rules, which `--use-legacy-routes` changes.
type ruler struct {
	*inprocess.Tenant
	config string
}

func (r ruler) do(t *testing.T, method, path, body string) inprocess.Response {
	t.Helper()
	header := http.Header{"User-Agent": {"mimirtool/3.0.0"}, "Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+r.Admin))}}
	if body != "" {
		header.Set("Content-Type", "application/yaml")
	}
	return r.Do(t, "", method, r.config+path, header, body)
}

// list reads all groups; a ruler that has none says 404 or answers an empty document.
func (r ruler) list(t *testing.T) map[string][]rulefmt.RuleGroup {
	t.Helper()
	answer := r.do(t, http.MethodGet, "", "")
	groups := map[string][]rulefmt.RuleGroup{}
	if answer.Status == http.StatusNotFound {
		return groups
	}
	if err := yaml.Unmarshal([]byte(answer.Body), &groups); err != nil || answer.Status != http.StatusOK {
		t.Fatalf("list: %d %s: %v", answer.Status, answer.Body, err)
	}
	return groups
}

// sync makes the ruler's groups those of want, as `rules sync` does: it compares, saves what differs, and deletes the rest. It
// returns how many groups it saved and deleted.
func (r ruler) sync(t *testing.T, want map[string][]rulefmt.RuleGroup) (saved, deleted int) {
	t.Helper()
	have := r.list(t)
	text := func(g rulefmt.RuleGroup) string {
		out, err := yaml.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	find := func(list []rulefmt.RuleGroup, name string) string {
		for _, g := range list {
			if g.Name == name {
				return text(g)
			}
		}
		return ""
	}
	for _, namespace := range slices.Sorted(maps.Keys(want)) {
		for _, g := range want[namespace] {
			if find(have[namespace], g.Name) != text(g) {
				saved++
				if answer := r.do(t, http.MethodPost, "/"+url.PathEscape(namespace), text(g)); answer.Status != http.StatusAccepted {
					t.Fatalf("save %s/%s: %d %s", namespace, g.Name, answer.Status, answer.Body)
				}
			}
		}
	}
	for namespace, list := range have {
		for _, g := range list {
			if find(want[namespace], g.Name) == "" {
				deleted++
				if answer := r.do(t, http.MethodDelete, "/"+url.PathEscape(namespace)+"/"+url.PathEscape(g.Name), ""); answer.Status != http.StatusAccepted {
					t.Fatalf("delete %s/%s: %d %s", namespace, g.Name, answer.Status, answer.Body)
				}
			}
		}
	}
	return saved, deleted
}

// TestRulerTools loads, lists, prints, compares, syncs and deletes rules over each of the rulers' paths, with a pack switched on, which
// a sync must leave alone.
func TestRulerTools(t *testing.T) {
	t.Parallel()
	for config, expr := range map[string]string{
		"/prometheus/config/v1/rules": "up == 0", "/api/v1/rules": "up == 0",
		"/loki/api/v1/rules": `sum(count_over_time({app="a"}[5m])) > 1`, "/api/prom/rules": `sum(count_over_time({app="a"}[5m])) > 1`,
	} {
		r := ruler{newTenant(t, "tools"+strings.ReplaceAll(config, "/", "-")), config}
		if answer := r.Do(t, r.Admin, http.MethodPut, "/api/v1/alerting/packs/nodes", http.Header{"Content-Type": {"application/json"}}, "{}"); answer.Status != http.StatusOK {
			t.Fatalf("switch the pack on: %d %s", answer.Status, answer.Body)
		}
		var a, b rulefmt.RuleGroup
		a.Name, a.Rules = "a group", []rulefmt.Rule{{Alert: "Down", Expr: expr, Labels: map[string]string{"severity": "page"}, Annotations: map[string]string{"summary": "down"}}}
		b.Name, b.Rules = "b", []rulefmt.Rule{{Record: "a:b", Expr: strings.TrimSuffix(expr, " > 1")}}
		want := map[string][]rulefmt.RuleGroup{"team/a b": {a, b}, "plain": {b}}
		if saved, deleted := r.sync(t, want); saved != 3 || deleted != 0 {
			t.Errorf("%s: first sync saved %d and deleted %d, want 3 and 0", config, saved, deleted)
		}
		if saved, deleted := r.sync(t, want); saved != 0 || deleted != 0 {
			t.Errorf("%s: second sync saved %d and deleted %d, want nothing", config, saved, deleted)
		}
		if answer := r.do(t, http.MethodGet, "/"+url.PathEscape("team/a b")+"/"+url.PathEscape("a group"), ""); answer.Status != http.StatusOK || !strings.Contains(answer.Body, "alert: Down") {
			t.Errorf("%s: get: %d %s", config, answer.Status, answer.Body)
		}
		a.Rules[0].Annotations = map[string]string{"summary": "is down"}
		if saved, deleted := r.sync(t, map[string][]rulefmt.RuleGroup{"team/a b": {a}}); saved != 1 || deleted != 2 {
			t.Errorf("%s: last sync saved %d and deleted %d, want 1 and 2", config, saved, deleted)
		}
		if answer := r.do(t, http.MethodPost, "/plain", "name: x\nrules:\n- {alert: A, expr: 'up{'}\n"); answer.Status != http.StatusBadRequest || !strings.Contains(answer.Body, `3:`) {
			t.Errorf("%s: a faulty group: %d %s, want 400 and the place", config, answer.Status, answer.Body)
		}
		if answer := r.do(t, http.MethodDelete, "/"+url.PathEscape("team/a b"), ""); answer.Status != http.StatusAccepted {
			t.Errorf("%s: delete the namespace: %d %s", config, answer.Status, answer.Body)
		}
		if left := r.list(t); len(left) != 0 {
			t.Errorf("%s: left are %v", config, left)
		}
	}
}

// TestAmtool asks with Alertmanager's own client what amtool asks: status, alerts, groups, and a silence that is added, found and
// expired.
func TestAmtool(t *testing.T) {
	t.Parallel()
	x := newTenant(t, "amtool")
	saveRule(t, x)
	defer removeRules(t, x)
	pushUp(t, x, 1, 0)
	host := strings.TrimPrefix(x.App.URL(), "http://")
	transport := httptransport.New(host, "/alertmanager/api/v2", []string{"http"})
	transport.DefaultAuthentication = runtime.ClientAuthInfoWriterFunc(func(r runtime.ClientRequest, _ strfmt.Registry) error {
		return r.SetHeaderParam("Authorization", "Bearer "+x.Admin)
	})
	am := amclient.New(transport, strfmt.Default)
	status, err := am.General.GetStatus(general.NewGetStatusParams().WithContext(t.Context()))
	if err != nil || status.Payload.Config == nil || status.Payload.VersionInfo == nil {
		t.Fatalf("status: %+v, %v", status, err)
	}
	testkit.Eventually(t, within, func() error {
		found, err := am.Alert.GetAlerts(amalert.NewGetAlertsParams().WithContext(t.Context()).WithFilter([]string{"alertname=InstanceDown"}))
		if err != nil {
			return err
		}
		if len(found.Payload) != 1 || found.Payload[0].Labels["instance"] != "10.0.0.2:9100" || time.Time(*found.Payload[0].StartsAt).IsZero() || found.Payload[0].GeneratorURL == "" {
			return fmt.Errorf("alerts: %+v", found.Payload)
		}
		return nil
	})
	groups, err := am.Alertgroup.GetAlertGroups(alertgroup.NewGetAlertGroupsParams().WithContext(t.Context()))
	if err != nil || len(groups.Payload) == 0 {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	checkSilence(t, am)
}

func checkSilence(t *testing.T, am *amclient.AlertmanagerAPI) {
	t.Helper()
	name, value, isRegex, isEqual, by, comment := "alertname", "InstanceDown", false, true, "ann", "known"
	begins, ends := strfmt.DateTime(time.Now()), strfmt.DateTime(time.Now().Add(time.Hour))
	made, err := am.Silence.PostSilences(amsilence.NewPostSilencesParams().WithContext(t.Context()).WithSilence(&models.PostableSilence{Silence: models.Silence{
		Matchers: models.Matchers{{Name: &name, Value: &value, IsRegex: &isRegex, IsEqual: &isEqual}}, StartsAt: &begins, EndsAt: &ends, CreatedBy: &by, Comment: &comment,
	}}))
	if err != nil {
		t.Fatalf("add a silence: %v", err)
	}
	silenced := true
	testkit.Eventually(t, within, func() error {
		found, err := am.Alert.GetAlerts(amalert.NewGetAlertsParams().WithContext(t.Context()).WithActive(new(bool)).WithSilenced(&silenced))
		if err != nil {
			return err
		}
		if len(found.Payload) != 1 || !slices.Contains(found.Payload[0].Status.SilencedBy, made.Payload.SilenceID) {
			return fmt.Errorf("silenced alerts: %+v", found.Payload)
		}
		return nil
	})
	id := strfmt.UUID(made.Payload.SilenceID)
	if _, err := am.Silence.DeleteSilence(amsilence.NewDeleteSilenceParams().WithContext(t.Context()).WithSilenceID(id)); err != nil {
		t.Errorf("expire the silence: %v", err)
	}
	found, err := am.Silence.GetSilence(amsilence.NewGetSilenceParams().WithContext(t.Context()).WithSilenceID(id))
	if err != nil || *found.Payload.Status.State != models.SilenceStatusStateExpired {
		t.Errorf("the silence: %+v, %v, want it expired", found, err)
	}
}
