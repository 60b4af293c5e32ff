package store

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

var updateMetricGolden = flag.Bool("update-metricquery", false, "rewrite testdata/metricquery.golden.sql and testdata/eventquery.golden.sql")

// metricStatements returns every statement of the metric queries, with text wherever a text can stand.
func metricStatements(text string) map[string]*logSQL {
	q := &MetricSeriesQuery{
		StartMilli: 1000, EndMilli: 2000, Limit: 10,
		Matchers: []MetricMatcher{
			{Name: seamark.MetricNameLabel, Op: MetricEquals, Value: text},
			{Name: seamark.MetricNameLabel, Op: MetricMatches, Value: text},
			{Name: text, Op: MetricEquals, Value: text},
			{Name: text, Op: MetricNotEquals, Value: text},
			{Name: text, Op: MetricMatches, Value: text},
			{Name: text, Op: MetricNotMatches, Value: text},
			{Name: text, Op: MetricIn, Values: []string{text, "b"}},
			{Name: text, Op: MetricNotIn, Values: []string{text}},
		},
	}
	everything := &MetricSeriesQuery{StartMilli: math.MinInt64, EndMilli: math.MaxInt64, Limit: 1}
	return map[string]*logSQL{
		"series":                 metricSeriesSQL(q),
		"series, everything":     metricSeriesSQL(everything),
		"label names":            metricLabelNamesSQL(q),
		"label values":           metricLabelValuesSQL(text, everything),
		"label values, name":     metricLabelValuesSQL(seamark.MetricNameLabel, everything),
		"samples":                metricSamplesSQL(&MetricSamplesQuery{Metrics: []string{text, "b"}, FPs: []uint64{2, 1}, StartMilli: 1, EndMilli: 2, Limit: 3}),
		"samples, every series":  metricSamplesSQL(&MetricSamplesQuery{Metrics: []string{text}, StartMilli: 1, EndMilli: 2, Limit: 3}),
		"samples, whole metrics": metricSamplesSQL(&MetricSamplesQuery{Metrics: []string{text}, FPs: []uint64{2, 1}, Whole: true, StartMilli: 1, EndMilli: 2, Limit: 3}),
		"samples, newest only":   metricSamplesSQL(&MetricSamplesQuery{Metrics: []string{text}, StartMilli: 1, EndMilli: 2, Limit: 3, Last: true}),
		"metadata":               metricMetadataSQL(&MetricMetadataQuery{Limit: 5}),
		"metadata of one family": metricMetadataSQL(&MetricMetadataQuery{Metric: text + "x", Limit: 5}),
	}
}

func TestMetricSQLGolden(t *testing.T) { golden(t, "metricquery.golden.sql", metricStatements("it's")) }

func golden(t *testing.T, file string, statements map[string]*logSQL) {
	t.Helper()
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(statements)) {
		b := statements[name]
		fmt.Fprintf(&out, "-- %s\n%s\n", name, b.String())
		for i := range len(b.params) {
			key := fmt.Sprint("p", i)
			fmt.Fprintf(&out, "-- %s = %s\n", key, b.params[key])
		}
		out.WriteByte('\n')
	}
	path := filepath.Join("testdata", file)
	if *updateMetricGolden {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != string(want) {
		t.Errorf("statements changed; run with -update-metricquery and review the difference:\n got %s\nwant %s", got, want)
	}
}

// FuzzMetricSQL checks that no text changes a statement: whatever stands in names, labels and filters, the statement is
// that of an ordinary text.
func FuzzMetricSQL(f *testing.F) {
	for _, seed := range []string{"", "'", "{p0:String}", "\\", "`", "\x00\n\t", "%_", "世界", "*/ --"} {
		f.Add(seed)
	}
	all := func(text string) map[string]*logSQL {
		statements := metricStatements(text)
		maps.Copy(statements, eventStatements(text))
		maps.Copy(statements, auditStatements(text))
		return statements
	}
	plain := all("plain")
	f.Fuzz(func(t *testing.T, text string) {
		if text == seamark.MetricNameLabel {
			return // a label of its own column
		}
		for name, b := range all(text) {
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

func TestMetricSamplesTidy(t *testing.T) {
	stale := math.Float64frombits(0x7ff0000000000002)
	for name, c := range map[string]struct {
		times  []int64
		values []float64
		want   string
	}{
		"in order":               {[]int64{1, 2, 3}, []float64{10, 20, 30}, "[1 2 3] [10 20 30]"},
		"runs of two parts":      {[]int64{3, 4, 1, 2}, []float64{30, 40, 10, 20}, "[1 2 3 4] [10 20 30 40]"},
		"same value twice":       {[]int64{1, 1, 2}, []float64{10, 10, 20}, "[1 2] [10 20]"},
		"largest bits win":       {[]int64{1, 1, 1}, []float64{10, 30, 20}, "[1] [30]"},
		"negative over positive": {[]int64{1, 1}, []float64{5, -1}, "[1] [-1]"},
		"stale over value":       {[]int64{1, 1}, []float64{stale, 5}, "[1] [NaN]"},
		"empty":                  {nil, nil, "[] []"},
	} {
		// The same after a long run, where a few runs are joined and not sorted.
		var long MetricSamples
		for i := range 1000 {
			long.Times, long.Values = append(long.Times, int64(100+i)), append(long.Values, float64(i))
		}
		head := slices.Clone(long.Times)
		long.Times, long.Values = append(long.Times, c.times...), append(long.Values, c.values...)
		long.tidy()
		m := MetricSamples{Times: slices.Clone(c.times), Values: slices.Clone(c.values)}
		m.tidy()
		if n := len(m.Times); !slices.Equal(long.Times, append(slices.Clone(m.Times), head...)) || fmt.Sprint(long.Values[:n]) != fmt.Sprint(m.Values) {
			t.Errorf("%s: after a long run got %v %v first", name, long.Times[:n], long.Values[:n])
		}
		if got := fmt.Sprint(m.Times, m.Values); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
