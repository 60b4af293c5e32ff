package abuse

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

const slowClients = 200

// TestStalledBodyEnds wants a sender that stops in the middle to be told so, so that what it holds is free again.
func TestStalledBodyEnds(t *testing.T) {
	t.Parallel()
	g := newTarget(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", g.account.Ingest); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn) // to the end: the connection is closed, too
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 503 ") || !strings.Contains(string(answer), "1 bytes have arrived") {
		t.Errorf("a sender that stalls got %q, %v", answer, err)
	}
	g.alive()
}

// TestSlowClients opens many sockets that never finish their request, each kind the worst of its sort, and wants a good
// client to be served as before. It measures time, so it runs alone.
func TestSlowClients(t *testing.T) {
	g := newTarget(t)
	host := strings.TrimPrefix(g.URL, "http://")
	head := func(length int) string {
		return fmt.Sprintf("POST /loki/api/v1/push HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			host, g.account.Ingest, length)
	}
	for _, c := range []struct{ name, sent string }{
		{"no request", ""},
		{"half a header", "POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nX-Slow: "},
		{"no body", head(1000)},
		{"no body of a megabyte", head(1_000_000)},
		{"the beginning of a megabyte", head(1_000_000) + `{"streams":[` + strings.Repeat(" ", 70_000)},
		{"the beginning of a large body", head(8_000_000) + `{"streams":[` + strings.Repeat(" ", 70_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := *g
			g.t = t
			for range slowClients {
				conn, err := net.Dial("tcp", host)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
				if _, err := conn.Write([]byte(c.sent)); err != nil {
					t.Fatal(err)
				}
			}
			g.serveWell()
		})
	}
}

// serveWell wants good pushes and a look at the readiness to be answered quickly. One push of ten may wait for a machine and a disk that
// do other things, too; hostile clients that keep good ones waiting keep more than that.
func (g *target) serveWell() {
	g.t.Helper()
	const pushes, quick, most = 50, 45, time.Second
	var took []time.Duration
	for range pushes {
		begin := time.Now()
		answer, err := g.push(lokiJSON, "", goodLogs(begin, 100))
		if err != nil || answer.Status != http.StatusNoContent {
			g.t.Fatalf("a good push beside hostile clients: %+v %v", answer, err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	g.t.Logf("beside them a push took %s (median), %s (slowest)", took[pushes/2].Round(time.Millisecond), took[pushes-1].Round(time.Millisecond))
	if took[quick] > most {
		g.t.Errorf("good pushes took %s; nine of ten within %s are fine", took[quick:], most)
	}
	answer, err := harness.Do(context.Background(), g.client, &harness.Request{Method: http.MethodGet, URL: g.AdminURL + "/readyz"})
	if err != nil || answer.Status != http.StatusOK {
		g.t.Errorf("readiness: %+v %v", answer, err)
	}
}
