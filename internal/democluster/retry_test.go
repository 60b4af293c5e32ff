package democluster_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/democluster"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// waits is an After that is over at once and remembers what was asked of it.
type waits struct {
	mu    sync.Mutex // guards asked
	asked []time.Duration
}

func (w *waits) after(d time.Duration) <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, d)
	over := make(chan time.Time, 1)
	over <- time.Time{}
	return over
}

func TestRetriesSendTheSameBytes(t *testing.T) {
	s, clock, w := newServer(t), testkit.NewClock(start), new(waits)
	var mu sync.Mutex // guards the rest
	refused := make(map[string]string)
	tries, statuses := make(map[string]int), []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInternalServerError}
	s.answer = func(r *http.Request, body []byte) (int, http.Header) {
		mu.Lock()
		defer mu.Unlock()
		key := r.URL.Path + string(body)
		tries[key]++
		if n := tries[key]; n <= len(statuses) {
			refused[key] = r.URL.Path
			return statuses[n-1], http.Header{"Retry-After": {"7"}}
		}
		delete(refused, key)
		return 0, nil
	}
	o := s.options(clock.Now)
	o.After, o.Backfill = w.after, 2*time.Minute
	c, err := democluster.New(o)
	require.NoError(t, err)
	require.NoError(t, c.Prime(t.Context()))

	require.Empty(t, refused, "bodies that were refused and not sent again as they were")
	paths := make(map[string]bool)
	for key, n := range tries {
		require.Equal(t, len(statuses)+1, n)
		path, _, _ := strings.Cut(key, "\x00")
		for _, p := range []string{"/loki/api/v1/push", "/v1/logs", "/api/v1/write", "/v1/metrics", "/api/v1/push/events"} {
			if strings.HasPrefix(path, p) {
				paths[p] = true
			}
		}
	}
	require.Len(t, paths, 5)
	for _, d := range w.asked {
		require.Equal(t, 7*time.Second, d, "Retry-After is honoured")
	}
}

func TestBackoffGrowsToItsBound(t *testing.T) {
	w := new(waits)
	s, clock := newServer(t), testkit.NewClock(start)
	o := s.options(clock.Now)
	o.After = w.after
	var mu sync.Mutex
	failures := make(map[string]int)
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if failures[r.URL.Path]++; r.URL.Path == "/api/v1/push/events" && failures[r.URL.Path] <= 8 {
			return nil, errors.New("connection refused")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	c, err := democluster.New(o)
	require.NoError(t, err)
	require.NoError(t, c.Prime(t.Context()))
	half := 500 * time.Millisecond
	require.Equal(t, []time.Duration{half, 2 * half, 4 * half, 8 * half, 16 * half, 15 * time.Second, 15 * time.Second, 15 * time.Second}, w.asked)
	s.read(t, func() { require.NotEmpty(t, s.events) })
}

// transport is a function as http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPrimeTellsARefusal(t *testing.T) {
	s, clock := newServer(t), testkit.NewClock(start)
	s.answer = func(*http.Request, []byte) (int, http.Header) { return http.StatusUnauthorized, nil }
	c, err := democluster.New(s.options(clock.Now))
	require.NoError(t, err)
	require.ErrorContains(t, c.Prime(t.Context()), "401")
}

func TestPrimeEndsWithItsContext(t *testing.T) {
	s, clock := newServer(t), testkit.NewClock(start)
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(*http.Request, []byte) (int, http.Header) {
		cancel()
		return http.StatusServiceUnavailable, nil
	}
	c, err := democluster.New(s.options(clock.Now))
	require.NoError(t, err)
	require.ErrorIs(t, c.Prime(ctx), context.Canceled)
}

func TestRunOutlivesTheServersAbsence(t *testing.T) {
	s, clock := newServer(t), testkit.NewClock(start)
	var mu sync.Mutex
	away, tried := true, make(map[string]bool)
	o := s.options(clock.Now)
	o.Backfill = time.Minute
	steps := make(chan time.Time)
	o.After = func(time.Duration) <-chan time.Time { return steps }
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if tried[r.URL.Path] = true; away {
			return nil, errors.New("connection refused")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	c, err := democluster.New(o)
	require.NoError(t, err)
	away = false
	require.NoError(t, c.Prime(t.Context()))
	mu.Lock()
	away = true
	clear(tried)
	mu.Unlock()

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	clock.Advance(time.Minute)
	go func() { done <- c.Run(ctx) }()
	testkit.Eventually(t, time.Minute, func() error { // every lane has met the closed door
		mu.Lock()
		defer mu.Unlock()
		if len(tried) < 4 {
			return errors.New("not yet all lanes tried")
		}
		away = false
		return nil
	})
	testkit.Eventually(t, time.Minute, func() error { // waiting senders go on, one per tick
		select {
		case steps <- clock.Now():
		default:
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		missing := make(map[int64]bool)
		for i := range int64(60) {
			missing[start.Unix()+i] = true
		}
		for _, l := range s.lines {
			delete(missing, l.at.Add(-1).Unix())
		}
		if len(missing) > 0 {
			return errors.New("seconds without a line")
		}
		return nil
	})
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

func TestNewChecksItsOptions(t *testing.T) {
	good := democluster.Options{URL: "http://127.0.0.1:4480", Token: token}
	_, err := democluster.New(good)
	require.NoError(t, err)
	for name, spoil := range map[string]func(*democluster.Options){
		"no URL":            func(o *democluster.Options) { o.URL = "" },
		"no token":          func(o *democluster.Options) { o.Token = "" },
		"no scheme":         func(o *democluster.Options) { o.URL = "127.0.0.1:4480" },
		"negative backfill": func(o *democluster.Options) { o.Backfill = -time.Second },
		"negative rhythm":   func(o *democluster.Options) { o.IncidentEvery = -time.Second },
	} {
		o := good
		spoil(&o)
		_, err := democluster.New(o)
		require.Error(t, err, name)
	}
}
