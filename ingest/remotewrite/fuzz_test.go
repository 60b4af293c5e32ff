package remotewrite_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func FuzzDecode(f *testing.F) {
	f.Add(marshal(f, request(3, 2)))
	f.Add(marshal(f, &prompb.WriteRequest{Metadata: []prompb.MetricMetadata{{Type: 1, MetricFamilyName: "a", Help: "b", Unit: "c"}}}))
	f.Add(marshal(f, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:     []prompb.Label{{Name: "a", Value: "b"}},
		Samples:    []prompb.Sample{{Value: 1, Timestamp: 2}},
		Exemplars:  []prompb.Exemplar{{Labels: []prompb.Label{{Name: "trace_id", Value: traceText}}, Value: 1, Timestamp: 3}},
		Histograms: histograms(),
	}}}))
	f.Add([]byte("\x0a\x07\x0a\x00\x12\x00\x0a\x01\x0a"))
	d, strict := remotewrite.New(), catalogtest.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		var b, again seamark.Batch
		err := d.Decode(body, accepting{}, &b)
		checkBatch(t, body, &b, err)
		// The strict catalogue sees the same body twice: what it finds the second time is what it made the first. It may
		// hide a malformed sample, because the samples of a refused series are not read.
		for range 2 {
			again.Reset()
			if strictErr := d.Decode(body, strict, &again); (strictErr == nil) != (err == nil) && again.Rejected.Rows() == 0 {
				t.Fatalf("got %v with a strict catalogue and %v without", strictErr, err)
			}
		}
		remotewrite.PeekReplica(body, false)
		var w prompb.WriteRequest
		if err != nil || w.Unmarshal(body) != nil {
			return
		}
		if diff := cmp.Diff(wantRows(&w, false), rowsOf(&b)); diff != "" {
			t.Fatalf("samples (-official +ours):\n%s", diff)
		}
		if diff := cmp.Diff(wantMetadata(&w), b.Metadata); diff != "" {
			t.Fatalf("metadata (-official +ours):\n%s", diff)
		}
		least, most := 0, 0
		for _, ts := range w.Timeseries {
			least += len(ts.Samples) + len(ts.Histograms)
			most += len(ts.Samples) + len(ts.Histograms) + len(ts.Exemplars)
		}
		if got := again.Rows() + again.Rejected.Rows(); got < least || got > most {
			t.Fatalf("kept and rejected %d rows, sent %d to %d", got, least, most)
		}
	})
}

func FuzzDecodeV2(f *testing.F) {
	f.Add(marshalV2(f, requestV2(3, 2)))
	f.Add(marshalV2(f, mixedV2()))
	for _, body := range formsV2() {
		f.Add([]byte(body))
	}
	d, strict := remotewrite.New(), catalogtest.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		var b, again seamark.Batch
		w, err := d.DecodeV2(body, accepting{}, &b)
		checkBatch(t, body, &b, err)
		if w.Injected > b.Samples.Len()-w.Injected {
			t.Fatalf("%d injected samples for %d", w.Injected, b.Samples.Len()-w.Injected)
		}
		for range 2 {
			again.Reset()
			if _, strictErr := d.DecodeV2(body, strict, &again); (strictErr == nil) != (err == nil) && again.Rejected.Rows() == 0 {
				t.Fatalf("got %v with a strict catalogue and %v without", strictErr, err)
			}
		}
		remotewrite.PeekReplica(body, true)
		var r writev2.Request
		if err != nil || r.Unmarshal(body) != nil {
			return
		}
		if diff := cmp.Diff(wantRowsV2(&r), rowsOf(&b)[:b.Samples.Len()-w.Injected]); diff != "" {
			t.Fatalf("samples (-official +ours):\n%s", diff)
		}
	})
}

// checkBatch checks what holds for every batch that a decoder made, whatever the body.
func checkBatch(t *testing.T, body []byte, b *seamark.Batch, err error) {
	t.Helper()
	if err != nil && seamark.KindOf(err) != seamark.Invalid {
		t.Fatalf("got %v", err)
	}
	s, h := &b.Samples, &b.Histograms
	if len(s.SeriesRef) != s.Len() || len(s.Value) != s.Len() || len(h.SeriesRef) != h.Len() || len(h.Count) != h.Len() ||
		len(h.Sum) != h.Len() || len(h.Data) != h.Len() {
		t.Fatalf("columns differ: %+v %+v", s, h)
	}
	if rows := b.Rows() + len(b.Exemplars); rows > len(body) { // a row takes two bytes, and may bring one more
		t.Fatalf("%d rows from %d bytes", rows, len(body))
	}
	for _, refs := range [][]uint32{s.SeriesRef, h.SeriesRef} {
		for _, ref := range refs {
			_ = s.Series[ref].Labels
		}
	}
	for i := range b.Exemplars {
		_ = s.Series[b.Exemplars[i].Series].Labels
	}
	for i, data := range h.Data {
		checkStored(t, data, h.TimeMilli[i])
	}
}

// FuzzPrediction decodes a body behind the first half of a scrape, where the decoder foresees the second: it must make
// the same rows of the same series as a decoder that foresees nothing.
func FuzzPrediction(f *testing.F) {
	all := request(64, 1).Timeseries
	first, whole := marshal(f, &prompb.WriteRequest{Timeseries: all[:40]}), marshal(f, &prompb.WriteRequest{Timeseries: all})
	next := func(change func(ts *prompb.TimeSeries)) []byte {
		ts := all[40]
		change(&ts)
		return marshal(f, &prompb.WriteRequest{Timeseries: append([]prompb.TimeSeries{ts}, all[41:44]...)})
	}
	f.Add(next(func(*prompb.TimeSeries) {}))
	f.Add(next(func(ts *prompb.TimeSeries) {
		ts.Labels = append(ts.Labels[:12:12], prompb.Label{Name: "z", Value: "1"})
	}))
	f.Add(next(func(ts *prompb.TimeSeries) { ts.Labels = ts.Labels[:11] }))
	f.Add(next(func(ts *prompb.TimeSeries) { ts.Samples, ts.Histograms = nil, histograms()[:1] }))
	f.Add(append(next(func(ts *prompb.TimeSeries) { ts.Samples = nil }), "\x0a\x01"...))
	f.Fuzz(func(t *testing.T, body []byte) {
		cat, plain, foreseeing := catalogtest.New(), remotewrite.New(), predicting(t, 1000)
		var want, got seamark.Batch
		if err := foreseeing.Decode(whole, cat, &got); err != nil {
			t.Fatal(err)
		}
		got.Reset()
		body = append(append([]byte(nil), first...), body...)
		gotErr, wantErr := foreseeing.Decode(body, cat, &got), plain.Decode(body, cat, &want)
		if (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("got %v with and %v without prediction", gotErr, wantErr)
		}
		if diff := cmp.Diff(rowsOf(&want), rowsOf(&got)); diff != "" {
			t.Fatalf("samples (-without +with prediction):\n%s", diff)
		}
		if diff := cmp.Diff(want.Histograms, got.Histograms, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("histograms (-without +with prediction):\n%s", diff)
		}
		if diff := cmp.Diff(want.Rejected, got.Rejected); diff != "" {
			t.Fatalf("rejected (-without +with prediction):\n%s", diff)
		}
	})
}
