package datadog_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func FuzzDecodeSeriesProto(f *testing.F) {
	f.Add(seriesBody(kubernetesSeries()[:2]...))
	f.Add(seriesBody(series{resources: [][2]string{{"host", "h"}}, metric: "m", tags: []string{"kube_job:a", "b", "b:c"}, points: [][2]float64{{-1, 2}, {3, 4}}}))
	fuzz(f, (*datadog.Decoder).DecodeSeriesProto)
}

func FuzzDecodeSketches(f *testing.F) {
	f.Add(sketchBody("m", sketchOf(1, []float64{-3, 0, 1, 1, 2e9}), dogsketch{seconds: 1, count: 2, keys: []int32{5, 5}, counts: []uint32{1, 1}}))
	f.Add(sketchBody("m", dogsketch{seconds: 1, count: 3, keys: []int32{-32768, 32767}, counts: []uint32{1, 2}}))
	fuzz(f, (*datadog.Decoder).DecodeSketches)
}

func FuzzDecodeSeriesJSON(f *testing.F) {
	f.Add([]byte(seriesV1))
	f.Add([]byte(seriesV2))
	fuzz(f, (*datadog.Decoder).DecodeSeriesJSON)
}

func FuzzDecodeCheckRun(f *testing.F) {
	f.Add([]byte(`[{"check":"c","host_name":"h","timestamp":1785000000,"status":2,"message":"m","tags":["a:b"]},{"check":"d","status":0,"tags":null}]`))
	fuzz(f, (*datadog.Decoder).DecodeCheckRun)
}

func FuzzDecodeLogs(f *testing.F) {
	f.Add([]byte("[" + agentLog + ",{}]"))
	f.Add([]byte(agentLog + "\n{\"message\":x}\n" + agentLog))
	f.Add([]byte(`{"message":"\u0000\ud800","ddtags":["a",7],"timestamp":"x"}`))
	fuzz(f, (*datadog.Decoder).DecodeLogs)
}

func FuzzDecodeIntake(f *testing.F) {
	f.Add([]byte(intake))
	f.Add([]byte(`{"events":[{"msg_text":"t","tags":"x"}]}`))
	fuzz(f, (*datadog.Decoder).DecodeIntake)
}

// fuzz decodes each body twice with decoders that serve all of them, and checks what holds for every input.
func fuzz(f *testing.F, decode decodeFunc) {
	f.Helper()
	d, first, second := datadog.New(), new(seamark.Batch), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		cat := catalogtest.New()
		var errs [2]error
		for i, b := range []*seamark.Batch{first, second} {
			b.Reset()
			errs[i] = decode(d, slices.Clone(body), cat, b, options)
		}
		if fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) {
			t.Fatalf("first %v, then %v", errs[0], errs[1])
		}
		if errs[0] != nil {
			if seamark.KindOf(errs[0]) != seamark.Invalid {
				t.Fatalf("%v is of kind %s", errs[0], seamark.KindOf(errs[0]))
			}
			return
		}
		checkBatch(t, first, len(body))
		if first.Rows() != second.Rows() || first.Rejected.Rows() != second.Rejected.Rows() {
			t.Fatalf("first %d rows and %d refused, then %d and %d", first.Rows(), first.Rejected.Rows(), second.Rows(), second.Rejected.Rows())
		}
	})
}

// checkBatch checks that b is well formed and no larger than a body of so many bytes can ask for.
func checkBatch(t *testing.T, b *seamark.Batch, bytes int) {
	t.Helper()
	if b.Rows()+b.Rejected.Rows() > 2*bytes {
		t.Fatalf("%d rows and %d refused out of %d bytes", b.Rows(), b.Rejected.Rows(), bytes)
	}
	samplesOf(t, b)
	linesOf(t, b)
	for i, body := range b.Logs.Body {
		if !utf8.ValidString(body) {
			t.Fatalf("line %d is not UTF-8: %q", i, body)
		}
		for _, a := range b.Logs.AttrsOf(i) {
			if a.Name == "" || !utf8.ValidString(a.Name) || !utf8.ValidString(a.Value) {
				t.Fatalf("line %d has the attribute %q=%q", i, a.Name, a.Value)
			}
		}
	}
	for i, data := range b.Histograms.Data {
		var h prompb.Histogram
		if err := h.Unmarshal([]byte(data)); err != nil {
			t.Fatal(err)
		}
		if err := h.ToIntHistogram().Validate(); err != nil && !math.IsNaN(b.Histograms.Sum[i]) {
			t.Fatalf("%v: %s", err, h.ToIntHistogram())
		}
		_ = b.Samples.Series[b.Histograms.SeriesRef[i]]
	}
}
