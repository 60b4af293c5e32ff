// Package backup_test proves, with the built binary, that secrets which were set are found nowhere afterwards, and that a
// backup brings back a control plane whose data folder was destroyed.
package backup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// within is how long a state may take to come, on a machine under heavy load.
const within = 2 * time.Minute

// hook is a webhook's receiver. It answers 500 to paths with "broken" in them, with the request's headers as its body.
type hook struct {
	*httptest.Server
	mu  sync.Mutex // guards got
	got []string   // status, path and Authorization of each call
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// ServeHTTP implements http.Handler.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n struct{ Status string }
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &n)
	h.mu.Lock()
	h.got = append(h.got, n.Status+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-Hook-Key"))
	h.mu.Unlock()
	if strings.Contains(r.URL.Path, "broken") {
		w.WriteHeader(http.StatusInternalServerError)
		_ = r.Header.Write(w)
	}
}

// await waits for a call that has every part, after the first skip calls.
func (h *hook) await(t *testing.T, skip int, parts ...string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, call := range h.got[min(skip, len(h.got)):] {
			all := true
			for _, p := range parts {
				all = all && strings.Contains(call, p)
			}
			if all {
				return nil
			}
		}
		return fmt.Errorf("of %d calls none has %q", len(h.got)-skip, parts)
	})
}

func (h *hook) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.got)
}

// do sends one request.
func do(t *testing.T, server *harness.Server, method, path, token, media, body string) *harness.Answer {
	t.Helper()
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: method, URL: server.URL + path, Token: token, Type: media, Body: []byte(body)})
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// want sends one request and checks its status.
func want(t *testing.T, server *harness.Server, status int, method, path, token, media, body string) *harness.Answer {
	t.Helper()
	a := do(t, server, method, path, token, media, body)
	if a.Status != status {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return a
}

// pushUp reports that an instance is up, or down.
func pushUp(t *testing.T, server *harness.Server, token string, value float64) {
	t.Helper()
	body, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "instance", Value: "10.0.0.1:9100"}},
		Samples: []prompb.Sample{{Value: value, Timestamp: time.Now().UnixMilli()}},
	}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want(t, server, http.StatusNoContent, http.MethodPost, "/api/v1/write", token, "application/x-protobuf", string(snappy.Encode(nil, body)))
}

// signIn returns a session's token.
func signIn(t *testing.T, server *harness.Server, login, password string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	var grant struct{ Token string }
	a := want(t, server, http.StatusOK, http.MethodPost, "/api/v1/session", "", "application/json", string(body))
	if err := errors.Join(json.Unmarshal(a.Body, &grant)); err != nil || grant.Token == "" {
		t.Fatalf("sign in: got %s, %v", a.Body, err)
	}
	return grant.Token
}

// refusedStart starts a server that must not become ready, and returns its log.
func refusedStart(t *testing.T, dataDir string, args ...string) string {
	t.Helper()
	s := harness.Launch(t, dataDir, args...)
	if err := s.WaitReady(within); err == nil {
		t.Fatalf("seamark %s is ready", strings.Join(args, " "))
	}
	return s.Log()
}

func contains(text []byte, needle string) bool { return bytes.Contains(text, []byte(needle)) }
