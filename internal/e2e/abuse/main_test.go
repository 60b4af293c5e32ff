// Package abuse proves that no request, however hostile, takes the server's memory, its process or its other clients.
package abuse

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// target is a server with default limits and one tenant.
type target struct {
	*harness.Server
	t       *testing.T
	account *harness.Account
	client  *http.Client
	warm    int64 // resident bytes after normal traffic
	most    int64 // bytes that hostile traffic may add to that, maxGrowth when 0
}

func newTarget(t *testing.T) *target {
	t.Helper()
	return targetOf(t, harness.Serve(t, t.TempDir(), "serve"))
}

func targetOf(t *testing.T, s *harness.Server) *target {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	t.Cleanup(client.CloseIdleConnections)
	return &target{Server: s, t: t, account: harness.NewAccount(s.Admin(t), "abused"), client: client}
}

// push sends a body to an ingest route of the target.
func (g *target) push(route route, encoding string, body []byte) (*harness.Answer, error) {
	return harness.Do(context.Background(), g.client, &harness.Request{
		Method: route.method, URL: g.URL + route.path, Token: g.account.Ingest, Type: route.media, Encoding: encoding, Body: body,
	})
}

// alive fails the test when the server does not take a good request any more.
func (g *target) alive() {
	g.t.Helper()
	select {
	case <-g.Done():
		g.t.Fatal("the server ended")
	default:
	}
	answer, err := g.push(lokiJSON, "", goodLogs(time.Now(), 10))
	if err != nil || answer.Status != http.StatusNoContent {
		g.t.Fatalf("a good push after the abuse: %+v %v", answer, err)
	}
}

// goodLogs is a push of n lines in Loki's JSON.
func goodLogs(at time.Time, n int) []byte {
	body := []byte(`{"streams":[{"stream":{"app":"good","namespace":"shop"},"values":[`)
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `["%d","level=info msg=\"request served\" status=200 path=/api/v1/orders duration=%dms"]`, at.UnixNano()+int64(i), i)
	}
	return append(body, "]}]}"...)
}
