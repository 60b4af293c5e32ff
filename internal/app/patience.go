package app

import "runtime"

// spareProcessors are Go's beyond the machine's, for threads that wait for the machine. Each makes Go's garbage collector a quarter
// of a thread wider.
const spareProcessors = 4

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

// SpareProcessors gives Go's scheduler the processors for threads that wait for those of the machine. It is for the process that
// serves, after New, which sizes by the machine.
func (o *Options) SpareProcessors() {
	if o.Query.Admission && o.has(RoleQuerier) {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareProcessors)
	}
}
