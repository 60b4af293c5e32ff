package httpx

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// defaultRetryAfter is sent with 429 and 503 when the error does not say how long to wait: long enough that a retry is
// not part of the load, short enough that agents' buffers hold.
const defaultRetryAfter = 2 * time.Second

// statusOf maps a kind to its status. There is no default case, so that a new kind fails the test over all kinds.
func statusOf(kind seamark.Kind) int {
	switch kind {
	case seamark.Internal:
		return http.StatusInternalServerError
	case seamark.Invalid:
		return http.StatusBadRequest
	case seamark.Unauthenticated:
		return http.StatusUnauthorized
	case seamark.Forbidden:
		return http.StatusForbidden
	case seamark.NotFound:
		return http.StatusNotFound
	case seamark.Conflict:
		return http.StatusConflict
	case seamark.TooLarge:
		return http.StatusRequestEntityTooLarge
	case seamark.Unsupported:
		return http.StatusUnsupportedMediaType
	case seamark.Unprocessable:
		return http.StatusUnprocessableEntity
	case seamark.RateLimited:
		return http.StatusTooManyRequests
	case seamark.Canceled:
		return statusClientClosedRequest
	case seamark.Timeout, seamark.Unavailable:
		return http.StatusServiceUnavailable
	}
	return 0
}

// statusClientClosedRequest is nginx's word for a caller that went away; there is no registered code.
const statusClientClosedRequest = 499

// prometheusErrorType returns the errorType of Prometheus' HTTP API. Prometheus has no word for callers that it does not know,
// that may not, or that were overtaken, because it knows no tenants. They get words of their own: Grafana shows the type before
// the message, and "internal" would tell somebody without a permission that the server is broken. Clients that do not know a
// type go by the status.
func prometheusErrorType(kind seamark.Kind) string {
	switch kind {
	case seamark.Invalid, seamark.TooLarge, seamark.Unsupported:
		return "bad_data"
	case seamark.Unprocessable:
		return "execution"
	case seamark.NotFound:
		return "not_found"
	case seamark.RateLimited:
		return "too_many_requests"
	case seamark.Canceled:
		return "canceled"
	case seamark.Timeout:
		return "timeout"
	case seamark.Unavailable:
		return "unavailable"
	case seamark.Unauthenticated:
		return "unauthorized"
	case seamark.Forbidden:
		return "forbidden"
	case seamark.Conflict:
		return "conflict"
	case seamark.Internal:
	}
	return "internal"
}

// asError turns any error into the one a customer may see: what nobody classified becomes Internal.
func asError(err error) *seamark.Error {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		return e
	}
	return seamark.Wrap(err, seamark.Internal, "seamark-internal", "Internal error.")
}

// writeError is the only writer of error responses.
func writeError(w http.ResponseWriter, r *http.Request, dialect Dialect, requestID string, e *seamark.Error) {
	status := dialect.statusOf(e)
	h := w.Header()
	h.Del("Content-Length")
	h.Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || e.RetryAfter > 0 {
		wait := e.RetryAfter
		if wait <= 0 {
			wait = defaultRetryAfter
		}
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	if status == http.StatusUnauthorized && dialect != Problem {
		h.Set("WWW-Authenticate", `Bearer realm="seamark"`)
	}
	contentType, body := dialect.envelope(&failure{r, e, status, messageOf(e, requestID), requestID})
	h.Set("Content-Type", contentType)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// messageOf returns what the caller is told: nothing of what is ours.
func messageOf(e *seamark.Error, requestID string) string {
	if e.Kind == seamark.Internal {
		return "Internal error. Quote request id " + requestID + " when you report it."
	}
	return e.Message
}

// otlpStatus encodes google.rpc.Status in the encoding of the request, as the OTLP/HTTP specification asks.
func otlpStatus(r *http.Request, kind seamark.Kind, message string) (string, []byte) {
	code := grpcCode(kind)
	message = strings.ToValidUTF8(message, "\ufffd") // protobuf readers refuse a message over one bad byte
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		body, _ := json.Marshal(struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		}{code, message})
		return "application/json", body
	}
	// Two fields: 1 = code (varint), 2 = message (bytes). All codes are below 128, one byte.
	body := []byte{0x08, byte(code), 0x12}
	body = appendVarint(body, uint64(len(message)))
	return "application/x-protobuf", append(body, message...)
}

func appendVarint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// grpcCode maps a kind to google.rpc.Code.
func grpcCode(kind seamark.Kind) int {
	switch kind {
	case seamark.Invalid, seamark.TooLarge, seamark.Unsupported:
		return 3 // INVALID_ARGUMENT
	case seamark.Unauthenticated:
		return 16
	case seamark.Forbidden:
		return 7 // PERMISSION_DENIED
	case seamark.NotFound:
		return 5
	case seamark.Conflict:
		return 10 // ABORTED
	case seamark.Unprocessable:
		return 9 // FAILED_PRECONDITION
	case seamark.RateLimited:
		return 8 // RESOURCE_EXHAUSTED
	case seamark.Canceled:
		return 1
	case seamark.Timeout:
		return 4 // DEADLINE_EXCEEDED
	case seamark.Unavailable:
		return 14
	case seamark.Internal:
	}
	return 13 // INTERNAL
}
