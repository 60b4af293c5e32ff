package canary

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxAnswerBytes is how much of an answer is read: a row is far smaller.
const maxAnswerBytes = 1 << 20

// request is one request with its token.
type request struct {
	method, url, token, media string
	body                      []byte
}

// statusError is an answer that is no success.
type statusError struct {
	status int
	text   string
}

// Error implements error.
func (e *statusError) Error() string {
	if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		return fmt.Sprintf("status %d, the token is revoked, unknown or of another kind: %s", e.status, e.text)
	}
	return fmt.Sprintf("status %d: %s", e.status, e.text)
}

// final reports whether the same request can never succeed.
func (e *statusError) final() bool {
	return e.status/100 == 4 && e.status != http.StatusTooManyRequests && e.status != http.StatusRequestTimeout
}

// send sends a request and returns the body of its answer.
func (c *Canary) send(ctx context.Context, r *request) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("User-Agent", "seamark-canary")
	if r.media != "" {
		req.Header.Set("Content-Type", r.media)
	}
	resp, err := c.opts.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		const shown = 300
		return nil, &statusError{resp.StatusCode, strings.TrimSpace(string(body[:min(len(body), shown)]))}
	}
	return body, nil
}
