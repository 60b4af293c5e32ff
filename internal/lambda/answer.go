package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxAnswerBytes is what Lambda takes as the answer to an invocation that somebody waits for, its envelope included.
const maxAnswerBytes = 6 << 20

// recorder is a response in memory. It implements http.ResponseWriter.
type recorder struct {
	header  http.Header
	written http.Header // as it was when the status was written
	status  int
	body    bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter. Answers before the last have nobody who could read them.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		r.status, r.written = status, r.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// Flush implements http.Flusher: an answer leaves whole.
func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

// answer is the form that HTTP APIs and load balancers read.
type answer struct {
	StatusCode        int                 `json:"statusCode"`
	StatusDescription string              `json:"statusDescription,omitempty"` // load balancers want it
	Headers           map[string]string   `json:"headers,omitempty"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders,omitempty"`
	Cookies           []string            `json:"cookies,omitempty"` // of HTTP APIs, which take Set-Cookie here
	Body              string              `json:"body,omitempty"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

// encode returns the response in the form of its event's source.
func (r *recorder) encode(method string, from source) ([]byte, error) {
	r.WriteHeader(http.StatusOK) // of a handler that wrote nothing
	h := r.written
	h.Del("Content-Length") // the gateway counts, after it has decoded
	body := r.body.Bytes()
	if method == http.MethodHead || r.status == http.StatusNoContent || r.status == http.StatusNotModified {
		body = nil
	}
	if len(body) > 0 && h.Get("Content-Type") == "" {
		h.Set("Content-Type", http.DetectContentType(body))
	}
	a := answer{StatusCode: r.status, Body: string(body)}
	if h.Get("Content-Encoding") != "" || !utf8.Valid(body) {
		a.Body, a.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	if from == httpAPI {
		a.Cookies = h.Values("Set-Cookie")
		h.Del("Set-Cookie")
	} else {
		a.StatusDescription = strings.TrimSpace(strconv.Itoa(r.status) + " " + http.StatusText(r.status))
	}
	if from == loadBalancerMulti {
		a.MultiValueHeaders = h
	} else {
		a.Headers = joined(h)
	}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	if len(text) > maxAnswerBytes {
		return nil, fmt.Errorf("the answer has %d bytes with its envelope; Lambda takes %d", len(text), maxAnswerBytes)
	}
	return text, nil
}

func joined(h http.Header) map[string]string {
	flat := make(map[string]string, len(h))
	for name, values := range h {
		flat[name] = strings.Join(values, ", ")
	}
	return flat
}
