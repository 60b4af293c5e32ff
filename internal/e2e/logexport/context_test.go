package logexport_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// contextPage is an answer of the route.
type contextPage struct {
	Streams map[string]map[string]string
	Lines   []struct {
		Nanos  string `json:"time_unix_nano"`
		Stream string
		Line   string
		Anchor bool
	}
	Before, After *struct {
		Cursor string
		More   bool
	}
}

func (p *contextPage) texts() []string {
	list := make([]string, len(p.Lines))
	for i, l := range p.Lines {
		list[i] = l.Line
	}
	return list
}

// TestContext pages from a line to both ends of its pod, one nanosecond of which has hundreds of lines, and asks for what
// Grafana's "Show context" does.
func TestContext(t *testing.T) {
	w := newWorld(t)
	var list []pushed
	for i := range 1200 {
		l := pushed{nanos: w.start.Add(time.Duration(i) * time.Second / 2).UnixNano(), line: fmt.Sprint("line ", i)}
		if i >= 400 && i < 800 {
			l.nanos = w.start.Add(250 * time.Second).UnixNano()
		}
		l.labels = map[string]string{"app": "shop", "namespace": "shop", "pod": "pod-0", "container": fmt.Sprint("c", i%2)}
		if i%3 == 2 {
			l.labels["pod"] = "pod-1"
		}
		list = append(list, l)
	}
	w.push(t, list)
	t.Run("pod", func(t *testing.T) { w.testPod(t, list) })
	t.Run("grafana", func(t *testing.T) { w.testGrafana(t, list) })
}

func (w *world) testPod(t *testing.T, list []pushed) {
	anchor := list[601]
	stream := fmt.Sprintf(`{cluster=%q, app="shop", service_name="shop", namespace="shop", pod="pod-0", container="c1"}`, slug)
	ask := func(pairs ...string) (page contextPage) {
		t.Helper()
		if err := harness.Get(t.Context(), w.address("/api/v1/logs/context", pairs...), w.Query, &page); err != nil {
			t.Fatal(err)
		}
		return page
	}
	page := ask("stream", stream, "time", strconv.FormatInt(anchor.nanos, 10), "line", anchor.line, "scope", "pod", "before", "7", "after", "0")
	if last := page.Lines[len(page.Lines)-1]; len(page.Lines) != 8 || !last.Anchor || last.Line != anchor.line || page.Streams[last.Stream]["container"] != "c1" {
		t.Fatalf("the first page is %+v", page)
	}
	all := page.texts()
	before, after := page.Before, page.After
	for before.More {
		page := ask("cursor", before.Cursor, "limit", "83")
		all, before = slices.Concat(page.texts(), all), page.Before
	}
	for after.More {
		page := ask("cursor", after.Cursor, "limit", "83")
		all, after = append(all, page.texts()...), page.After
	}
	var want []string
	times := map[string]int64{}
	for _, l := range list {
		times[l.line] = l.nanos
		if l.labels["pod"] == "pod-0" {
			want = append(want, l.line)
		}
	}
	if !slices.IsSortedFunc(all, func(a, b string) int { return int(times[a] - times[b]) }) {
		t.Error("lines are not in the order of their times")
	}
	slices.Sort(all)
	slices.Sort(want)
	if !slices.Equal(all, want) {
		t.Errorf("got %d lines, want %d, each once", len(all), len(want))
	}
}

// testGrafana sends the two requests of Grafana's Loki data source: backward up to the line's millisecond, forward from it.
func (w *world) testGrafana(t *testing.T, list []pushed) {
	const limit = 100
	ask := func(direction string, start, end time.Time) []string {
		t.Helper()
		var answer struct {
			Data struct{ Result []struct{ Values [][]any } }
		}
		address := w.address("/loki/api/v1/query_range", "query", `{app="shop",container="c0"}`, "direction", direction, "limit", strconv.Itoa(limit),
			"start", nanos(start), "end", nanos(end), "step", "2000ms")
		if err := harness.Get(t.Context(), address, w.Query, &answer); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, s := range answer.Data.Result {
			for _, v := range s.Values {
				lines = append(lines, v[1].(string))
			}
		}
		return lines
	}
	var own []string // lines of the container, in order
	for _, l := range list {
		if l.labels["container"] == "c0" {
			own = append(own, l.line)
		}
	}
	for _, at := range []int{0, 50, 150, 450, 599} { // 200 to 399 have one time
		n, err := strconv.Atoi(strings.TrimPrefix(own[at], "line "))
		if err != nil {
			t.Fatal(err)
		}
		row := time.Unix(0, list[n].nanos).Truncate(time.Millisecond)
		got := slices.Concat(ask("backward", row.Add(-2*time.Hour), row), ask("forward", row, row.Add(2*time.Hour)))
		// Where the limit cuts through lines of one time, any of them may be left out: Loki's API has no order among them.
		want := own[max(at-limit, 0):min(at+limit, len(own))]
		if got, want := timesOf(list, got), timesOf(list, want); !slices.Equal(got, want) {
			t.Errorf("around line %d: got lines at %v, want %v", n, got, want)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != len(want) {
			t.Errorf("around line %d: a line is there twice", n)
		}
	}
	var problem string
	if err := harness.Get(t.Context(), w.address("/api/v1/logs/context", "time", "1"), w.Query, &problem); err == nil || !strings.Contains(err.Error(), strconv.Itoa(http.StatusBadRequest)) {
		t.Errorf("a request without a stream: got %v, want 400", err)
	}
}

// timesOf returns the times of lines, sorted.
func timesOf(list []pushed, lines []string) []int64 {
	var times []int64
	for _, l := range list {
		if slices.Contains(lines, l.line) {
			times = append(times, l.nanos)
		}
	}
	slices.Sort(times)
	return times
}
