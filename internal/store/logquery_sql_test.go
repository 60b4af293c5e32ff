package store

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update-logquery", false, "rewrite testdata/logquery.golden.sql")

// goldenScope has one of everything that a scope can have.
func goldenScope(text string) LogScope {
	return LogScope{
		Streams: []LogStream{{FP: 3, Group: text}, {FP: 1, Group: "b"}, {FP: 2, Group: text}},
		Start:   1_000_000_000, End: 2_000_000_000,
		Filters: []LogFilter{
			{Op: LogContains, Texts: []string{text}},
			{Op: LogContains, Not: true, Texts: []string{text, "50%_"}},
			{Op: LogSearch, Texts: []string{`status=\d+ timeout`}},
			{Op: LogSearch, Texts: []string{`(?i)error`}},
			{Op: LogSearch, Not: true, Texts: []string{`panic|fatal`}},
			{Op: LogSearch, Texts: []string{`(timeout|refused) after`}},
			{Field: LogLevel, Op: LogEquals, Texts: []string{text}},
			{Field: LogTraceID, Op: LogEquals, Texts: []string{"0123456789abcdef0123456789abcdef", "x"}},
			{Field: LogSpanID, Op: LogMatches, Not: true, Texts: []string{"ab.*"}},
			{Field: LogAttr, Attr: text, Op: LogMatches, Texts: []string{"a|b"}},
		},
	}
}

// goldenStatements returns every statement of the log queries with its parameters.
func goldenStatements(text string) map[string]*logSQL {
	all := map[string]*logSQL{}
	add := func(name, sql string, params map[string]string) {
		b := newLogSQL()
		b.WriteString(sql)
		b.params = params
		all[name] = b
	}
	sql, params := logRowsSQL(&LogRowsQuery{LogScope: goldenScope(text), Columns: LogColumns{Body: true, Level: true, Trace: true, Attrs: true}, Order: NewestFirst, Limit: 1000})
	add("rows newest first", sql, params)
	sql, params = logRowsSQL(&LogRowsQuery{LogScope: LogScope{Streams: goldenScope(text).Streams, Start: 1, End: 2}, Order: OldestFirst})
	add("rows oldest first, no columns", sql, params)
	sql, params = logRowsSQL(&LogRowsQuery{LogScope: LogScope{Streams: goldenScope(text).Streams, Start: 1, End: 2}, Columns: LogColumns{Body: true}})
	add("rows in any order", sql, params)
	counts := &LogCountsQuery{LogScope: goldenScope(text), Grid: LogGrid{First: 100, Step: 10, Steps: 20, Window: 25}}
	sql, params = logCountsSQL(counts, counts.byStream())
	add("counts", sql, params)
	counts = &LogCountsQuery{
		LogScope: LogScope{Streams: goldenScope(text).Streams, Start: 1, End: 2}, Grid: LogGrid{First: 1000, Step: 10, Steps: 2, Window: 500},
		Split: []LogSplit{{Field: LogLevel}, {Field: LogAttr, Attr: text}}, Bytes: true, Into: []uint64{3, 1, 3},
	}
	sql, params = logCountsSQL(counts, counts.byStream())
	add("counts with bytes, split, window longer than the grid", sql, params)
	narrowed := goldenScope(text)
	narrowed.Filters = append(narrowed.Filters, LogFilter{Op: LogJSONField, Attr: text, Compare: ">=", Texts: []string{"500"}})
	narrowed.Narrow([]LogRange{{text, 5, 7}, {text, 9, 12}})
	sql, params = logRowsSQL(&LogRowsQuery{LogScope: narrowed})
	add("rows of ranges", sql, params)
	narrowed.Filters = narrowed.Filters[:1]
	narrowed.Narrow([]LogRange{{text, 5, 7}, {"b", 0, 2_000_000_000}})
	counts = &LogCountsQuery{LogScope: narrowed, Grid: LogGrid{First: 2_000_000_000, Step: 1_000_000_000, Steps: 1, Window: 1_000_000_000}}
	sql, params = logCountsSQL(counts, counts.byStream())
	add("counts of one window, of a whole group and a range", sql, params)
	searched := LogScope{Streams: narrowed.Streams, Start: 1, End: 2, Filters: []LogFilter{{Op: LogContains, Texts: []string{"gram " + text, "of five"}}}}
	narrow := narrowSQL(&searched, searched.wanted())
	add("ranges", narrow.String(), narrow.params)
	many := make([]LogStream, fewStreams+1)
	for i := range many {
		many[i] = LogStream{FP: uint64(i) + 100, Group: text}
	}
	counts = &LogCountsQuery{LogScope: LogScope{Streams: many, Start: 1, End: 2}, Grid: LogGrid{First: 1000, Step: 10, Steps: 2, Window: 10}}
	sql, params = logCountsSQL(counts, counts.byStream())
	add("counts of many streams", sql, params)
	counts = &LogCountsQuery{LogScope: LogScope{Streams: many, Start: 1, End: 2 + int64(wholeGroupsFrom)}, Grid: counts.Grid, Into: make([]uint64, len(many))}
	sql, params = logCountsSQL(counts, counts.byGroup())
	add("counts of whole groups", sql, params)
	b := newLogSQL()
	b.whereSeries(&LogStreamsQuery{Start: 1, End: 2, Matchers: []LogMatcher{
		{Name: text, Op: LogEquals, Value: text}, {Name: "b", Op: LogEquals, Not: true, Value: text},
		{Name: "c", Op: LogMatches, Value: text}, {Name: "d", Op: LogMatches, Not: true, Value: text},
	}})
	all["series conditions"] = b
	return all
}

func TestLogSQLGolden(t *testing.T) {
	var out strings.Builder
	statements := goldenStatements("it's")
	for _, name := range slices.Sorted(maps.Keys(statements)) {
		b := statements[name]
		fmt.Fprintf(&out, "-- %s\n%s\n", name, b.String())
		for i := range len(b.params) {
			key := fmt.Sprint("p", i)
			fmt.Fprintf(&out, "-- %s = %s\n", key, b.params[key])
		}
		out.WriteByte('\n')
	}
	path := filepath.Join("testdata", "logquery.golden.sql")
	if *updateGolden {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the statements changed; review with `go test -run LogSQLGolden -update-logquery` and git diff\ngot:\n%s", out.String())
	}
}

// FuzzLogSQL checks that no text changes a statement: whatever stands in labels, filters and attributes, the statement is
// that of an ordinary text.
func FuzzLogSQL(f *testing.F) {
	for _, seed := range []string{"", "'", "{p0:String}", "\\", "`", "\x00\n\t", "%_", "世界", "*/ --"} {
		f.Add(seed)
	}
	plain := goldenStatements("plain")
	f.Fuzz(func(t *testing.T, text string) {
		for name, b := range goldenStatements(text) {
			if text == "b" || len(text) == 32 {
				continue // the second group, and what may be a trace id: both have shapes of their own
			}
			if got, want := b.String(), plain[name].String(); got != want {
				t.Errorf("%s with %q:\n got %s\nwant %s", name, text, got, want)
			}
			for key, value := range b.params {
				if strings.ContainsAny(value, "\t\n\r\x00") {
					t.Errorf("%s with %q: parameter %s = %q has a raw control character, which ends the server's field", name, text, key, value)
				}
			}
		}
	})
}

func TestRequiredLiterals(t *testing.T) {
	for expr, want := range map[string]string{
		"error":                 "[error] true",
		"error|warn":            "[error warn] true",
		"(error)":               "[error] true",
		`status=\d+ timeout`:    "[ timeout] false",
		`\d+`:                   "[] false",
		"(?i)error":             "[] false",
		"(timeout|refused) now": "[timeout refused] false",
		"a.b":                   "[] false",
		"(abc)+":                "[abc] false",
		"(abc)*":                "[] false",
		"(abc){2,3}":            "[abc] false",
		"x|.*":                  "[] false",
		"a|b|c|d|e|f|g|h|ij":    "[] false",
		"^error$":               "[error] false",
		"":                      "[] false",
	} {
		literals, exact := requiredLiterals(expr)
		if got := fmt.Sprint(literals, exact); got != want {
			t.Errorf("requiredLiterals(%q) = %s, want %s", expr, got, want)
		}
	}
}
