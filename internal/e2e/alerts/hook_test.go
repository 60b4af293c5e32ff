package alerts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// notification is what Alertmanager's webhook sends.
type notification struct {
	Receiver          string            `json:"receiver"`
	Status            string            `json:"status"`
	Alerts            []notifiedAlert   `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
}

type notifiedAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

// hook is a webhook's receiver that keeps what it got.
type hook struct {
	*httptest.Server
	mu   sync.Mutex // guards the fields below
	got  []notification
	auth []string
	err  error
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// ServeHTTP implements http.Handler.
func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var n notification
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = errors.Join(h.err, err)
	h.got, h.auth = append(h.got, n), append(h.auth, r.Header.Get("Authorization"))
}

// await waits for a notification with the given status and returns it.
func (h *hook) await(t *testing.T, status string) notification {
	t.Helper()
	return h.awaitFor(t, status, within)
}

// awaitFor is await with a limit of its own.
func (h *hook) awaitFor(t *testing.T, status string, limit time.Duration) notification {
	t.Helper()
	var found notification
	testkit.Eventually(t, limit, func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, n := range h.got {
			if n.Status == status {
				found = n
				return h.err
			}
		}
		return fmt.Errorf("got %d notifications, none of them %s: %+v", len(h.got), status, h.got)
	})
	return found
}

// sink is a listener inside the platform that must never be connected to.
type sink struct {
	net.Listener
	mu    sync.Mutex // guards conns
	conns int
}

func newSink(t *testing.T, addr string) *sink {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{Listener: ln}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
			_ = conn.Close()
		}
	}()
	return s
}

func (s *sink) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}
