package app

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/child"
)

// TestReaderWarnings asks readers that are ready, ready with a warning, not ready, and starting.
func TestReaderWarnings(t *testing.T) {
	for _, c := range []struct {
		status              int
		text                string
		up                  bool
		wantWarning, wantIn string // the latter of the error
	}{
		{http.StatusOK, readyText, true, "", ""},
		{http.StatusOK, readyText + "stale: for 1s\n", true, "stale: for 1s\n", ""},
		{http.StatusServiceUnavailable, "ClickHouse does not answer\n", true, "", "answers queries: ClickHouse does not answer"},
		{http.StatusOK, readyText, false, "", "starting again"},
	} {
		socket := filepath.Join(t.TempDir(), "s")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.text)
		}))
		server.Listener = listener
		server.Start()
		r := &readerProcess{admin: child.NewProxy(socket, slog.New(slog.DiscardHandler))}
		r.up.Store(c.up)
		warning, err := r.checkReady(t.Context())
		if warning != c.wantWarning || (err == nil) != (c.wantIn == "") || err != nil && !strings.Contains(err.Error(), c.wantIn) {
			t.Errorf("%d %q: got %q, %v; want %q, %q", c.status, c.text, warning, err, c.wantWarning, c.wantIn)
		}
		r.admin.Forget()
		server.Close()
	}
}
