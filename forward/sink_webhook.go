package forward

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Bounds of an answer. Without them a target that answers endlessly holds memory.
const (
	maxAnswerBytes = 4 << 10
	maxHeaderBytes = 64 << 10
	// maxRetryAfter bounds what a target may ask for; the tail of a stream does not wait longer for anybody.
	maxRetryAfter = 10 * time.Minute
)

// The headers of a webhook's request.
const (
	headerBatch     = "X-Seamark-Batch"
	headerForwarder = "X-Seamark-Forwarder"
	headerRows      = "X-Seamark-Rows"
)

type webhookSink struct {
	target  *Webhook
	secrets *safe
	opts    sinkOptions
	client  *http.Client
}

func newWebhookSink(t *Webhook, secrets *safe, o sinkOptions) *webhookSink {
	return &webhookSink{target: t, secrets: secrets, opts: o, client: guardedClient(o)}
}

// guardedClient dials through the guard, follows no redirect and uses no proxy, not even one from the environment.
func guardedClient(o sinkOptions) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: o.dial, TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 4,
			MaxResponseHeaderBytes: maxHeaderBytes, ForceAttemptHTTP2: true, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send implements sink.
func (s *webhookSink) send(ctx context.Context, p *part) error {
	body, err := gzipped(p.ndjson())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.URL, bytes.NewReader(body))
	if err != nil {
		return withoutURL(err)
	}
	for name := range s.target.Headers {
		req.Header.Set(name, s.secrets.Values["webhook.headers."+name])
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set("User-Agent", s.opts.userAgent)
	req.Header.Set(headerBatch, p.id)
	req.Header.Set(headerForwarder, p.forwarder)
	req.Header.Set(headerRows, strconv.Itoa(len(p.records)))
	resp, err := s.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes)) // a hint for people; the status has decided
	return refusalOf(resp.StatusCode, resp.Header, answer)
}

// refusalOf returns nil for a status that says that the target has the part.
func refusalOf(status int, header http.Header, answer []byte) error {
	if status >= 200 && status < 300 {
		return nil
	}
	r := &refusal{err: fmt.Errorf("the target answered %d %s", status, http.StatusText(status)), after: retryAfter(header)}
	if text := bytes.TrimSpace(answer); len(text) > 0 {
		const most = 200
		r.err = fmt.Errorf("%w: %q", r.err, text[:min(len(text), most)])
	}
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
	default:
		r.final = status < 500
	}
	return r
}

// retryAfter reads the header in both its forms (RFC 9110, 10.2.3).
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// withoutURL takes the address out of an HTTP client's error: a query may hold what is not for everybody.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func gzipped(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (s *webhookSink) close() { s.client.CloseIdleConnections() }
