package otlp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func errorID(err error) string {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		return e.ID
	}
	if err != nil {
		return "not a seamark.Error: " + err.Error()
	}
	return ""
}

func TestBrokenBodies(t *testing.T) {
	deep := strings.Repeat(`{"arrayValue":{"values":[`, 200) + strings.Repeat("]}}", 200)
	cases := []struct {
		name, body string
		enc        otlp.Encoding
		id, says   string
	}{
		{"truncated", "\x0a\x05\x12", otlp.Protobuf, "seamark-body-protobuf", "byte 2 of 3"},
		{"truncated inside", "\x0a\x04\x12\x02\x12\x7f", otlp.Protobuf, "seamark-body-protobuf", "byte 6 of 6"},
		{"wrong wire type", "\x08\x01", otlp.Protobuf, "seamark-body-protobuf", "Field 1"},
		{"not JSON", `{"resourceLogs":[}`, otlp.JSON, "seamark-body-json", "byte 18 of 18"},
		{"empty JSON", "", otlp.JSON, "seamark-body-json", "byte 0 of 0"},
		{"trailing bytes", "{} {}", otlp.JSON, "seamark-body-json", "byte 4 of 5"},
		{"too deep", `{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":` + deep + `}]}}]}`, otlp.JSON, "seamark-body-json", "nests deeper"},
		{"wrong type", `{"resourceLogs":7,"resourceMetrics":7,"resourceSpans":7}`, otlp.JSON, "seamark-body-json", "JSON mapping"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := &otlp.Request{Body: []byte(c.body), Encoding: c.enc, Catalog: catalogtest.New(), Now: now}
			d := otlp.New()
			for _, err := range []error{
				d.DecodeLogs(r, new(seamark.Batch)), d.DecodeMetrics(r, new(seamark.Batch)), d.DecodeTraces(r, new(seamark.Batch)),
			} {
				if got := errorID(err); got != c.id {
					t.Fatalf("got %q, want %s", got, c.id)
				}
				if seamark.KindOf(err) != seamark.Invalid || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v error %q, want invalid with %q", seamark.KindOf(err), err, c.says)
				}
			}
		})
	}
}

// TestEmptyRequests is the protocol's rule that an empty request succeeds.
func TestEmptyRequests(t *testing.T) {
	for body, enc := range map[string]otlp.Encoding{"": otlp.Protobuf, "{}": otlp.JSON, `{"unknown":[1]}`: otlp.JSON} {
		r := &otlp.Request{Body: []byte(body), Encoding: enc, Catalog: catalogtest.New(), Now: now}
		b := new(seamark.Batch)
		if err := errors.Join(otlp.New().DecodeLogs(r, b), otlp.New().DecodeMetrics(r, b), otlp.New().DecodeTraces(r, b)); err != nil || b.Rows() != 0 {
			t.Errorf("%q: error %v, %d rows", body, err, b.Rows())
		}
	}
}

func TestParseEncoding(t *testing.T) {
	for media, want := range map[string]otlp.Encoding{
		"application/x-protobuf": otlp.Protobuf, "application/json; charset=utf-8": otlp.JSON, "Application/JSON": otlp.JSON,
	} {
		if got, err := otlp.ParseEncoding(media); err != nil || got != want {
			t.Errorf("%q: got %v, %v", media, got, err)
		}
	}
	for _, media := range []string{"", "text/plain", "application/grpc"} {
		if _, err := otlp.ParseEncoding(media); seamark.KindOf(err) != seamark.Unsupported {
			t.Errorf("%q: got %v, want unsupported", media, err)
		}
	}
}
