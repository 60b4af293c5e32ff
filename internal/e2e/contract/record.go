package contract

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
)

// Recorder is an http.RoundTripper that holds each request and its answer against the contract, and remembers which
// operations were answered with success, and which with an error.
type Recorder struct {
	t        testing.TB
	contract *Contract
	base     http.RoundTripper

	mu     sync.Mutex // guards the maps
	done   map[string]bool
	failed map[string]bool
}

// Record returns a recorder over http.DefaultTransport.
func (c *Contract) Record(t testing.TB) *Recorder {
	return &Recorder{t: t, contract: c, base: http.DefaultTransport, done: map[string]bool{}, failed: map[string]bool{}}
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
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if fault != nil && resp.StatusCode < http.StatusBadRequest {
		r.t.Errorf("%s: the server took a request that is not as described: %v", op.OperationID, fault)
	}
	if err := op.CheckAnswer(resp.StatusCode, resp.Header, body); err != nil {
		r.t.Errorf("%s: the answer %d is not as described: %v\n%.1000s", op.OperationID, resp.StatusCode, err, body)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if resp.StatusCode < http.StatusBadRequest {
		r.done[op.OperationID] = true
	} else {
		r.failed[op.OperationID] = true
	}
	return resp, nil
}

// Succeeded reports whether an operation was answered with success.
func (r *Recorder) Succeeded(operationID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done[operationID]
}

// Failed reports whether an operation was answered with an error.
func (r *Recorder) Failed(operationID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed[operationID]
}
