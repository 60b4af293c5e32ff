package otlpgrpc

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// defaultRetryDelay is told where the error does not say how long to wait: long enough that a retry is not part of the
// load, short enough that agents' buffers hold.
const defaultRetryDelay = 2 * time.Second

// maxMessageBytes bounds the message in the trailers, of which some clients take 8 KiB in all.
const maxMessageBytes = 1024

// codeOf maps a kind to a status code by what the OTLP specification makes senders do with it: what may succeed later is
// retryable, what never can is not. There is no default case, so that a new kind fails the test over all kinds.
func codeOf(kind seamark.Kind) codes.Code {
	switch kind {
	case seamark.Invalid, seamark.TooLarge:
		// RESOURCE_EXHAUSTED would say "too large" as well, but some agents send again on it whatever comes with it.
		return codes.InvalidArgument
	case seamark.Unsupported:
		return codes.Unimplemented
	case seamark.Unauthenticated:
		return codes.Unauthenticated
	case seamark.Forbidden:
		return codes.PermissionDenied
	case seamark.NotFound:
		return codes.NotFound
	case seamark.Conflict:
		return codes.AlreadyExists // ABORTED would be sent again
	case seamark.Unprocessable:
		return codes.FailedPrecondition
	case seamark.RateLimited:
		return codes.ResourceExhausted
	case seamark.Canceled:
		return codes.Canceled
	case seamark.Timeout:
		return codes.DeadlineExceeded
	case seamark.Internal, seamark.Unavailable:
		// Senders drop on INTERNAL, and nobody knows yet that a fault of ours is there to stay.
		return codes.Unavailable
	}
	return codes.OK
}

// retryable says which codes carry RetryInfo. Without it RESOURCE_EXHAUSTED is final.
func retryable(c codes.Code) bool {
	return c == codes.ResourceExhausted || c == codes.Unavailable || c == codes.DeadlineExceeded
}

// asError turns any error into the one a customer may see: what nobody classified becomes Internal.
func asError(err error) *seamark.Error {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		return e
	}
	return seamark.Wrap(err, seamark.Internal, "seamark-internal", "Internal error.")
}

// writeStatus answers a call that failed.
func writeStatus(w http.ResponseWriter, e *seamark.Error) {
	code, message := codeOf(e.Kind), clip(e.Message)
	if e.Kind == seamark.Internal {
		message = "Internal error."
	}
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // headers and trailers apart, which every client understands
	h := w.Header()
	h.Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(int(code)))
	h.Set(http.TrailerPrefix+"Grpc-Message", percentEncode(message))
	if !retryable(code) {
		return
	}
	delay := e.RetryAfter
	if delay <= 0 {
		delay = defaultRetryDelay
	}
	if details := retryDetails(code, message, delay); details != "" {
		h.Set(http.TrailerPrefix+"Grpc-Status-Details-Bin", details)
	}
}

// retryDetails encodes the google.rpc.Status with RetryInfo that tells a sender when to come back.
func retryDetails(code codes.Code, message string, delay time.Duration) string {
	s, err := status.New(code, message).WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)})
	if err != nil {
		return "" // it fails for OK alone, and a status without details is a status
	}
	raw, err := proto.Marshal(s.Proto())
	if err != nil {
		return ""
	}
	return base64.RawStdEncoding.EncodeToString(raw)
}

// clip cuts a message to what fits the trailers and makes it UTF-8, which readers insist on.
func clip(message string) string {
	return strings.ToValidUTF8(message[:min(len(message), maxMessageBytes)], "\ufffd")
}

// percentEncode writes a grpc-message: what is not printable ASCII, and the percent sign, as %XX of its bytes.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
