//go:build !linux

package app

import "syscall"

// lowerThread does nothing: elsewhere a nice value is a process's.
func lowerThread(bool) {}

// lowerProcess has the system run this process after those that have not been lowered.
func lowerProcess() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, readerNice) }
