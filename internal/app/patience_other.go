//go:build !linux

package app

// lowerThread does nothing: elsewhere a nice value is a process's.
func lowerThread() {}
