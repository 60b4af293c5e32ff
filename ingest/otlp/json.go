package otlp

import (
	"bytes"
	"encoding/json"
	"errors"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxBrackets bounds the nesting of a JSON body: a value at maxDepth takes three brackets a level. The JSON reader below
// recurses without a limit of its own.
const maxBrackets = 3*maxDepth + 20

// What the JSON reader takes of memory beside the body: the strings and the protobuf that is made of them, and the
// structure behind each brace. Without asking for it a body of empty objects takes fifty times its size.
const (
	jsonCopies      = 2
	jsonObjectBytes = 192
)

// protobufOf returns the request in protobuf, so that both encodings have one meaning. convert is called for JSON.
func protobufOf(r *Request, b *seamark.Batch, convert func(body []byte) ([]byte, error)) ([]byte, error) {
	if r.Encoding != JSON {
		return r.Body, nil
	}
	if err := checkJSON(r.Body); err != nil {
		return nil, err
	}
	if err := b.Reserve(jsonCopies*len(r.Body) + jsonObjectBytes*bytes.Count(r.Body, []byte("{"))); err != nil {
		return nil, err
	}
	return convert(r.Body)
}

// logsFromJSON converts an ExportLogsServiceRequest.
func logsFromJSON(body []byte) ([]byte, error) {
	req := plogotlp.NewExportRequest()
	if err := req.UnmarshalJSON(body); err != nil {
		return nil, misshapen(err, "ExportLogsServiceRequest")
	}
	return req.MarshalProto()
}

// metricsFromJSON converts an ExportMetricsServiceRequest.
func metricsFromJSON(body []byte) ([]byte, error) {
	req := pmetricotlp.NewExportRequest()
	if err := req.UnmarshalJSON(body); err != nil {
		return nil, misshapen(err, "ExportMetricsServiceRequest")
	}
	return req.MarshalProto()
}

// tracesFromJSON converts an ExportTraceServiceRequest.
func tracesFromJSON(body []byte) ([]byte, error) {
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalJSON(body); err != nil {
		return nil, misshapen(err, "ExportTraceServiceRequest")
	}
	return req.MarshalProto()
}

// checkJSON refuses what is not one JSON text of bounded depth, because the reader behind it forgives garbage.
func checkJSON(body []byte) error {
	if at := deepBracket(body, maxBrackets); at >= 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-body-json",
			"The JSON body nests deeper than %d brackets at byte %d, the limit.", maxBrackets, at)
	}
	if json.Valid(body) {
		return nil
	}
	at := int64(len(body))
	err := json.Unmarshal(body, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	return seamark.Wrap(err, seamark.Invalid, "seamark-body-json",
		"The body is not JSON: it breaks at byte %d of %d.", at, len(body))
}

// misshapen is the fault of JSON with another shape than the message. The reader's own text is not for customers.
func misshapen(err error, message string) error {
	return seamark.Wrap(err, seamark.Invalid, "seamark-body-json",
		"The body is JSON but not an OTLP %s: a field has another type than the protocol's JSON mapping gives it.", message)
}

// deepBracket returns where the nesting first exceeds limit, -1 when it does not.
func deepBracket(body []byte, limit int) int {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return i
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return -1
}
