// Package queries_test looks at queries as their tenants do: what runs, in the background too, what is refused, and what it cost.
package queries_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

const within = 30 * time.Second

// world is a tenant with some lines.
type world struct {
	*inprocess.Tenant
	since time.Time
}

func newWorld(t *testing.T, slug string) *world {
	t.Helper()
	a := inprocess.App(t, func(o *app.Options) { o.Metering.Flush = 100 * time.Millisecond })
	w := &world{inprocess.NewTenant(t, a, slug, slug), time.Now().Add(-time.Minute)}
	var values []string
	for n := range 20 {
		values = append(values, fmt.Sprintf(`["%d","line %d of %s"]`, w.since.Add(time.Duration(n)*time.Second).UnixNano(), n, slug))
	}
	body := `{"streams":[{"stream":{"app":"` + slug + `"},"values":[` + strings.Join(values, ",") + `]}]}`
	w.Post(t, w.Ingest, "/loki/api/v1/push", "application/json", body, http.StatusNoContent)
	testkit.Eventually(t, within, func() error {
		if got := w.ask(t, w.Query, w.logs("line"), nil); got.Status != http.StatusOK || !strings.Contains(got.Body, "line 19") {
			return fmt.Errorf("got %d %s", got.Status, got.Body)
		}
		return nil
	})
	return w
}

// logs is the path of a query for lines with a text.
func (w *world) logs(text string) string {
	return "/loki/api/v1/query_range?" + url.Values{
		"query": {`{app="` + w.Slug + `"} |= "` + text + `"`}, "start": {strconv.FormatInt(w.since.UnixNano(), 10)},
		"end": {strconv.FormatInt(w.since.Add(time.Minute).UnixNano(), 10)}, "limit": {"100"},
	}.Encode()
}

func (w *world) ask(t *testing.T, token, path string, header http.Header) inprocess.Response {
	t.Helper()
	return w.Do(t, token, http.MethodGet, path, header, "")
}

// get reads a JSON document.
func (w *world) get(t *testing.T, token, path string, out any) {
	t.Helper()
	got := w.ask(t, token, path, nil)
	if err := json.Unmarshal([]byte(got.Body), out); err != nil || got.Status != http.StatusOK {
		t.Fatalf("GET %s: got %d %s", path, got.Status, got.Body)
	}
}

// token makes another query token of the tenant.
func (w *world) token(t *testing.T) string {
	t.Helper()
	return w.Token(t, tenant.TokenSpec{Kind: seamark.QueryToken, Name: "another"})
}

// halt stops the embedded ClickHouse in the midst of whatever it does, so that queries stay under way, until resume.
func (w *world) halt(t *testing.T) (pid int, resume func()) {
	t.Helper()
	pid = w.App.Engines()
	if pid == 0 {
		t.Fatal("there is no embedded engine")
	}
	testkit.Freeze(t, pid)
	resume = func() { _ = syscall.Kill(pid, syscall.SIGCONT) }
	t.Cleanup(resume)
	return pid, resume
}

// running is one query as the API shows it.
type running struct {
	ID, State, Language, Query, Class, Actor, Source, Job, Node, Error string
	Rows, Bytes                                                        uint64
}

func (w *world) running(t *testing.T, token, path string) []running {
	t.Helper()
	var list struct{ Items []running }
	w.get(t, token, path, &list)
	return list.Items
}

// awaitRunning waits until a query with a text runs, and returns it.
func (w *world) awaitRunning(t *testing.T, token, text string) (found running) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		for _, q := range w.running(t, token, "/api/v1/queries") {
			if strings.Contains(q.Query, text) && q.State == "running" {
				found = q
				return nil
			}
		}
		return fmt.Errorf("no query with %q runs", text)
	})
	return found
}

// async asks in a goroutine of its own.
func (w *world) async(t *testing.T, token, path string, header http.Header) <-chan inprocess.Response {
	t.Helper()
	done := make(chan inprocess.Response, 1)
	go func() { done <- w.Do(t, token, http.MethodGet, path, header, "") }()
	return done
}
