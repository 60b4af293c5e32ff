package engine_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

// randomLogs makes lines over some minutes around midnight, many at the same nanosecond, with labels, levels, ids and
// attributes that overlap and clash.
func randomLogs(r *rand.Rand, n int) *seamark.Batch {
	b := &seamark.Batch{}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for i := range 12 {
		s := &seamark.Series{Kind: seamark.LogStream, FP: r.Uint64(), Name: fmt.Sprint("ns/", i%3), Labels: []seamark.Label{
			{Name: "app", Value: fmt.Sprint("app-", i%4)}, {Name: "pod", Value: fmt.Sprint("pod-", i)},
		}}
		if i%3 == 0 {
			s.Labels = append(s.Labels, seamark.Label{Name: "user", Value: "stream"})
		}
		b.Logs.AddStream(s)
	}
	for i := range n {
		row := seamark.LogRow{
			Stream: uint32(r.IntN(12)), TimeNano: base.Add(time.Duration(r.IntN(240)) * 500 * time.Millisecond).UnixNano(),
			Level: seamark.Level(r.IntN(7)),
			Body: fmt.Sprintf(`{"code":%d,"took":"%dms","path":"/%s","n":%g,"i":%d}`, 200+100*r.IntN(4), r.IntN(3000), pick("a", "b", "c"),
				math.Round(r.NormFloat64()*1000)/8+float64(i+1)/(1<<20), i), // none is zero, or like another
		}
		if r.IntN(10) == 0 {
			row.Body = pick("plain text", "100% done", "under_score", "{broken")
		}
		if r.IntN(3) == 0 {
			row.Attrs = append(row.Attrs, seamark.Label{Name: "user", Value: pick("bob", "eve")})
		}
		if r.IntN(4) == 0 {
			row.TraceID = [16]byte{15: byte(1 + r.IntN(3))}
		}
		b.Logs.Append(&row)
	}
	return b
}

// randomFilters makes a pipeline of filters that the storage can do whole.
func randomFilters(r *rand.Rand) string {
	filters := []string{
		``, ` |= "code"`, ` != "plain"`, ` |= "/a" or "/b"`, ` |~ "path.*/[ab]"`, ` !~ "code.:[24]00|done"`, ` |= "100%"`, ` |= "_"`,
		` | detected_level="error"`, ` | detected_level!="info"`, ` | detected_level=~"warn|error|"`, ` | app="app-1"`, ` | app!~"app-[12]"`,
		` | trace_id="00000000000000000000000000000001"`, ` | trace_id!=""`, ` | pod=~"pod-.*" and detected_level=""`,
	}
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(filters[r.IntN(len(filters))])
	}
	return b.String()
}

func randomMetric(r *rand.Rand, pipeline string) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	inner := fmt.Sprintf(`%s({app=~"app.*"}%s [%dms]%s)`, pick("count_over_time", "rate", "bytes_over_time", "bytes_rate"), pipeline,
		1+r.IntN(60_000), pick("", " offset 7s", " offset -3s"))
	return fmt.Sprintf(pick(`%s`, `sum(%s)`, `sum by (app, detected_level) (%s)`, `max by (user) (%s)`, `sum by (user, trace_id) (%s)`, `sum without (pod) (%s)`), inner)
}

// labelStages look at labels alone, so they run once per count or once per row.
var labelStages = []string{
	``, ``, ``, ` | __error__=""`, ` | label_format who=user`, ` | label_format app=pod, pod=app`, ` | drop pod`, ` | keep app, user`,
	` | json code | code="200"`, ` | json code, user="path" | user="stream" or user="eve" | drop user | __error__=""`, ` | json | code=~"[23]00" | path="/b" | keep app, code, path`,
	` | regexp "(?P<word>plain|done|under_score)" | word=~"plain|done"`, ` | json code | detected_level="error" | __error__=""`, ` | json code | app="app-1" | detected_level!~"info|" | __error__=""`,
	` | line_format "detected_level=error app=x" | logfmt | detected_level=~"error|warn" | drop user`,
	` | line_format "detected_level=error" | logfmt | detected_level!="error" | app!="app-2"`,
	` | line_format "detected_level=error" | logfmt | detected_level=""`, ` | label_format detected_level=app | detected_level="error"`,
	` | label_format name="{{ .app | upper }}-{{ .user }}" | drop pod`, ` | line_format "{{ .app }}" | label_format a="{{ .user }}"`,
	` |= "" |~ ".*" | user=~"bob|stream"`, ` | trace_id > 1 | __error__=""`, ` |> "<_>code<_>"`, ` | user!=ip("10.0.0.1")`,
}

// TestCountsEqualStages runs each query twice over ClickHouse: as it is, which the server counts, and without pushdown, so
// that rows are read. Both must give the same, as must the twin.
func TestCountsEqualStages(t *testing.T) {
	r := testkit.Seed(t)
	batch := randomLogs(r, 2000)
	storage := stored(t, batch)
	actual := newEngine(t, storage)
	stages, err := logqlengine.New(logqlengine.Options{Storage: storage, NoPushdown: true})
	require.NoError(t, err)
	twin := newEngine(t, memory{t, batch})
	answered := 0
	for range testkit.Rounds(t, 40) {
		pipeline := randomFilters(r) + labelStages[r.IntN(len(labelStages))]
		seed := r.Uint64()
		metric := func(pipeline string) string { return randomMetric(rand.New(rand.NewPCG(seed, 0)), pipeline) }
		start := base.Add(time.Duration(r.Int64N(int64(time.Minute))))
		p := logqlengine.Params{Query: metric(pipeline), Start: start, End: start.Add(time.Minute), Step: time.Duration(1 + r.Int64N(int64(20*time.Second)))}
		if r.IntN(4) == 0 {
			p.Start, p.Step = p.End, 0
		}
		counted := evaluate(t, actual, p)
		if counted != "" {
			answered++
		}
		require.Equal(t, evaluate(t, twin, p), counted, "twin and ClickHouse: %+v", p)
		require.Equal(t, counted, evaluate(t, stages, p), "counts and stages: %+v", p)
	}
	require.Greater(t, answered, 10, "queries with an answer")
}

// TestPagesEqualTwin reads lines in pages and slices, with limits on both sides of the page size, and compares with a
// plain walk over the rows: the same times in the same order, and the same lines where no time is cut in two.
func TestPagesEqualTwin(t *testing.T) {
	r := testkit.Seed(t)
	batch := randomLogs(r, 4000)
	for i := range 1200 { // more lines at one nanosecond than a page holds
		batch.Logs.Append(&seamark.LogRow{TimeNano: base.Add(30 * time.Second).UnixNano(), Body: fmt.Sprint("same time ", i)})
	}
	actual, twin := newEngine(t, stored(t, batch)), newEngine(t, memory{t, batch})
	var pages []logqlengine.Params
	for _, query := range []string{`{app=~".+"}`, `{app=~".+"} | json`, `{app=~".+"} | json | code >= 300`, `{app=~".+"} | json | path="/a" | n > 100 | __error__=""`, `{app=~".+"} |= "same"`,
		`{app=~".+"} | json | code="200"`, `{app=~".+"} | json | code=~"200|300" | user="eve"`} {
		for _, limit := range []int{1, 999, 1000, 1001, 2500, 5000} {
			for _, forward := range []bool{false, true} {
				for _, around := range []time.Duration{0, time.Hour} { // an hour is more than a window
					pages = append(pages, logqlengine.Params{
						Query: query, Start: base.Add(-around), End: base.Add(2*time.Minute + around), Limit: limit, Forward: forward,
					})
				}
			}
		}
	}
	r.Shuffle(len(pages), func(i, j int) { pages[i], pages[j] = pages[j], pages[i] })
	for _, p := range pages[:min(testkit.Rounds(t, 60), len(pages))] {
		require.Equal(t, lines(t, twin, p), lines(t, actual, p), "%+v", p)
	}
}

// lines returns the times of a query's lines with their number, the cut one at the end without: which of its lines are
// returned is the storage's choice.
func lines(t *testing.T, e *logqlengine.Engine, p logqlengine.Params) map[int64]int {
	t.Helper()
	result, err := e.Query(t.Context(), tenant, p)
	require.NoError(t, err)
	counts := map[int64]int{}
	for _, s := range result.Streams {
		last := int64(0)
		for i, entry := range s.Entries {
			counts[entry.Time]++
			require.True(t, i == 0 || p.Forward == (last <= entry.Time) || last == entry.Time, "order")
			last = entry.Time
		}
	}
	return counts
}

func newEngine(t testing.TB, storage logqlengine.Storage) *logqlengine.Engine {
	t.Helper()
	e, err := logqlengine.New(logqlengine.Options{Storage: storage})
	require.NoError(t, err)
	return e
}

func evaluate(t *testing.T, e *logqlengine.Engine, p logqlengine.Params) string {
	t.Helper()
	result, err := e.Query(t.Context(), tenant, p)
	require.NoError(t, err, "%+v", p)
	return format(result)
}

// FuzzPipeline runs the parsers over any line: json must agree with encoding/json on what is a document and on its
// top-level texts, and nothing may panic or loop.
func FuzzPipeline(f *testing.F) {
	for _, seed := range []string{`{"a":"b","c":{"d":[1,{"e":null}]},"f":1.5e3}`, `a=b c="d \" e" =f "g" h`, `{"a":"\ud83d\ude00\u00e9"}`, "{\"a\":\"\xff\"}", `{}`, `{"a":01}`, `[{}]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		b := &seamark.Batch{}
		b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 1, Name: "g"})
		b.Logs.Append(&seamark.LogRow{TimeNano: base.UnixNano(), Body: line})
		e := newEngine(t, memory{t, b})
		run := func(query string) map[string]string {
			result, err := e.Query(t.Context(), tenant, logqlengine.Params{Query: query, Start: base, End: base.Add(1), Categorize: true})
			require.NoError(t, err)
			parsed := map[string]string{}
			for _, l := range result.Streams[0].Entries[0].Parsed {
				parsed[l.Name] = l.Value
			}
			return parsed
		}
		run(`{} | logfmt --keep-empty`)
		run(`{} | logfmt --strict`)
		run(`{} | json x="a.b[0]", y="c"`)
		var document map[string]any
		valid := json.Unmarshal([]byte(line), &document) == nil && document != nil
		parsed := run(`{} | json`)
		require.Equal(t, valid, parsed["__error__"] == "", "valid for encoding/json, %q gave %v", line, parsed)
		if text, ok := document["a"].(string); valid && ok && strings.Count(line, `"a"`) == 1 && !strings.Contains(line, `\`) {
			require.Equal(t, text, string([]rune(parsed["a"])))
		}
	})
}
