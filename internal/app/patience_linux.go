package app

import "syscall"

// lowerThread has the system run the calling thread after others. In Linux a nice value is a thread's.
func lowerThread() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), patientNice) }
