package acceptance_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// nothing turns the answer about a thing that is to be gone into an error, unless it says that there is none.
func nothing(answer any, err error) error {
	switch {
	case client.IsNotFound(err):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("the server still has it: %s", jsonText(answer))
}

func text(state map[string]any, name string) string { return fmt.Sprint(state[name]) }

// testTenant is the life of all that a tenant's admin manages.
func testTenant(t *testing.T, w *world) {
	cases := []resourceCase{
		clusterCase(), clusterTokenCase(), clusterQuotaCase(), ruleGroupCase(), ruleFileCase(), apiKeyCase(), roleCase(), memberCase(), invitedCase(),
		retentionCase(), savedQueryCase(), dashboardCase(), pipelineCase(), laterPipelineCase(), silenceCase(), forwarderCase(), alertmanagerConfigCase(),
	}
	live(t, w, w.adminToken, cases, func(folder string) []string {
		secrets := []string{headerSecret, hookSecret}
		for _, name := range []string{"agents", "grafana", "invitation"} {
			secret, err := os.ReadFile(secretPath(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, strings.TrimSpace(string(secret)))
		}
		return secrets
	})
}

// testReceivers is the life of receivers that share one configuration.
func testReceivers(t *testing.T, w *world) {
	live(t, w, w.adminToken, []resourceCase{receiverCase("ops", true), receiverCase("oncall", false)}, func(string) []string { return []string{hookSecret} })
	if _, err := w.admin.FindAlertmanagerConfig(t.Context()); !client.IsNotFound(err) {
		t.Errorf("without receivers there is a configuration: %v", err)
	}
}

// testOperator is the life of all that operators manage.
func testOperator(t *testing.T, w *world) {
	live(t, w, w.operatorToken, []resourceCase{planCase(), tenantCase(), tenantQuotaCase()}, func(string) []string { return nil })
}

func clusterCase() resourceCase {
	block := func(name string) string {
		return fmt.Sprintf("resource \"seamark_cluster\" \"it\" {\n  name = %q\n}\n", name)
	}
	return resourceCase{
		address: "seamark_cluster.it", create: block("prod"), update: block("prod-eu"), action: "replace",
		drift: func(t *testing.T, w *world, state map[string]any) {
			if err := w.admin.DeleteCluster(t.Context(), text(state, "id")); err != nil {
				t.Fatal(err)
			}
		},
		data: "data \"seamark_cluster\" \"it\" {\n  name = seamark_cluster.it.name\n}\n",
		gone: func(t *testing.T, w *world, state map[string]any) error {
			return nothing(w.admin.FindCluster(t.Context(), text(state, "id")))
		},
	}
}

func clusterTokenCase() resourceCase {
	block := func(rotation string) string {
		return "resource \"seamark_cluster_token\" \"it\" {\n  cluster_id  = seamark_cluster.it.id\n  name        = \"agents\"\n  signals     = [\"logs\", \"metrics\"]\n" +
			"  seal_to     = local.public_key\n  secret_file = \"${path.module}/agents.secret\"\n  rotation    = \"" + rotation + "\"\n}\n"
	}
	return resourceCase{
		address: "seamark_cluster_token.it", create: block("1"), update: block("2"), action: "replace", // with its cluster
		drift:   func(*testing.T, *world, map[string]any) {}, // it ended with its cluster
		data:    "data \"seamark_cluster_token\" \"it\" {\n  id = seamark_cluster_token.it.id\n}\n",
		written: []string{"seal_to", "secret_file", "rotation", "sealed_secret"},
		gone: func(t *testing.T, w *world, state map[string]any) error {
			list, err := w.admin.ListTokens(t.Context(), nil)
			if err != nil {
				return err
			}
			for _, token := range list.Items {
				if token.ID == text(state, "id") && token.RevokedAt == nil {
					return errors.New("the token is live")
				}
			}
			return nil
		},
	}
}

func ruleGroupCase() resourceCase {
	block := func(wait string) string {
		return "resource \"seamark_rule_group\" \"it\" {\n  namespace = \"team/shop\"\n  name      = \"errors\"\n  interval  = \"1m\"\n  rules = [\n" +
			"    { record = \"job:errors:rate5m\", expr = \"sum by (job) (rate(errors_total[5m]))\" },\n" +
			"    { alert = \"Errors\", expr = \"job:errors:rate5m > 1\", for = \"" + wait + "\", labels = { severity = \"page\" } },\n  ]\n}\n"
	}
	return resourceCase{
		address: "seamark_rule_group.it", create: block("5m"), update: block("10m"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			changeGroup(t, w, "team/shop", "errors", func(g *client.AlertingRules) { g.Rules[1].Expr = "job:errors:rate5m > 100" })
		},
		importID: keyed("namespace", "name"),
		data:     "data \"seamark_rule_group\" \"it\" {\n  namespace = seamark_rule_group.it.namespace\n  name      = seamark_rule_group.it.name\n}\n",
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			return nothing(w.admin.FindAlertingGroup(t.Context(), "team/shop", "errors"))
		},
	}
}

func ruleFileCase() resourceCase {
	block := func(limit int) string {
		return fmt.Sprintf("resource \"seamark_rule_group\" \"file\" {\n  namespace = \"team\"\n  name      = \"logs\"\n  language  = \"logql\"\n  yaml      = <<-EOT\n"+
			"    # Comments and order stay as they are written.\n    interval: 90s\n    name: logs\n    rules:\n      - alert: Panics\n"+
			"        expr: sum(count_over_time({app=\"shop\"} |= \"panic\" [5m])) > %d\n        for: 120s\n  EOT\n}\n", limit)
	}
	return resourceCase{
		address: "seamark_rule_group.file", create: block(1), update: block(2), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			changeGroup(t, w, "team", "logs", func(g *client.AlertingRules) { g.Rules[0].Alert = new("Other") })
		},
		importID: keyed("namespace", "name"),
		written:  []string{"yaml", "interval", "rules"},
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			return nothing(w.admin.FindAlertingGroup(t.Context(), "team", "logs"))
		},
	}
}

func changeGroup(t *testing.T, w *world, namespace, name string, change func(*client.AlertingRules)) {
	t.Helper()
	group, err := w.admin.FindAlertingGroup(t.Context(), namespace, name)
	if err != nil {
		t.Fatal(err)
	}
	change(&group.Group)
	language := client.AlertingGroupDraftLanguage(group.Language)
	if _, err := w.admin.SaveAlertingGroup(t.Context(), namespace, name, client.AlertingGroupDraft{Language: &language, Group: group.Group}); err != nil {
		t.Fatal(err)
	}
}
