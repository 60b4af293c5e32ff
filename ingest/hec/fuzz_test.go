package hec_test

import (
	"fmt"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func FuzzDecodeEvents(f *testing.F) {
	f.Add([]byte(otelEvent + "\n" + fluentBitEvent))
	f.Add([]byte(`[{"event":"metric","host":"h","fields":{"metric_name:a":1,"metric_name":"b","_value":"2","k8s.pod.name":"p"}},{"event":{"a":[1]}},{}]`))
	f.Add([]byte(`{"event":"\u0000\ud800","time":"1e9","fields":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}}{`))
	fuzz(f, (*hec.Decoder).DecodeEvents)
}

func FuzzDecodeRaw(f *testing.F) {
	f.Add([]byte("first\r\n\nsecond\n"))
	f.Add([]byte("\xff\x00\n\n"))
	fuzz(f, (*hec.Decoder).DecodeRaw)
}

// fuzz decodes each body twice with decoders that serve all of them, and checks what holds for every input.
func fuzz(f *testing.F, decode decodeFunc) {
	f.Helper()
	d, first, second := hec.New(), new(seamark.Batch), new(seamark.Batch)
	f.Fuzz(func(t *testing.T, body []byte) {
		cat := catalogtest.New()
		var errs [2]error
		var outcomes [2]hec.Outcome
		for i, b := range []*seamark.Batch{first, second} {
			b.Reset()
			outcomes[i], errs[i] = decode(d, slices.Clone(body), cat, b, options)
		}
		if fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) || outcomes[0] != outcomes[1] {
			t.Fatalf("first %v and %v, then %v and %v", outcomes[0], errs[0], outcomes[1], errs[1])
		}
		if errs[0] != nil {
			if seamark.KindOf(errs[0]) != seamark.Invalid || outcomes[0].Reply == hec.Success || first.Rows() != 0 {
				t.Fatalf("%v with outcome %+v and %d rows", errs[0], outcomes[0], first.Rows())
			}
			return
		}
		checkBatch(t, first, len(body))
		if (first.Rejected.Rows() == 0) != (outcomes[0].Reply == hec.Success) {
			t.Fatalf("outcome %+v with %+v", outcomes[0], first.Rejected)
		}
		if got, want := rowsOf(t, second), rowsOf(t, first); !slices.Equal(got, want) {
			t.Fatalf("first %q, then %q", want, got)
		}
	})
}

// checkBatch checks that b is well formed and no larger than a body of so many bytes can ask for.
func checkBatch(t *testing.T, b *seamark.Batch, bytes int) {
	t.Helper()
	if b.Rows()+b.Rejected.Rows() > bytes {
		t.Fatalf("%d rows and %d refused out of %d bytes", b.Rows(), b.Rejected.Rows(), bytes)
	}
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
}
