package otlp

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxReasons bounds how many reasons an answer tells. Senders print it in one log line.
const maxReasons = 5

// AppendLogsResponse appends the body of ExportLogsServiceResponse. It holds partial_success only when rows were refused
// or there is something to warn of.
func AppendLogsResponse(dst []byte, enc Encoding, r *seamark.Rejections) []byte {
	return appendResponse(dst, enc, "rejectedLogRecords", r.Logs+r.Events, r) // events came as log records
}

// AppendMetricsResponse appends the body of ExportMetricsServiceResponse in the same way.
func AppendMetricsResponse(dst []byte, enc Encoding, r *seamark.Rejections) []byte {
	return appendResponse(dst, enc, "rejectedDataPoints", r.Samples, r)
}

// AppendTracesResponse appends the body of ExportTraceServiceResponse in the same way.
func AppendTracesResponse(dst []byte, enc Encoding, r *seamark.Rejections) []byte {
	return appendResponse(dst, enc, "rejectedSpans", r.Spans, r)
}

func appendResponse(dst []byte, enc Encoding, countName string, count int, r *seamark.Rejections) []byte {
	partial := count > 0 || len(r.Reasons) > 0
	if enc == JSON {
		if !partial {
			return append(dst, "{}"...)
		}
		dst = append(dst, `{"partialSuccess":{"`...)
		dst = append(dst, countName...)
		dst = append(dst, `":"`...) // protobuf's JSON mapping writes 64-bit integers as strings
		dst = strconv.AppendInt(dst, int64(count), 10)
		dst = append(dst, `","errorMessage":`...)
		return append(appendJSONString(dst, reasons(r)), "}}"...)
	}
	if !partial {
		return dst
	}
	var inner []byte
	inner = appendVarintField(inner, 1, uint64(count))
	inner = appendStringField(inner, 2, reasons(r))
	return appendStringField(dst, 1, string(inner))
}

// reasons is the sentence for the sender: each reason's detail, its stable id and how many rows it cost.
func reasons(r *seamark.Rejections) string {
	var b strings.Builder
	for i, reason := range r.Reasons {
		if i == maxReasons {
			b.WriteString(" And " + strconv.Itoa(len(r.Reasons)-i) + " more reasons.")
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(reason.Detail + " (" + reason.Reason)
		if reason.Count > 0 { // else it is a warning
			b.WriteString(", " + strconv.Itoa(reason.Count) + " refused")
		}
		b.WriteByte(')')
	}
	return strings.ToValidUTF8(b.String(), "\ufffd") // protobuf readers refuse a message over one bad byte
}

// appendVarintField and appendStringField leave out zero values, as proto3 does.
func appendVarintField(dst []byte, field int, n uint64) []byte {
	if n == 0 {
		return dst
	}
	return binary.AppendUvarint(append(dst, byte(field<<3)), n)
}

func appendStringField(dst []byte, field int, s string) []byte {
	if s == "" {
		return dst
	}
	return append(binary.AppendUvarint(append(dst, byte(field<<3|2)), uint64(len(s))), s...)
}
