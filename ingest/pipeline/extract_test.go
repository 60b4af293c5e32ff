package pipeline_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// samples writes a batch's samples as text, without the part that tells requests apart.
func samples(b *seamark.Batch) []string {
	var list []string
	for i := range b.Samples.TimeMilli {
		var labels []seamark.Label
		for _, l := range b.Samples.Series[b.Samples.SeriesRef[i]].Labels {
			if l.Name != "__part__" {
				labels = append(labels, l)
			}
		}
		list = append(list, fmt.Sprintf("{%s} %v", text(labels), b.Samples.Value[i]))
	}
	slices.Sort(list)
	return list
}

func wantSamples(t *testing.T, b *seamark.Batch, want ...string) {
	t.Helper()
	if got := samples(b); !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCounter(t *testing.T) {
	lines := []line{
		{body: "a", attrs: "status=500", after: 1700 * time.Millisecond}, {body: "b", attrs: "status=500"}, {body: "c", attrs: "status=200"}, {body: "d"},
	}
	definition := one(`"kind":"metric","match":["log.body != \"d\""],"metric":{"name":"http_requests","type":"counter",
		"labels":{"status":"log.attributes[\"status\"]","app":"resource.attributes[\"app\"]","kind":"\"log\"","size":"Len(log.body)"}}`)
	b := run(t, definition, lines...)
	wantSamples(t, b,
		"{__name__=http_requests,__temporality__=delta,app=shop,kind=log,size=1,status=200} 1",
		"{__name__=http_requests,__temporality__=delta,app=shop,kind=log,size=1,status=500} 2")
	if b.Logs.Len() != 4 {
		t.Errorf("the step removed records: %d are left", b.Logs.Len())
	}
	again := run(t, definition, lines...)
	if !slices.Equal(b.Samples.TimeMilli, again.Samples.TimeMilli) {
		t.Error("a repeated request gave samples of other times")
	}
	for i, at := range b.Samples.TimeMilli {
		if lo := noon.UnixMilli(); at < lo || at > lo+2000 {
			t.Errorf("sample %d is of %d, want the second of its latest record", i, at)
		}
	}
	if got := b.Samples.Series[0].Label("__part__"); len(got) != 1 {
		t.Errorf("part %q", got)
	}
}

func TestCounterOfValues(t *testing.T) {
	b := run(t, one(`"kind":"metric","metric":{"name":"bytes","type":"counter","value":"Int(log.attributes[\"n\"]) * 2"}`),
		line{body: "x", attrs: "n=3"}, line{body: "x", attrs: "n=4"}, line{body: "x", attrs: "n=-1"})
	wantSamples(t, b, "{__name__=bytes,__temporality__=delta} 14")
	if got := text(b.Logs.AttrsOf(2)); !strings.Contains(got, "a counter cannot take -2") {
		t.Errorf("got %s", got)
	}
}

func TestGauge(t *testing.T) {
	b := run(t, one(`"kind":"metric","metric":{"name":"depth","type":"gauge","value":"log.attributes[\"n\"]"}`),
		line{attrs: "n=1", body: "x", after: time.Second}, line{attrs: "n=7.5", body: "x", after: 2 * time.Second}, line{attrs: "n=3", body: "x"})
	wantSamples(t, b, "{__name__=depth} 7.5")
	if got, want := b.Samples.TimeMilli[0], noon.Add(2*time.Second).UnixMilli(); got != want {
		t.Errorf("got time %d, want %d", got, want)
	}
}

func TestHistogram(t *testing.T) {
	b := run(t, one(`"kind":"metric","metric":{"name":"d","type":"histogram","value":"Double(log.body)","buckets":[0.1,1,10]}`),
		line{body: "0.1"}, line{body: "0.5"}, line{body: "20"})
	wantSamples(t, b,
		"{__name__=d_bucket,__temporality__=delta,le=+Inf} 3", "{__name__=d_bucket,__temporality__=delta,le=0.1} 1",
		"{__name__=d_bucket,__temporality__=delta,le=10} 2", "{__name__=d_bucket,__temporality__=delta,le=1} 2",
		"{__name__=d_count,__temporality__=delta} 3", "{__name__=d_sum,__temporality__=delta} 20.6")
}

func TestMetricsOfTwoStepsAndDroppedRecords(t *testing.T) {
	b := run(t, `[{"name":"p","enabled":true,"steps":[
		{"name":"all","kind":"metric","metric":{"name":"lines","type":"counter"}},
		{"name":"drop","kind":"drop","match":["log.body == \"x\""]},
		{"name":"left","kind":"metric","metric":{"name":"left","type":"counter"}}]}]`,
		line{body: "x"}, line{body: "y"})
	wantSamples(t, b, "{__name__=left,__temporality__=delta} 1", "{__name__=lines,__temporality__=delta} 2")
}

func TestManySeriesAreRefused(t *testing.T) {
	var lines []line
	for i := range 1100 {
		lines = append(lines, line{body: fmt.Sprint(i)})
	}
	b := run(t, one(`"kind":"metric","metric":{"name":"m","type":"counter","labels":{"id":"log.body"}}`), lines...)
	if got := b.Samples.Len(); got != 1000 {
		t.Errorf("%d series, want 1000", got)
	}
	if got := text(b.Logs.AttrsOf(1050)); !strings.Contains(got, "more than 1000 series") {
		t.Errorf("got %s", got)
	}
}
