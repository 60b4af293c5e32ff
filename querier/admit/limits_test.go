package admit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// rangeOf is what a query wants that reads the logs of the time until now.
func rangeOf(over time.Duration) admit.Want {
	now := time.Now()
	return admit.Want{Signals: []seamark.Signal{seamark.Logs}, Start: now.Add(-over), End: now}
}

// try begins a query of a class, waits for its place and ends it.
func (w *world) try(t testing.TB, class admit.Class, want admit.Want) error {
	t.Helper()
	ctx, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: class})
	err := q.Enter(ctx, want)
	w.End(ctx, q, err)
	return err
}

// read has a tenant's query read so much.
func (w *world) read(t testing.TB, id seamark.TenantID, bytes uint64) {
	t.Helper()
	ctx, q := w.Begin(t.Context(), admit.Request{Tenant: id, Class: admit.AdHocQuery})
	require.NoError(t, q.Enter(ctx, rangeOf(time.Minute)))
	q.Take(admit.Cost{Bytes: bytes})
	w.End(ctx, q, nil)
}

func TestBudgetOfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes := 1
		w := newWorld(t, func(o *admit.Options) { o.Nodes = func() int { return nodes } })
		w.limits[alice] = admit.Limits{QueryBytesPerMinute: 600 << 20}
		long := func() error { return w.try(t, admit.AdHocQuery, rangeOf(time.Hour)) }
		require.NoError(t, long())
		w.read(t, alice, 900<<20) // half a minute's worth over
		err := long()
		require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
		require.ErrorContains(t, err, "have read 900.0 MiB within a minute; the tenant's limit is 600.0 MiB (query_bytes_per_minute), of which they are 300.0 MiB over. It ends in 30s.")
		refused, _ := errors.AsType[*seamark.Error](err)
		require.InDelta(t, 30, refused.RetryAfter.Seconds(), 0.01)
		require.NoError(t, w.try(t, admit.AdHocQuery, rangeOf(15*time.Minute)), "the last minutes")
		require.NoError(t, w.try(t, admit.AdHocQuery, admit.Want{Light: true}), "look-ups")
		require.NoError(t, w.try(t, admit.RuleQuery, rangeOf(time.Hour)), "rules")
		require.Error(t, w.try(t, admit.AdHocQuery, admit.Want{}), "nobody knows what it reads")
		time.Sleep(31 * time.Second)
		require.NoError(t, long())

		nodes = 3 // each has its part
		w.read(t, alice, 250<<20)
		require.Error(t, long())
	})
}

func TestBudgetOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.limits[alice] = admit.Limits{QueryBytesPerDay: 1000}
		w.read(t, alice, 600)
		require.NoError(t, w.try(t, admit.AdHocQuery, rangeOf(time.Hour)))
		require.EqualValues(t, 600, w.Spent()[alice])
		today := time.Now().Unix() / 86400
		w.Learn(today, map[seamark.TenantID]uint64{alice: 400})
		err := w.try(t, admit.AdHocQuery, rangeOf(time.Hour))
		require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
		require.ErrorContains(t, err, "have read 1000 B since midnight UTC; the tenant's limit is 1000 B (query_bytes_per_day), of which they are 0 B over. It ends in 24h0m.")
		require.NoError(t, w.try(t, admit.DashboardQuery, rangeOf(10*time.Minute)))
		time.Sleep(24 * time.Hour)
		require.NoError(t, w.try(t, admit.AdHocQuery, rangeOf(time.Hour)))
		w.Learn(today, map[seamark.TenantID]uint64{alice: 5000})
		require.NoError(t, w.try(t, admit.AdHocQuery, rangeOf(time.Hour)), "that was yesterday")
	})
}

// TestOverBudgetGoesBehind has a tenant over its budget wait behind others for the places of scans.
func TestOverBudgetGoesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxScans = 1 })
		w.limits[alice] = admit.Limits{QueryBytesPerDay: 1}
		w.read(t, alice, 2)
		first := w.begin(t, carol, admit.AdHocQuery, scan)
		order := make(chan seamark.TenantID, 2)
		queue := func(id seamark.TenantID, want admit.Want) {
			go func() {
				ctx, q := w.Begin(t.Context(), admit.Request{Tenant: id, Class: admit.AdHocQuery})
				if q.Enter(ctx, want) == nil {
					order <- id
				}
				w.End(ctx, q, nil)
			}()
			synctest.Wait()
		}
		queue(alice, rangeOf(time.Minute))
		queue(bob, reads(scan))
		require.True(t, w.List(alice)[0].Over)
		first.Leave()
		require.Equal(t, bob, <-order)
		require.Equal(t, alice, <-order)
	})
}

// TestAQueryGoesOverItsLimits ends queries by each of the limits.
func TestAQueryGoesOverItsLimits(t *testing.T) {
	for name, one := range map[string]struct {
		limits admit.Limits
		cost   admit.Cost
		id     string
		says   string
	}{
		"bytes":   {admit.Limits{QueryMaxBytes: 1 << 20}, admit.Cost{Bytes: 2 << 20}, "seamark-query-bytes", "has read 2.0 MiB and was stopped: the tenant's limit is 1.0 MiB (query_max_bytes)"},
		"rows":    {admit.Limits{QueryMaxRows: 10}, admit.Cost{Rows: 11}, "seamark-query-rows", "has read 11 rows and was stopped: the tenant's limit is 10 rows (query_max_rows)"},
		"result":  {admit.Limits{QueryMaxResultBytes: 10}, admit.Cost{ResultBytes: 11}, "seamark-query-result", "an answer of 11 B or more and was stopped: the tenant's limit is 10 B (query_max_result_bytes)"},
		"seconds": {admit.Limits{QueryMaxSeconds: 5}, admit.Cost{}, "seamark-query-seconds", "has run for 5s and was stopped: the tenant's limit is 5s (query_max_seconds)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, nil)
				w.limits[alice] = one.limits
				ctx, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: admit.AdHocQuery})
				require.NoError(t, q.Enter(ctx, admit.Want{}))
				shared, stop := admit.Bind(context.WithoutCancel(ctx))
				defer stop()
				require.NoError(t, ctx.Err())
				q.Take(one.cost)
				<-ctx.Done()
				<-shared.Done() // work that others wait for, too
				err := q.Outcome(ctx.Err())
				known, ok := errors.AsType[*seamark.Error](err)
				require.True(t, ok)
				require.Equal(t, one.id, known.ID)
				require.Equal(t, seamark.Unprocessable, known.Kind)
				require.ErrorContains(t, err, one.says)
				w.End(ctx, q, err)
			})
		})
	}
}

func TestEstimateOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.limits[alice] = admit.Limits{QueryMaxBytes: 1 << 30}
		want := reads(4 << 30)
		want.Start, want.End = time.Now().Add(-4*time.Hour), time.Now()
		err := w.try(t, admit.AdHocQuery, want)
		require.Equal(t, seamark.Unprocessable, seamark.KindOf(err))
		require.ErrorContains(t, err, "would read up to 4.0 GiB, 4.0 times as much as the tenant's limit, 1.0 GiB (query_max_bytes), so it was not begun. "+
			"A range of about 1h0m would fit where this one is 4h0m; or narrow the selector.")
		want.Narrow = func(context.Context) (admit.Estimate, error) { return admit.Estimate{}, errors.New("away") }
		require.NoError(t, w.try(t, admit.AdHocQuery, want), "of all that the tenant has nobody knows that the query reads it")
	})
}

// TestWhatTheStoreRefuses names the tenant's limit where the store only says that there is one.
func TestWhatTheStoreRefuses(t *testing.T) {
	w := newWorld(t, nil)
	w.limits[alice] = admit.Limits{QueryMaxBytes: 1 << 20, QueryMaxRows: 7, QueryMaxMemoryBytes: 3 << 20}
	ctx, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: admit.AdHocQuery})
	defer w.End(ctx, q, nil)
	require.ErrorContains(t, q.Outcome(seamark.Errorf(seamark.Unprocessable, "seamark-query-bytes", "Too much.")),
		"Too much. It had read 0 B; the tenant's limit is 1.0 MiB (query_max_bytes) and 7 rows (query_max_rows). An operator can raise it")
	require.ErrorContains(t, q.Outcome(seamark.Errorf(seamark.Unprocessable, "seamark-query-memory", "Too much.")), "3.0 MiB (query_max_memory_bytes)")
	other := seamark.Errorf(seamark.Invalid, "seamark-query-syntax", "No.")
	require.Equal(t, other, q.Outcome(other))
	require.NoError(t, q.Outcome(nil))
}

// TestWorkForNoQuery is never held up.
func TestWorkForNoQuery(t *testing.T) {
	q := admit.From(t.Context())
	require.Nil(t, q)
	require.NoError(t, q.Enter(t.Context(), admit.Want{}))
	require.NoError(t, q.Resume(t.Context()))
	q.Take(admit.Cost{Bytes: 1})
	q.Leave()
	require.Zero(t, q.Cost())
	require.Zero(t, q.Waited())
	require.Equal(t, 5, q.MaxSeries(5))
	require.NoError(t, q.Fault())
}
