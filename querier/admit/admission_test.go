package admit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

const (
	alice = seamark.TenantID("01JAAAAAAAAAAAAAAAAAAAAAAA")
	bob   = seamark.TenantID("01JBBBBBBBBBBBBBBBBBBBBBBB")
	carol = seamark.TenantID("01JCCCCCCCCCCCCCCCCCCCCCCC")
)

// scan is more than what is read in passing.
const scan = 1 << 30

// world is an admission whose tests say what queries are estimated at.
type world struct {
	*admit.Admission
	limits map[seamark.TenantID]admit.Limits
}

func newWorld(t testing.TB, change func(o *admit.Options)) *world {
	t.Helper()
	w := &world{limits: map[seamark.TenantID]admit.Limits{}}
	o := admit.Options{
		MaxConcurrent: 8, MaxScans: 2, ScanBytes: admit.DefaultScanBytes, MaxInflightBytes: admit.DefaultMaxInflightBytes,
		MaxQueued: 100, Patience: admit.DefaultPatience, Registerer: prometheus.NewRegistry(), Now: time.Now,
		Limits: func(id seamark.TenantID) (admit.Limits, func(string) string) {
			return w.limits[id], func(string) string { return "tenant" }
		},
		Estimate: func(_ context.Context, _ seamark.TenantID, want *admit.Want) admit.Estimate {
			if want.Narrow == nil {
				return admit.Estimate{}
			}
			return admit.Estimate{Bytes: 1 << 60} // all that a tenant has
		},
	}
	if change != nil {
		change(&o)
	}
	a, err := admit.New(o)
	require.NoError(t, err)
	w.Admission = a
	return w
}

// reads is what a query wants that is estimated at so many bytes.
func reads(bytes uint64) admit.Want {
	return admit.Want{Narrow: func(context.Context) (admit.Estimate, error) { return admit.Estimate{Bytes: bytes}, nil }}
}

// begin begins a query and waits for its place.
func (w *world) begin(t testing.TB, id seamark.TenantID, class admit.Class, bytes uint64) *admit.Query {
	t.Helper()
	ctx, q := w.Begin(t.Context(), admit.Request{Tenant: id, Class: class})
	require.NoError(t, q.Enter(ctx, reads(bytes)))
	return q
}

// ask begins a query that takes some time, and tells how long it waited.
func (w *world) ask(ctx context.Context, id seamark.TenantID, class admit.Class, bytes uint64, takes time.Duration) (waited time.Duration, err error) {
	ctx, q := w.Begin(ctx, admit.Request{Tenant: id, Class: class})
	begun := time.Now()
	err = q.Enter(ctx, reads(bytes))
	waited = time.Since(begun)
	if err == nil {
		select {
		case <-ctx.Done():
		case <-time.After(takes):
		}
		q.Leave()
	}
	w.End(ctx, q, err)
	return waited, err
}

func TestATenantLeavesOthersAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() { _, _ = w.ask(ctx, alice, admit.RuleQuery, scan, 10*time.Second) })
			all.Go(func() { _, _ = w.ask(ctx, alice, admit.RuleQuery, 0, 10*time.Second) })
		}
		synctest.Wait()
		for _, bytes := range []uint64{0, scan} {
			waited, err := w.ask(t.Context(), bob, admit.ExportQuery, bytes, time.Second)
			require.NoError(t, err)
			require.Zero(t, waited, "a query of %d bytes", bytes)
		}
		stop()
		all.Wait()
	})
}

// TestCompanyBoundsATenant lets queries in that read little and take long: while another tenant is there, they are few at once, but for
// rules, and when it is gone they are as many as before.
func TestCompanyBoundsATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent = 16 })
		var all sync.WaitGroup
		start := func(n int, class admit.Class) {
			for range n {
				all.Go(func() { _, _ = w.ask(t.Context(), alice, class, 0, 25*time.Second) })
			}
			synctest.Wait()
		}
		running := func() (n int) {
			for _, i := range w.List(alice) {
				if i.State == admit.StateRunning {
					n++
				}
			}
			return n
		}
		start(2, admit.AdHocQuery)
		_, err := w.ask(t.Context(), bob, admit.AdHocQuery, 0, time.Millisecond)
		require.NoError(t, err)
		start(10, admit.AdHocQuery)
		require.Equal(t, 3, running(), "one more than scans may be")
		start(1, admit.RuleQuery)
		require.Equal(t, 4, running(), "a rule beside them")
		time.Sleep(15 * time.Second)
		synctest.Wait()
		require.Equal(t, 8, running(), "half of the places, as bob is gone")
		all.Wait()
	})
}

// TestAGreedyTenantLeavesAProcessor has one tenant compute without end beside another that opens a dashboard every five seconds.
func TestAGreedyTenantLeavesAProcessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				for ctx.Err() == nil {
					_, _ = w.ask(ctx, alice, admit.AdHocQuery, 0, time.Second)
				}
			})
		}
		synctest.Wait() // all that it gets is its own, until the first of them end
		running := func(id seamark.TenantID) (n int) {
			for _, i := range w.List(id) {
				if i.State == admit.StateRunning {
					n++
				}
			}
			return n
		}
		for _, want := range []int{2, 3, 3, 3, 3, 3} {
			for range 10 {
				all.Go(func() { _, _ = w.ask(ctx, bob, admit.DashboardQuery, 0, 40*time.Millisecond) })
			}
			time.Sleep(10 * time.Millisecond) // of the bubble
			require.Equal(t, want, running(bob), "panels of a dashboard at once")
			time.Sleep(4900 * time.Millisecond)
		}
		require.Equal(t, 1, running(alice), "of a tenant that takes all it gets")
		all.Wait()
	})
}

// TestWhoCrowds has one tenant begin query after query, alone, beside another, and after that one has gone.
func TestWhoCrowds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		begin := func(id seamark.TenantID, n int) (last *admit.Query) {
			for range n {
				_, last = w.Begin(t.Context(), admit.Request{Tenant: id, Class: admit.AdHocQuery})
			}
			return last
		}
		require.False(t, begin(alice, 10).Crowds(), "a tenant that is alone")
		_, err := w.ask(t.Context(), bob, admit.AdHocQuery, 0, time.Millisecond)
		require.NoError(t, err)
		require.False(t, begin(bob, 3).Crowds(), "three of thirteen")
		require.True(t, begin(alice, 1).Crowds(), "eleven of fourteen")
		rule := func() *admit.Query {
			_, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: admit.RuleQuery})
			return q
		}
		require.False(t, rule().Crowds(), "one rule beside eleven searches")
		for range 9 {
			rule()
		}
		require.True(t, rule().Crowds(), "eleven rules beside the three of another")
		time.Sleep(11 * time.Second) // of the bubble
		require.False(t, begin(alice, 1).Crowds(), "the other asks no more")
	})
}

// TestAVictimIsNotKeptWaiting lets random hostile tenants ask what they like, and a victim with small queries now and then.
func TestAVictimIsNotKeptWaiting(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent = 2 + r.IntN(20) })
			ctx, stop := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for h := range 1 + r.IntN(6) {
				id := seamark.TenantID(fmt.Sprintf("%026d", h))
				for range 1 + r.IntN(30) {
					class, takes := admit.Class(1+r.IntN(4)), time.Duration(1+r.IntN(2000))*time.Millisecond
					bytes := uint64(r.IntN(3)) * scan
					all.Go(func() {
						for ctx.Err() == nil {
							_, _ = w.ask(ctx, id, class, bytes, takes)
						}
					})
				}
			}
			for range 200 {
				time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
				waited, err := w.ask(ctx, bob, admit.AdHocQuery, 0, 10*time.Millisecond)
				require.NoError(t, err)
				// At worst all places have just been taken by others' longest queries, and one that waited for longer goes first.
				require.LessOrEqual(t, waited, 4*time.Second, "seed %d", seed)
			}
			stop()
			all.Wait()
		})
	}
}

// TestTenantsShareByWeight has two tenants ask without end for the one place.
func TestTenantsShareByWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent = 1 })
		w.limits[alice] = admit.Limits{QueryWeight: 300}
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		var all sync.WaitGroup
		had := map[seamark.TenantID]*atomic.Int64{alice: {}, bob: {}}
		for id, takes := range map[seamark.TenantID]time.Duration{alice: 200 * time.Millisecond, bob: 50 * time.Millisecond} {
			for range 10 {
				all.Go(func() {
					for ctx.Err() == nil {
						if _, err := w.ask(ctx, id, admit.AdHocQuery, 0, takes); err == nil {
							had[id].Add(int64(takes))
						}
					}
				})
			}
		}
		all.Wait()
		require.InDelta(t, 3, float64(had[alice].Load())/float64(had[bob].Load()), 0.1, "their times have the relation of their weights, not of their queries")
	})
}

func TestClasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent = 1 })
		first := w.begin(t, alice, admit.AdHocQuery, 0)
		var mu sync.Mutex
		var order []string
		queue := func(class admit.Class) {
			go func() {
				ctx, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: class})
				if q.Enter(ctx, admit.Want{}) == nil {
					mu.Lock()
					order = append(order, class.String())
					mu.Unlock()
				}
				w.End(ctx, q, nil)
			}()
			synctest.Wait()
		}
		queue(admit.ExportQuery)
		time.Sleep(18 * time.Second) // so that it comes before what has the class just above, and not before the others
		queue(admit.AdHocQuery)
		queue(admit.DashboardQuery)
		queue(admit.RuleQuery)
		first.Leave()
		synctest.Wait()
		require.Equal(t, []string{"rule", "dashboard", "export", "adhoc"}, order)
	})
}

func TestListAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent = 1 })
		runs := w.begin(t, alice, admit.AdHocQuery, 0)
		runs.Take(admit.Cost{Bytes: 7})
		time.Sleep(time.Second)
		ctx, waits := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: admit.DashboardQuery, Text: "up"})
		failed := make(chan error)
		go func() { failed <- waits.Enter(ctx, admit.Want{}) }()
		synctest.Wait()
		time.Sleep(time.Second)
		list := w.List(alice)
		require.Len(t, list, 2)
		require.Equal(t, runs.ID, list[0].ID)
		require.Equal(t, admit.StateRunning, list[0].State)
		require.Equal(t, 2*time.Second, list[0].Ran)
		require.EqualValues(t, 7, list[0].Cost.Bytes)
		require.Equal(t, admit.StateQueued, list[1].State)
		require.Equal(t, 1, list[1].Position)
		require.Equal(t, time.Second, list[1].Waited)
		require.Equal(t, "up", list[1].Request.Text)
		require.Empty(t, w.List(bob))

		require.False(t, w.Cancel(bob, waits.ID), "another tenant's query is none")
		require.True(t, w.Cancel(alice, waits.ID))
		require.Equal(t, seamark.Canceled, seamark.KindOf(<-failed))
		w.End(ctx, waits, nil)
		require.Len(t, w.List(alice), 1)
		w.End(t.Context(), runs, nil)
		require.Empty(t, w.List(alice))
		require.False(t, w.Cancel(alice, runs.ID))
	})
}

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent, o.MaxQueued = 1, 1 })
		w.begin(t, alice, admit.AdHocQuery, 0)
		done := make(chan error, 1)
		go func() {
			_, err := w.ask(t.Context(), alice, admit.AdHocQuery, 0, 0)
			done <- err
		}()
		synctest.Wait()
		_, err := w.ask(t.Context(), alice, admit.AdHocQuery, 0, 0)
		require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
		require.ErrorContains(t, err, "1 of your queries of class adhoc wait already, the limit of a tenant on one node (--query.max-queued)")
		err = <-done
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
		require.ErrorContains(t, err, "waited 30s and was not begun: it is number 1 of your 1 that wait, as class adhoc. 1 queries run on this node, "+
			"the limit of all tenants (--query.max-concurrent is 1), 1 of them yours; a tenant leaves others a place. Of yours the longest has run for 30s.")

		gone, leave := context.WithCancel(t.Context())
		leave()
		_, err = w.ask(gone, alice, admit.AdHocQuery, 0, 0)
		require.Equal(t, seamark.Canceled, seamark.KindOf(err))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = w.ask(short, alice, admit.AdHocQuery, 0, 0)
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
	})
}

func TestConcurrencyOfATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		w.limits[alice] = admit.Limits{QueryConcurrency: 1}
		w.begin(t, alice, admit.AdHocQuery, 0)
		_, err := w.ask(t.Context(), alice, admit.AdHocQuery, 0, 0)
		require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
		require.ErrorContains(t, err, "1 of yours run on this node, which is your limit (query_concurrency)")
		w.limits[alice] = admit.Limits{} // and the next query knows
		_, err = w.ask(t.Context(), alice, admit.AdHocQuery, 0, 0)
		require.NoError(t, err)
	})
}

// TestAQueryThatTurnsOutToScan is let in as a small one.
func TestAQueryThatTurnsOutToScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		for range 2 {
			w.begin(t, alice, admit.AdHocQuery, 0).Take(admit.Cost{Bytes: scan})
		}
		waited, err := w.ask(t.Context(), bob, admit.AdHocQuery, scan, 0)
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err), "two scans run")
		require.ErrorContains(t, err, "--query.max-scans is 2")
		require.Equal(t, admit.DefaultPatience, waited)
	})
}

func TestInflightBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxScans, o.MaxInflightBytes = 4, 3*scan })
		huge := w.begin(t, alice, admit.AdHocQuery, 100*scan) // alone it runs
		_, err := w.ask(t.Context(), bob, admit.AdHocQuery, scan, 0)
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
		huge.Leave()
		one, two := w.begin(t, alice, admit.AdHocQuery, scan), w.begin(t, bob, admit.AdHocQuery, 2*scan)
		_, err = w.ask(t.Context(), carol, admit.AdHocQuery, scan, 0)
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
		one.Leave()
		two.Leave()
		_, err = w.ask(t.Context(), carol, admit.AdHocQuery, scan, 0)
		require.NoError(t, err)
	})
}

func TestOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.Off, o.MaxConcurrent = true, 2 })
		w.limits[alice] = admit.Limits{QueryConcurrency: 1, QueryMaxBytes: 1}
		for range 2 {
			w.begin(t, alice, admit.AdHocQuery, scan).Take(admit.Cost{Bytes: scan})
		}
		_, err := w.ask(t.Context(), bob, admit.RuleQuery, 0, 0)
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
	})
}

// TestNothingIsLost has many tenants come and go at once, some of them before they are let in.
func TestNothingIsLost(t *testing.T) {
	w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent = 3 })
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(2000))*time.Microsecond)
				id := seamark.TenantID(fmt.Sprintf("%026d", r.IntN(7)))
				ctx, q := w.Begin(ctx, admit.Request{Tenant: id, Class: admit.Class(1 + r.IntN(4))})
				if err := q.Enter(ctx, reads(uint64(r.IntN(2))*scan)); err == nil {
					q.Take(admit.Cost{Bytes: uint64(r.IntN(3)) * scan, CPUMicros: 10})
					if r.IntN(2) == 0 {
						q.Leave()
					}
				}
				_ = w.List(id)
				w.End(ctx, q, nil)
				cancel()
			}
		})
	}
	all.Wait()
	for i := range 7 {
		require.Empty(t, w.List(seamark.TenantID(fmt.Sprintf("%026d", i))))
	}
	for range 3 { // every place is free again
		ctx, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: admit.AdHocQuery})
		require.NoError(t, q.Enter(ctx, admit.Want{}))
		w.End(ctx, q, nil)
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*admit.Options){
		"no places":   func(o *admit.Options) { o.MaxConcurrent = 0 },
		"no queue":    func(o *admit.Options) { o.MaxQueued = 0 },
		"no patience": func(o *admit.Options) { o.Patience = 0 },
		"no limits":   func(o *admit.Options) { o.Limits = nil },
		"no clock":    func(o *admit.Options) { o.Now = nil },
	} {
		o := admit.Options{
			MaxConcurrent: 1, ScanBytes: 1, MaxInflightBytes: 1, MaxQueued: 1, Patience: 1, Registerer: prometheus.NewRegistry(), Now: time.Now,
			Limits: func(seamark.TenantID) (l admit.Limits, origin func(string) string) { return l, nil },
		}
		change(&o)
		_, err := admit.New(o)
		require.Error(t, err, name)
	}
}

// TestEndedKnowBeforeTheListForgets: who looks at the list and at what was told of ends misses no query.
func TestEndedKnowBeforeTheListForgets(t *testing.T) {
	var w *world
	told := 0
	w = newWorld(t, func(o *admit.Options) {
		o.Ended = []func(context.Context, *admit.Query, error){func(_ context.Context, q *admit.Query, _ error) {
			told++
			list := w.List(alice)
			require.Len(t, list, 1)
			require.Equal(t, q.ID, list[0].ID)
		}}
	})
	q := w.begin(t, alice, admit.AdHocQuery, 1)
	w.End(t.Context(), q, nil)
	w.End(t.Context(), q, nil)
	require.Equal(t, 1, told)
	require.Empty(t, w.ListAll())
}
