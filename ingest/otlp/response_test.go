package otlp_test

import (
	"encoding/json"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// unmarshaler is what pdata's responses have in common.
type unmarshaler interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
}

func unmarshal(t *testing.T, u unmarshaler, enc otlp.Encoding, body []byte) {
	t.Helper()
	err := error(nil)
	if enc == otlp.JSON {
		err = u.UnmarshalJSON(body)
	} else {
		err = u.UnmarshalProto(body)
	}
	if err != nil {
		t.Fatalf("%s %q: %v", enc.ContentType(), body, err)
	}
}

func TestResponses(t *testing.T) {
	var some seamark.Rejections
	some.Add(seamark.Logs, 300, "seamark-x", "It \"broke\" \xff.")
	some.Add(seamark.Metrics, 2, "seamark-y", "And this.")
	some.Add(seamark.Logs, 1, "seamark-x", "not told")
	some.Add(seamark.Traces, 3, "seamark-z", "That.")
	const message = "It \"broke\" \ufffd. (seamark-x, 301 refused) And this. (seamark-y, 2 refused) That. (seamark-z, 3 refused)"
	for _, enc := range []otlp.Encoding{otlp.Protobuf, otlp.JSON} {
		logs, metrics, traces := plogotlp.NewExportResponse(), pmetricotlp.NewExportResponse(), ptraceotlp.NewExportResponse()
		unmarshal(t, logs, enc, otlp.AppendLogsResponse(nil, enc, &some))
		unmarshal(t, metrics, enc, otlp.AppendMetricsResponse(nil, enc, &some))
		unmarshal(t, traces, enc, otlp.AppendTracesResponse(nil, enc, &some))
		if p := logs.PartialSuccess(); p.RejectedLogRecords() != 301 || p.ErrorMessage() != message {
			t.Errorf("%s: logs %d %q", enc.ContentType(), p.RejectedLogRecords(), p.ErrorMessage())
		}
		if p := metrics.PartialSuccess(); p.RejectedDataPoints() != 2 || p.ErrorMessage() != message {
			t.Errorf("%s: metrics %d %q", enc.ContentType(), p.RejectedDataPoints(), p.ErrorMessage())
		}
		if p := traces.PartialSuccess(); p.RejectedSpans() != 3 || p.ErrorMessage() != message {
			t.Errorf("%s: traces %d %q", enc.ContentType(), p.RejectedSpans(), p.ErrorMessage())
		}
	}
	if got := otlp.AppendLogsResponse([]byte("x"), otlp.Protobuf, &seamark.Rejections{}); string(got) != "x" {
		t.Errorf("full success in protobuf is %q, want nothing", got)
	}
	if got := otlp.AppendMetricsResponse(nil, otlp.JSON, &seamark.Rejections{}); string(got) != "{}" {
		t.Errorf("full success in JSON is %q, want {}", got)
	}
}

func TestResponseNamesFewReasons(t *testing.T) {
	var many seamark.Rejections
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		many.Add(seamark.Logs, 1, id, "D.")
	}
	var got struct{ PartialSuccess struct{ ErrorMessage string } }
	if err := json.Unmarshal(otlp.AppendLogsResponse(nil, otlp.JSON, &many), &got); err != nil {
		t.Fatal(err)
	}
	const want = "D. (a, 1 refused) D. (b, 1 refused) D. (c, 1 refused) D. (d, 1 refused) D. (e, 1 refused) And 2 more reasons."
	if got.PartialSuccess.ErrorMessage != want {
		t.Errorf("got %q, want %q", got.PartialSuccess.ErrorMessage, want)
	}
}
