package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// report is what the process told the Runtime API.
type report struct{ path, body, fault string }

// api is Lambda's side: it hands out events and keeps what comes back.
type api struct {
	*httptest.Server
	events   chan string
	reports  chan report
	deadline time.Time
	status   int // of the answers to reports; 202 when 0
}

func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{events: make(chan string, 8), reports: make(chan report, 8), deadline: time.Now().Add(time.Minute)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case e := <-a.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "id-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(a.deadline.UnixMilli()))
			_, _ = io.WriteString(w, e)
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(max(a.status, http.StatusAccepted))
		a.reports <- report{strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/"), string(body), r.Header.Get("Lambda-Runtime-Function-Error-Type")}
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Lambda-Extension-Name") == "" || string(body) != `{"events":[]}` {
			http.Error(w, "bad registration", http.StatusBadRequest)
			return
		}
		w.Header().Set("Lambda-Extension-Identifier", "ext-1")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Lambda-Extension-Identifier") != "ext-1" {
			http.Error(w, "unknown", http.StatusForbidden)
			return
		}
		<-r.Context().Done()
	})
	a.Server = httptest.NewServer(mux)
	t.Cleanup(func() { a.CloseClientConnections(); a.Close() })
	return a
}

// run runs a Runtime over the API; what it returned comes out of the channel.
func (a *api) run(t *testing.T, start func(context.Context) (http.Handler, error)) (end context.CancelFunc, ended <-chan error) {
	t.Helper()
	r, err := New(Options{API: strings.TrimPrefix(a.URL, "http://"), Start: start, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return cancel, done
}

func answering(h http.HandlerFunc) func(context.Context) (http.Handler, error) {
	return func(context.Context) (http.Handler, error) { return h, nil }
}

const ping = `{"version":"2.0","rawPath":"/ping","requestContext":{"http":{"method":"GET","sourceIp":"198.51.100.7"}}}`

func TestRunAnswersEvents(t *testing.T) {
	a := newAPI(t)
	end, ended := a.run(t, answering(func(w http.ResponseWriter, r *http.Request) {
		deadline, ok := r.Context().Deadline()
		if !ok || deadline.After(a.deadline.Add(-answerMargin)) {
			t.Errorf("the request has until %v, want some time before %v", deadline, a.deadline)
		}
		_, _ = io.WriteString(w, "pong for "+r.RemoteAddr)
	}))
	for range 2 {
		a.events <- ping
		got := <-a.reports
		var sent answer
		if err := json.Unmarshal([]byte(got.body), &sent); err != nil {
			t.Fatal(err)
		}
		if got.path != "invocation/id-1/response" || sent.StatusCode != http.StatusOK || sent.Body != "pong for 198.51.100.7:0" {
			t.Errorf("got %+v", got)
		}
	}
	end()
	if err := <-ended; err != nil {
		t.Errorf("an orderly end failed: %v", err)
	}
}

// TestRunReportsFaults wants that one bad event ends nothing.
func TestRunReportsFaults(t *testing.T) {
	a := newAPI(t)
	a.run(t, answering(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("at the handler")
		}
		_, _ = io.WriteString(w, "well")
	}))
	for _, tc := range []struct{ event, want string }{
		{`{"Records":[]}`, "neither of an HTTP API"},
		{strings.Replace(ping, "/ping", "/panic", 1), "panicked: at the handler"},
	} {
		a.events <- tc.event
		if got := <-a.reports; got.path != "invocation/id-1/error" || got.fault != "Seamark.Failed" || !strings.Contains(got.body, tc.want) {
			t.Errorf("got %+v, want an error with %q", got, tc.want)
		}
	}
	a.events <- ping
	if got := <-a.reports; got.path != "invocation/id-1/response" || !strings.Contains(got.body, "well") {
		t.Errorf("after the faults: got %+v", got)
	}
}

func TestRunReportsFailedStart(t *testing.T) {
	a := newAPI(t)
	broken := errors.New("no NATS")
	_, ended := a.run(t, func(context.Context) (http.Handler, error) { return nil, broken })
	if got := <-a.reports; got.path != "init/error" || !strings.Contains(got.body, "no NATS") {
		t.Errorf("got %+v", got)
	}
	if err := <-ended; !errors.Is(err, broken) {
		t.Errorf("got error %v, want %v", err, broken)
	}
}

// TestRunEndsWithoutAPI wants that a process whose answers Lambda does not take ends, so that Lambda makes another.
func TestRunEndsWithoutAPI(t *testing.T) {
	a := newAPI(t)
	a.status = http.StatusForbidden
	_, ended := a.run(t, answering(func(http.ResponseWriter, *http.Request) {}))
	a.events <- ping
	<-a.reports
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("got error %v, want one with the status", err)
	}
}

func TestNewRefuses(t *testing.T) {
	start := answering(func(http.ResponseWriter, *http.Request) {})
	for name, o := range map[string]Options{
		"no address": {Start: start, Logger: slog.Default()},
		"no port":    {API: "127.0.0.1", Start: start, Logger: slog.Default()},
		"no start":   {API: "127.0.0.1:9001", Logger: slog.Default()},
		"no logger":  {API: "127.0.0.1:9001", Start: start},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
