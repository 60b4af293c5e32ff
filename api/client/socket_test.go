package client

import (
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// tailer answers a tail with the query that was asked for and a long line, and ends it.
func tailer(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer smk_test" {
			t.Errorf("Authorization: got %q", got)
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		for _, message := range []string{r.URL.Query().Get("query"), strings.Repeat("x", 100<<10)} {
			if err := conn.Write(r.Context(), websocket.MessageText, []byte(message)); err != nil {
				t.Error(err)
			}
		}
		_ = conn.Close(websocket.StatusNormalClosure, "")
	})
}

// TestSocket opens one at a server that would rather speak HTTP/2.
func TestSocket(t *testing.T) {
	server := httptest.NewUnstartedServer(tailer(t))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c, err := NewWithOptions(Options{Address: server.URL, Token: "smk_test", CACertificates: ca})
	if err != nil {
		t.Fatal(err)
	}
	var meta Meta
	socket, err := c.LokiTail(t.Context(), &LokiTailParams{Query: new(`{app="a b"}`)}, Into(&meta))
	if err != nil {
		t.Fatal(err)
	}
	if meta.Status != http.StatusSwitchingProtocols {
		t.Errorf("the status is %d", meta.Status)
	}
	if got, err := socket.Next(t.Context()); err != nil || string(got) != `{app="a b"}` {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := socket.Next(t.Context()); err != nil || len(got) != 100<<10 {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := socket.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: got %v", err)
	}
	_ = socket.Close()
}

func TestSocketIsRefused(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusTooManyRequests, "text/plain", "the limit of 10 open tails", "Retry-After", "7"))
	_, err := c.LokiTail(t.Context(), nil)
	got, ok := errors.AsType[*Error](err)
	if !ok || got.Status != http.StatusTooManyRequests || got.Detail != "the limit of 10 open tails" || got.RetryAfter.Seconds() != 7 || got.Path != "/loki/api/v1/tail" {
		t.Errorf("got %v", err)
	}
	if len(s.seen) != 1 {
		t.Errorf("%d requests", len(s.seen))
	}
	c, _, _ = start(t, answer(http.StatusOK, "text/plain", "no socket"))
	if _, err := c.LokiTail(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "GET /loki/api/v1/tail") {
		t.Errorf("an answer that is no socket: got %v", err)
	}
}
