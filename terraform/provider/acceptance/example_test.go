package acceptance_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Folders beside the tests.
const (
	examples = "../examples"
	modules  = "../../modules"
)

// testExamples applies the examples of the documentation: what is shown works. Those of a tenant's admin stand together, because
// they speak of each other; receivers and the whole configuration of Alertmanager do not go together.
func testExamples(t *testing.T, w *world) {
	for _, folder := range []string{examples, modules} {
		if out, err := exec.CommandContext(t.Context(), "terraform", "fmt", "-check", "-recursive", "-diff", folder).CombinedOutput(); err != nil {
			t.Errorf("terraform fmt -check: %v\n%s", err, out)
		}
	}
	operators := []string{"seamark_plan", "seamark_tenant"}
	alone := []string{"seamark_receiver"}
	own := func(kind string) bool { return !slices.Contains(operators, kind) && !slices.Contains(alone, kind) }
	applyExamples(t, w, w.adminToken, own)
	applyExamples(t, w, w.adminToken, func(kind string) bool { return slices.Contains(alone, kind) })
	applyExamples(t, w, w.operatorToken, func(kind string) bool { return slices.Contains(operators, kind) })
}

// applyExamples applies the examples of some kinds, then reads them by those of data sources, and destroys them.
func applyExamples(t *testing.T, w *world, token string, of func(kind string) bool) {
	t.Helper()
	ws := w.workspace(t, token)
	ws.env = append(ws.env, "TF_VAR_slack_hook="+hookSecret, "TF_VAR_pagerduty_key=pagerduty-4711", "TF_VAR_archive_secret_key="+headerSecret, "TF_VAR_agents_private_key="+w.privateKey)
	ws.write(t, "provider.tf", read(t, filepath.Join(examples, "provider", "provider.tf")))
	ws.write(t, "agents.pub.pem", w.publicKey)
	ws.write(t, "resources.tf", gather(t, of, "resources"))
	if of("seamark_cluster_token") {
		ws.write(t, "more.tf", gather(t, func(string) bool { return true }, "ephemeral-resources", "functions"))
	}
	ws.must(t, "validate", "-no-color")
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	ws.wantNoChange(t, "applying the examples")
	ws.write(t, "data.tf", gather(t, of, "data-sources"))
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	ws.wantNoSecret(t, hookSecret, headerSecret, "pagerduty-4711", w.privateKey)
	ws.write(t, "data.tf", "")
	ws.must(t, "destroy", "-auto-approve", "-input=false", "-no-color")
}

// gather returns the examples in some folders of some kinds as one file.
func gather(t *testing.T, of func(kind string) bool, folders ...string) string {
	t.Helper()
	var text strings.Builder
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(examples, folder, "*", "*.tf"))
		if err != nil || len(files) == 0 {
			t.Fatalf("there are no examples in %s: %v", folder, err)
		}
		for _, file := range files {
			if of(filepath.Base(filepath.Dir(file))) {
				text.WriteString(read(t, file) + "\n")
			}
		}
	}
	return text.String()
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
