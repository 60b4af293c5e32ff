package api_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// exportFake records what it is asked; its export writes parts, with a flush behind each, and ends with err.
type exportFake struct {
	asked  api.LogExportQuery
	parts  []string
	before func() // each part
	err    error  // of the export
	refuse error  // of its opening
	ended  chan error
	closed chan struct{}
}

func (f *exportFake) OpenLogExport(_ context.Context, _ seamark.Scope, q api.LogExportQuery) (api.LogExport, error) {
	f.asked = q
	return f, f.refuse
}

func (f *exportFake) Estimate() uint64 { return 7 }

func (f *exportFake) Close() { close(f.closed) }

func (f *exportFake) Run(_ context.Context, w io.Writer, flush func() error) (int64, error) {
	for _, part := range f.parts {
		if f.before != nil {
			f.before()
		}
		_, err := io.WriteString(w, part)
		if err == nil {
			err = flush()
		}
		if err != nil {
			f.ended <- err
			return 1, err
		}
	}
	return int64(len(f.parts)), f.err
}

// awaitClose fails the test unless the export is closed.
func (f *exportFake) awaitClose(t *testing.T) {
	t.Helper()
	select {
	case <-f.closed:
	case <-time.After(time.Minute):
		t.Error("the export was not closed")
	}
}

// exportServer serves the route over a socket, because trailers and cut connections need one.
func exportServer(t *testing.T, f *exportFake, stall time.Duration) *httptest.Server {
	t.Helper()
	return exportServerOf(t, f, stall, lokiVerifier{})
}

func exportServerOf(t *testing.T, f *exportFake, stall time.Duration, v httpx.Verifier) *httptest.Server {
	t.Helper()
	f.ended, f.closed = make(chan error, 1), make(chan struct{})
	edge, err := httpx.New(httpx.Options{
		Routes: api.LogExportRoutes(api.LogExportOptions{
			Exporter: f, StallTimeout: stall, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return lokiNow },
		}),
		Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(edge)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func getExport(t *testing.T, server *httptest.Server, encoding string, pairs ...string) (resp *http.Response, body string, err error) {
	t.Helper()
	values := url.Values{"query": {`{app="web"}`}}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/logs/export?"+values.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer smk_x")
	r.Header.Set("Accept-Encoding", encoding)
	if resp, err = http.DefaultClient.Do(r); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp, string(text), err
}

func TestExportAsks(t *testing.T) {
	f := &exportFake{parts: []string{"a\n", "b\n"}}
	resp, body, err := getExport(t, exportServer(t, f, time.Minute), "identity", "start", "1700000000", "end", "1700000060", "direction", "backward",
		"limit", "9", "format", "csv", "labels", "app, pod")
	if err != nil || body != "a\nb\n" {
		t.Errorf("got %q, %v", body, err)
	}
	want := api.LogExportQuery{
		Query: `{app="web"}`, Start: time.Unix(1700000000, 0), End: time.Unix(1700000060, 0), Newest: true, Limit: 9, Format: "csv", Labels: []string{"app", "pod"},
	}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv; charset=utf-8", "X-Seamark-Rows-Estimate": "7", "Vary": "Accept-Encoding",
		"Content-Disposition": `attachment; filename="logs-20231114T221320Z-20231114T221420Z.csv"`,
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got := resp.Trailer.Get("X-Seamark-Rows"); got != "2" {
		t.Errorf("rows: got %q, want 2", got)
	}
	f.awaitClose(t)
}

func TestExportCompresses(t *testing.T) {
	f := &exportFake{parts: []string{"a\n", "b\n"}}
	resp, body, err := getExport(t, exportServer(t, f, time.Minute), "br, gzip")
	if err != nil || resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("got %v, %v", resp.Header, err)
	}
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r); err != nil || string(text) != "a\nb\n" {
		t.Errorf("got %q, %v", text, err)
	}
	resp, body, err = getExport(t, exportServer(t, &exportFake{parts: []string{"PAR1"}}, time.Minute), "gzip", "format", "parquet")
	if err != nil || resp.Header.Get("Content-Encoding") != "" || body != "PAR1" {
		t.Errorf("got %v %q, %v", resp.Header, body, err)
	}
}

// TestExportBreaksOff looks at what the reader sees of an error: a status before the first byte, then a last line, or a cut
// connection.
func TestExportBreaksOff(t *testing.T) {
	limit := seamark.Errorf(seamark.Unprocessable, "seamark-export-rows", "Too many.")
	for _, c := range []struct {
		name, format string
		fake         exportFake
		status       int
		body, id     string
		cut          bool
	}{
		{name: "refused", format: "ndjson", fake: exportFake{refuse: limit}, status: 422, body: "Too many."},
		{name: "early", format: "csv", fake: exportFake{err: limit}, status: 422, body: "Too many."},
		{name: "ndjson", format: "ndjson", fake: exportFake{parts: []string{"{}\n"}, err: limit}, status: 200, body: "{}\n" + `{"error":{"id":"seamark-export-rows","message":"Too many."`, id: "seamark-export-rows"},
		{name: "secret", format: "ndjson", fake: exportFake{parts: []string{"{}\n"}, err: errors.New("secret")}, status: 200, body: `{"error":{"id":"seamark-internal","message":"Internal error. Quote`, id: "seamark-internal"},
		{name: "csv", format: "csv", fake: exportFake{parts: []string{"a\n"}, err: limit}, status: 200, body: "a\n", cut: true},
		{name: "parquet", format: "parquet", fake: exportFake{parts: []string{"PAR1"}, err: limit}, status: 200, body: "PAR1", cut: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body, err := getExport(t, exportServer(t, &c.fake, time.Minute), "identity", "format", c.format)
			if resp.StatusCode != c.status || !strings.Contains(body, c.body) || strings.Contains(body, "secret") {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, body, c.status, c.body)
			}
			if cut := errors.Is(err, io.ErrUnexpectedEOF); cut != c.cut {
				t.Errorf("cut: got %v, want %t", err, c.cut)
			}
			if got := resp.Trailer.Get("X-Seamark-Error"); got != c.id {
				t.Errorf("trailer: got %q, want %q", got, c.id)
			}
		})
	}
}

// TestExportEndsWithItsCredential revokes the credential while the export runs.
func TestExportEndsWithItsCredential(t *testing.T) {
	v := &revocable{}
	f := &exportFake{parts: []string{"a\n", "b\n", "c\n"}, before: func() { v.revoked.Store(true) }}
	_, body, err := getExport(t, exportServerOf(t, f, time.Minute, v), "identity")
	if err != nil || !strings.HasPrefix(body, "a\n{\"error\":{\"id\":\"seamark-token-revoked\"") {
		t.Errorf("got %s, %v", body, err)
	}
}

// TestExportToAReaderThatStops holds a connection without reading: the export ends.
func TestExportToAReaderThatStops(t *testing.T) {
	part := strings.Repeat("x", 1<<20)
	f := &exportFake{}
	for range 64 { // more than sockets buffer
		f.parts = append(f.parts, part)
	}
	server := exportServer(t, f, 50*time.Millisecond)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET /api/v1/logs/export?query=%7B%7D HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer smk_x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReaderSize(conn, 16).ReadByte(); err != nil {
		t.Fatal(err)
	}
	var stalled *seamark.Error
	select {
	case err := <-f.ended:
		if !errors.As(err, &stalled) || stalled.ID != "seamark-export-stalled" {
			t.Errorf("got %v, want seamark-export-stalled", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the export goes on")
	}
	f.awaitClose(t)
}

func TestExportRefusals(t *testing.T) {
	for param, value := range map[string]string{"query": "", "direction": "up", "limit": "-1", "format": "xml", "start": "x"} {
		resp, body, _ := getExport(t, exportServer(t, &exportFake{}, time.Minute), "identity", param, value)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, param) {
			t.Errorf("%s=%s: got %d %s, want 400", param, value, resp.StatusCode, body)
		}
	}
}
