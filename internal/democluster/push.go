package democluster

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// firstBackoff and maxBackoff are the pauses before a request is sent again, doubled each time.
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 15 * time.Second
	// maxRetryAfter bounds what a server may ask us to wait: after more, the demo would look dead.
	maxRetryAfter = time.Minute
	// answerTimeout is how long an answer may take. The server keeps a push for its retry, so giving up early loses nothing.
	answerTimeout = 30 * time.Second
	// maxAnswerBytes is how much of an answer is read.
	maxAnswerBytes = 64 << 10
)

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
		ResponseHeaderTimeout: answerTimeout,
	}
}

// retrier sends a request until the server has taken or refused it, always with the same bytes: a server recognises a
// retry by its content. It stands below all clients, those of OpenTelemetry included, which marshal anew for a retry
// of their own batch. It implements http.RoundTripper.
type retrier struct {
	base   http.RoundTripper
	token  string
	after  func(time.Duration) <-chan time.Time
	now    func() time.Time
	logger *slog.Logger
}

// RoundTrip implements http.RoundTripper. It gives up only when the request's context ends.
func (r *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	ctx := req.Context()
	for backoff := firstBackoff; ; backoff = min(2*backoff, maxBackoff) {
		attempt := req.Clone(ctx)
		attempt.Header.Set("Authorization", "Bearer "+r.token)
		attempt.Body, attempt.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		resp, err := r.base.RoundTrip(attempt)
		if err == nil && !mayPassLater(resp.StatusCode) {
			return resp, nil
		}
		wait := backoff
		if err == nil {
			wait = max(wait, retryAfter(resp.Header.Get("Retry-After"), r.now()))
			err = answerError(resp)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r.logger.Debug("push is sent again", "path", req.URL.Path, "wait", wait, "err", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.after(wait):
		}
	}
}

// mayPassLater tells the answers after which a retry makes sense: a quota, and trouble on the server's side.
func mayPassLater(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

// retryAfter reads a Retry-After header, seconds or a date; 0 when there is none.
func retryAfter(value string, now time.Time) time.Duration {
	if value == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// answerError reads and closes an answer and tells its status and text.
func answerError(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	_ = resp.Body.Close()
	return fmt.Errorf("status %d: %s", resp.StatusCode, strings.TrimSpace(string(text)))
}

// post sends one body and returns when it is acknowledged.
func (p *pusher) post(ctx context.Context, path string, header http.Header, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header.Clone()
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return answerError(resp)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswerBytes)) // so that the connection is used again
	return resp.Body.Close()
}
