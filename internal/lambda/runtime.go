package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	runtimePath   = "/2018-06-01/runtime/"
	extensionPath = "/2020-01-01/extension/"
	// maxEventBytes is above what Lambda hands over, 6 MiB; the body in it is base64.
	maxEventBytes = 7 << 20
	// answerMargin is what is kept of an invocation's time for its answer. Past its end Lambda kills the process, and the sender
	// learns nothing.
	answerMargin = 500 * time.Millisecond
	// replyTimeout bounds a call that the Runtime API answers at once.
	replyTimeout = 10 * time.Second
	// shutdownName is the name under which the process registers to be told of its end.
	shutdownName = "seamark-shutdown"
)

// Options configures a Runtime. All fields are required.
type Options struct {
	// API is the host and port of Lambda's Runtime API, which Lambda has in AWS_LAMBDA_RUNTIME_API.
	API string
	// Start makes what answers the requests, one at a time. The process may be stopped as soon as an answer was written. Why it
	// failed is told to Lambda.
	Start  func(ctx context.Context) (http.Handler, error)
	Logger *slog.Logger
}

func (o *Options) validate() error {
	if o.Start == nil || o.Logger == nil {
		return errors.New("lambda: Start and Logger are required")
	}
	if _, _, err := net.SplitHostPort(o.API); err != nil {
		return fmt.Errorf("lambda: the Runtime API's address is %q; it must be host:port", o.API)
	}
	return nil
}

// Runtime serves the invocations of one sandbox.
type Runtime struct {
	opts    Options
	client  *http.Client
	handler http.Handler // from the start on
}

// New returns a Runtime.
func New(o Options) (*Runtime, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	// The Runtime API is on this machine, whatever proxy the environment names. Its answers to "next" may take hours.
	return &Runtime{opts: o, client: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 2}}}, nil
}

// invocation is one event.
type invocation struct {
	id       string
	deadline time.Time
	payload  []byte
}

// Run starts the handler and serves invocations until ctx ends. An error means that the sandbox is of no use any more: Lambda makes
// another one when the process ends.
func (r *Runtime) Run(ctx context.Context) error {
	if err := r.hearShutdown(ctx); err != nil {
		r.opts.Logger.WarnContext(ctx, "the sandbox will end without being told", slog.Any("err", err))
	}
	handler, err := r.opts.Start(ctx)
	if err != nil {
		return errors.Join(err, r.fail(context.WithoutCancel(ctx), "init/error", err))
	}
	r.handler = handler
	for {
		inv, err := r.next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.serve(context.WithoutCancel(ctx), inv); err != nil {
			return err
		}
	}
}

// next waits for an event. The sandbox is frozen in here.
func (r *Runtime) next(ctx context.Context) (*invocation, error) {
	status, header, payload, err := r.call(ctx, http.MethodGet, runtimePath+"invocation/next", nil, nil)
	if err != nil {
		return nil, fmt.Errorf("wait for an event: %w", err)
	}
	inv := &invocation{id: header.Get("Lambda-Runtime-Aws-Request-Id"), payload: payload}
	if status != http.StatusOK || inv.id == "" {
		return nil, fmt.Errorf("wait for an event: the Runtime API answered %d", status)
	}
	if ms, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64); err == nil {
		inv.deadline = time.UnixMilli(ms)
	}
	return inv, nil
}

// serve answers one event.
func (r *Runtime) serve(ctx context.Context, inv *invocation) error {
	work, cancel := ctx, context.CancelFunc(func() {})
	if !inv.deadline.IsZero() {
		work, cancel = context.WithDeadline(ctx, inv.deadline.Add(-answerMargin))
	}
	defer cancel()
	text, err := r.answer(work, inv.payload)
	if err != nil {
		r.opts.Logger.ErrorContext(ctx, "event not answered", slog.String("request", inv.id), slog.Any("err", err))
		return r.fail(ctx, "invocation/"+inv.id+"/error", err)
	}
	status, _, reply, err := r.reply(ctx, "invocation/"+inv.id+"/response", nil, text)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("the Runtime API answered %d: %.200s", status, reply)
	}
	if err != nil {
		return fmt.Errorf("answer event %s: %w", inv.id, err)
	}
	return nil
}

// answer has the handler answer an event.
func (r *Runtime) answer(ctx context.Context, payload []byte) ([]byte, error) {
	req, from, err := parseEvent(ctx, payload)
	if err != nil {
		return nil, err
	}
	w := newRecorder()
	if fault := r.handle(w, req); fault != nil {
		return nil, fault
	}
	return w.encode(req.Method, from)
}

// handle runs the handler. What a panic has left of an answer is none.
func (r *Runtime) handle(w http.ResponseWriter, req *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	r.handler.ServeHTTP(w, req)
	return nil
}

// fail reports an error in the form that Lambda shows.
func (r *Runtime) fail(ctx context.Context, path string, cause error) error {
	text, err := json.Marshal(map[string]any{"errorMessage": cause.Error(), "errorType": "Seamark.Failed", "stackTrace": []string{}})
	if err != nil {
		return err
	}
	status, _, reply, err := r.reply(ctx, path, http.Header{"Lambda-Runtime-Function-Error-Type": {"Seamark.Failed"}}, text)
	if err == nil && status != http.StatusAccepted {
		err = fmt.Errorf("the Runtime API answered %d: %.200s", status, reply)
	}
	if err != nil {
		return fmt.Errorf("report an error: %w", err)
	}
	return nil
}

// hearShutdown has Lambda send SIGTERM before it ends the sandbox, some 300 ms before SIGKILL, which it does for processes that are
// registered as extensions alone. It is registered for no events, so its wait for one lasts as long as the process.
func (r *Runtime) hearShutdown(ctx context.Context) error {
	begin, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	named := http.Header{"Lambda-Extension-Name": {shutdownName}, "Content-Type": {"application/json"}}
	status, header, reply, err := r.call(begin, http.MethodPost, extensionPath+"register", named, []byte(`{"events":[]}`))
	id := header.Get("Lambda-Extension-Identifier")
	if err == nil && (status != http.StatusOK || id == "") {
		err = fmt.Errorf("the Extensions API answered %d: %.200s", status, reply)
	}
	if err != nil {
		return fmt.Errorf("register for the end: %w", err)
	}
	go func() {
		_, _, _, _ = r.call(ctx, http.MethodGet, extensionPath+"event/next", http.Header{"Lambda-Extension-Identifier": {id}}, nil)
	}()
	return nil
}

// reply posts to the Runtime API, which answers at once.
func (r *Runtime) reply(ctx context.Context, path string, header http.Header, body []byte) (int, http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	return r.call(ctx, http.MethodPost, runtimePath+path, header, body)
}

func (r *Runtime) call(ctx context.Context, method, path string, header http.Header, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.opts.API+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxEventBytes+1))
	switch {
	case err != nil:
		return 0, nil, nil, err
	case len(text) > maxEventBytes:
		return 0, nil, nil, fmt.Errorf("the event has more than %d bytes, which Lambda never hands over", maxEventBytes)
	}
	return resp.StatusCode, resp.Header, text, nil
}
