// Package events_test asks the built product about Kubernetes events and audit logs that agents have sent, some of them
// again.
package events_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// within is how long a test waits for its rows.
const within = 30 * time.Second

// world is a server with one tenant, called as its cluster.
type world struct {
	*harness.Server
	*harness.Account
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), "serve", "--writer.max-batch-age", "100ms")
	return &world{Server: s, Account: harness.NewAccount(s.Admin(t), "acme"), now: time.Now().UTC().Truncate(time.Second)}
}

func (w *world) push(t *testing.T, path string, body []byte) {
	t.Helper()
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + path, Token: w.Ingest, Type: "application/json", Body: body})
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("push to %s: %v, %v", path, a, err)
	}
}

// get asks a route for pairs of names and values and decodes its answer.
func (w *world) get(t *testing.T, out any, path string, pairs ...string) error {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return harness.Get(t.Context(), w.URL+path+"?"+values.Encode(), w.Query, out)
}

// must is get without a way to fail.
func (w *world) must(t *testing.T, out any, path string, pairs ...string) {
	t.Helper()
	if err := w.get(t, out, path, pairs...); err != nil {
		t.Fatal(err)
	}
}

// ago returns a moment before now as parameters tell it.
func (w *world) ago(d time.Duration) string { return w.now.Add(-d).Format(time.RFC3339) }
