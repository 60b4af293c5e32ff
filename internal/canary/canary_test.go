package canary_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seamarkhq/seamark/internal/canary"
)

const mark = 281474976710655 // the largest

// server is a front that answers by script: the last answer of a path goes on.
type server struct {
	mu      sync.Mutex // guards what follows
	bodies  map[string]map[string]int
	asked   map[string]int
	answers map[string][]answer
}

type answer struct {
	status int
	body   string
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if s.bodies[r.URL.Path] == nil {
		s.bodies[r.URL.Path] = map[string]int{}
	}
	s.bodies[r.URL.Path][string(body)]++
	script := s.answers[r.URL.Path]
	a := script[min(s.asked[r.URL.Path], len(script)-1)]
	s.asked[r.URL.Path]++
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

const (
	lines, samples, events = "/loki/api/v1/query_range", "/prometheus/api/v1/query", "/api/v1/events"

	pushLines, pushSamples, pushEvents = "/loki/api/v1/push", "/api/v1/push", "/api/v1/push/events"
)

func line(values ...string) string {
	for i, v := range values {
		values[i] = fmt.Sprintf(`["1700000000000000000",%q]`, v)
	}
	return `{"data":{"result":[{"stream":{},"values":[` + strings.Join(values, ",") + `]}]}}`
}

// good returns the answers of a server that keeps what it gets.
func good() map[string][]answer {
	return map[string][]answer{
		pushLines: {{204, ""}}, pushSamples: {{204, ""}}, pushEvents: {{200, "{}"}},
		lines:   {{200, line(fmt.Sprint(mark))}},
		samples: {{200, fmt.Sprintf(`{"data":{"result":[{"metric":{},"values":[[1700000000,"%d"]]}]}}`, mark)}},
		events:  {{200, fmt.Sprintf(`{"items":[{"message":"%d"}]}`, mark)}},
	}
}

// inProcess hands requests to a handler without a socket. It implements http.RoundTripper.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// try makes one try against a server's answers, on a clock that goes on only while all wait: how fast the machine is decides nothing.
func try(t *testing.T, answers map[string][]answer) (*server, map[string]canary.Result, *prometheus.Registry) {
	t.Helper()
	s := &server{bodies: map[string]map[string]int{}, asked: map[string]int{}, answers: answers}
	registry, results := prometheus.NewRegistry(), map[string]canary.Result{}
	synctest.Test(t, func(t *testing.T) {
		c, err := canary.New(canary.Options{
			URL: "http://front/", Targets: []canary.Target{{Name: "acme", IngestToken: "i", QueryToken: "q"}}, Instance: "one", Timeout: 200 * time.Millisecond,
			Pause: time.Millisecond, Client: &http.Client{Transport: inProcess{s}}, Logger: slog.New(slog.DiscardHandler), Registerer: registry, Now: time.Now,
			Mark: func() uint64 { return mark },
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range c.Try(t.Context()) {
			results[r.Signal] = r
		}
	})
	if len(results) != 3 {
		t.Fatalf("the paths that were tried are %v", results)
	}
	return s, results, registry
}

func TestTryGood(t *testing.T) {
	answers := good()
	answers[pushLines] = []answer{{503, "full"}, {429, "slow down"}, {204, ""}}
	answers[lines] = []answer{{503, "starting"}, {200, `{"data":{"result":[]}}`}, answers[lines][0]}
	s, results, registry := try(t, answers)
	for signal, r := range results {
		if r.Outcome != canary.Good || r.Err != nil || r.Queryable < r.Acknowledged || !strings.Contains(r.String(), "acme "+signal+": acknowledged after") {
			t.Errorf("%s", r.String())
		}
	}
	if sent := s.bodies[pushLines]; len(sent) != 1 || s.asked[pushLines] != 3 {
		t.Errorf("a push that was to be sent again was sent as %d bodies, %d times; want the same bytes three times", len(sent), s.asked[pushLines])
	}
	want := "# HELP seamark_canary_up Whether the last try of a path was good.\n# TYPE seamark_canary_up gauge\n"
	for _, signal := range []string{"events", "logs", "samples"} {
		want += fmt.Sprintf("seamark_canary_up{signal=%q,tenant=\"acme\"} 1\n", signal)
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "seamark_canary_up"); err != nil {
		t.Error(err)
	}
}

func TestTryBad(t *testing.T) {
	nothing := []answer{{200, `{"data":{"result":[]},"items":[]}`}}
	for _, c := range []struct {
		name, signal, path string
		answers            []answer
		outcome            canary.Outcome
		text               string
	}{
		{"a full queue", "logs", pushLines, []answer{{503, "the stream is full"}}, canary.NotAcknowledged, "not acknowledged within 200ms: status 503: the stream is full"},
		{"a revoked token", "samples", pushSamples, []answer{{401, "no"}}, canary.NotAcknowledged, "is refused: status 401, the token is revoked"},
		{"an event refused", "events", pushEvents, []answer{{400, "too old"}}, canary.NotAcknowledged, "is refused: status 400: too old"},
		{"a store away", "samples", samples, []answer{{503, "the store does not answer"}}, canary.NotAnswered, "is not answered within 200ms: status 503"},
		{"a token of another kind", "events", events, []answer{{403, "no"}}, canary.NotAnswered, "is refused: status 403"},
		{"a writer that stands still", "logs", lines, nothing, canary.NotFound, "no query finds it within 200ms"},
		{"a writer of samples", "samples", samples, nothing, canary.NotFound, "the writer does not run"},
		{"a writer of events", "events", events, nothing, canary.NotFound, "the writer does not run"},
		{"a line twice", "logs", lines, []answer{{200, line(fmt.Sprint(mark), fmt.Sprint(mark))}}, canary.NotAlike, "finds it 2 times"},
		{"another value", "samples", samples, []answer{{200, `{"data":{"result":[{"values":[[1,"7"]]}]}}`}}, canary.NotAlike, `finds "7" instead of`},
		{"an answer that is none", "events", events, []answer{{200, "<html>"}}, canary.NotAnswered, "read the answer"},
	} {
		answers := good()
		answers[c.path] = c.answers
		_, results, registry := try(t, answers)
		for signal, r := range results {
			if signal != c.signal {
				if r.Outcome != canary.Good {
					t.Errorf("%s: the path of %s is %s", c.name, signal, r.String())
				}
				continue
			}
			if r.Outcome != c.outcome || r.Err == nil || !strings.Contains(r.String(), c.text) {
				t.Errorf("%s: outcome %s, %s; want %s with %q", c.name, r.Outcome, r.String(), c.outcome, c.text)
			}
		}
		want := fmt.Sprintf("# HELP seamark_canary_tries_total %s\n# TYPE seamark_canary_tries_total counter\n",
			"Rows written and looked for, by outcome: ok, push (not acknowledged), query (not answered), missing (acknowledged and not found), different.")
		for _, signal := range []string{"events", "logs", "samples"} {
			outcome := canary.Good
			if signal == c.signal {
				outcome = c.outcome
			}
			want += fmt.Sprintf("seamark_canary_tries_total{outcome=%q,signal=%q,tenant=\"acme\"} 1\n", outcome, signal)
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "seamark_canary_tries_total"); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	whole := canary.Options{
		URL: "http://x", Targets: []canary.Target{{Name: "a", IngestToken: "i", QueryToken: "q"}}, Instance: "one", Timeout: 1, Pause: 1,
		Client: http.DefaultClient, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now, Mark: func() uint64 { return 1 },
	}
	for want, change := range map[string]func(o *canary.Options){
		"URL":         func(o *canary.Options) { o.URL = "" },
		"Timeout":     func(o *canary.Options) { o.Timeout = 0 },
		"Mark":        func(o *canary.Options) { o.Mark = nil },
		"query token": func(o *canary.Options) { o.Targets = []canary.Target{{Name: "a", IngestToken: "i"}} },
	} {
		o := whole
		change(&o)
		if _, err := canary.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", want, err)
		}
	}
}

// TestRunEnds cuts a try short, which says nothing of the server.
func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(front.Close)
	registry := prometheus.NewRegistry()
	c, err := canary.New(canary.Options{
		URL: front.URL, Targets: []canary.Target{{Name: "acme", IngestToken: "i", QueryToken: "q"}}, Instance: "one", Timeout: time.Hour,
		Pause: time.Hour, Client: front.Client(), Logger: slog.New(slog.DiscardHandler), Registerer: registry, Now: time.Now, Mark: func() uint64 { return mark },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(ctx, time.Hour); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry); err != nil || n != 0 {
		t.Errorf("%d series of a try that was cut short, %v", n, err)
	}
}
