package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"time"
)

// firstWait is how long the first repetition waits when the server does not say; each further one waits twice as long.
const firstWait = 250 * time.Millisecond

// send makes a call, repeats it while it may succeed later and is safe to repeat, and returns an answer of success, whose
// body the caller closes, or an *Error.
func (c *Client) send(ctx context.Context, r *call) (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.creates && r.header.Get("Idempotency-Key") == "" {
		r.header.Set("Idempotency-Key", rand.Text())
	}
	for attempt := 1; ; attempt++ {
		resp, err := c.attempt(ctx, r)
		if err == nil {
			return resp, nil
		}
		wait, again := c.waitAfter(err, attempt)
		if !again || attempt >= c.attempts || !r.repeatable() {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), err)
		case <-c.after(wait):
		}
	}
}

// attempt sends a call once.
func (c *Client) attempt(ctx context.Context, r *call) (*http.Response, error) {
	req, err := r.request(ctx, c)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.target, err)
	}
	r.tell(resp)
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 || r.redirects && resp.StatusCode == http.StatusSeeOther {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, errorOf(resp, c.now())
}

// repeatable reports whether sending the call twice is the same as sending it once.
func (c *call) repeatable() bool {
	if _, seeks := c.body.Reader.(io.Seeker); c.body.Reader != nil && !seeks {
		return false
	}
	switch c.method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return true
	}
	return c.creates
}

// waitAfter returns how long to wait after a failed attempt, and whether another one can help.
func (c *Client) waitAfter(err error, attempt int) (time.Duration, bool) {
	wait := firstWait << min(attempt-1, 10)
	wait = wait/2 + mathrand.N(wait/2) // so that clients that failed together do not come back together
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return min(wait, c.maxWait), !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	case http.StatusConflict: // the same creation is under way
		if e.ID != "seamark-idempotency-busy" {
			return 0, false
		}
	default:
		return 0, false
	}
	wait = max(wait, e.RetryAfter)
	return wait, wait <= c.maxWait
}
