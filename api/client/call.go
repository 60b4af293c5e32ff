package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// CallOption changes one call.
type CallOption func(*call)

// IfMatch makes a change conditional: it is made when the document's ETag still is the given one, else the error is 412 with
// the ETag of now. A change with it may be repeated safely.
func IfMatch(etag string) CallOption {
	return func(c *call) { c.header.Set("If-Match", etag) }
}

// IfAbsent makes a change conditional: it is made when there is no such document yet.
func IfAbsent() CallOption {
	return func(c *call) { c.header.Set("If-None-Match", "*") }
}

// IdempotencyKey names a creation, so that the same call again, also from another process, answers what the first one made
// instead of making another. Without it a creation gets a random key, which covers the repetitions within the call alone.
func IdempotencyKey(key string) CallOption {
	return func(c *call) { c.header.Set("Idempotency-Key", key) }
}

// WithHeader sets a header of the request.
func WithHeader(name, value string) CallOption {
	return func(c *call) { c.header.Set(name, value) }
}

// RespondAsync sends a query to the background: job becomes the job that runs it, and the result that the call returns is empty.
// A call of what is never sent there is answered as ever, and job stays as it is.
func RespondAsync(job *QueryJob) CallOption {
	return func(c *call) {
		c.header.Set("Prefer", "respond-async")
		c.job = job
	}
}

// Into keeps what the answer says beside its body. It is filled for errors too.
func Into(meta *Meta) CallOption {
	return func(c *call) { c.meta = meta }
}

// Meta is what an answer says beside its body.
type Meta struct {
	Status    int
	ETag      string // names this version of a document; IfMatch takes it
	RequestID string
	Replayed  bool // the answer was given before, to the same Idempotency-Key
	Header    http.Header
}

// Body is a request's body in a media type of the caller's choice. A body that is no io.Seeker is sent once.
type Body struct {
	ContentType string
	Reader      io.Reader
}

// Stream is the body of an answer that is no JSON document. Whoever gets one closes it.
type Stream struct {
	io.ReadCloser
	ContentType string
}

// call is one call on its way to the wire.
type call struct {
	method, target string
	values         url.Values
	header         http.Header
	body           Body
	creates        bool // the route takes an Idempotency-Key
	redirects      bool // the answer sends a browser on
	job            *QueryJob
	meta           *Meta
	err            error // what could not be encoded
}

func newCall(method, path string, options []CallOption) *call {
	c := &call{method: method, target: path, values: url.Values{}, header: http.Header{}}
	for _, o := range options {
		o(c)
	}
	return c
}

// path fills in one parameter of the path.
func (c *call) path(name string, value any) {
	text := fmt.Sprint(value)
	if text == "" && c.err == nil {
		c.err = fmt.Errorf("client: the parameter %s of %s is empty", name, c.target)
	}
	c.target = strings.Replace(c.target, "{"+name+"}", url.PathEscape(text), 1)
}

// query adds one parameter of the query; what is nil is left out, and each member of a list is one.
func (c *call) query(name string, value any) {
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			c.query(name, v.Index(i).Interface())
		}
		return
	}
	if at, ok := v.Interface().(time.Time); ok {
		c.values.Add(name, at.Format(time.RFC3339Nano))
		return
	}
	c.values.Add(name, fmt.Sprint(v.Interface()))
}

func (c *call) json(value any) {
	text, err := json.Marshal(value)
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("client: encode the body: %w", err)
	}
	c.body = Body{ContentType: "application/json", Reader: bytes.NewReader(text)}
}

func (c *call) form(values url.Values) {
	c.body = Body{ContentType: "application/x-www-form-urlencoded", Reader: strings.NewReader(values.Encode())}
}

// request makes the request of one attempt.
func (c *call) request(ctx context.Context, client *Client) (*http.Request, error) {
	if seeker, ok := c.body.Reader.(io.Seeker); ok {
		if _, err := seeker.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("client: rewind the body: %w", err)
		}
	}
	target := client.address.String() + c.target
	if len(c.values) > 0 {
		target += "?" + c.values.Encode()
	}
	var body io.Reader
	if c.body.Reader != nil {
		body = io.NopCloser(c.body.Reader) // a transport closes bodies, and this one may be sent again
	}
	req, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		return nil, err
	}
	req.ContentLength = lengthOf(c.body.Reader)
	req.Header = c.header.Clone()
	if c.body.ContentType != "" {
		req.Header.Set("Content-Type", c.body.ContentType)
	}
	if client.token != "" && req.Header.Get("Authorization") == "" {
		req.Header.Set("Authorization", "Bearer "+client.token)
	}
	req.Header.Set("User-Agent", client.userAgent)
	return req, nil
}

// lengthOf returns the length of a body in memory, -1 for any other.
func lengthOf(r io.Reader) int64 {
	switch r := r.(type) {
	case nil:
		return 0
	case interface{ Len() int }:
		return int64(r.Len())
	}
	return -1
}

// fetch makes a call that a JSON document answers. Without a document the result is nil.
func fetch[T any](ctx context.Context, c *Client, r *call) (*T, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.begun(resp) {
		return new(T), r.decode(resp, r.job)
	}
	out := new(T)
	if err := r.decode(resp, out); err != nil {
		return nil, err
	}
	return out, nil
}

// decode reads a JSON document and closes the answer. Without a document out stays as it is.
func (c *call) decode(resp *http.Response, out any) error {
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", c.method, c.target, err)
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s %s: the answer is not what this client knows: %w", c.method, c.target, err)
	}
	return nil
}

// begun reports whether the answer is a job in the background, as the call wants it.
func (c *call) begun(resp *http.Response) bool {
	return c.job != nil && resp.StatusCode == http.StatusAccepted
}

// run makes a call whose answer has nothing to read.
func (c *Client) run(ctx context.Context, r *call) error {
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBytes)) // so that the connection is used again
	return resp.Body.Close()
}

// redirect makes a call whose answer sends a browser on, and returns where to. Nobody goes there.
func (c *Client) redirect(ctx context.Context, r *call) (string, error) {
	r.redirects = true
	resp, err := c.send(ctx, r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	to, err := resp.Location()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", r.method, r.target, err)
	}
	return to.String(), nil
}

// tell keeps what an answer says beside its body, for who asked.
func (c *call) tell(resp *http.Response) {
	if c.meta == nil {
		return
	}
	h := resp.Header
	*c.meta = Meta{
		Status: resp.StatusCode, ETag: h.Get("ETag"), RequestID: h.Get("X-Request-Id"), Replayed: h.Get("Idempotency-Replayed") == "true", Header: h,
	}
}

// open makes a call whose answer is read as it comes.
func (c *Client) open(ctx context.Context, r *call) (*Stream, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.begun(resp) {
		return &Stream{ReadCloser: http.NoBody}, r.decode(resp, r.job)
	}
	return &Stream{ReadCloser: resp.Body, ContentType: resp.Header.Get("Content-Type")}, nil
}

// Call makes a call of an operation by its name, for programs that offer all of them; params are those of path, query and
// header by name. The answer's body is read by the caller, who closes it.
func (c *Client) Call(ctx context.Context, op *Operation, params map[string][]string, body Body, options ...CallOption) (*Stream, error) {
	r := newCall(op.Method, op.Path, options)
	for _, p := range op.Params {
		values := params[p.Name]
		switch {
		case p.In == "path" && len(values) == 1:
			r.path(p.Name, values[0])
		case p.In == "query":
			r.query(p.Name, values)
		case p.In == "header" && len(values) > 0:
			r.header.Set(p.Name, values[0])
		case p.In == "path":
			return nil, errors.New("client: " + op.ID + " needs the parameter " + p.Name)
		}
		r.creates = r.creates || p.Name == "Idempotency-Key"
	}
	r.body = body
	return c.open(ctx, r)
}
