package app

import (
	"syscall"

	"github.com/seamarkhq/seamark/internal/child"
)

// lowerThread has the system run the calling thread after others, and take it from the processor for any of them: if it is to be idle, at
// once, and while there are others not at all. In Linux a nice value is a thread's.
func lowerThread(idle bool) {
	if idle && child.SetThread(0, child.Scheduling{Idle: true}) == nil {
		return
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), patientNice)
	_ = child.SetThreadSlice(0, patientSlice)
}

// lowerProcess has the system run the threads of this process's group, which are this process's, after those that have not been
// lowered. New threads inherit it.
func lowerProcess() error { return syscall.Setpriority(syscall.PRIO_PGRP, 0, readerNice) }
