package app

import (
	"errors"
	"runtime"
	"time"

	"github.com/seamarkhq/seamark/internal/child"
)

// spareProcessors are Go's beyond the machine's, for threads that wait for the machine. Each makes Go's garbage collector a quarter
// of a thread wider.
const spareProcessors = 2

// patience is how queries run that others come before.
type patience struct {
	idle bool // on threads of policy SCHED_IDLE, which somebody sees to that they do not starve
}

// run runs the query of a tenant that crowds this node on a thread of its own, which the system runs after all others, and returns
// its error. A panic in it is one of the caller. Go has no priorities: queries that compute for seconds share its processors with
// everything that has to be quick, and each of the dozens of steps of a push or a small query would wait for turns of all of them. So
// there are more of Go's processors than of the machine's, and which threads have the machine's is the system's choice.
func (p patience) run(query func() error) error {
	type outcome struct {
		err    error
		thrown any
	}
	done := make(chan outcome, 1)
	go func() {
		// The goroutine ends without unlocking, and its thread with it: a thread's priority can be lowered by anybody and raised only
		// by the privileged.
		runtime.LockOSThread()
		lowerThread(p.idle)
		var o outcome
		defer func() {
			o.thrown = recover()
			done <- o
		}()
		o.err = query()
	}()
	o := <-done
	if o.thrown != nil {
		panic(o.thrown)
	}
	return o.err
}

// readerNice is the nice value of the process that reads where ingest has its own: an acknowledgement takes a dozen short steps, each
// of which would wait for a processor.
const readerNice = 3

// Time slices, see promptSlice.
const (
	readerSlice  = child.ComputeSlice
	patientSlice = 50 * time.Millisecond
)

// GiveWay has the system run this process after the one that has started it.
func (o *Options) GiveWay() {
	if err := errors.Join(lowerProcess(), child.SetSlice(readerSlice)); err != nil {
		o.Logger.Warn("queries are not run after ingest", "err", err)
	}
}

// SpareProcessors gives Go's scheduler the processors for threads that wait for those of the machine. It is for the process that
// serves, after New, which sizes by the machine.
func (o *Options) SpareProcessors() {
	if o.Reader == nil && o.Query.Admission && o.has(RoleQuerier) {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareProcessors)
	}
}
