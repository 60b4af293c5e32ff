package contract

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// Recorder is an http.RoundTripper that holds each request and its answer against the contract, and remembers how each operation
// was answered.
type Recorder struct {
	t        testing.TB
	contract *Contract
	base     http.RoundTripper

	mu     sync.Mutex       // guards status
	status map[string][]int // of the answers, by operation
}

// Record returns a recorder over http.DefaultTransport.
func (c *Contract) Record(t testing.TB) *Recorder {
	return &Recorder{t: t, contract: c, base: http.DefaultTransport, status: map[string][]int{}}
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		req = req.Clone(req.Context())
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(sent)), int64(len(sent))
	}
	op := r.contract.Find(req.Method, req.URL.EscapedPath())
	if op == nil {
		r.t.Errorf("openapi.yaml does not describe %s %s", req.Method, req.URL.EscapedPath())
		return r.base.RoundTrip(req)
	}
	fault := op.CheckRequest(req.URL.Query(), req.Header, sent)
	resp, err := r.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	var body []byte
	if resp.StatusCode != http.StatusSwitchingProtocols { // after which the body is the connection
		body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	if fault != nil && resp.StatusCode < http.StatusBadRequest {
		r.t.Errorf("%s: the server took a request that is not as described: %v", op.OperationID, fault)
	}
	if err := op.CheckAnswer(resp.StatusCode, resp.Header, body); err != nil {
		r.t.Errorf("%s: the answer %d is not as described: %v\n%.1000s", op.OperationID, resp.StatusCode, err, body)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status[op.OperationID] = append(r.status[op.OperationID], resp.StatusCode)
	return resp, nil
}

// Succeeded reports whether an operation was answered with success.
func (r *Recorder) Succeeded(operationID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.status[operationID], func(status int) bool { return status < http.StatusBadRequest })
}

// Answered reports whether an operation was answered with a status.
func (r *Recorder) Answered(operationID string, status int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.status[operationID], status)
}

// Failed reports whether an operation was answered with an error.
func (r *Recorder) Failed(operationID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.status[operationID], func(status int) bool { return status >= http.StatusBadRequest })
}
