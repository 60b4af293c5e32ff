// Package logexport_test downloads logs from the built binary and compares the files with what was pushed, and asks for the
// lines around a line as readers do.
package logexport_test

import (
	"encoding/json"
	"fmt"
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
	slug   = "acme"
	within = time.Minute
	// slice is how many lines one request pushes.
	slice = 10_000
)

// world is a server with a tenant.
type world struct {
	*harness.Server
	*harness.Account
	start time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), "serve", "--writer.max-batch-age", "100ms")
	return &world{Server: s, Account: harness.NewAccount(s.Admin(t), slug), start: time.Now().Add(-30 * time.Minute).Truncate(time.Second)}
}

// pushed is a line as it was pushed.
type pushed struct {
	nanos    int64
	line     string
	labels   map[string]string
	metadata map[string]string
}

// push sends lines and waits until all of them can be read.
func (w *world) push(t *testing.T, lines []pushed) {
	t.Helper()
	for from := 0; from < len(lines); from += slice {
		type stream struct {
			Stream map[string]string `json:"stream"`
			Values [][]any           `json:"values"`
		}
		var streams []stream
		index := map[string]int{}
		for _, l := range lines[from:min(from+slice, len(lines))] {
			key := fmt.Sprint(l.labels)
			if _, ok := index[key]; !ok {
				index[key] = len(streams)
				streams = append(streams, stream{Stream: l.labels})
			}
			s := &streams[index[key]]
			s.Values = append(s.Values, []any{strconv.FormatInt(l.nanos, 10), l.line, l.metadata})
		}
		body, err := json.Marshal(map[string]any{"streams": streams})
		if err != nil {
			t.Fatal(err)
		}
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/loki/api/v1/push", Token: w.Ingest, Type: "application/json", Body: body})
		if err != nil || a.Status != http.StatusNoContent {
			t.Fatalf("push: %v, %v", a, err)
		}
	}
	testkit.Eventually(t, within, func() error {
		found, err := harness.LogQL(t.Context(), w.URL, w.Query, `sum(count_over_time({app=~".+"}[2h]))`)
		if err == nil && (len(found) != 1 || int(found[0].Point.Value) != len(lines)) {
			err = fmt.Errorf("got %v, want %d lines", found, len(lines))
		}
		return err
	})
}

// address is a route's with parameters in pairs.
func (w *world) address(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return w.URL + path + "?" + values.Encode()
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
