package secrets_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// hostile is receivers and targets that refuse everything and send back what they were told, in the hope that somebody logs it.
type hostile struct {
	web  *httptest.Server
	nats net.Listener
	mu   sync.Mutex // guards seen
	seen []string   // what was told: paths, headers, first lines
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{}
	h.web = httptest.NewServer(h)
	t.Cleanup(h.web.Close)
	var err error
	if h.nats, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.nats.Close() })
	go h.serveNATS()
	return h
}

// ServeHTTP implements http.Handler.
func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	_ = r.Header.Write(&b)
	_, _ = io.Copy(&b, io.LimitReader(r.Body, 64<<10))
	h.note(b.String())
	w.WriteHeader(http.StatusBadRequest)
	if !strings.HasPrefix(r.URL.Path, repeating) {
		_, _ = io.WriteString(w, b.String())
		return
	}
	text := b.String()
	_ = json.NewEncoder(w).Encode(map[string]any{
		"ok": false, "error": text, "errcode": 1, "errmsg": text, "code": 1, "msg": text, "message": text, "description": text, "errors": []string{text}, "status": 0,
	})
}

// repeating is where every field that an API has for errors repeats the request.
const repeating = "/repeating"

// serveNATS refuses clients with what they have sent to sign in.
func (h *hostile) serveNATS() {
	for {
		conn, err := h.nats.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, `INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"auth_required":true,"nonce":"abc","headers":true}`+"\r\n")
			line, _ := bufio.NewReader(conn).ReadString('\n')
			h.note(line)
			_, _ = fmt.Fprintf(conn, "-ERR '%s'\r\n", strings.TrimSpace(line))
		}()
	}
}

func (h *hostile) note(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, text)
}

// told reports whether somebody sent every one of the texts.
func (h *hostile) told(texts ...string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := strings.Join(h.seen, "\n")
	for _, text := range texts {
		if !strings.Contains(all, text) {
			return fmt.Errorf("no receiver or target was told %q", text)
		}
	}
	return nil
}
