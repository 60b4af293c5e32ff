package level

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

func TestFindTraceID(t *testing.T) {
	for _, line := range []string{
		`trace_id=` + traceID,
		`level=info trace_id=` + traceID + ` span_id=00f067aa0ba902b7`,
		`{"msg":"x","trace_id":"` + traceID + `"}`,
		`{"msg":"x","traceID" : "` + traceID + `","y":1}`,
		`{"traceId":"` + strings.ToUpper(traceID) + `"}`,
		`{"trace.id":"` + traceID + `"}`,
		`X-B3-TraceId: ` + traceID,
		`trace-id: '` + traceID + `'`,
		`{"log":"{\"traceID\":\"` + traceID + `\"}"}`,
		`traceparent: 00-` + traceID + `-00f067aa0ba902b7-01`,
		`{"traceparent":"00-` + traceID + `-00f067aa0ba902b7-01"}`,
		`stack trace follows, trace_id=short, trace_id=` + traceID,
		strings.Repeat("c", traceBytes-6) + `trace_id=` + traceID,
	} {
		id, ok := FindTraceID(line)
		if got := hex.EncodeToString(id[:]); !ok || got != traceID {
			t.Errorf("got %s, %v, want %s\n%s", got, ok, traceID, line)
		}
	}
}

func TestFindTraceIDNone(t *testing.T) {
	for _, line := range []string{
		``, `c`, `ce`, `trace`, `trace_id`, `trace_id=`, `trace_id=` + traceID[:31], `trace_id=` + traceID + `0`, `trace ` + traceID,
		`trace_id=` + strings.Repeat("0", 32), `trace_id=` + traceID[:31] + `g`, `traceparent: 00-`, `traceparent: ` + traceID,
		`tracepoint_id=` + traceID, strings.Repeat("c", traceBytes) + ` trace_id=` + traceID,
	} {
		if id, ok := FindTraceID(line); ok || id != [16]byte{} {
			t.Errorf("got %x, %v, want none\n%s", id, ok, line)
		}
	}
}

func TestParseSpanID(t *testing.T) {
	if id, ok := ParseSpanID("00F067aa0ba902b7"); !ok || hex.EncodeToString(id[:]) != "00f067aa0ba902b7" {
		t.Errorf("got %x, %v", id, ok)
	}
	for _, text := range []string{"", "00f067aa0ba902b", "00f067aa0ba902b70", "0000000000000000", "00f067aa0ba902bx"} {
		if id, ok := ParseSpanID(text); ok || id != [8]byte{} {
			t.Errorf("%q: got %x, %v, want none", text, id, ok)
		}
	}
}

func BenchmarkFindTraceID(b *testing.B) {
	for name, line := range map[string]string{"none": prose, "present": `{"level":"info","msg":"order accepted","trace_id":"` + traceID + `"}`} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				FindTraceID(line)
			}
		})
	}
}

func TestParseTraceIDDigits(t *testing.T) {
	for c := range 256 {
		text := strings.Repeat("1", 31) + string([]byte{byte(c)})
		want, err := hex.DecodeString(text)
		id, ok := ParseTraceID(text)
		if ok != (err == nil) || ok && !bytes.Equal(id[:], want) {
			t.Errorf("byte %#x: got %x, %v, want %x, %v", c, id, ok, want, err)
		}
	}
}
