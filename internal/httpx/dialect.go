package httpx

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Dialect says in which form a route's callers expect errors.
type Dialect uint8

// The dialects.
const (
	Problem       Dialect = iota // RFC 9457 problem details, the control plane
	Prometheus                   // {"status":"error","errorType":...,"error":...}
	Plain                        // text/plain: Loki, remote write, webhooks
	OTLP                         // google.rpc.Status, in the request's encoding
	Elasticsearch                // {"error":{"type":...,"reason":...},"status":...}
	Splunk                       // HEC's {"text":...,"code":...}
	Datadog                      // {"status":"error","errors":[...]}
	Influx                       // {"code":...,"message":...} of InfluxDB 2, with InfluxDB 1's "error"
)

// prepare sets the headers that every response of the dialect carries.
func (d Dialect) prepare(h http.Header) {
	if d == Elasticsearch {
		h.Set("X-Elastic-Product", "Elasticsearch") // the official clients refuse a server without it
	}
}

// failure is an error on its way to a caller.
type failure struct {
	request   *http.Request
	err       *seamark.Error
	status    int
	message   string
	requestID string
}

// statusOf returns the status of an error, where the dialect has its own word for it.
func (d Dialect) statusOf(e *seamark.Error) int {
	if d == Splunk && e.Kind == seamark.Unauthenticated && splunkCode(e) == splunkInvalidToken {
		return http.StatusForbidden
	}
	if d == Problem && errors.Is(e.Err, errPrecondition) {
		return http.StatusPreconditionFailed
	}
	return statusOf(e.Kind)
}

// envelope returns the body of a failure and its media type.
func (d Dialect) envelope(f *failure) (contentType string, body []byte) {
	const asJSON = "application/json"
	switch d {
	case Prometheus:
		return asJSON, encode(map[string]string{"status": "error", "errorType": prometheusErrorType(f.err.Kind), "error": f.message})
	case Plain:
		return "text/plain; charset=utf-8", []byte(f.message + "\n")
	case OTLP:
		return otlpStatus(f.request, f.err.Kind, f.message)
	case Elasticsearch:
		return asJSON, encode(elasticsearchError{elasticsearchCause{elasticsearchType(f.err.Kind), f.message}, f.status})
	case Splunk:
		return asJSON, encode(splunkError{f.message, splunkCode(f.err)})
	case Datadog:
		return asJSON, encode(datadogError{"error", []string{f.message}})
	case Influx:
		return asJSON, encode(influxError{influxCode(f.err.Kind), f.message, f.message})
	case Problem:
	}
	return problemOf(f)
}

// encode marshals one of this file's bodies, which have nothing that could fail.
func encode(v any) []byte {
	body, _ := json.Marshal(v)
	return body
}

type elasticsearchError struct {
	Error  elasticsearchCause `json:"error"`
	Status int                `json:"status"`
}

type elasticsearchCause struct {
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

// elasticsearchType returns the error type that Elasticsearch gives in the like case; agents show it, none parses it.
func elasticsearchType(kind seamark.Kind) string {
	switch kind {
	case seamark.Unauthenticated, seamark.Forbidden:
		return "security_exception"
	case seamark.NotFound:
		return "resource_not_found_exception"
	case seamark.RateLimited, seamark.Unavailable, seamark.Timeout:
		return "es_rejected_execution_exception"
	case seamark.Internal, seamark.Canceled:
		return "exception"
	case seamark.Invalid, seamark.Conflict, seamark.TooLarge, seamark.Unsupported, seamark.Unprocessable:
	}
	return "illegal_argument_exception"
}

type splunkError struct {
	Text string `json:"text"`
	Code int    `json:"code"`
}

// Codes of Splunk's HTTP Event Collector (Splunk Enterprise, "Troubleshoot HTTP Event Collector").
const (
	splunkTokenRequired = 2
	splunkInvalidAuth   = 3
	splunkInvalidToken  = 4
	splunkNoData        = 5
	splunkBadFormat     = 6
	splunkInternal      = 8
	splunkBusy          = 9
	splunkNoEvent       = 12
)

func splunkCode(e *seamark.Error) int {
	switch e.ID {
	case "seamark-token-missing":
		return splunkTokenRequired
	case "seamark-token-malformed":
		return splunkInvalidAuth
	case "seamark-hec-empty":
		return splunkNoData
	case "seamark-hec-event":
		return splunkNoEvent
	}
	switch e.Kind {
	case seamark.Unauthenticated, seamark.Forbidden:
		return splunkInvalidToken
	case seamark.RateLimited, seamark.Unavailable, seamark.Timeout:
		return splunkBusy
	case seamark.Internal, seamark.Canceled:
		return splunkInternal
	case seamark.Invalid, seamark.NotFound, seamark.Conflict, seamark.TooLarge, seamark.Unsupported, seamark.Unprocessable:
	}
	return splunkBadFormat
}

type datadogError struct {
	Status string   `json:"status"`
	Errors []string `json:"errors"`
}

type influxError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Error   string `json:"error"`
}

// influxCode returns InfluxDB 2's word for a kind (InfluxDB API reference, "Error").
func influxCode(kind seamark.Kind) string {
	switch kind {
	case seamark.Unauthenticated:
		return "unauthorized"
	case seamark.Forbidden:
		return "forbidden"
	case seamark.NotFound:
		return "not found"
	case seamark.Conflict:
		return "conflict"
	case seamark.TooLarge:
		return "request too large"
	case seamark.Unsupported:
		return "unsupported media type"
	case seamark.Unprocessable:
		return "unprocessable entity"
	case seamark.RateLimited:
		return "too many requests"
	case seamark.Unavailable, seamark.Timeout:
		return "unavailable"
	case seamark.Internal, seamark.Canceled:
		return "internal error"
	case seamark.Invalid:
	}
	return "invalid"
}
