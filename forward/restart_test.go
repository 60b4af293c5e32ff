package forward_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/forward"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestKilledMidDelivery leaves a process behind while its batch is on the way, as kill -9 does: another one sends the same
// batch under the same id, and all that follows, and nothing is missing.
func TestKilledMidDelivery(t *testing.T) {
	w := newWorld(t)
	first := w.service(t, nil)
	stop := run(t, first)
	reached, release := make(chan struct{}), make(chan struct{})
	hook := newHook(t, func(n int) (int, http.Header) {
		if n == 2 { // the target has it, and the sender never hears of that
			close(reached)
			<-release
		}
		return http.StatusOK, nil
	})
	save(t, first, "hook", "api a", hook.target(""), `,"batch":{"max_rows":2}`)
	w.push(t, tenant, "api", "a1", "a2")
	hook.lines(t, 2)
	w.push(t, tenant, "api", "a3")
	w.push(t, tenant, "api", "a4")
	<-reached
	stop()
	close(release)
	w.push(t, tenant, "api", "a5", "a6")
	w.push(t, tenant, "api", "a7", "a8")
	run(t, w.service(t, func(o *forward.Options) { o.Owner = "n2" }))
	lines := hook.lines(t, 8)
	require.Equal(t, []string{"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"}, lines)
	testkit.Eventually(t, within, func() error {
		if n := len(hook.deliveries()); n < 5 {
			return fmt.Errorf("%d deliveries, want the repeat", n)
		}
		return nil
	})
	ids := map[string]int{}
	for _, d := range hook.deliveries() {
		ids[d.id]++
	}
	require.Len(t, ids, 4, "a repeat has the id of the first attempt")
	require.Contains(t, slices.Collect(valuesOf(ids)), 2)
	hook.taken(t)
}

func valuesOf(m map[string]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

// TestTwoProcesses run side by side: one of them forwards, and each line comes once.
func TestTwoProcesses(t *testing.T) {
	w := newWorld(t)
	first := w.service(t, nil)
	run(t, first)
	run(t, w.service(t, func(o *forward.Options) { o.Owner = "n2" }))
	hook := newHook(t, nil)
	save(t, first, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`)
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("a", i))
		w.push(t, tenant, "api", want[i])
	}
	require.Equal(t, want, hook.lines(t, 20))
	require.Len(t, hook.deliveries(), 20)
}

// TestDeadTargetBesideAHealthyOne keeps a healthy forwarder at work, and the dead one's status true, while messages leave the
// stream unread: those are counted.
func TestDeadTargetBesideAHealthyOne(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	dead, alive := atomic.Bool{}, newHook(t, nil)
	dead.Store(true)
	down := newHook(t, func(int) (int, http.Header) {
		if dead.Load() {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusOK, nil
	})
	save(t, s, "alive", "api a", alive.target(""), `,"batch":{"max_rows":1}`)
	save(t, s, "down", "api a", down.target(""), `,"batch":{"max_rows":1}`)
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprint("a", i))
		w.push(t, tenant, "api", want[i])
		w.push(t, other, "api", "another tenant's")
	}
	require.Equal(t, want, alive.lines(t, 30))
	got := status(t, s, "down", func(st *forward.Status) error {
		if st.LagMessages != 30 || st.State != "retrying" || st.LastError == nil {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	require.Contains(t, got.LastError.Message, "503")
	w.holds(t, 1)
	require.NoError(t, w.bus.Purge(t.Context(), bus.Shard{Signal: seamark.Logs}, 41)) // messages 1 to 40: the first twenty of each tenant
	status(t, s, "down", func(st *forward.Status) error {
		if st.Lost == 0 || st.LagMessages+st.Lost != 30 {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	dead.Store(false)
	lines := down.lines(t, 11)
	// What was read before the purge is not lost: the batch under way, and the few messages behind it.
	lost := 30 - len(lines)
	testkit.Eventually(t, within, func() error {
		lines = down.lines(t, 11)
		got, err := s.Status(t.Context(), tenant, "down")
		lost = 30 - len(lines)
		if err == nil && (got.LagMessages != 0 || int(got.Lost) != lost || got.State != "running") {
			err = fmt.Errorf("got %+v and %d lines", got, len(lines))
		}
		return err
	})
	require.Subset(t, lines, want[20:])
	require.GreaterOrEqual(t, lost, 14)
	got = status(t, s, "down", func(*forward.Status) error { return nil })
	require.Len(t, got.Gaps, 1)
	require.Equal(t, uint64(lost), got.Gaps[0].Messages)
	require.False(t, got.Gaps[0].Uncounted)
	require.Len(t, alive.deliveries(), 30)
}

// TestGapWhileNobodyRuns says that messages may be missing which left the stream while no process looked.
func TestGapWhileNobodyRuns(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	stop := run(t, s)
	hook := newHook(t, nil)
	save(t, s, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`)
	w.push(t, tenant, "api", "a1")
	hook.lines(t, 1)
	status(t, s, "hook", func(st *forward.Status) error {
		if st.Delivered != 1 {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	stop()
	w.push(t, tenant, "api", "a2")
	w.push(t, tenant, "api", "a3")
	require.NoError(t, w.bus.Purge(t.Context(), bus.Shard{Signal: seamark.Logs}, 3))
	later := w.service(t, func(o *forward.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Minute) }
	})
	run(t, later)
	require.Equal(t, []string{"a1", "a3"}, hook.lines(t, 2))
	got := status(t, later, "hook", func(st *forward.Status) error {
		if len(st.Gaps) != 1 {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	require.True(t, got.Gaps[0].Uncounted)
}

// holds waits until first is the first message that forwarders have yet to read.
func (w *world) holds(t *testing.T, first uint64) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		holds, err := forward.OpenHolds(t.Context(), w.js, 1, time.Now) // one remembers for seconds
		if err != nil {
			return err
		}
		got, err := holds.First(t.Context(), bus.Shard{Signal: seamark.Logs})
		if err == nil && got != first {
			err = fmt.Errorf("the first message is %d, want %d", got, first)
		}
		return err
	})
}

// TestQuietTenantHasNoGap moves the position over other tenants' messages, so that their removal is none of this one's gaps.
func TestQuietTenantHasNoGap(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	stop := run(t, s)
	hook := newHook(t, nil)
	save(t, s, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`)
	for range 10 {
		w.push(t, other, "api", "another tenant's")
	}
	w.holds(t, 11)
	stop()
	require.NoError(t, w.bus.Purge(t.Context(), bus.Shard{Signal: seamark.Logs}, 11))
	run(t, w.service(t, func(o *forward.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Hour) }
	}))
	w.push(t, tenant, "api", "a1")
	hook.lines(t, 1)
	got, err := s.Status(t.Context(), tenant, "hook")
	require.NoError(t, err)
	require.Empty(t, got.Gaps)
}

// TestPause keeps the position of a forwarder that is paused, and counts what waits.
func TestPause(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	hook := newHook(t, nil)
	save(t, s, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`, `,"paused":true`)
	for i := range 5 {
		w.push(t, tenant, "api", fmt.Sprint("a", i))
	}
	status(t, s, "hook", func(st *forward.Status) error {
		if st.LagMessages != 5 || st.State != "paused" {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	require.Empty(t, hook.deliveries())
	save(t, s, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`)
	require.Len(t, hook.lines(t, 5), 5)
}

// TestLabelsOfStreams waits for the labels of streams that came before the forwarder, as long as they may still be on their way.
func TestLabelsOfStreams(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	w.set(func() { w.hidden, w.away = true, true })
	w.push(t, tenant, "api", "a: tells of its stream")
	w.push(t, tenant, "ghost", "a: tells of its stream")
	hook := newHook(t, nil)
	save(t, s, "hook", "* a", hook.target(""), `,"batch":{"max_rows":1}`)
	w.push(t, tenant, "api", "a1")
	status(t, s, "hook", func(st *forward.Status) error {
		if st.State != "waiting" {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	w.set(func() { w.hidden, w.away = false, false })
	w.push(t, tenant, "api", "a2") // tells the store, too
	require.Equal(t, []string{"a1", "a2"}, hook.lines(t, 2))
	w.set(func() { w.hidden, w.stored = true, 100 })
	w.push(t, tenant, "ghost", "a3: the store has it, and not its stream")
	got := status(t, s, "hook", func(st *forward.Status) error {
		if st.Failed != 1 {
			return fmt.Errorf("got %+v", st)
		}
		return nil
	})
	require.Contains(t, got.Buried[0].Reason, "labels")
}

// TestRemoved ends a forwarder, and one of the same name begins anew.
func TestRemoved(t *testing.T) {
	w := newWorld(t)
	s := w.service(t, nil)
	run(t, s)
	hook := newHook(t, nil)
	save(t, s, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`)
	w.push(t, tenant, "api", "a1")
	hook.lines(t, 1)
	require.NoError(t, s.Delete(t.Context(), tenant, "hook", nil))
	require.Equal(t, seamark.NotFound, seamark.KindOf(s.Delete(t.Context(), tenant, "hook", nil)))
	w.push(t, tenant, "api", "a2: nobody forwards it")
	save(t, s, "hook", "api a", hook.target(""), `,"batch":{"max_rows":1}`)
	w.push(t, tenant, "api", "a3")
	require.Equal(t, []string{"a1", "a3"}, hook.lines(t, 2))
}
