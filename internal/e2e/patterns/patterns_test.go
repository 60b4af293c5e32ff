// Package patterns_test pushes logs to the built binary and asks which of their templates are new, vanished and spiking.
package patterns_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const within = time.Minute

// answer is the route's, as far as it is looked at.
type answer struct {
	Lines       uint64
	LinesBefore uint64 `json:"lines_before"`
	Found       int
	Truncated   bool
	Items       []struct {
		ID, Template string
		Groups       []string
		Levels       []struct {
			Level string
			Lines uint64
		}
		Lines  uint64
		Points []struct {
			Time  time.Time
			Lines uint64
		}
		Comparison *struct {
			Lines          uint64
			Ratio          *float64
			Change, Reason string
		}
	}
}

// templates returns the templates of an answer with their lines.
func (a *answer) templates() map[string]uint64 {
	found := map[string]uint64{}
	for _, item := range a.Items {
		found[item.Template] = item.Lines
	}
	return found
}

// world is a server with a tenant.
type world struct {
	*harness.Server
	*harness.Account
	start time.Time // of the first of two periods of ten minutes
	lines int       // pushed so far
}

const period = 10 * time.Minute

func newWorld(t *testing.T, flags ...string) *world {
	t.Helper()
	s := harness.Serve(t, t.TempDir(), slices.Concat([]string{"serve", "--writer.max-batch-age", "100ms"}, flags)...)
	return &world{Server: s, Account: harness.NewAccount(s.Admin(t), "acme"), start: time.Now().Add(-40 * time.Minute).Truncate(time.Minute)}
}

// body is a request with n lines of a format over the period that begins at start.
func body(t *testing.T, app string, start time.Time, n int, line func(i int) string) []byte {
	t.Helper()
	values := make([][2]string, n)
	for i := range values {
		values[i] = [2]string{strconv.FormatInt(start.Add(period*time.Duration(i)/time.Duration(n)).UnixNano(), 10), line(i)}
	}
	b, err := json.Marshal(map[string]any{"streams": []map[string]any{{"stream": map[string]string{"app": app, "namespace": "shop"}, "values": values}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) send(t *testing.T, body []byte) {
	t.Helper()
	a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.URL + "/loki/api/v1/push", Token: w.Ingest, Type: "application/json", Body: body})
	if err != nil || a.Status != http.StatusNoContent {
		t.Fatalf("push: %+v, %v", a, err)
	}
}

func (w *world) push(t *testing.T, app string, start time.Time, n int, line func(i int) string) {
	t.Helper()
	w.send(t, body(t, app, start, n, line))
	w.lines += n
}

// stored waits until all lines can be read.
func (w *world) stored(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		found, err := harness.LogQL(t.Context(), w.URL, w.Query, `sum(count_over_time({app=~".+"}[2h]))`)
		if err == nil && (len(found) != 1 || int(found[0].Point.Value) != w.lines) {
			err = fmt.Errorf("got %v, want %d lines", found, w.lines)
		}
		return err
	})
}

// ask asks for the second period, or for what pairs say.
func (w *world) ask(t *testing.T, pairs ...string) (a answer) {
	t.Helper()
	values := url.Values{"start": {seconds(w.start.Add(period))}, "end": {seconds(w.start.Add(2 * period))}}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	if err := harness.Get(t.Context(), w.URL+"/api/v1/logs/patterns?"+values.Encode(), w.Query, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// settled waits until the counts of all lines are there.
func (w *world) settled(t *testing.T) {
	t.Helper()
	w.stored(t)
	testkit.Eventually(t, within, func() error {
		if a := w.ask(t, "start", seconds(w.start), "limit", "500"); int(a.Lines) != w.lines {
			return fmt.Errorf("%d lines are counted of %d", a.Lines, w.lines)
		}
		return nil
	})
}

func steady(i int) string {
	return fmt.Sprintf(`level=info msg="request served" status=200 took=%dms`, i)
}

func spiking(i int) string { return fmt.Sprintf(`level=error msg="no route to host" attempt=%d`, i) }

func fresh(i int) string {
	return fmt.Sprintf("E1120 12:00:%02d.000000 1 pool.go:17] connection of user %s reset", i%60, word(i))
}

func vanished(i int) string { return fmt.Sprintf(`{"msg":"lease renewed","holder":"node-%d"}`, i) }

// word is a word without digits, one of many.
func word(i int) string {
	return strings.Map(func(r rune) rune { return r - '0' + 'k' }, strconv.Itoa(100+i*7%300))
}

func TestPatterns(t *testing.T) {
	w := newWorld(t)
	w.push(t, "api", w.start, 500, steady)
	w.push(t, "api", w.start, 20, spiking)
	w.push(t, "lock", w.start, 40, vanished)
	w.push(t, "api", w.start.Add(period), 510, steady)
	w.push(t, "api", w.start.Add(period), 200, spiking)
	w.push(t, "pool", w.start.Add(period), 90, fresh)
	w.push(t, "pool", w.start.Add(period), 2, func(i int) string { return fmt.Sprint("seen too rarely ", i) })
	w.settled(t)
	t.Run("top", w.testTop)
	t.Run("orders", w.testOrders)
	t.Run("selector", w.testSelector)
	t.Run("loki", w.testLoki)
	t.Run("repeats", w.testRepeats)
	t.Run("faults", w.testFaults)
}

const (
	steadyText   = `level=info msg="request served" status=<_> took=<_>`
	spikingText  = `level=error msg="no route to host" attempt=<_>`
	freshText    = `<_> <_> <_> pool.go:<_>] connection of user <_> reset`
	vanishedText = `{"msg":"lease renewed","holder":"<_>"}`
)

func (w *world) testTop(t *testing.T) {
	a := w.ask(t)
	want := map[string]uint64{steadyText: 510, spikingText: 200, freshText: 90, "seen too rarely <_>": 2}
	if got := a.templates(); !maps.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	first := a.Items[0]
	if first.Template != steadyText || !slices.Equal(first.Groups, []string{"shop/api"}) || first.Levels[0].Level != "info" || first.Comparison != nil {
		t.Errorf("the first is %+v", first)
	}
	for _, item := range a.Items {
		sum := uint64(0)
		for _, p := range item.Points {
			sum += p.Lines
		}
		if sum != item.Lines || item.Lines > 9 && len(item.Points) != 10 {
			t.Errorf("%s has %d points of %d lines, want 10 of %d", item.Template, len(item.Points), sum, item.Lines)
		}
	}
	for _, item := range w.ask(t, "start", seconds(w.start)).Items { // a template is a filter of LogQL that finds its lines
		found, err := harness.LogQL(t.Context(), w.URL, w.Query, fmt.Sprintf(`sum(count_over_time({namespace="shop"} |> %s [2h]))`, strconv.Quote(item.Template)))
		if err != nil || len(found) != 1 || uint64(found[0].Point.Value) != item.Lines {
			t.Errorf("|> %q finds %v, %v, want %d lines", item.Template, found, err, item.Lines)
		}
	}
	if step := w.ask(t, "step", "5m"); len(step.Items[0].Points) != 2 {
		t.Errorf("in steps of five minutes: %+v", step.Items[0].Points)
	}
}

func (w *world) testOrders(t *testing.T) {
	for order, want := range map[string]string{"new": freshText, "vanished": vanishedText, "spiking": spikingText} {
		a := w.ask(t, "sort", order)
		if len(a.Items) != 1 || a.Items[0].Template != want || a.Items[0].Comparison.Change != order || a.Items[0].Comparison.Reason == "" {
			t.Errorf("%s: %+v, want %s", order, a.Items, want)
		}
		same := w.ask(t, "sort", order, "compare_start", seconds(w.start), "compare_end", seconds(w.start.Add(period)))
		if same.Found != a.Found || same.LinesBefore != 560 {
			t.Errorf("%s compared by name: %+v", order, same)
		}
	}
	if back := w.ask(t, "sort", "new", "start", seconds(w.start), "end", seconds(w.start.Add(period)), "compare_start", seconds(w.start.Add(period)),
		"compare_end", seconds(w.start.Add(2*period))); len(back.Items) != 1 || back.Items[0].Template != vanishedText {
		t.Errorf("the other way round: %+v", back.Items)
	}
}

func (w *world) testSelector(t *testing.T) {
	if a := w.ask(t, "query", `{app="pool"}`); a.Lines != 92 {
		t.Errorf("%d lines of one app", a.Lines)
	}
	if a := w.ask(t, "query", `{app="nobody"}`); a.Lines != 0 || len(a.Items) != 0 {
		t.Errorf("nobody's lines: %+v", a)
	}
}

// testLoki wants Loki's route to answer from what was mined, all lines counted, and to look into lines where the query does: only
// what was mined at ingest has masks for numbers that are the same in all lines.
func (w *world) testLoki(t *testing.T) {
	ask := func(query string) map[string]int64 {
		var answer struct {
			Data []struct {
				Pattern string
				Samples [][2]int64
			}
		}
		values := url.Values{"query": {query}, "start": {seconds(w.start)}, "end": {seconds(w.start.Add(2 * period))}, "step": {"60s"}}
		if err := harness.Get(t.Context(), w.URL+"/loki/api/v1/patterns?"+values.Encode(), w.Query, &answer); err != nil {
			t.Fatal(err)
		}
		found := map[string]int64{}
		for _, d := range answer.Data {
			for _, sample := range d.Samples {
				found[d.Pattern] += sample[1]
			}
		}
		return found
	}
	if got := ask(`{app="api"}`); got[steadyText] != 1010 || got[spikingText] != 220 || len(got) != 2 {
		t.Errorf("mined: %v", got)
	}
	if got := ask(`{app="api"} |= "served"`); len(got) != 1 || got[strings.Replace(steadyText, "status=<_>", "status=200", 1)] != 1010 {
		t.Errorf("looked into: %v", got)
	}
}

// testRepeats wants a request that is sent again to count nothing again.
func (w *world) testRepeats(t *testing.T) {
	again := body(t, "api", w.start.Add(period), 30, spiking)
	w.send(t, again)
	w.lines += 30
	for range 3 {
		w.send(t, again)
	}
	w.push(t, "last", w.start.Add(period), 1, steady)
	w.settled(t)
	a := w.ask(t)
	if got := a.templates()[spikingText]; got != 230 {
		t.Errorf("%d lines, want 230", got)
	}
}

func (w *world) testFaults(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"sort=rare", "top, new, vanished or spiking"},
		{"limit=0", "from 1 to 500"},
		{"step=10s", "whole minutes"},
		{"start=2&end=1", "must lie after"},
		{"compare_start=1", "compare_end"},
		{"query=%7Bapp%3D%22x%22%7D%7C%3D%22y%22", "without a pipeline"},
	} {
		a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: w.URL + "/api/v1/logs/patterns?" + c.query, Token: w.Query})
		if err != nil || a.Status != http.StatusBadRequest || !strings.Contains(string(a.Body), c.want) {
			t.Errorf("%s: %v, %d %s, want %q", c.query, err, a.Status, a.Body, c.want)
		}
	}
}

// TestRestart wants a server that was started again to find the templates of before under the ids of before, also while it has
// seen fewer lines than it had then.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	s := harness.Serve(t, dir, "serve", "--writer.max-batch-age", "100ms")
	w := &world{Server: s, Account: harness.NewAccount(s.Admin(t), "acme"), start: time.Now().Add(-40 * time.Minute).Truncate(time.Minute)}
	w.push(t, "pool", w.start, 90, fresh)
	w.settled(t)
	before := w.ask(t, "start", seconds(w.start), "end", seconds(w.start.Add(period)))
	if err := s.Terminate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Server = harness.Serve(t, dir, "serve", "--writer.max-batch-age", "100ms")
	w.push(t, "pool", w.start.Add(period), 7, func(i int) string { return fresh(i + 40) })
	w.settled(t)
	after := w.ask(t, "sort", "new")
	if len(after.Items) != 0 || after.Lines != 7 || after.LinesBefore != 90 {
		t.Errorf("known lines are new: %+v", after)
	}
	all := w.ask(t, "start", seconds(w.start))
	if len(all.Items) != 1 || all.Items[0].ID != before.Items[0].ID || all.Items[0].Lines != 97 {
		t.Errorf("got %+v, want one pattern as before: %+v", all.Items, before.Items)
	}
}

func TestSwitchedOff(t *testing.T) {
	w := newWorld(t, "--no-patterns.enabled")
	w.push(t, "api", w.start.Add(period), 10, steady)
	w.stored(t)
	if a := w.ask(t, "sort", "new"); a.Lines != 0 || len(a.Items) != 0 {
		t.Errorf("got %+v", a)
	}
}
