package remotewrite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func marshalV2(tb testing.TB, r *writev2.Request) []byte {
	tb.Helper()
	body, err := r.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func appendLength(body []byte, n int) []byte {
	for ; n >= 0x80; n >>= 7 {
		body = append(body, byte(n)|0x80)
	}
	return append(body, byte(n))
}

// requestV2 is the request of 1.0 in the form of 2.0, as Prometheus' queue builds it.
func requestV2(n, samples int) *writev2.Request {
	symbols, r := writev2.NewSymbolTable(), &writev2.Request{}
	for _, one := range request(n, samples).Timeseries {
		ts := writev2.TimeSeries{Metadata: writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_HISTOGRAM, HelpRef: symbols.Symbolize("How long.")}}
		for _, l := range one.Labels {
			ts.LabelsRefs = append(ts.LabelsRefs, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
		}
		for _, s := range one.Samples {
			ts.Samples = append(ts.Samples, writev2.Sample{Value: s.Value, Timestamp: s.Timestamp})
		}
		r.Timeseries = append(r.Timeseries, ts)
	}
	r.Symbols = symbols.Symbols()
	return r
}

// mixedV2 is one series with everything that a series can have.
func mixedV2() *writev2.Request {
	return &writev2.Request{
		Symbols: []string{"", "__name__", "m_total", "trace_id", traceText, "What.", "bytes"},
		Timeseries: []writev2.TimeSeries{{
			LabelsRefs: []uint32{1, 2},
			Samples:    []writev2.Sample{{Value: 1, Timestamp: now, StartTimestamp: now - 1000}, {Value: 2, Timestamp: now + 1, StartTimestamp: now - 1000}},
			Histograms: []writev2.Histogram{
				writev2.FromIntHistogram(now-5, now, tsdbutil.GenerateTestHistogram(1)),
				writev2.FromFloatHistogram(0, now, tsdbutil.GenerateTestCustomBucketsFloatHistogram(1)),
			},
			Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{3, 4}, Value: 1, Timestamp: now}},
			Metadata:  writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER, HelpRef: 5, UnitRef: 6},
		}},
	}
}

// wantRowsV2 are the samples of the series whose references are good, in the order of the labels as sent.
func wantRowsV2(r *writev2.Request) []row {
	var rows []row
series:
	for _, ts := range r.Timeseries {
		var labels []seamark.Label
		for i := 0; i < len(ts.LabelsRefs); i += 2 {
			if i+1 == len(ts.LabelsRefs) || int(ts.LabelsRefs[i]) >= len(r.Symbols) || int(ts.LabelsRefs[i+1]) >= len(r.Symbols) {
				continue series
			}
			name, text := r.Symbols[ts.LabelsRefs[i]], r.Symbols[ts.LabelsRefs[i+1]]
			if name != "__replica__" {
				labels = append(labels, seamark.Label{Name: name, Value: text})
			}
		}
		for _, s := range ts.Samples {
			rows = append(rows, row{fmt.Sprintf("%q", labels), s.Timestamp, math.Float64bits(s.Value)})
		}
	}
	return rows
}

func TestDecodeV2(t *testing.T) {
	for name, r := range map[string]*writev2.Request{"empty": {}, "scrape": requestV2(300, 1), "several samples": requestV2(5, 7), "everything": mixedV2()} {
		t.Run(name, func(t *testing.T) {
			body, cat, d := marshalV2(t, r), catalogtest.New(), remotewrite.New()
			var b seamark.Batch
			for range 2 {
				b.Reset()
				w, err := d.DecodeV2(body, cat, &b)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wantRowsV2(r), rowsOf(&b)[:b.Samples.Len()-w.Injected]); diff != "" {
					t.Fatalf("samples (-want +got):\n%s", diff)
				}
				if b.Rejected.Rows() != 0 {
					t.Fatalf("rejected: %+v", b.Rejected)
				}
			}
			if cat.Creates() != cat.Len() {
				t.Fatalf("the catalogue made %d series in %d creates; a warm one must not be asked", cat.Len(), cat.Creates())
			}
		})
	}
}

// TestDecodeV2SymbolsMove numbers the same texts anew, as every request of a real sender does: the series stay the same.
func TestDecodeV2SymbolsMove(t *testing.T) {
	r, cat, d := requestV2(20, 1), catalogtest.New(), remotewrite.New()
	var b seamark.Batch
	if _, err := d.DecodeV2(marshalV2(t, r), cat, &b); err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(b.Samples.Series)
	last := uint32(len(r.Symbols))
	slices.Reverse(r.Symbols)
	for i := range r.Timeseries {
		for j, ref := range r.Timeseries[i].LabelsRefs {
			r.Timeseries[i].LabelsRefs[j] = last - 1 - ref
		}
		r.Timeseries[i].Metadata = writev2.Metadata{}
	}
	b.Reset()
	if _, err := d.DecodeV2(marshalV2(t, r), cat, &b); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, b.Samples.Series) || cat.Creates() != len(before) {
		t.Fatalf("%d creates for %d series", cat.Creates(), len(before))
	}
}

// TestDecodeV2Forms sends what the protocol and protobuf allow and Prometheus does not do.
func TestDecodeV2Forms(t *testing.T) {
	for name, body := range formsV2() {
		t.Run(name, func(t *testing.T) {
			var b seamark.Batch
			if _, err := remotewrite.New().DecodeV2([]byte(body), catalogtest.New(), &b); err != nil {
				t.Fatal(err)
			}
			want := []row{{fmt.Sprintf("%q", []seamark.Label{{Name: "__name__", Value: "m"}, {Name: "a", Value: "b"}}), 5, 0}}
			if diff := cmp.Diff(want, rowsOf(&b)); diff != "" || b.Rejected.Rows() != 0 {
				t.Fatalf("rejected %+v (-want +got):\n%s", b.Rejected, diff)
			}
		})
	}
}

// formsV2 are bodies of one series and sample in every form.
func formsV2() map[string]string {
	const symbols = "\x22\x00\x22\x08__name__\x22\x01m\x22\x01a\x22\x01b"
	return map[string]string{
		"packed":                      symbols + "\x2a\x0a\x0a\x04\x01\x02\x03\x04\x12\x02\x10\x05",
		"unpacked":                    symbols + "\x2a\x0c\x08\x01\x08\x02\x08\x03\x08\x04\x12\x02\x10\x05",
		"split":                       symbols + "\x2a\x0c\x0a\x02\x01\x02\x12\x02\x10\x05\x0a\x02\x03\x04",
		"symbols behind the series":   "\x2a\x0a\x0a\x04\x01\x02\x03\x04\x12\x02\x10\x05" + symbols,
		"labels behind the sample":    symbols + "\x2a\x0a\x12\x02\x10\x05\x0a\x04\x01\x02\x03\x04",
		"unsorted":                    symbols + "\x2a\x0a\x0a\x04\x03\x04\x01\x02\x12\x02\x10\x05",
		"references longer than need": symbols + "\x2a\x0c\x0a\x06\x81\x00\x02\x83\x00\x04\x12\x02\x10\x05",
		"unknown fields":              symbols + "\x2a\x0f\x0a\x04\x01\x02\x03\x04\x12\x02\x10\x05\xa0\x06\x01\x50\x01",
	}
}

func TestDecodeV2Rejects(t *testing.T) {
	r := mixedV2()
	one := writev2.Sample{Value: 1, Timestamp: now}
	r.Timeseries = append(r.Timeseries,
		writev2.TimeSeries{LabelsRefs: []uint32{1}, Samples: []writev2.Sample{one}},
		writev2.TimeSeries{LabelsRefs: []uint32{1, 2, 3}, Samples: []writev2.Sample{one}, Histograms: make([]writev2.Histogram, 2)},
		writev2.TimeSeries{LabelsRefs: []uint32{1, 7}, Exemplars: make([]writev2.Exemplar, 2)},
		writev2.TimeSeries{LabelsRefs: []uint32{math.MaxUint32, 2}, Samples: []writev2.Sample{one, one, one}},
		writev2.TimeSeries{LabelsRefs: []uint32{1, 2}, Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{3}}, {LabelsRefs: []uint32{3, 99}}, {Value: 1}}},
		writev2.TimeSeries{LabelsRefs: []uint32{3, 4}, Samples: []writev2.Sample{one}},
		writev2.TimeSeries{LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{one}, Metadata: writev2.Metadata{Type: 1, HelpRef: 99}},
	)
	var b seamark.Batch
	w, err := remotewrite.New().DecodeV2(marshalV2(t, r), catalogtest.New(), &b)
	if err != nil {
		t.Fatal(err)
	}
	if samples, histograms, exemplars := w.Counts(&b); samples != 3 || histograms != 2 || exemplars != 2 || w.Injected != 1 {
		t.Errorf("wrote %d samples, %d histograms, %d exemplars and %d zeros, want 3, 2, 2 and 1", samples, histograms, exemplars, w.Injected)
	}
	counts := map[string]int{}
	for _, reason := range b.Rejected.Reasons {
		counts[reason.Reason] = reason.Count
	}
	want := map[string]int{"seamark-symbol-odd": 1 + 3 + 1, "seamark-symbol-range": 2 + 3 + 1, "seamark-series-unnamed": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

func TestDecodeV2Malformed(t *testing.T) {
	for name, c := range map[string]struct{ body, message string }{
		"text":                  {"no protobuf", "io.prometheus.write.v2.Request: Request is malformed at byte 0 of 11"},
		"symbols as number":     {"\x20\x01", "Request.symbols is malformed at byte 0"},
		"series as number":      {"\x28\x01", "Request.timeseries is malformed at byte 0"},
		"cut in a series":       {"\x2a\x02\x12\x05", "TimeSeries is malformed at byte 2 of 4"},
		"labels as fixed":       {"\x2a\x05\x0d\x01\x00\x00\x00", "TimeSeries is malformed at byte 2"},
		"sample as number":      {"\x2a\x02\x10\x01", "TimeSeries is malformed at byte 2"},
		"metadata as number":    {"\x2a\x02\x28\x01", "TimeSeries is malformed at byte 2"},
		"created as text":       {"\x2a\x02\x32\x00", "TimeSeries is malformed at byte 2"},
		"value as varint":       {"\x2a\x04\x12\x02\x08\x01", "Sample is malformed at byte 4"},
		"start without end":     {"\x2a\x04\x12\x02\x18\x80", "Sample is malformed at byte 4"},
		"help as text":          {"\x2a\x06\x12\x00\x2a\x02\x1a\x00", "Metadata is malformed at byte 6"},
		"cut in metadata":       {"\x2a\x05\x12\x00\x2a\x01\x18", "Metadata is malformed at byte 6"},
		"exemplar time as text": {"\x2a\x04\x22\x02\x1a\x00", "Exemplar is malformed at byte 4"},
		"histogram sum as text": {"\x2a\x04\x1a\x02\x1a\x00", "Histogram is malformed at byte 4"},
		"span as number":        {"\x2a\x04\x1a\x02\x58\x00", "Histogram is malformed at byte 4"},
		"cut in a span":         {"\x2a\x05\x1a\x03\x5a\x01\x08", "Histogram is malformed at byte 4"},
		"span offset as text":   {"\x2a\x06\x1a\x04\x5a\x02\x0a\x00", "Histogram is malformed at byte 4"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := remotewrite.New().DecodeV2([]byte(c.body), accepting{}, new(seamark.Batch))
			wantMalformed(t, err, c.message)
		})
	}
}

// TestDecodeV2Starts has one line per rule of the zero samples.
func TestDecodeV2Starts(t *testing.T) {
	sample := func(at, start int64) writev2.Sample {
		return writev2.Sample{Value: 5, Timestamp: at, StartTimestamp: start}
	}
	stale := sample(now, now-1000)
	stale.Value = math.Float64frombits(value.StaleNaN)
	for name, c := range map[string]struct {
		kind    writev2.Metadata_MetricType
		created int64
		samples []writev2.Sample
		want    []int64
	}{
		"no start":              {samples: []writev2.Sample{sample(now, 0)}},
		"soon after the start":  {kind: 1, samples: []writev2.Sample{sample(now, now-1)}, want: []int64{now - 1}},
		"at the window's end":   {samples: []writev2.Sample{sample(now, now-120_000)}, want: []int64{now - 120_000}},
		"behind the window":     {samples: []writev2.Sample{sample(now, now-120_001)}},
		"at the start":          {samples: []writev2.Sample{sample(now, now)}},
		"before the start":      {samples: []writev2.Sample{sample(now, now+1)}},
		"one start, three":      {samples: []writev2.Sample{sample(now, now-9), sample(now+1, now-9), sample(now+2, now-9)}, want: []int64{now - 9}},
		"began anew":            {samples: []writev2.Sample{sample(now, now-9), sample(now+15, now+5)}, want: []int64{now - 9, now + 5}},
		"new start in the past": {samples: []writev2.Sample{sample(now, 0), sample(now+15, now-5)}},
		"gauge":                 {kind: 2, samples: []writev2.Sample{sample(now, now-9)}},
		"stale marker":          {samples: []writev2.Sample{stale}},
		"start of the series":   {created: now - 9, samples: []writev2.Sample{sample(now, 0), sample(now+1, 0)}, want: []int64{now - 9}},
		"extreme times":         {samples: []writev2.Sample{sample(math.MaxInt64, math.MinInt64), sample(math.MinInt64, math.MaxInt64)}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &writev2.Request{Symbols: []string{"", "__name__", "m_total"}, Timeseries: []writev2.TimeSeries{
				{LabelsRefs: []uint32{1, 2}, Samples: c.samples, Metadata: writev2.Metadata{Type: c.kind}}}}
			body := marshalV2(t, r)
			if c.created != 0 { // the field is reserved in the current schema
				ts, err := r.Timeseries[0].Marshal()
				if err != nil {
					t.Fatal(err)
				}
				ts = appendUvarint(append(ts, 6<<3), uint64(c.created))
				body = append(appendLength(append(marshalV2(t, &writev2.Request{Symbols: r.Symbols}), 5<<3|2), len(ts)), ts...)
			}
			var b seamark.Batch
			w, err := remotewrite.New().DecodeV2(body, catalogtest.New(), &b)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for i := len(c.samples); i < b.Samples.Len(); i++ {
				if got = append(got, b.Samples.TimeMilli[i]); b.Samples.Value[i] != 0 || b.Samples.Series[b.Samples.SeriesRef[i]].Name != "m_total" {
					t.Errorf("the added sample is %v of %v", b.Samples.Value[i], b.Samples.Series[b.Samples.SeriesRef[i]])
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("zero samples (-want +got):\n%s", diff)
			}
			if n, _, _ := w.Counts(&b); n != len(c.samples) || w.Injected != len(c.want) {
				t.Errorf("wrote %d and %d zeros, want %d and %d", n, w.Injected, len(c.samples), len(c.want))
			}
		})
	}
}

func appendUvarint(b []byte, v uint64) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// TestCountsAfterSelect removes rows as ingest's checks do: an injected sample that was removed is not subtracted twice.
func TestCountsAfterSelect(t *testing.T) {
	r := &writev2.Request{Symbols: []string{"", "__name__", "m_total"}}
	for i := range int64(4) {
		r.Timeseries = append(r.Timeseries, writev2.TimeSeries{LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Timestamp: now + i, StartTimestamp: now - 1}}})
	}
	for _, c := range []struct {
		keep []int
		want int
	}{{[]int{0, 1, 2, 3, 4, 5, 6, 7}, 4}, {[]int{0, 2, 4, 7}, 2}, {[]int{0, 1, 2, 3}, 4}, {[]int{5}, 0}, {nil, 0}} {
		var b seamark.Batch
		w, err := remotewrite.New().DecodeV2(marshalV2(t, r), catalogtest.New(), &b)
		if err != nil {
			t.Fatal(err)
		}
		b.Samples.Select(c.keep)
		if got, _, _ := w.Counts(&b); got != c.want || w.Injected != 4 {
			t.Errorf("rows %v: wrote %d of %d injected, want %d of 4", c.keep, got, w.Injected, c.want)
		}
	}
}

func TestDecodeV2Metadata(t *testing.T) {
	symbols, r := writev2.NewSymbolTable(), &writev2.Request{}
	add := func(metric string, kind writev2.Metadata_MetricType, help, unit string) {
		r.Timeseries = append(r.Timeseries, writev2.TimeSeries{
			LabelsRefs: []uint32{symbols.Symbolize("__name__"), symbols.Symbolize(metric)}, Samples: []writev2.Sample{{Timestamp: now}},
			Metadata: writev2.Metadata{Type: kind, HelpRef: symbols.Symbolize(help), UnitRef: symbols.Symbolize(unit)},
		})
	}
	for range 2 {
		add("rpc_total", 1, "Calls.", "")
		add("temperature", 2, "Heat.", "celsius")
		for _, suffix := range []string{"_bucket", "_count", "_sum", ""} {
			add("latency"+suffix, 3, "How long.", "seconds")
		}
		add("size_gcount", 4, "", "")
		add("rpc_seconds_sum", 5, "", "")
		add("rpc_bucket", 5, "", "")
		add("plain", 0, "", "")
		add("helped", 0, "Help.", "")
		add("_sum", 5, "", "")
	}
	r.Symbols = symbols.Symbols()
	var b seamark.Batch
	if _, err := remotewrite.New().DecodeV2(marshalV2(t, r), catalogtest.New(), &b); err != nil {
		t.Fatal(err)
	}
	want := []seamark.MetricMetadata{
		{Metric: "rpc_total", Type: "counter", Help: "Calls."}, {Metric: "temperature", Type: "gauge", Help: "Heat.", Unit: "celsius"},
		{Metric: "latency", Type: "histogram", Help: "How long.", Unit: "seconds"}, {Metric: "size", Type: "gaugehistogram"},
		{Metric: "rpc_seconds", Type: "summary"}, {Metric: "rpc_bucket", Type: "summary"}, {Metric: "helped", Type: "unknown", Help: "Help."},
		{Metric: "_sum", Type: "summary"},
	}
	if diff := cmp.Diff(want, b.Metadata); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func TestPeekReplica(t *testing.T) {
	for name, c := range map[string]struct {
		labels           []prompb.Label
		cluster, replica string
	}{
		"both":    {[]prompb.Label{{Name: "__name__", Value: "up"}, {Name: "__replica__", Value: "prom-1"}, {Name: "cluster", Value: "eu"}}, "eu", "prom-1"},
		"cluster": {[]prompb.Label{{Name: "__name__", Value: "up"}, {Name: "cluster", Value: "eu"}}, "eu", ""},
		"neither": {named("up"), "", ""},
		"none":    {nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: c.labels, Samples: make([]prompb.Sample, 1)}, {Labels: []prompb.Label{{Name: "cluster", Value: "other"}}}}}
			symbols, ts := writev2.NewSymbolTable(), writev2.TimeSeries{}
			for _, l := range c.labels {
				ts.LabelsRefs = append(ts.LabelsRefs, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
			}
			v2 := &writev2.Request{Symbols: symbols.Symbols(), Timeseries: []writev2.TimeSeries{ts, {LabelsRefs: []uint32{1, 1}}}}
			for version, body := range map[bool][]byte{false: marshal(t, w), true: marshalV2(t, v2)} {
				cluster, replica := remotewrite.PeekReplica(body, version)
				clear(body) // the results must be copies
				if cluster != c.cluster || replica != c.replica {
					t.Errorf("v2 %v: got %q and %q, want %q and %q", version, cluster, replica, c.cluster, c.replica)
				}
			}
		})
	}
	for _, body := range []string{"", "no protobuf", "\x0a\x01", "\x2a\x03\x0a\x01\x80", "\x2a\x02\x08\x05"} {
		for _, v2 := range []bool{false, true} {
			if cluster, replica := remotewrite.PeekReplica([]byte(body), v2); cluster != "" || replica != "" {
				t.Errorf("%q: got %q and %q", body, cluster, replica)
			}
		}
	}
}

// TestDecodeDropsReplica makes one series of what the two senders of a pair send.
func TestDecodeDropsReplica(t *testing.T) {
	cat, d := catalogtest.New(), remotewrite.New()
	var b seamark.Batch
	for _, replica := range []string{"a", "b"} {
		labels := append(named("up"), prompb.Label{Name: "__replica__", Value: replica})
		if err := d.Decode(marshal(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: labels, Samples: make([]prompb.Sample, 1)}}}), cat, &b); err != nil {
			t.Fatal(err)
		}
		r := &writev2.Request{Symbols: []string{"", "__name__", "up", "__replica__", replica},
			Timeseries: []writev2.TimeSeries{{LabelsRefs: []uint32{1, 2, 3, 4}, Samples: make([]writev2.Sample, 1)}}}
		if _, err := d.DecodeV2(marshalV2(t, r), cat, &b); err != nil {
			t.Fatal(err)
		}
	}
	if cat.Len() != 1 || len(b.Samples.Series) != 4 {
		t.Fatalf("%d series, want 1: %+v", cat.Len(), b.Samples.Series)
	}
}

func TestOptions(t *testing.T) {
	if _, err := remotewrite.NewWith(remotewrite.Options{MaxBuckets: -1}); err == nil {
		t.Error("a negative limit is taken")
	}
	d, err := remotewrite.NewWith(remotewrite.Options{MaxBuckets: 3, MaxExemplarBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	var b seamark.Batch
	if _, err := d.DecodeV2(marshalV2(t, mixedV2()), catalogtest.New(), &b); err != nil {
		t.Fatal(err)
	}
	if _, histograms, exemplars := remotewrite.Counts(&b); histograms != 0 || exemplars != 0 || b.Rejected.Samples != 3 {
		t.Errorf("%d histograms and %d exemplars are over lower limits: %+v", histograms, exemplars, b.Rejected)
	}
}

// TestDecodeV2AllocatesNothingPerSeries guards the steady state, as its twin of 1.0 does.
func TestDecodeV2AllocatesNothingPerSeries(t *testing.T) {
	body, cat, d := marshalV2(t, requestV2(100, 2)), catalogtest.New(), remotewrite.New()
	var b seamark.Batch
	allocs := testing.AllocsPerRun(50, func() {
		b.Reset()
		if _, err := d.DecodeV2(body, cat, &b); err != nil {
			t.Fatal(err)
		}
	})
	if allocs >= 25 {
		t.Fatalf("a warm decode of 100 series allocates %v times", allocs)
	}
}

// limited grants so many claims.
type limited struct{ left int }

var errMemory = seamark.Errorf(seamark.Unavailable, "seamark-memory-full", "There is no memory.")

func (l *limited) Claim(int64) error {
	if l.left--; l.left < 0 {
		return errMemory
	}
	return nil
}

// TestDecodeWithoutMemory ends requests at every claim: that is the platform's fault, and never a refused row.
func TestDecodeWithoutMemory(t *testing.T) {
	w, r := request(400, 2), requestV2(400, 2)
	for i := range w.Timeseries {
		w.Timeseries[i].Histograms, w.Timeseries[i].Exemplars = histograms(), []prompb.Exemplar{{Labels: named("a")}}
		w.Metadata = append(w.Metadata, prompb.MetricMetadata{MetricFamilyName: "m"})
		ts := &r.Timeseries[i]
		ts.Histograms, ts.Exemplars = mixedV2().Timeseries[0].Histograms, []writev2.Exemplar{{LabelsRefs: []uint32{1, 2}}}
		ts.Samples[0].StartTimestamp = ts.Samples[0].Timestamp - 1
	}
	one, two, d := marshal(t, w), marshalV2(t, r), remotewrite.New()
	for version, decode := range map[string]func(*seamark.Batch) error{
		"1.0": func(b *seamark.Batch) error { return d.Decode(one, catalogtest.New(), b) },
		"2.0": func(b *seamark.Batch) error { _, err := d.DecodeV2(two, catalogtest.New(), b); return err },
	} {
		for claims := 0; ; claims++ {
			b := seamark.Batch{Claim: &limited{claims}}
			err := decode(&b)
			if b.Rejected.Rows() > 0 {
				t.Fatalf("%s: %d claims: refused %+v", version, claims, b.Rejected)
			}
			if err == nil {
				if claims < 5 {
					t.Fatalf("%s: the rows took %d claims", version, claims)
				}
				break
			}
			if !errors.Is(err, errMemory) {
				t.Fatalf("%s: %d claims: got %v", version, claims, err)
			}
		}
	}
}

// TestPeekReplicaTakesNothing: a series of a great many labels, which is refused later, is not looked at in full.
func TestPeekReplicaTakesNothing(t *testing.T) {
	const labels = 100_000
	series := bytes.Repeat([]byte{0x0a, 0}, labels)
	body := append(binary.AppendUvarint([]byte{0x0a}, uint64(len(series))), series...)
	if allocs := testing.AllocsPerRun(3, func() { remotewrite.PeekReplica(body, false) }); allocs > labels/10 {
		t.Errorf("%d empty labels took %.0f allocations", labels, allocs)
	}
}
