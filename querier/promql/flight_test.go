package promql_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

const tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")

// waiting asks the same query so many times and returns when all wait for one execution, whose reads the store holds.
type waiting struct {
	engine *promql.Engine
	store  *blocking
	reg    *prometheus.Registry
	group  sync.WaitGroup
}

func newWaiting(t *testing.T) *waiting {
	t.Helper()
	w := &waiting{store: &blocking{filledTwin(), make(chan struct{}, 100), make(chan struct{})}, reg: prometheus.NewRegistry()}
	w.engine = newEngine(t, w.store, func(o *promql.Options) { o.Registerer = w.reg })
	return w
}

type outcome struct {
	text    string
	samples int64
	err     error
}

// ask begins a query and returns where its outcome will be.
func (w *waiting) ask(ctx context.Context, tenant seamark.TenantID, query string, opts prom.QueryOpts) <-chan outcome {
	c := make(chan outcome, 1)
	w.group.Go(func() {
		q, result, err := w.engine.Range(ctx, tenant, query, minute(10), minute(20), time.Minute, opts)
		if err != nil {
			c <- outcome{err: err}
			return
		}
		defer q.Close()
		result.Warnings.Add(errors.New("as the API adds notes of its own"))
		c <- outcome{text: result.String(), samples: q.Stats().Samples.TotalSamples}
	})
	return c
}

func (w *waiting) until(t *testing.T, users int) {
	t.Helper()
	require.Eventually(t, func() bool { return promql.Users(w.engine) == users }, time.Minute, time.Millisecond)
}

func TestEqualQueriesShareOneExecution(t *testing.T) {
	w := newWaiting(t)
	const many = 50
	var list []<-chan outcome
	for i := range many {
		// Blanks change nothing, and this query has no notes that would point into its text.
		list = append(list, w.ask(t.Context(), tenantA, []string{"sum by (zone) (up)", "sum by(zone)(up  )"}[i%2], nil))
	}
	w.until(t, many)
	close(w.store.release)
	w.group.Wait()
	first := <-list[0]
	require.NoError(t, first.err)
	require.Contains(t, first.text, `{zone="a"} =>`)
	require.Positive(t, first.samples)
	for _, c := range list[1:] {
		require.Equal(t, first, <-c)
	}
	require.Len(t, w.store.entered, 1)
	require.Equal(t, 0, promql.Users(w.engine))
	require.Equal(t, many-1.0, sharedQueries(t, w.reg))

	<-w.ask(t.Context(), tenantA, "sum by (zone) (up)", nil)
	require.Len(t, w.store.entered, 2, "nothing is kept")
}

func sharedQueries(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "seamark_querier_queries_shared_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

func TestDifferentQueriesShareNothing(t *testing.T) {
	w := newWaiting(t)
	w.ask(t.Context(), tenantA, "sum(up)", nil)
	w.ask(t.Context(), tenantB, "sum(up)", nil)
	w.ask(t.Context(), tenantA, "sum(up)", prom.NewPrometheusQueryOpts(true, 0))
	w.ask(t.Context(), tenantA, "sum(up)", prom.NewPrometheusQueryOpts(false, time.Minute))
	w.ask(t.Context(), tenantA, "sum(up offset 1s)", nil)
	for range 5 {
		<-w.store.entered
	}
	close(w.store.release)
	w.group.Wait()
	require.Zero(t, sharedQueries(t, w.reg))
}

// TestWrittenTextMeansTheSame asks random queries as they are and as the parser writes them, by which equal ones are told.
func TestWrittenTextMeansTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5)) //nolint:gosec // the same data every time
	e := newEngine(t, randomData(r))
	for range 300 {
		q := exprs{r}.query()
		expr, err := e.Parser().ParseExpr(q.text)
		if err != nil {
			continue
		}
		want, _ := q.ask(t, e)
		written := q
		written.text = expr.String()
		got, _ := written.ask(t, e)
		if got.value != want.value && q.defined(t, e, want) {
			t.Fatalf("%s\nwritten as %s\n got %s\nwant %s", q.text, written.text, got.value, want.value)
		}
	}
}

// TestNotesPointIntoTheOwnText writes a query in two ways, of which each has its note elsewhere.
func TestNotesPointIntoTheOwnText(t *testing.T) {
	w := newWaiting(t)
	notes := make(chan string, 2)
	for _, text := range []string{"rate(up[5m])", "rate(    up[5m])"} {
		w.group.Go(func() {
			q, result, err := w.engine.Instant(t.Context(), tenantA, text, minute(10), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer q.Close()
			_, infos := result.Warnings.AsStrings(text, 0, 0)
			notes <- infos[0]
		})
	}
	w.until(t, 2)
	close(w.store.release)
	w.group.Wait()
	require.NotEqual(t, <-notes, <-notes)
}

func TestLeavingCallersEndNothing(t *testing.T) {
	w := newWaiting(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := w.ask(ctx, tenantA, "sum(up)", nil) // its context is the execution's parent
	w.until(t, 1)
	second := w.ask(t.Context(), tenantA, "sum(up)", nil)
	hasty, hastyCancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer hastyCancel()
	third := <-w.ask(hasty, tenantA, "sum(up)", nil)
	require.Equal(t, seamark.Timeout, seamark.KindOf(third.err))
	w.until(t, 2)
	cancel()
	require.Equal(t, seamark.Canceled, seamark.KindOf((<-first).err))
	w.until(t, 1)
	close(w.store.release)
	got := <-second
	require.NoError(t, got.err)
	require.Contains(t, got.text, "{} =>")
	require.Len(t, w.store.entered, 1)
}

// TestLastCallerCancels holds the read until its context ends; Close waits for that.
func TestLastCallerCancels(t *testing.T) {
	w := newWaiting(t)
	ctx, cancel := context.WithCancel(t.Context())
	var list []<-chan outcome
	for range 10 {
		list = append(list, w.ask(ctx, tenantA, "sum(up)", nil))
	}
	w.until(t, 10)
	<-w.store.entered
	cancel()
	for _, c := range list {
		require.Equal(t, seamark.Canceled, seamark.KindOf((<-c).err))
	}
	require.Equal(t, 0, promql.Users(w.engine))
	again := w.ask(t.Context(), tenantA, "sum(up)", nil)
	<-w.store.entered
	close(w.store.release)
	require.NoError(t, (<-again).err, "nobody joins what is cancelled")
}

func TestErrorsAreShared(t *testing.T) {
	w := newWaiting(t)
	w.store.err = seamark.Errorf(seamark.RateLimited, "seamark-query-concurrency", "Too many.")
	first, second := w.ask(t.Context(), tenantA, "sum(up)", nil), w.ask(t.Context(), tenantA, "sum(up)", nil)
	w.until(t, 2)
	close(w.store.release)
	require.Equal(t, seamark.RateLimited, seamark.KindOf((<-first).err))
	require.Equal(t, seamark.RateLimited, seamark.KindOf((<-second).err))
	require.Equal(t, 0, promql.Users(w.engine))
}

// panicking is a fault of ours outside the engine, which answers its own.
type panicking struct{ asked *int }

func (panicking) EnablePerStepStats() bool { return false }

func (p panicking) LookbackDelta() time.Duration {
	if *p.asked++; *p.asked > 1 {
		panic("a fault")
	}
	return 0
}

func TestPanicsAreErrors(t *testing.T) {
	w := newWaiting(t)
	got := <-w.ask(t.Context(), tenantA, "sum(up)", panicking{new(int)})
	require.ErrorContains(t, got.err, "a fault")
	require.Equal(t, seamark.Internal, seamark.KindOf(got.err))
	require.Equal(t, 0, promql.Users(w.engine))
}

// TestManyComeAndGo has callers join, leave and close in every order, for the race detector.
func TestManyComeAndGo(t *testing.T) {
	e := newEngine(t, filledTwin())
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+n)%3 == 0 {
					go cancel()
				}
				q, result, err := e.Range(ctx, tenantA, "up", minute(10), minute(20), time.Minute, nil)
				cancel()
				if err != nil {
					if seamark.KindOf(err) != seamark.Canceled {
						t.Error(err)
					}
					continue
				}
				if m, err := result.Matrix(); err != nil || len(m) != 10 || len(m[9].Floats) != 11 {
					t.Errorf("got %v, %v", m, err)
				}
				q.Close()
				q.Close()
			}
		})
	}
	group.Wait()
	require.Equal(t, 0, promql.Users(e))
}
