package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/child"
)

// clockwork is a process whose use of the processors a test tells, and what it was set to.
type clockwork struct {
	*realTime
	now    time.Time
	used   time.Duration
	set    []child.Scheduling
	refuse error
}

func newClockwork(most float64) *clockwork {
	c := &clockwork{now: time.Unix(1e9, 0)}
	c.realTime = &realTime{
		most:  most,
		spent: func() (time.Duration, error) { return c.used, nil },
		set: func(s child.Scheduling) error {
			c.set = append(c.set, s)
			if s.RealTime {
				return c.refuse
			}
			return nil
		},
	}
	return c
}

// work has the process take so many processors for a time, with a look at each tick.
func (c *clockwork) work(t *testing.T, processors float64, d time.Duration) {
	t.Helper()
	for end := c.now.Add(d); c.now.Before(end); {
		c.now = c.now.Add(realTimeTick)
		c.used += time.Duration(processors * float64(realTimeTick))
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

// TestRealTimeEndsOrdinary: when it ends, and where the system refuses, threads are as they were.
func TestRealTimeEndsOrdinary(t *testing.T) {
	c := newClockwork(0.5)
	ctx, stop := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	done := make(chan error)
	go func() { done <- c.run(ctx, ticks) }()
	ticks <- c.now
	ticks <- c.now.Add(realTimeTick)
	stop()
	if err := <-done; err != nil || c.on.Load() || c.set[len(c.set)-1] != ordinary() {
		t.Errorf("after the end: %v, real-time %v, set %+v", err, c.on.Load(), c.set)
	}

	c = newClockwork(0.5)
	c.refuse = errors.New("not permitted")
	if err := c.look(c.now); !errors.Is(err, c.refuse) || c.on.Load() || c.set[len(c.set)-1] != ordinary() {
		t.Errorf("refused: %v, real-time %v, set %+v", err, c.on.Load(), c.set)
	}
}
