//go:build !linux

package engine

// runIdle does nothing: only on Linux has the engine priorities of threads.
func runIdle() error { return nil }
