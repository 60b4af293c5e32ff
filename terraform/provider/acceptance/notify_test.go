package acceptance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// Secrets of the tests, which must be nowhere.
const (
	headerSecret = "header-secret-4711"
	hookSecret   = "T0000/B0000/hook-secret-4711"
)

func silenceCase() resourceCase {
	block := func(comment string) string {
		return "resource \"seamark_silence\" \"it\" {\n  matchers = [{ name = \"alertname\", value = \"Errors\" }, { name = \"pod\", operator = \"=~\", value = \"web-.*\" }]\n" +
			"  ends_at  = \"2099-01-01T00:00:00Z\"\n  comment  = \"" + comment + "\"\n}\n"
	}
	return resourceCase{
		address: "seamark_silence.it", create: block("planned work"), update: block("longer work"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			if err := w.admin.AlertmanagerExpireSilence(t.Context(), text(state, "id")); err != nil {
				t.Fatal(err)
			}
		},
		data: "data \"seamark_silence\" \"it\" {\n  id = seamark_silence.it.id\n}\n",
		gone: func(t *testing.T, w *world, state map[string]any) error {
			answer, err := w.admin.AlertmanagerFindSilence(t.Context(), text(state, "id"))
			if err != nil {
				return nothing(answer, err)
			}
			var silence struct{ Status struct{ State string } }
			if err := json.Unmarshal(answer, &silence); err != nil || silence.Status.State != "expired" {
				return fmt.Errorf("the silence is %q, %w", silence.Status.State, err)
			}
			return nil
		},
	}
}

func forwarderCase() resourceCase {
	block := func(filter string) string {
		return "resource \"seamark_forwarder\" \"it\" {\n  name               = \"archive\"\n  filter             = \"{app=\\\"" + filter + "\\\"}\"\n  paused             = true\n" +
			"  batch              = { max_rows = 500 }\n  webhook            = { url = \"http://127.0.0.1:9/rows\" }\n  secrets_wo         = { Authorization = \"" + headerSecret + "\" }\n  secrets_wo_version = \"1\"\n}\n"
	}
	return resourceCase{
		address: "seamark_forwarder.it", create: block("api"), update: block("web"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			// The secret alone is another, which only its fingerprint tells.
			now, err := w.admin.FindForwarder(t.Context(), "archive")
			if err != nil {
				t.Fatal(err)
			}
			now.Target.Webhook.Headers["Authorization"] = client.ForwarderSecret{Value: new("theirs")}
			if _, err := w.admin.SaveForwarder(t.Context(), "archive", client.NewForwarder{
				Filter: now.Filter, Paused: &now.Paused, Batch: &now.Batch, Target: now.Target, Signal: new(client.NewForwarderSignalLogs),
			}); err != nil {
				t.Fatal(err)
			}
		},
		importID: keyed("name"),
		data:     "data \"seamark_forwarder\" \"it\" {\n  name = seamark_forwarder.it.name\n}\n",
		written:  []string{"secrets_wo_version", "secret_fingerprints"},
		loose:    []string{"batch"}, // with what the server adds
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			return nothing(w.admin.FindForwarder(t.Context(), "archive"))
		},
	}
}

func alertmanagerConfigCase() resourceCase {
	block := func(wait string) string {
		return "resource \"seamark_alertmanager_config\" \"it\" {\n  config = <<-EOT\n    # Who is told.\n    route:\n      receiver: ops\n      group_wait: " + wait + "\n    receivers:\n      - name: ops\n" +
			"        slack_configs:\n          - api_url: https://hooks.slack.com/services/<secret:slack>\n            channel: '#ops'\n" +
			"        webhook_configs:\n          - {url: '<secret:url>', http_config: {authorization: {credentials: '<secret:hook>'}}}\n  EOT\n" +
			"  secrets_wo         = { slack = \"" + hookSecret + "\", hook = \"" + headerSecret + "\", url = \"https://hooks.example.com/alerts\" }\n  secrets_wo_version = \"1\"\n}\n"
	}
	return resourceCase{
		address: "seamark_alertmanager_config.it", create: block("30s"), update: block("45s"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			saveConfig(t, w, "route: {receiver: theirs}\nreceivers: [{name: theirs}]\n")
		},
		data:    "data \"seamark_alertmanager_config\" \"it\" {\n  depends_on = [seamark_alertmanager_config.it]\n}\n",
		written: []string{"secrets_wo_version"},
		loose:   []string{"config"}, // secrets are masked, and comments are none
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			return nothing(w.admin.FindAlertmanagerConfig(t.Context()))
		},
	}
}

func saveConfig(t *testing.T, w *world, config string) {
	t.Helper()
	body := "alertmanager_config: |\n  " + strings.ReplaceAll(strings.TrimSpace(config), "\n", "\n  ") + "\n"
	if err := w.admin.SaveAlertmanagerConfig(t.Context(), client.Body{ContentType: "application/yaml", Reader: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}

func receiverCase(name string, isDefault bool) resourceCase {
	block := func(severity string) string {
		return fmt.Sprintf("resource \"seamark_receiver\" %q {\n  name    = %q\n  default = %t\n  config  = yamlencode({ slack_configs = [{ api_url = \"https://hooks.slack.com/services/<secret:slack>\", channel = \"#%s\" }] })\n"+
			"  routes             = [{ matchers = [\"severity=\\\"%s\\\"\", \"team=\\\"%s\\\"\"], group_by = [\"alertname\"], repeat_interval = \"4h\" }]\n"+
			"  secrets_wo         = { slack = \"%s\" }\n  secrets_wo_version = \"1\"\n}\n", name, name, isDefault, name, severity, name, hookSecret)
	}
	return resourceCase{
		address: "seamark_receiver." + name, create: block("warning"), update: block("critical"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			stream, err := w.admin.FindAlertmanagerConfig(t.Context())
			if client.IsNotFound(err) {
				return // the other case's drift was to take all away
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, stream); err != nil {
				t.Fatal(err)
			}
			if err := w.admin.DeleteAlertmanagerConfig(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		importID: keyed("name"),
		data:     fmt.Sprintf("data \"seamark_receiver\" %q {\n  name = seamark_receiver.%s.name\n}\n", name, name),
		written:  []string{"secrets_wo_version"},
		loose:    []string{"config", "default"},
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			list, err := w.admin.ListReceivers(t.Context(), nil)
			if err != nil {
				return err
			}
			for _, r := range list.Items {
				if r.Name == name {
					return errors.New("the receiver is there")
				}
			}
			return nil
		},
	}
}
