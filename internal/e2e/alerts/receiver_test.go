package alerts_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestWebhookCredentials checks that the receiver gets its secret and that nobody can read it back.
func TestWebhookCredentials(t *testing.T) {
	t.Parallel()
	x, h := newTenant(t, "secrets"), newHook(t)
	saveRule(t, x)
	defer removeRules(t, x)
	if answer := saveReceiver(t, x, h.URL+"/path-secret"); answer.Status != http.StatusCreated {
		t.Fatalf("save the receiver: got %d %s, want 201", answer.Status, answer.Body)
	}
	pushUp(t, x, 0, 0)
	h.await(t, "firing")
	h.mu.Lock()
	auth := h.auth[0]
	h.mu.Unlock()
	if auth != "Bearer hook-secret" {
		t.Errorf("the receiver got the credentials %q", auth)
	}
	for _, path := range []string{"/api/v1/alerts", "/alertmanager/api/v2/status", "/alertmanager/api/v2/receivers"} {
		answer := x.Do(t, x.Admin, http.MethodGet, path, nil, "")
		if answer.Status != http.StatusOK || strings.Contains(answer.Body, "hook-secret") || strings.Contains(answer.Body, "path-secret") {
			t.Errorf("GET %s: got %d %s, want 200 without the secrets", path, answer.Status, answer.Body)
		}
	}
}

// TestPrivateReceivers names receivers inside the platform. Written out they are refused when they are saved; behind a
// name, a template or a redirect they are never connected to.
func TestPrivateReceivers(t *testing.T) {
	t.Parallel()
	x := newTenant(t, "ssrf")
	s := newSink(t, "127.0.0.2:0") // beside the allowed 127.0.0.1
	_, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"http://127.0.0.2:" + port, "http://[::ffff:127.0.0.2]:" + port, "http://169.254.169.254/latest/meta-data", "http://10.0.0.1", "http://[::1]:" + port,
		"http://0.0.0.0:" + port, "http://[fd00::1]/", "http://8.8.8.8:22/", "file:///etc/passwd", "gopher://127.0.0.1/",
	} {
		if answer := saveReceiver(t, x, target); answer.Status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s, want 400", target, answer.Status, answer.Body)
		}
	}
	saveRule(t, x)
	defer removeRules(t, x)
	// A receiver that may be called, and sends on to the sink.
	called := newHook(t)
	called.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called.mu.Lock()
		called.got = append(called.got, notification{Status: "redirected"})
		called.mu.Unlock()
		http.Redirect(w, r, "http://"+s.Addr().String(), http.StatusTemporaryRedirect)
	})
	if answer := saveReceiver(t, x, called.URL); answer.Status != http.StatusCreated {
		t.Fatalf("save the receiver: got %d %s, want 201", answer.Status, answer.Body)
	}
	pushUp(t, x, 0, 0)
	called.await(t, "redirected")
	// A URL made from a template passes the check at save time; the dial must refuse it.
	before := blockedDeliveries(t, x)
	if answer := saveReceiver(t, x, `'http://127.0.0.2:{{ "`+port+`" }}/'`); answer.Status != http.StatusCreated {
		t.Fatalf("save the template: got %d %s, want 201", answer.Status, answer.Body)
	}
	testkit.Eventually(t, within, func() error {
		if blockedDeliveries(t, x) == before {
			return errors.New("no delivery was tried")
		}
		return nil
	})
	if got := s.connections(); got != 0 {
		t.Errorf("the sink was connected to %d times", got)
	}
}

// blockedDeliveries returns the platform's count of deliveries that the guard refused, as text.
func blockedDeliveries(t *testing.T, x *inprocess.Tenant) string {
	t.Helper()
	answer, err := http.Get("http://" + x.App.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if count, ok := strings.CutPrefix(line, `seamark_alerting_deliveries_total{outcome="blocked"} `); ok {
			return count
		}
	}
	return "" // none yet
}
