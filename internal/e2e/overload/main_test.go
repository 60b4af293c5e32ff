// Package overload proves what holds while there is more load than there should be: a revoked token ends on every node at
// once, a tenant over its quota costs its neighbours nothing, and every refusal says whether to come back.
package overload

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// Variable names the environment variable that, set to full, holds the tests to the promises on a machine of their own.
// Without it they are shorter and their bounds wider: machines that are shared are slow for reasons of their own.
const Variable = "SEAMARK_OVERLOAD"

func full() bool { return os.Getenv(Variable) == "full" }

// verdict prints what a test found as one line of JSON.
func verdict(t *testing.T, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("verdict %s", text)
}

// newClient returns a client with connections of its own.
func newClient(t *testing.T, conns int) *http.Client {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: conns, DisableCompression: true}}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

const (
	pushPath  = "/loki/api/v1/push"
	mediaJSON = "application/json"
)

// lines is a push of n lines in Loki's JSON; id makes it differ from every other.
func lines(app, id string, n int) []byte {
	at := time.Now().UnixNano()
	body := fmt.Appendf(nil, `{"streams":[{"stream":{"app":%q},"values":[`, app)
	for i := range n {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `["%d","level=info id=%s line=%d msg=\"request served\" status=200 path=/api/v1/orders"]`, at+int64(i), id, i)
	}
	return append(body, "]}]}"...)
}

// pushLines sends a push and returns its answer.
func pushLines(client *http.Client, url, token string, body []byte) (*harness.Answer, error) {
	return harness.Do(context.Background(), client, &harness.Request{URL: url + pushPath, Token: token, Type: mediaJSON, Body: body})
}

// distribution describes durations in milliseconds.
type distribution struct {
	Count                    int
	P50, P90, P99, Max, Mean float64
}

func distributionOf(list []time.Duration) distribution {
	if len(list) == 0 {
		return distribution{}
	}
	sorted := slices.Sorted(slices.Values(list))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	at := func(q float64) float64 { return ms(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]) }
	sum := time.Duration(0)
	for _, d := range sorted {
		sum += d
	}
	return distribution{Count: len(sorted), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1), Mean: ms(sum / time.Duration(len(sorted)))}
}

// median returns the middle of a list.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
