package backup_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// keyList is what `seamark keys list --json` prints.
type keyList []struct {
	ID      string
	Current bool
	Values  int
}

// TestRotationOverProcesses rotates keys while the processes of two roles are asked for what only they can answer with the
// keys: signing people in, and reading and writing receivers. No request may fail.
func TestRotationOverProcesses(t *testing.T) {
	t.Parallel()
	nats, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	flags := append([]string{"--nats.url", nats.URL}, engine.Flags()...)
	alerting := harness.Serve(t, t.TempDir(), append([]string{"alerting"}, flags...)...)
	front := harness.Serve(t, t.TempDir(), append([]string{"api"}, flags...)...)
	root := filepath.Join(t.TempDir(), "root.key")
	if err := os.WriteFile(root, []byte(harness.RootKey), 0o600); err != nil {
		t.Fatal(err)
	}
	admin := func(out any, args ...string) {
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", nats.URL)...)
	}
	harness.NewAccount(admin, "acme")
	var token struct{ Token string }
	admin(&token, "token", "create", "acme", "--kind", "admin")
	harness.MustRun(t, personPassword+"\n", "admin", "--nats.url", nats.URL, "user", "create", "ann@example.org", "--tenant", "acme", "--password-stdin")
	config := "alertmanager_config: |\n  route: {receiver: a}\n  receivers: [{name: a, webhook_configs: [{url: 'https://example.org/" + pathSecret + "'}]}]\n"

	stop := make(chan struct{})
	var clients sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); clients.Wait() })
	defer end()
	asked := make(chan struct{}, 1)
	client := func(ask func()) {
		clients.Go(func() {
			for {
				ask()
				select {
				case <-stop:
					return
				case asked <- struct{}{}:
				default:
				}
			}
		})
	}
	signIn(t, front, "ann@example.org", personPassword)
	want(t, alerting, http.StatusCreated, http.MethodPost, "/api/v1/alerts", token.Token, "application/yaml", config)
	client(func() {
		body, _ := json.Marshal(map[string]string{"login": "ann@example.org", "password": personPassword})
		ask(t, http.StatusOK, &harness.Request{URL: front.URL + "/api/v1/session", Type: "application/json", Body: body})
	})
	client(func() {
		ask(t, http.StatusCreated, &harness.Request{URL: alerting.URL + "/api/v1/alerts", Token: token.Token, Type: "application/yaml", Body: []byte(config)})
		ask(t, http.StatusOK, &harness.Request{Method: http.MethodGet, URL: alerting.URL + "/api/v1/alerts", Token: token.Token})
	})
	rotate := func() { harness.MustRun(t, "", "keys", "rotate", "--nats.url", nats.URL, "--keys.root-file", root) }
	for range 3 {
		<-asked // something was asked since the last rotation
		rotate()
	}
	end()
	rotate() // a save that met the third one may have used the second key
	var list keyList
	if err := json.Unmarshal([]byte(harness.MustRun(t, "", "keys", "list", "--json", "--nats.url", nats.URL, "--keys.root-file", root)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 5 {
		t.Fatalf("got %d data keys, want the first and four more", len(list))
	}
	for _, k := range list {
		if k.Current != (k.Values == 2) || !k.Current && k.Values != 0 {
			t.Errorf("key %s (current: %t) seals %d values; want both secrets under the current key", k.ID, k.Current, k.Values)
		}
	}
	if _, err := harness.Run(t, "", "keys", "list", "--nats.url", nats.URL); err == nil {
		t.Error("keys were listed without the root key")
	}
}

// ask sends a request from a goroutine that is not the test's.
func ask(t *testing.T, status int, r *harness.Request) {
	a, err := harness.Do(t.Context(), http.DefaultClient, r)
	if err != nil || a.Status != status {
		t.Errorf("%s %s: got %+v, %v, want %d", r.Method, r.URL, a, err, status)
	}
}
