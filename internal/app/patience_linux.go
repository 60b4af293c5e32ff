package app

import (
	"syscall"

	"github.com/seamarkhq/seamark/internal/child"
)

// lowerThread has the system run the calling thread after others, and take it from the processor for any of them. In Linux a nice
// value is a thread's.
func lowerThread() {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), patientNice)
	_ = child.SetThreadSlice(0, patientSlice)
}

// lowerProcess has the system run the threads of this process's group, which are this process's, after those that have not been
// lowered. New threads inherit it.
func lowerProcess() error { return syscall.Setpriority(syscall.PRIO_PGRP, 0, readerNice) }
