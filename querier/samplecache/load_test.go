package samplecache_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/samplecache"
)

// TestRefreshDuringLoad stores rows, and has a refresh read them, before and after a load's statement sees what is there.
func TestRefreshDuringLoad(t *testing.T) {
	for _, point := range []string{"before", "after"} {
		for _, merge := range []bool{false, true} {
			t.Run(fmt.Sprint(point, merge), func(t *testing.T) {
				w := newTwin()
				w.insert(tenantA, 1<<8, row{1, start - 1000, 1}, row{2, start - 1000, 1})
				c, clock := openCache(t, w, 1<<30)
				requireTwin(t, w, c, one(1))
				var once sync.Once
				event := func(context.Context) {
					once.Do(func() {
						w.insert(tenantA, 2<<8, row{1, start - 900, 1}, row{2, start - 900, 1}, row{2, start - 2000, 1}, row{2, start - 1000, 2})
						if merge {
							w.mergeParts(tenantA)
						}
						announce(c, clock)
						list, _, err := c.ListMetricSamples(t.Context(), tenantA, one(1))
						if err != nil || len(list[0].Times) != 2 {
							t.Errorf("the refresh did not see it: %v, %v", list, err)
						}
					})
				}
				w.hook(func(w *twin) {
					if point == "before" {
						w.scanning = event
					} else {
						w.scanned = event
					}
				})
				_, _, err := c.ListMetricSamples(t.Context(), tenantA, one(2))
				require.NoError(t, err)
				requireTwin(t, w, c, one(2))
				require.Len(t, w.takeScans(), 2)
			})
		}
	}
}

// TestLoadDuringRefresh has a load read a series of another metric between the steps of a refresh, after which rows come:
// the refresh must find them, or not pass them over for good.
func TestLoadDuringRefresh(t *testing.T) {
	for _, point := range []string{"listing", "listed", "reading"} {
		t.Run(point, func(t *testing.T) {
			w := newTwin()
			w.insert(tenantA, 1<<8, row{1, start - 1000, 1})
			c, clock := openCache(t, w, 1<<30)
			requireTwin(t, w, c, one(1))
			refreshed := samplecache.Refreshes(c)
			w.insert(tenantA, 2<<8, row{1, start - 900, 1})
			var once sync.Once
			event := func() {
				once.Do(func() {
					// What the cache knows is fresh enough for this query, so it does not wait for the refresh.
					list, _, err := c.ListMetricSamples(t.Context(), tenantA, one(2))
					if err != nil || len(list) != 0 {
						t.Errorf("got %v, %v", list, err)
					}
					w.insert(tenantA, 3<<8, row{2, start - 800, 1})
					w.insert(tenantA, 4<<8, row{1, start - 700, 1})
				})
			}
			w.hook(func(w *twin) {
				switch point {
				case "listing":
					w.listing = event
				case "listed":
					w.listed = event
				case "reading":
					w.newsScanning = func(context.Context) { event() }
				}
			})
			clock.Advance(2 * time.Second)
			c.Changed(tenantA)
			testkit.Eventually(t, time.Minute, func() error {
				if samplecache.Refreshes(c) == refreshed {
					return errors.New("no refresh")
				}
				return nil
			})
			w.mergeParts(tenantA)
			announce(c, clock)
			requireTwin(t, w, c, one(1))
			requireTwin(t, w, c, one(2))
		})
	}
}

func TestQueriesShareLoads(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 10, 1}, row{2, start - 10, 1})
	c, _ := openCache(t, w, 1<<30)
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.hook(func(w *twin) {
		w.scanning = func(context.Context) {
			once.Do(func() { close(entered) })
			<-leave
		}
	})
	var group sync.WaitGroup
	ask := func(count uint64) {
		group.Go(func() {
			list, _, err := c.ListMetricSamples(t.Context(), tenantA, lastHours(count, 1))
			if err != nil || len(list) != int(count) {
				t.Errorf("got %v, %v", list, err)
			}
		})
	}
	ask(1)
	<-entered
	for range 5 {
		ask(1)
	}
	ask(2)
	testkit.Eventually(t, time.Minute, func() error {
		if n := samplecache.Hits(c) + samplecache.Misses(c); n < 8 {
			return fmt.Errorf("%d of 8 windows were asked for", n)
		}
		return nil
	})
	close(leave)
	group.Wait()
	require.Len(t, w.takeScans(), 2, "the second series alone is read again")
}

func TestLoadsThatNobodyWaitsForEnd(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 10, 1})
	c, _ := openCache(t, w, 1<<30)
	entered, canceled := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.hook(func(w *twin) {
		w.scanning = func(ctx context.Context) {
			once.Do(func() {
				close(entered)
				<-ctx.Done()
				close(canceled)
			})
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, _, err := c.ListMetricSamples(ctx, tenantA, lastHours(1, 1))
		done <- err
	}()
	<-entered
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	<-canceled
	requireTwin(t, w, c, lastHours(1, 1))
	require.Equal(t, samplecache.Recount(c, tenantA), int64(samplecache.Bytes(c)))
}
