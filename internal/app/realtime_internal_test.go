package app

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/child"
)

// clockwork is a process whose use of the processors a test tells, and what it was set to.
type clockwork struct {
	*realTime
	now    time.Time
	set    []child.Scheduling
	refuse error
	full   bool               // garbage is due
	during []child.Scheduling // how threads were set when it was collected

	mu    sync.Mutex // guards the fields below where it runs beside the test
	used  time.Duration
	fault error // of all that is set
}

func (c *clockwork) use(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used += d
}

func (c *clockwork) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = err
}

func newClockwork(most float64) *clockwork {
	c := &clockwork{now: time.Unix(1e9, 0)}
	c.realTime = &realTime{
		most: most,
		due:  func() bool { return c.full },
		collect: func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.during = append(c.during, c.set[len(c.set)-1])
		},
		spent: func() (time.Duration, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.used, nil
		},
		set: func(s child.Scheduling) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.set = append(c.set, s)
			if s.RealTime {
				return errors.Join(c.refuse, c.fault)
			}
			return c.fault
		},
	}
	return c
}

// work has the process take so many processors for a time, with a look at each tick.
func (c *clockwork) work(t *testing.T, processors float64, d time.Duration) {
	t.Helper()
	for end := c.now.Add(d); c.now.Before(end); {
		c.now = c.now.Add(realTimeTick)
		c.use(time.Duration(processors * float64(realTimeTick)))
		if err := c.look(c.now); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRealTimeWhileLittleIsTaken: threads are real-time from the first look on, ordinary while they take more than their part, and real-time
// again when they have taken less than half of it for a while.
func TestRealTimeWhileLittleIsTaken(t *testing.T) {
	c := newClockwork(0.5)
	for i, step := range []struct {
		processors float64
		lasts      time.Duration
		want       bool
	}{
		{0.1, realTimeTick, true},
		{0.4, time.Minute, true},
		{0.1, 5 * time.Second, true},
		{1, realTimeTick, true}, // a burst
		{0.1, 5 * time.Second, true},
		{2, 2 * time.Second, false},
		{0.4, time.Minute, false}, // between the half and the whole it stays as it is
		{0.2, 5 * time.Second, true},
	} {
		c.work(t, step.processors, step.lasts)
		last := c.set[len(c.set)-1]
		if got := c.on.Load(); got != step.want || last.RealTime != step.want {
			t.Fatalf("step %d: real-time %v, threads %+v; want %v", i, got, last, step.want)
		}
	}
}

// running has it run with ticks of the test's; end ends it and returns its error.
func (c *clockwork) running(t *testing.T) (tick func(), end func() error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	done := make(chan error, 1)
	go func() { done <- c.run(ctx, ticks) }()
	tick = func() {
		t.Helper()
		c.now = c.now.Add(realTimeTick)
		select {
		case ticks <- c.now:
		case err := <-done:
			t.Fatalf("it has ended: %v", err)
		}
	}
	return tick, func() error { stop(); return <-done }
}

// TestRealTimeEndsOrdinary: when it ends, and where the system refuses, threads are as they were.
func TestRealTimeEndsOrdinary(t *testing.T) {
	c := newClockwork(0.5)
	tick, end := c.running(t)
	tick()
	tick()
	if err := end(); err != nil || c.on.Load() || c.set[len(c.set)-1] != ordinary() {
		t.Errorf("after the end: %v, real-time %v, set %+v", err, c.on.Load(), c.set)
	}

	c = newClockwork(0.5)
	c.refuse = errors.New("not permitted")
	ticks := make(chan time.Time, 1)
	ticks <- c.now
	if err := c.run(t.Context(), ticks); !errors.Is(err, c.refuse) || c.on.Load() || c.set[len(c.set)-1] != ordinary() {
		t.Errorf("refused: %v, real-time %v, set %+v", err, c.on.Load(), c.set)
	}
}

// TestRealTimeOutlivesFaults: what fails for a while, as for want of files, does not leave threads real-time without anybody who looks.
func TestRealTimeOutlivesFaults(t *testing.T) {
	c := newClockwork(0.5)
	tick, end := c.running(t)
	tick()
	c.fail(errors.New("too many open files"))
	tick()
	tick()
	c.fail(nil)
	c.use(10 * time.Second)
	tick()
	tick()
	if err := end(); err != nil {
		t.Error(err)
	}
	if got := c.set[len(c.set)-2:]; got[0] != ordinary() {
		t.Errorf("after a busy second threads are %+v, want ordinary ones", got[0])
	}
}

// TestGarbageIsCollectedOrdinarily: while threads are real-time garbage is collected early, with ordinary threads, and otherwise it is the
// runtime's.
func TestGarbageIsCollectedOrdinarily(t *testing.T) {
	c := newClockwork(0.5)
	c.work(t, 0.1, time.Minute)
	if len(c.during) > 0 {
		t.Fatalf("%d collections that are not due", len(c.during))
	}
	c.full = true
	c.work(t, 0.1, realTimeTick)
	if len(c.during) != 1 || c.during[0] != ordinary() || !c.set[len(c.set)-1].RealTime {
		t.Errorf("collected with threads as %+v, and then %+v", c.during, c.set[len(c.set)-1])
	}
	c.full = false
	c.work(t, 2, 5*time.Second)
	c.full = true
	c.work(t, 2, 5*time.Second)
	if len(c.during) != 1 {
		t.Errorf("%d collections while threads were ordinary", len(c.during)-1)
	}
}

// TestGarbageIsForeseen lets the heap grow: it is due sooner or later, and not right after a collection.
func TestGarbageIsForeseen(t *testing.T) {
	var g garbage
	runtime.GC()
	g.due() // how much there is
	if g.due() {
		t.Error("due right after a collection")
	}
	var kept [][]byte
	for range 1 << 12 {
		kept = append(kept, make([]byte, 1<<20))
		if g.due() {
			runtime.KeepAlive(kept)
			return
		}
	}
	t.Error("never due in 4 GiB")
}
