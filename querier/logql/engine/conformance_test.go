package engine_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// TestConformance runs the suite in ../testdata, scripts in the style of Prometheus' promqltest. Expected results stand in
// them by LogQL's documentation, never by what the engine printed: there is no flag to rewrite them. Every case runs over
// ClickHouse with everything pushed down that can be, over ClickHouse with everything in stages, and over the in-memory
// twin. A script has no indentation but for what belongs to a command:
//
//	clear                          forgets the lines loaded so far
//	load                           adds streams and their lines: time, structured metadata if any, text
//	  {app="a"}
//	    5s {user="bob"} `line`
//	    0s every 10s x6 `n={i}`    six lines; {i} counts from 0
//	eval instant at 60s QUERY      a metric query, and its series with their value
//	  {app="a"} 3
//	eval range 0s 60s 10s QUERY    start, end, step; _ is a step without value, 1x3 three times 1
//	  {app="a"} 1 2x3 _
//	eval logs 0s 60s QUERY         start, end; words forward, categorize and limit=3 may stand before the query
//	  {app="a"} 5s `line`
//	eval_ordered ...               the same, with series in this order
//	eval_fail ...                  the query fails with a message that has the line below in it
//	  message
//
// A line that begins with a tab continues the query; # begins a comment, and ⏎ stands for a line break in texts.
func TestConformance(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.test")
	require.NoError(t, err)
	total, text := 0, ""
	for _, file := range files {
		script, err := os.ReadFile(file)
		require.NoError(t, err)
		text += string(script)
		total += strings.Count("\n"+string(script), "\neval")
		t.Run(filepath.Base(file), func(t *testing.T) { newScript(t, string(script)).run() })
	}
	require.GreaterOrEqual(t, total, 400, "cases of the suite")
	for _, word := range []string{
		"|=", "!=", "|~", "!~", "|>", "!>", " or ", "ip(", "| json", "| logfmt", "--strict", "--keep-empty", "| regexp", "| pattern",
		"| unpack", "| line_format", "| label_format", "| decolorize", "| drop", "| keep", "| unwrap ", "duration(", "duration_seconds(", "bytes(",
		"rate(", "rate_counter(", "count_over_time(", "bytes_over_time(", "bytes_rate(", "sum_over_time(", "avg_over_time(", "min_over_time(",
		"max_over_time(", "first_over_time(", "last_over_time(", "stdvar_over_time(", "stddev_over_time(", "quantile_over_time(",
		"absent_over_time(", "offset -", "sum(", "avg(", "min(", "max(", "count(", "stddev(", "stdvar(", "topk(", "bottomk(", "approx_topk(",
		"sort(", "sort_desc(", "label_replace(", "vector(", " on (", "ignoring (", "group_left", "group_right", " bool ", " and ", " unless ",
		"without (", "__error__", "__error_details__", "__line__", "__timestamp__", "eval_fail",
	} {
		require.Contains(t, text, word, "an operator without a case")
	}
}

// script is one file of the suite.
type script struct {
	t       *testing.T
	lines   []string
	at      int // the next line
	batch   *seamark.Batch
	engines map[string]*logqlengine.Engine // of batch; nil while lines are loaded
}

func newScript(t *testing.T, text string) *script {
	s := &script{t: t, batch: &seamark.Batch{}}
	for line := range strings.Lines(text) {
		s.lines = append(s.lines, strings.TrimRight(line, "\n "))
	}
	return s
}

func (s *script) run() {
	for s.at < len(s.lines) {
		line := s.lines[s.at]
		s.at++
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case word == "clear":
			s.batch, s.engines = &seamark.Batch{}, nil
		case word == "load":
			s.load()
		case strings.HasPrefix(word, "eval"):
			s.eval(word, rest)
		default:
			s.t.Fatalf("line %d: %q is no command", s.at, line)
		}
	}
}

// body returns the next line if it is indented.
func (s *script) body() (string, bool) {
	if s.at == len(s.lines) || !strings.HasPrefix(s.lines[s.at], "  ") {
		return "", false
	}
	s.at++
	return s.lines[s.at-1], true
}

func (s *script) load() {
	s.engines = nil
	var ref uint32
	for line, ok := s.body(); ok; line, ok = s.body() {
		if strings.HasPrefix(line, "  {") {
			labels := s.labels(strings.TrimSpace(line))
			stream := &seamark.Series{Kind: seamark.LogStream, Name: "group/" + labels[0].Value, Labels: labels, FP: uint64(len(s.batch.Logs.Streams)+1) * 0x9e3779b97f4a7c15}
			ref = s.batch.Logs.AddStream(stream)
			continue
		}
		s.loadLines(ref, strings.TrimSpace(line))
	}
}

func (s *script) loadLines(ref uint32, line string) {
	meta, text, found := strings.Cut(line, " `")
	require.True(s.t, found && strings.HasSuffix(text, "`"), "line %d: a text in backticks", s.at)
	text = strings.ReplaceAll(strings.TrimSuffix(text, "`"), "⏎", "\n")
	text = strings.ReplaceAll(text, "␛", "\x1b")
	meta, attrs, _ := strings.Cut(meta, " {")
	words := strings.Fields(meta)
	first, times, step := s.duration(words[0]), 1, time.Duration(0)
	if len(words) > 1 {
		require.Equal(s.t, "every", words[1], "line %d", s.at)
		var err error
		times, err = strconv.Atoi(strings.TrimPrefix(words[3], "x"))
		require.NoError(s.t, err, "line %d", s.at)
		step = s.duration(words[2])
	}
	row := seamark.LogRow{Stream: ref}
	if attrs != "" {
		for _, l := range s.labels("{" + attrs) {
			switch l.Name {
			case "detected_level":
				row.Level = seamark.ParseLevel(l.Value)
			case "trace_id":
				copy(row.TraceID[:], s.hex(l.Value))
			case "span_id":
				copy(row.SpanID[:], s.hex(l.Value))
			default:
				row.Attrs = append(row.Attrs, l)
			}
		}
	}
	for i := range times {
		row.TimeNano = base.Add(first + time.Duration(i)*step).UnixNano()
		row.Body = strings.ReplaceAll(text, "{i}", strconv.Itoa(i))
		s.batch.Logs.Append(&row)
	}
}

func (s *script) hex(text string) []byte {
	var id []byte
	_, err := fmt.Sscanf(text, "%x", &id)
	require.NoError(s.t, err, "line %d", s.at)
	return id
}

func (s *script) duration(text string) time.Duration {
	d, err := quantity.ParseDuration(text)
	require.NoError(s.t, err, "line %d: %q", s.at, text)
	return d
}

func (s *script) labels(text string) []seamark.Label {
	matchers, err := logql.ParseMatchers(text)
	require.NoError(s.t, err, "line %d: %q", s.at, text)
	var labels []seamark.Label
	for _, m := range matchers {
		labels = append(labels, seamark.Label{Name: m.Name, Value: m.Value})
	}
	seamark.SortLabels(labels)
	return labels
}

// open puts the lines loaded so far into the storages, once.
func (s *script) open() {
	if s.engines != nil {
		return
	}
	s.engines = map[string]*logqlengine.Engine{}
	clickhouse := logqlengine.Storage(memory{s.t, s.batch})
	if s.batch.Logs.Len() > 0 {
		clickhouse = stored(s.t, s.batch)
	}
	for name, o := range map[string]logqlengine.Options{
		"SQL": {Storage: clickhouse}, "stages": {Storage: clickhouse, NoPushdown: true}, "memory": {Storage: memory{s.t, s.batch}},
	} {
		o.Now = func() time.Time { return scriptsNow }
		e, err := logqlengine.New(o)
		require.NoError(s.t, err)
		s.engines[name] = e
	}
}

// command reads what stands between eval and the query.
func (s *script) command(text string) logqlengine.Params {
	next := func() string {
		word, rest, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
		text = rest
		return word
	}
	var p logqlengine.Params
	switch kind := next(); kind {
	case "instant":
		require.Equal(s.t, "at", next(), "line %d", s.at)
		p.End = base.Add(s.duration(next()))
		p.Start = p.End
	case "range":
		p.Start, p.End = base.Add(s.duration(next())), base.Add(s.duration(next()))
		p.Step = s.duration(next())
	case "logs":
		p.Start, p.End, p.Step = base.Add(s.duration(next())), base.Add(s.duration(next())), time.Second
		for s.option(&p, text) {
			next()
		}
	default:
		s.t.Fatalf("line %d: %q is no kind of query", s.at, kind)
	}
	p.Query = text
	for s.at < len(s.lines) && strings.HasPrefix(s.lines[s.at], "\t") {
		p.Query += "\n" + s.lines[s.at]
		s.at++
	}
	return p
}

// option reads the option of a log query that text begins with; false says that it begins with none.
func (s *script) option(p *logqlengine.Params, text string) bool {
	word, _, _ := strings.Cut(text, " ")
	limit, limited := strings.CutPrefix(word, "limit=")
	switch {
	case limited:
		var err error
		p.Limit, err = strconv.Atoi(limit)
		require.NoError(s.t, err, "line %d", s.at)
	case word == "forward":
		p.Forward = true
	case word == "categorize":
		p.Categorize = true
	default:
		return false
	}
	return true
}

func (s *script) eval(word, rest string) {
	s.open()
	line := s.at
	p := s.command(rest)
	var want []string
	for text, ok := s.body(); ok; text, ok = s.body() {
		if text = strings.TrimSpace(text); text[0] != '#' {
			want = append(want, text)
		}
	}
	for name, e := range s.engines {
		result, err := e.Query(s.t.Context(), tenant, p)
		switch {
		case word == "eval_fail":
			require.Len(s.t, want, 1, "line %d: one message", line)
			if err == nil || !strings.Contains(err.Error(), want[0]) {
				s.t.Errorf("line %d over %s: %s\n got error %v\nwant one with %s", line, name, p.Query, err, want[0])
			}
		case err != nil:
			s.t.Errorf("line %d over %s: %s: %v", line, name, p.Query, err)
		case result.Kind == logqlengine.Streams:
			s.compareLines(line, name, p, result, want)
		default:
			s.compareSeries(line, name, p, result, want, word == "eval_ordered")
		}
	}
}

// compareLines compares the lines of a result, whatever their order; their order must be that of the query's direction.
func (s *script) compareLines(line int, name string, p logqlengine.Params, result *logqlengine.Result, want []string) {
	var got []string
	for _, stream := range result.Streams {
		for i, e := range stream.Entries {
			text := strings.ReplaceAll(e.Line, "\n", "⏎")
			row := printLabels(stream.Labels)
			if p.Categorize {
				row += " metadata" + printLabels(e.Metadata) + " parsed" + printLabels(e.Parsed)
			}
			got = append(got, row+" "+offset(e.Time)+" `"+strings.ReplaceAll(text, "\x1b", "␛")+"`")
			if i > 0 && (stream.Entries[i-1].Time > e.Time) == p.Forward && stream.Entries[i-1].Time != e.Time {
				s.t.Errorf("line %d over %s: %s: the lines are not in order", line, name, p.Query)
			}
		}
	}
	for i, w := range want {
		if !p.Categorize {
			labels, rest := s.cutLabels(w)
			want[i] = printLabels(labels) + " " + rest
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("line %d over %s: %s\n got:\n  %s\nwant:\n  %s", line, name, p.Query, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// cutLabels parses the labels that a line begins with.
func (s *script) cutLabels(text string) (labels []seamark.Label, rest string) {
	quote := byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote == 0 && (c == '"' || c == '`'):
			quote = c
		case quote != 0 && c == quote && (c == '`' || text[i-1] != '\\'):
			quote = 0
		case quote == 0 && c == '}':
			return s.labels(text[:i+1]), strings.TrimSpace(text[i+1:])
		}
	}
	s.t.Fatalf("line %d: %q begins with no labels", s.at, text)
	return nil, ""
}

// row is one series of a result, with NaN for steps without value and its own mark for values that are NaN.
type row struct {
	labels string
	values []string
}

func (s *script) compareSeries(line int, name string, p logqlengine.Params, result *logqlengine.Result, want []string, ordered bool) {
	count := 1
	if p.Step > 0 {
		count = int(p.End.Sub(p.Start)/p.Step) + 1
	}
	var got, expected []row
	for _, series := range result.Series {
		r := row{labels: printLabels(series.Labels), values: slices.Repeat([]string{"_"}, count)}
		for _, point := range series.Points {
			at := 0
			if p.Step > 0 {
				at = int((point.Time - p.Start.UnixNano()) / int64(p.Step))
			}
			r.values[at] = strconv.FormatFloat(point.Value, 'g', -1, 64)
		}
		got = append(got, r)
	}
	for _, w := range want {
		if result.Kind == logqlengine.Scalar && w[0] != '{' {
			w = "{} " + w
		}
		labels, rest := s.cutLabels(w)
		r := row{labels: printLabels(labels)}
		for _, value := range strings.Fields(rest) {
			value, times, _ := strings.Cut(value, "x")
			n, _ := strconv.Atoi(times)
			r.values = append(r.values, slices.Repeat([]string{value}, max(n, 1))...)
		}
		require.Len(s.t, r.values, count, "line %d: steps of %s", line, w)
		expected = append(expected, r)
	}
	if !ordered {
		slices.SortFunc(got, func(a, b row) int { return cmp.Compare(a.labels, b.labels) })
		slices.SortFunc(expected, func(a, b row) int { return cmp.Compare(a.labels, b.labels) })
	}
	if !slices.EqualFunc(got, expected, equalRows) {
		s.t.Errorf("line %d over %s: %s\n got:\n  %s\nwant:\n  %s", line, name, p.Query, printRows(got), printRows(expected))
	}
}

func equalRows(a, b row) bool {
	return a.labels == b.labels && slices.EqualFunc(a.values, b.values, func(x, y string) bool {
		v, err := strconv.ParseFloat(x, 64)
		w, otherErr := strconv.ParseFloat(y, 64)
		if err != nil || otherErr != nil {
			return x == y
		}
		return v == w || math.IsNaN(v) && math.IsNaN(w) || math.Abs(v-w) <= 1e-9*math.Max(math.Abs(v), math.Abs(w))
	})
}

func printRows(rows []row) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = r.labels + " " + strings.Join(r.values, " ")
	}
	return strings.Join(lines, "\n  ")
}
