package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is an answer that says the call failed.
type Error struct {
	Status     int           // of HTTP
	ID         string        // stable, such as seamark-tenant-unknown; docs/errors.md lists them. "" where the dialect has none
	Title      string        // the kind of fault in a few words
	Detail     string        // what is wrong, where, the limit and the cure
	Fields     []FieldError  // the parts of the body that are wrong, where the server names them
	RequestID  string        // names the request in the server's log
	ETag       string        // of the document as it is now, when If-Match or If-None-Match did not hold
	RetryAfter time.Duration // how long the server asks to wait; 0 where it says nothing
	Method     string
	Path       string
}

// FieldError is one fault in a request's body.
type FieldError struct {
	Pointer string `json:"pointer"` // JSON pointer (RFC 6901) to the faulty value
	Detail  string `json:"detail"`
}

// Error implements error: what failed, the server's words, each faulty field, and what to quote in a report.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d %s", e.Method, e.Path, e.Status, e.Title)
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " [%s: %s]", f.Pointer, f.Detail)
	}
	switch {
	case e.ID != "" && e.RequestID != "":
		fmt.Fprintf(&b, " (%s, request %s)", e.ID, e.RequestID)
	case e.ID != "":
		fmt.Fprintf(&b, " (%s)", e.ID)
	}
	return b.String()
}

// IsStatus reports whether err is an answer with one of the given statuses.
func IsStatus(err error, statuses ...int) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	for _, status := range statuses {
		if e.Status == status {
			return true
		}
	}
	return false
}

// IsNotFound reports whether err says that the object does not exist, or is another tenant's.
func IsNotFound(err error) bool { return IsStatus(err, http.StatusNotFound) }

// IsConflict reports whether err says that the object exists or was changed by another: 409, or 412 with If-Match.
func IsConflict(err error) bool {
	return IsStatus(err, http.StatusConflict, http.StatusPreconditionFailed)
}

// maxErrorBytes bounds what is read of an error's body. Without it a broken server's page fills the memory.
const maxErrorBytes = 1 << 20

// errorOf reads an answer that is no success: problem details, Prometheus' envelope, or text.
func errorOf(resp *http.Response, now time.Time) *Error {
	e := &Error{
		Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode), RequestID: resp.Header.Get("X-Request-Id"), ETag: resp.Header.Get("ETag"),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now), Method: resp.Request.Method, Path: resp.Request.URL.Path,
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBytes))
	if err != nil {
		e.Detail = "the answer broke off: " + err.Error()
		return e
	}
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch media {
	case "application/problem+json", "application/json":
		var p struct {
			ID, Title, Detail string
			RequestID         string `json:"request_id"`
			Errors            []FieldError
			Error             any // Prometheus' and Alertmanager's dialects
		}
		if json.Unmarshal(body, &p) != nil {
			e.Detail = strings.TrimSpace(string(body))
			return e
		}
		e.ID, e.Detail, e.Fields = p.ID, p.Detail, p.Errors
		if p.Title != "" {
			e.Title = p.Title
		}
		if e.RequestID == "" {
			e.RequestID = p.RequestID
		}
		if text, ok := p.Error.(string); ok && e.Detail == "" {
			e.Detail = text
		}
	case "text/plain":
		e.Detail = strings.TrimSpace(string(body))
	}
	return e
}

// retryAfter reads a Retry-After header: seconds, or a date (RFC 9110, 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
