package seamark

import (
	"errors"
	"fmt"
	"time"
)

// Kind sorts errors by what the caller should do about them. The zero Kind is Internal, so an error nobody classified
// never looks like the customer's fault.
type Kind uint8

// The kinds, each with one HTTP status in package httpx.
const (
	Internal        Kind = iota // ours; the sender retries
	Invalid                     // can never succeed; the sender drops and fixes
	Unauthenticated             // no valid credential
	Forbidden                   // valid credential, not allowed
	NotFound                    // absent, or another tenant's
	Conflict                    // somebody else changed it first, or it exists
	TooLarge                    // over a size limit, compressed or inflated
	Unsupported                 // media type, encoding or protocol version we do not take
	Unprocessable               // a well-formed query that failed while it ran
	RateLimited                 // the tenant's quota; retry later
	Canceled                    // the caller went away
	Timeout                     // ran out of time; may succeed later
	Unavailable                 // the platform is under pressure or starting; retry soon
	kindCount
)

var kindNames = [kindCount]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not_found", "conflict", "too_large", "unsupported",
	"unprocessable", "rate_limited", "canceled", "timeout", "unavailable",
}

// String returns the kind's name as it stands in JSON and metrics.
func (k Kind) String() string {
	if k >= kindCount {
		return "internal"
	}
	return kindNames[k]
}

// Kinds lists every kind, for tests that must not miss one.
func Kinds() []Kind {
	all := make([]Kind, kindCount)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Error is the one error type that reaches a customer. Message is theirs and safe to show; Err is for our log only.
type Error struct {
	Kind    Kind
	ID      string // stable, `seamark-<noun>-<fault>`; docs/errors.md lists them
	Message string // full sentences: what is wrong, where, the limit, the cure
	Err     error  // never leaves the process
	// RetryAfter is how long the sender should wait; zero means the edge's default for the kind.
	RetryAfter time.Duration
	// Fields names each faulty part of the request's document, where there are several or a pointer says more than words.
	Fields []FieldFault
}

// FieldFault is one fault in a document that a customer sent.
type FieldFault struct {
	Pointer string // JSON pointer (RFC 6901) to the faulty value; "" is the whole document
	Detail  string // a full sentence for the customer
}

// Error returns the customer's message with the cause behind it, for logs.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose message is formatted from format and args.
func Errorf(kind Kind, id, format string, args ...any) *Error {
	return &Error{Kind: kind, ID: id, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error that hides err behind a safe message.
func Wrap(err error, kind Kind, id, format string, args ...any) *Error {
	return &Error{Kind: kind, ID: id, Message: fmt.Sprintf(format, args...), Err: err}
}

// KindOf returns the kind of the first Error in err's chain; Internal when there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
