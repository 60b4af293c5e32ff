package forward_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	path   = "/api/v1/forwarders"
	secret = "Bearer forwarded-battery-staple"
)

// TestCrashes pushes while the server is killed again and again: every line that was acknowledged reaches the target, and what
// comes twice has the same batch id.
func TestCrashes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := newTarget(t)
	w.do(t, http.MethodPut, path+"/hook", hook.definition(`{app="api"} |= "keep" | logfmt | n!="7"`, ""), http.StatusOK, nil)
	var acked []string
	for round := range 4 {
		for i := range 25 {
			text := fmt.Sprintf("keep round=%d n=%d", round, i)
			if w.push(t, line{"api", text}, line{"api", fmt.Sprintf("drop round=%d n=%d", round, i)}, line{"db", text}) && i != 7 {
				acked = append(acked, text)
			}
		}
		if round < 3 {
			w.restart(t)
		}
	}
	if len(acked) != 4*24 {
		t.Fatalf("%d lines were acknowledged, want %d", len(acked), 4*24)
	}
	hook.has(t, acked)
	w.until(t, "hook", func(r report) bool { return r.LagMessages == 0 && r.State == "running" && r.Lost == 0 && r.Failed == 0 })
	for text, n := range hook.lines() {
		if n != 1 {
			t.Errorf("%q stands in %d batches", text, n)
		}
	}
	if got := len(hook.lines()); got != len(acked) {
		t.Errorf("the target has %d lines, want %d: the filter lets others through", got, len(acked))
	}
	for _, rows := range hook.batches {
		for _, r := range rows {
			if r.Labels["app"] != "api" || r.Labels["cluster"] != "acme" || r.Parsed["n"] == "" || time.Since(r.Time) > time.Hour {
				t.Errorf("row %+v lacks labels", r)
			}
		}
	}
}

// TestKilledWhileTheTargetIsAway has lines wait for a target over a crash, while another forwarder and queries go on.
func TestKilledWhileTheTargetIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	away, alive := newTarget(t), newTarget(t)
	away.setDown(true)
	w.do(t, http.MethodPut, path+"/away", away.definition(`{app="api"}`, ""), http.StatusOK, nil)
	w.do(t, http.MethodPut, path+"/alive", alive.definition(`{app="api"}`, ""), http.StatusOK, nil)
	want := texts("line ", 0, 200)
	send := func(list []string) {
		t.Helper()
		for _, text := range list {
			if !w.push(t, line{"api", text}) {
				t.Fatalf("%q was not acknowledged", text)
			}
		}
	}
	send(want[:100])
	alive.has(t, want[:100])
	w.until(t, "away", func(r report) bool { return r.State == "retrying" && r.LagMessages == 100 && r.LastError != nil })
	w.restart(t)
	send(want[100:])
	alive.has(t, want)
	if n := len(away.lines()); n != 0 {
		t.Fatalf("the target that is away has %d lines", n)
	}
	away.setDown(false)
	away.has(t, want)
	w.until(t, "away", func(r report) bool {
		return r.State == "running" && r.Delivered == 200 && r.LagMessages == 0 && r.Lost == 0
	})
	found, err := harness.LogQL(t.Context(), w.URL, w.Query, `sum(count_over_time({app="api"}[1h]))`)
	if err != nil || len(found) != 1 || int(found[0].Point.Value) != 200 {
		t.Errorf("the store has %v, %v, want 200 lines", found, err)
	}
}

// TestSecretIsNowhere looks for a header's value in the API's answers, the log and the whole data folder.
func TestSecretIsNowhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := newTarget(t)
	w.do(t, http.MethodPut, path+"/hook", hook.definition(`{app="api"}`, fmt.Sprintf(`,"headers":{"Authorization":{"value":%q}}`, secret)), http.StatusOK, nil)
	var shown struct {
		Target struct {
			Webhook struct {
				Headers map[string]struct {
					Value       *string
					Set         bool
					Fingerprint string
				}
			}
		}
	}
	w.do(t, http.MethodGet, path+"/hook", "", http.StatusOK, &shown)
	if got := shown.Target.Webhook.Headers["Authorization"]; got.Value != nil || !got.Set || got.Fingerprint == "" {
		t.Errorf("the header is shown as %+v", got)
	}
	w.push(t, line{"api", "one"})
	hook.has(t, []string{"one"})
	var trial struct{ Batch string }
	w.do(t, http.MethodPost, path+"/hook/test", "", http.StatusOK, &trial)
	if hook.auth != secret || trial.Batch == "" {
		t.Errorf("the target got %q as its secret, and the test was %+v", hook.auth, trial)
	}
	for _, p := range []string{path, path + "/hook", path + "/hook/status"} {
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: w.URL + p, Token: w.admin})
		if err != nil || bytes.Contains(a.Body, []byte("battery")) {
			t.Errorf("GET %s: %v, %s", p, err, a.Body)
		}
	}
	if bytes.Contains([]byte(w.Log()), []byte("battery")) {
		t.Error("the secret is in the log")
	}
	if err := w.Terminate(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	err := filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		if bytes.Contains(text, []byte("battery-staple")) {
			t.Errorf("%s holds the secret", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestEvents forwards Kubernetes events as the log lines that they are, too.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := newTarget(t)
	body := fmt.Sprintf(`{"signal":"events","filter":%q,"target":{"webhook":{"url":%q}}}`, `{signal="events", type="Warning"} | json | line_format "{{.reason}}"`, hook.URL)
	w.do(t, http.MethodPut, path+"/events", body, http.StatusOK, nil)
	event := func(kind, reason string) string {
		return fmt.Sprintf(`{"kind":"Event","involvedObject":{"kind":"Pod","namespace":"shop","name":"api"},"type":%q,"reason":%q,"message":"m","lastTimestamp":%q}`,
			kind, reason, time.Now().UTC().Format(time.RFC3339))
	}
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{
		URL: w.URL + "/api/v1/push/events", Token: w.Ingest, Type: "application/json",
		Body: []byte(`{"kind":"List","items":[` + event("Normal", "Started") + "," + event("Warning", "BackOff") + `]}`),
	})
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("push: %v, %v", a, err)
	}
	hook.has(t, []string{"BackOff"})
	if got := hook.lines(); len(got) != 1 {
		t.Errorf("the target has %v, want the warning alone", got)
	}
}

// TestRoles runs the forwarders in a process of their own, and hands them over to another when that dies.
func TestRoles(t *testing.T) {
	t.Parallel()
	bus, store := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	flags := append([]string{"--nats.url", bus.URL, "--forwarders.allowed-targets", "127.0.0.0/8"}, store.Flags()...)
	start := func(role string) *harness.Server {
		return harness.Serve(t, t.TempDir(), append([]string{role}, flags...)...)
	}
	ingest := start("ingest")
	start("writer")
	front := start("api")
	w := &world{Server: ingest}
	admin := func(out any, args ...string) {
		t.Helper()
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", bus.URL)...)
	}
	w.Account = harness.NewAccount(admin, "acme")
	var token struct {
		Token string `json:"token"`
	}
	admin(&token, "token", "create", "acme", "--kind", "admin")
	w.admin = token.Token
	control := &world{Server: front, admin: w.admin}
	first := start("forwarder")
	hook := newTarget(t)
	testkit.Eventually(t, within, func() error { // the directory reaches all processes
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: front.URL + path, Token: w.admin})
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return err
	})
	control.do(t, http.MethodPut, path+"/hook", hook.definition(`{app="api"}`, ""), http.StatusOK, nil)
	testkit.Eventually(t, within, func() error {
		if !w.push(t, line{"api", "first"}) {
			return fmt.Errorf("the push was not acknowledged")
		}
		return nil
	})
	hook.has(t, []string{"first"})
	first.Kill()
	start("forwarder")
	if !w.push(t, line{"api", "second"}) {
		t.Fatal("the push was not acknowledged")
	}
	hook.has(t, []string{"first", "second"})
}
