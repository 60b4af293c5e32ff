package acceptance_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
)

// testTokenRotation gives a token that agents use another secret: the old one is good for the overlap, the new one goes to the
// file and, sealed, into the state, and only the private key reads it.
func testTokenRotation(t *testing.T, w *world) {
	ws := w.workspace(t, w.adminToken)
	block := func(rotation string) string {
		return "resource \"seamark_cluster\" \"it\" {\n  name = \"prod\"\n}\n\nresource \"seamark_cluster_token\" \"it\" {\n  cluster_id      = seamark_cluster.it.id\n" +
			"  seal_to         = local.public_key\n  secret_file     = \"${path.module}/agents.secret\"\n  rotation        = \"" + rotation + "\"\n  overlap_seconds = 3600\n}\n\n" +
			"variable \"private_key\" {\n  type      = string\n  ephemeral = true\n  sensitive = true\n}\n\n" +
			"output \"sealed\" {\n  value = seamark_cluster_token.it.sealed_secret\n}\n\n" +
			"# The secret itself: ephemeral, for write-only attributes such as data_wo of a Kubernetes secret.\nlocals {\n  secret = provider::seamark::unseal(seamark_cluster_token.it.sealed_secret, var.private_key)\n}\n\n"
	}
	ws.write(t, "keys.tf", "locals {\n  public_key = "+jsonText(w.publicKey)+"\n}\n")
	ws.env = append(ws.env, "TF_VAR_private_key="+w.privateKey)
	secret := func(rotation string) string {
		ws.write(t, "main.tf", block(rotation))
		ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
		text, err := os.ReadFile(secretPath(ws.folder, "agents"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	first := secret("1")
	id := text(ws.attributes(t)["seamark_cluster_token.it"], "id")
	second := secret("2")
	if now := text(ws.attributes(t)["seamark_cluster_token.it"], "id"); now != id || first == second {
		t.Errorf("rotated from %.24s of %s to %.24s of %s", first, id, second, now)
	}
	for _, token := range []string{first, second} {
		if err := push(t, w, token); err != nil {
			t.Errorf("a push with %.24s...: %v", token, err)
		}
	}
	sealed := strings.TrimSpace(ws.must(t, "output", "-raw", "sealed"))
	resources, _, _ := strings.Cut(block("2"), "variable")
	ws.write(t, "main.tf", resources) // nothing opens a secret that nobody has sealed
	tokenIsTakenOver(t, w, ws, id, second)
	ws.write(t, "unseal.tf", "output \"secret\" {\n  sensitive = true\n  value     = provider::seamark::unseal("+jsonText(sealed)+", file(\"private.secret\"))\n}\n")
	ws.wantNoSecret(t, first, second, w.privateKey)
	ws.write(t, "private.secret", w.privateKey)
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	if got := strings.TrimSpace(ws.must(t, "output", "-raw", "secret")); got != second {
		t.Errorf("unsealed %.24s..., want %.24s...", got, second)
	}
	if info, err := os.Stat(secretPath(ws.folder, "agents")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the secret: %v, %v; want the mode 600", info, err)
	}
}

// tokenIsTakenOver imports the token that agents use: its secret stays good and goes nowhere anew.
func tokenIsTakenOver(t *testing.T, w *world, ws *workspace, id, secret string) {
	t.Helper()
	ws.must(t, "state", "rm", "seamark_cluster_token.it")
	if err := os.Remove(secretPath(ws.folder, "agents")); err != nil {
		t.Fatal(err)
	}
	ws.write(t, "imports.tf", "import {\n  to = seamark_cluster_token.it\n  id = \""+id+"\"\n}\n")
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	ws.wantNoChange(t, "the import of a token")
	if _, err := os.Stat(secretPath(ws.folder, "agents")); !os.IsNotExist(err) {
		t.Errorf("the import has written a secret: %v", err)
	}
	if err := push(t, w, secret); err != nil {
		t.Errorf("a push after the import: %v", err)
	}
	if err := os.WriteFile(secretPath(ws.folder, "agents"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// push sends a line with a cluster's token.
func push(t *testing.T, w *world, token string) error {
	t.Helper()
	lines := client.LokiPush{Streams: []client.LokiPush_Streams{{Stream: map[string]string{"app": "web"}, Values: [][]any{{strconv.FormatInt(time.Now().UnixNano(), 10), "a line"}}}}}
	body, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	return as(t, w.URL, token).PushLoki(t.Context(), client.Body{ContentType: "application/json", Reader: strings.NewReader(string(body))})
}

// testRunToken makes a token for one run: it is good while the run lasts, is revoked after, and stands nowhere.
func testRunToken(t *testing.T, w *world) {
	ws := w.workspace(t, w.adminToken)
	ws.write(t, "main.tf", "resource \"seamark_cluster\" \"it\" {\n  name = \"prod\"\n}\n\nephemeral \"seamark_cluster_token\" \"run\" {\n  cluster_id = seamark_cluster.it.id\n  signals    = [\"logs\"]\n}\n\n"+
		"resource \"terraform_data\" \"push\" {\n  depends_on = [seamark_cluster.it]\n\n  provisioner \"local-exec\" {\n    command     = \"printf %s \\\"$TOKEN\\\" > run.secret\"\n"+
		"    environment = { TOKEN = ephemeral.seamark_cluster_token.run.secret }\n  }\n}\n")
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	secret, err := os.ReadFile(secretPath(ws.folder, "run"))
	if err != nil || !strings.HasPrefix(string(secret), "smk_ingest_") {
		t.Fatalf("the run saw %.12q, %v; want a token", secret, err)
	}
	if err := push(t, w, string(secret)); !client.IsStatus(err, 401) {
		t.Errorf("a push after the run: got %v, want 401", err)
	}
	ws.wantNoChange(t, "the run")
	list, err := w.admin.ListTokens(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range list.Items {
		if token.Kind == "ingest" && token.RevokedAt == nil {
			t.Errorf("the token %s is live after all runs", token.ID)
		}
	}
	ws.wantNoSecret(t, string(secret))
}
