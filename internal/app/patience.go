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

// patiently runs the query of a tenant that crowds this node on a thread of its own, which the system runs after all others, and returns
// its error. A panic in it is one of the caller. Go has no priorities: queries that compute for seconds share its processors with
// everything that has to be quick, and each of the dozens of steps of a push or a small query would wait for turns of all of them. So
// there are more of Go's processors than of the machine's, and which threads have the machine's is the system's choice.
func patiently(query func() error) error {
	type outcome struct {
		err    error
		thrown any
	}
	done := make(chan outcome, 1)
	go func() {
		// The goroutine ends without unlocking, and its thread with it: a thread's priority can be lowered by anybody and raised only
		// by the privileged.
		runtime.LockOSThread()
		lowerThread()
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

// Time slices: whose is shorter takes the processor at once when it wakes up. Ingest's steps take microseconds; between its slice and
// those of what computes lies the system's, which the kernel's threads have that a sync of the disk waits for.
const (
	promptSlice  = 500 * time.Microsecond
	readerSlice  = child.ComputeSlice
	patientSlice = 50 * time.Millisecond
)

// GiveWay has the system run this process after the one that has started it.
func (o *Options) GiveWay() {
	if err := errors.Join(lowerProcess(), child.SetSlice(readerSlice)); err != nil {
		o.Logger.Warn("queries are not run after ingest", "err", err)
	}
}

// ComeFirst has the system run this process, when it wakes up, before those that compute. The processes that it starts take that back
// for themselves.
func (o *Options) ComeFirst() {
	if o.Reader == nil {
		return
	}
	if err := child.SetSlice(promptSlice); err != nil {
		o.Logger.Debug("ingest is not run at once", "err", err)
	}
}

// SpareProcessors gives Go's scheduler the processors for threads that wait for those of the machine. It is for the process that
// serves, after New, which sizes by the machine.
func (o *Options) SpareProcessors() {
	if o.Reader == nil && o.Query.Admission && o.has(RoleQuerier) {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareProcessors)
	}
}
