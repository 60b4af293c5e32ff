package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/child"
)

// promptSlice is the time slice of ingest's threads where they are not real-time: whose is shorter takes the processor at once when it
// wakes up. Ingest's steps take microseconds; between its slice and those of what computes lies the system's, which the kernel's threads
// have that a sync of the disk waits for.
const promptSlice = 500 * time.Microsecond

// ComeFirst has the system run this process, which serves, before the one that reads and before ClickHouse. It is called after Start.
func (a *App) ComeFirst() {
	if a.opts.Reader == nil {
		return
	}
	if err := child.SetSlice(promptSlice); err != nil {
		a.log.Debug("ingest is not run at once", "err", err)
	}
	if a.opts.Reader.RealTime <= 0 {
		return
	}
	r := &realTime{most: a.opts.Reader.RealTime * float64(runtime.GOMAXPROCS(0)), set: child.SetProcess, spent: processorTime, due: (&garbage{}).due, collect: runtime.GC}
	a.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "seamark_ingest_real_time", Help: "Whether what takes rows from agents runs before all else on the processors: 0 where the system does not allow it, and while it takes more than --ingest.real-time of them.",
	}, func() float64 {
		if r.on.Load() {
			return 1
		}
		return 0
	}))
	a.background("real-time ingest", func(ctx context.Context) error {
		tick := time.NewTicker(realTimeTick)
		defer tick.Stop()
		if err := r.run(ctx, tick.C); err != nil && ctx.Err() == nil {
			a.log.Info("ingest does not run before queries: the system allows no real-time threads, which takes CAP_SYS_NICE or LimitRTPRIO=1", "err", err)
		}
		return nil
	})
}

// checkRealTime refuses what is no part of the processors.
func (o *ReaderOptions) checkRealTime() error {
	if o != nil && !(o.RealTime >= 0 && o.RealTime <= 1) {
		return fmt.Errorf("is %g; it must be 0 to 1", o.RealTime)
	}
	return nil
}

// realTime has this process's threads be real-time for as long as they take few of the processors. An acknowledgement takes a dozen
// steps of microseconds, and who wakes up on a processor where another computes may wait for the kernel's next tick, 4 ms, at each:
// between ordinary threads it looks at what each has had. What takes the processors for longer is run like everything else, so that who
// sends much leaves queries, and the inserts of what was sent, their part.
type realTime struct {
	most  float64 // processors that it may take
	set   func(child.Scheduling) error
	spent func() (time.Duration, error) // processor time so far
	// due reports whether garbage is about to be collected, and collect does it, see look.
	due     func() bool
	collect func()

	part float64 // processors of late
	at   time.Time
	had  time.Duration // spent at that time
	on   atomic.Bool
}

const (
	// realTimeTick is how often the part is looked at.
	realTimeTick = 250 * time.Millisecond
	// realTimeMemory is how long what was taken counts.
	realTimeMemory = time.Second
)

// run looks at each tick until ctx ends, and leaves the threads ordinary. It gives up where the system does not allow the first look; later
// ones fail for want of a file to list threads with, and who is real-time must not stay so because of it.
func (r *realTime) run(ctx context.Context, ticks <-chan time.Time) error {
	for allowed := false; ; {
		select {
		case now := <-ticks:
			err := r.look(now)
			allowed = allowed || err == nil
			if !allowed {
				return errors.Join(err, r.set(ordinary()))
			}
		case <-ctx.Done():
			r.on.Store(false)
			return r.set(ordinary())
		}
	}
}

func ordinary() child.Scheduling { return child.Scheduling{Slice: promptSlice} }

// look decides anew. Threads are set each time: one may have begun from one that was not, or have been left out of a list that threads
// ended beside.
//
// Garbage is collected a little early, while threads are ordinary: Go's collector takes all processors that are idle, for some 30 ms, and
// the kernel changes between real-time threads of one priority every 100 ms only, so that who wakes up for a request would wait for it.
func (r *realTime) look(now time.Time) error {
	spent, err := r.spent()
	if err != nil {
		return err
	}
	if passed := now.Sub(r.at); !r.at.IsZero() && passed > 0 {
		keep := math.Exp(-float64(passed) / float64(realTimeMemory))
		r.part = keep*r.part + (1-keep)*float64(spent-r.had)/float64(passed)
	}
	r.at, r.had = now, spent
	on, s := r.part < r.most/2 || r.on.Load() && r.part <= r.most, ordinary()
	if on {
		s = child.Scheduling{RealTime: true}
	}
	if on && r.due() {
		if err := r.set(ordinary()); err != nil {
			return err
		}
		r.collect()
	}
	if err := r.set(s); err != nil {
		return err
	}
	r.on.Store(on)
	return nil
}

// garbage foresees when Go's runtime collects next.
type garbage struct{ last uint64 }

// due reports whether the heap, growing as it did since the last call, is four fifths of the way to what it is collected at within two
// further ones. The runtime begins at up to 95 hundredths of the way.
func (g *garbage) due() bool {
	values := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}}
	metrics.Read(values)
	objects, live, goal := values[0].Value.Uint64(), values[1].Value.Uint64(), values[2].Value.Uint64()
	grown := objects - min(g.last, objects)
	g.last = objects
	return goal > live && objects+2*grown >= live+(goal-live)/5*4
}

// processorTime returns what this process has had of the processors.
func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
