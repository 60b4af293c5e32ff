package client_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
)

// lokiRuleCalls drive the routes of Loki's ruler, under its two paths, and those of Mimir's under the older one.
func lokiRuleCalls() []call {
	logs := func() client.Body {
		return client.Body{ContentType: "application/yaml", Reader: strings.NewReader("name: g\nrules:\n- alert: A\n  expr: sum(count_over_time({app=\"a\"}[5m])) > 1\n")}
	}
	metrics := func() client.Body {
		return client.Body{ContentType: "application/yaml", Reader: strings.NewReader("name: g\nrules:\n- record: a:b\n  expr: vector(1)\n")}
	}
	return []call{
		{"lokiSaveRuleGroup", func(t *testing.T, w *world) error { return one(w.admin.LokiSaveRuleGroup(t.Context(), "l/b", logs())) }},
		{"lokiListRuleGroups", func(t *testing.T, w *world) error { return drain(w.admin.LokiListRuleGroups(t.Context())) }},
		{"lokiListRuleNamespace", func(t *testing.T, w *world) error { return drain(w.admin.LokiListRuleNamespace(t.Context(), "l/b")) }},
		{"lokiFindRuleGroup", func(t *testing.T, w *world) error { return drain(w.admin.LokiFindRuleGroup(t.Context(), "l/b", "g")) }},
		{"lokiDeleteRuleGroup", func(t *testing.T, w *world) error {
			if err := one(w.admin.LokiDeleteRuleGroup(t.Context(), "l/b", "g")); err != nil {
				return err
			}
			tells(t, w, "rule_group/l/b/g", `.language: "logql" -> nothing`)
			return nil
		}},
		{"lokiPromSaveRuleGroup", func(t *testing.T, w *world) error {
			return one(w.admin.LokiPromSaveRuleGroup(t.Context(), "l/b", logs()))
		}},
		{"lokiPromListRuleGroups", func(t *testing.T, w *world) error { return drain(w.admin.LokiPromListRuleGroups(t.Context())) }},
		{"lokiPromListRuleNamespace", func(t *testing.T, w *world) error {
			return drain(w.admin.LokiPromListRuleNamespace(t.Context(), "l/b"))
		}},
		{"lokiPromFindRuleGroup", func(t *testing.T, w *world) error {
			return drain(w.admin.LokiPromFindRuleGroup(t.Context(), "l/b", "g"))
		}},
		{"lokiPromDeleteRuleGroup", func(t *testing.T, w *world) error {
			return one(w.admin.LokiPromDeleteRuleGroup(t.Context(), "l/b", "g"))
		}},
		{"lokiDeleteRuleNamespace", func(t *testing.T, w *world) error {
			if _, err := w.admin.LokiSaveRuleGroup(t.Context(), "l/b", logs()); err != nil {
				return err
			}
			return one(w.admin.LokiDeleteRuleNamespace(t.Context(), "l/b"))
		}},
		{"lokiPromDeleteRuleNamespace", func(t *testing.T, w *world) error {
			if _, err := w.admin.LokiSaveRuleGroup(t.Context(), "l/b", logs()); err != nil {
				return err
			}
			return one(w.admin.LokiPromDeleteRuleNamespace(t.Context(), "l/b"))
		}},
		{"legacySaveRuleGroup", func(t *testing.T, w *world) error {
			return one(w.admin.LegacySaveRuleGroup(t.Context(), "o/b", metrics()))
		}},
		{"legacyListRuleGroups", func(t *testing.T, w *world) error { return drain(w.admin.LegacyListRuleGroups(t.Context())) }},
		{"legacyListRuleNamespace", func(t *testing.T, w *world) error {
			return drain(w.admin.LegacyListRuleNamespace(t.Context(), "o/b"))
		}},
		{"legacyFindRuleGroup", func(t *testing.T, w *world) error { return drain(w.admin.LegacyFindRuleGroup(t.Context(), "o/b", "g")) }},
		{"legacyDeleteRuleGroup", func(t *testing.T, w *world) error { return one(w.admin.LegacyDeleteRuleGroup(t.Context(), "o/b", "g")) }},
		{"legacyDeleteRuleNamespace", func(t *testing.T, w *world) error {
			if _, err := w.admin.LegacySaveRuleGroup(t.Context(), "o/b", metrics()); err != nil {
				return err
			}
			return one(w.admin.LegacyDeleteRuleNamespace(t.Context(), "o/b"))
		}},
	}
}

const draftedGroup = "name: g\ninterval: 1m\nrules:\n- alert: A\n  expr: vector(3) > 2\n  for: 5m\n"

func draft(group any) client.AlertingGroupDraft { return client.AlertingGroupDraft{Group: group} }

func alertingCalls() []call {
	return []call{
		{"saveAlertingGroup", func(t *testing.T, w *world) error {
			made, err := w.admin.SaveAlertingGroup(t.Context(), "team/a", "g", draft(draftedGroup))
			if err != nil {
				return err
			}
			_, err = w.admin.SaveAlertingGroup(t.Context(), "team/a", "g", draft(made.Group))
			return err
		}},
		{"findAlertingGroup", func(t *testing.T, w *world) error { return one(w.admin.FindAlertingGroup(t.Context(), "team/a", "g")) }},
		{"listAlertingGroups", func(t *testing.T, w *world) error { return one(w.query.ListAlertingGroups(t.Context(), nil)) }},
		{"checkAlertingGroup", func(t *testing.T, w *world) error {
			found, err := w.admin.CheckAlertingGroup(t.Context(), draft("name: g\nrules:\n- alert: A\n  expr: rate(up[5m\n- record: b\n  expr: up[1m]\n"))
			if err == nil && (found.Valid || len(found.Faults) != 2) {
				t.Errorf("check: %+v, want two faults", found)
			}
			return err
		}},
		{"dryRunAlertingGroup", func(t *testing.T, w *world) error {
			report, err := w.admin.DryRunAlertingGroup(t.Context(), client.AlertingTest{Group: draftedGroup})
			if err == nil && (len(report.Rules) != 1 || len(report.Rules[0].Active) != 1 || report.Rules[0].Active[0].State != "firing") {
				t.Errorf("dry run: %+v, want the alert", report)
			}
			return err
		}},
		{"backtestAlertingGroup", func(t *testing.T, w *world) error {
			end := time.Now()
			start := end.Add(-time.Hour)
			report, err := w.admin.BacktestAlertingGroup(t.Context(), client.AlertingTest{Group: draftedGroup, Start: &start, End: &end})
			if err == nil && (len(report.Rules) != 1 || report.Rules[0].Fired != 1 || len(report.Rules[0].Series) != 1) {
				t.Errorf("backtest: %+v, want one firing and its series", report)
			}
			return err
		}},
		{"deleteAlertingGroup", func(t *testing.T, w *world) error { return w.admin.DeleteAlertingGroup(t.Context(), "team/a", "g") }},
		{"listAlertingPacks", func(t *testing.T, w *world) error { return one(w.query.ListAlertingPacks(t.Context(), nil)) }},
		{"saveAlertingPack", func(t *testing.T, w *world) error {
			parameters := map[string]string{"disk_free_percent": "7"}
			p, err := w.admin.SaveAlertingPack(t.Context(), "nodes", client.AlertingPackSettings{Parameters: parameters})
			if err == nil && (!p.Enabled || p.Parameters["disk_free_percent"] != "7") {
				t.Errorf("pack: %+v", p)
			}
			tells(t, w, "pack/nodes", `.enabled: nothing -> true`)
			parameters["disk_free_percent"] = "8"
			if err := errors.Join(err, one(w.admin.SaveAlertingPack(t.Context(), "nodes", client.AlertingPackSettings{Parameters: parameters}))); err != nil {
				return err
			}
			differs(t, w, "pack/nodes", `.parameters.disk_free_percent: "7" -> "8"`)
			return nil
		}},
		{"findAlertingPack", func(t *testing.T, w *world) error { return one(w.query.FindAlertingPack(t.Context(), "nodes")) }},
		{"findAlertingRunbook", func(t *testing.T, w *world) error {
			return drain(w.query.FindAlertingRunbook(t.Context(), "nodes", "NodeNotReady"))
		}},
		{"findAlertingPackFile", func(t *testing.T, w *world) error {
			return drain(w.query.FindAlertingPackFile(t.Context(), "nodes", "rules.yaml"))
		}},
		{"deleteAlertingPack", func(t *testing.T, w *world) error { return w.admin.DeleteAlertingPack(t.Context(), "nodes") }},
	}
}

// TestAlertingConditions changes a group on the condition that nobody else did.
func TestAlertingConditions(t *testing.T) {
	w := newWorld(t)
	refused := func(err error) bool {
		e, ok := errors.AsType[*client.Error](err)
		return ok && slices.Contains([]int{http.StatusPreconditionFailed}, e.Status)
	}
	if _, err := w.admin.SaveAlertingGroup(t.Context(), "c", "g", draft(draftedGroup), client.IfAbsent()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin.SaveAlertingGroup(t.Context(), "c", "g", draft(draftedGroup), client.IfAbsent()); !refused(err) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := w.admin.SaveAlertingGroup(t.Context(), "c", "g", draft(draftedGroup), client.IfMatch(`"r999999"`)); !refused(err) {
		t.Errorf("changed on a version that is not there: %v", err)
	}
	if err := w.admin.DeleteAlertingGroup(t.Context(), "c", "g", client.IfMatch(`"r999999"`)); !refused(err) {
		t.Errorf("deleted on a version that is not there: %v", err)
	}
	if err := w.admin.DeleteAlertingGroup(t.Context(), "c", "g"); err != nil {
		t.Error(err)
	}
}
