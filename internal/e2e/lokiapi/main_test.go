// Package lokiapi_test asks the built product what Grafana's Loki data source, Explore and Logs Drilldown ask, in the shape in
// which they send it, and tails its logs over real WebSockets.
package lokiapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	// within is how long a test waits for its rows. They are there after some 100 ms on an idle machine.
	within = 30 * time.Second
	// slug is the tenant's and its cluster's.
	slug = "acme"
	// lines is how many lines each stream of the corpus has, one a second.
	lines = 60
)

// world is a server with a tenant whose logs are of the last minutes.
type world struct {
	*harness.Server
	*harness.Account
	start time.Time // of the corpus: a full minute
}

func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), append([]string{"serve", "--writer.max-batch-age", "100ms"}, flags...)...)
	return &world{Server: s, Account: harness.NewAccount(s.Admin(t), slug), start: time.Now().Add(-3 * time.Minute).Truncate(time.Minute)}
}

// stream is one stream of a push in Loki's JSON.
type stream struct {
	Stream map[string]string `json:"stream"`
	Values [][]any           `json:"values"`
}

func (s *stream) add(at time.Time, line string, metadata ...string) {
	value := []any{nano(at), line}
	if len(metadata) > 0 {
		m := map[string]string{}
		for i := 0; i < len(metadata); i += 2 {
			m[metadata[i]] = metadata[i+1]
		}
		value = append(value, m)
	}
	s.Values = append(s.Values, value)
}

func nano(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func push(t *testing.T, w *world, account *harness.Account, streams ...*stream) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"streams": streams})
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/loki/api/v1/push", Token: account.Ingest, Type: "application/json", Body: body})
	if err != nil || a.Status != http.StatusNoContent {
		t.Fatalf("push: %v, %v", a, err)
	}
}

// fill pushes JSON lines of web, logfmt lines of api and plain lines of cron, and waits until they can be read.
func (w *world) fill(t *testing.T) {
	t.Helper()
	web := &stream{Stream: map[string]string{"app": "web", "namespace": "shop", "pod": "web-0"}}
	api := &stream{Stream: map[string]string{"app": "api", "namespace": "shop", "pod": "api-0", "revision": "12"}}
	cron := &stream{Stream: map[string]string{"app": "cron", "namespace": "ops"}}
	for i := range lines {
		at := w.start.Add(time.Duration(i) * time.Second)
		web.add(at, fmt.Sprintf(`{"level":"info","msg":"request done","http":{"status":%d,"took":"%dms"},"size":"%dKB","ok":%t,"ratio":0.%d,"pod":"inner"}`,
			200+i%2*300, i+1, i+1, i%2 == 0, i), "trace_id", fmt.Sprintf("%032x", i+1))
		api.add(at, fmt.Sprintf(`level=error msg="cannot reach db" attempt=%d user=u%d`, i%3, i%5))
		cron.add(at, fmt.Sprintf("job %d finished in %d ms", i, i*7))
	}
	push(t, w, w.Account, web, api, cron)
	testkit.Eventually(t, within, func() error {
		var stats struct{ Entries int }
		err := harness.Get(t.Context(), w.URL+"/loki/api/v1/index/stats?"+w.span("query", "{}"), w.Query, &stats)
		if err == nil && stats.Entries != 3*lines {
			err = errors.New("only " + strconv.Itoa(stats.Entries))
		}
		return err
	})
}

// span encodes parameters, given in pairs, and the corpus' range in nanoseconds.
func (w *world) span(pairs ...string) string {
	return encode(append(pairs, "start", nano(w.start), "end", nano(w.start.Add(time.Minute)))...)
}

func encode(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q.Encode()
}

func readAll(r *http.Response) ([]byte, error) { return io.ReadAll(r.Body) }
