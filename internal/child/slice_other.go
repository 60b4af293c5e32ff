//go:build !linux

package child

import "time"

// ComputeSlice is for processes that compute for seconds.
const ComputeSlice = 10 * time.Millisecond

// SetSlice does nothing: only Linux lets a process choose its time slice.
func SetSlice(time.Duration) error { return nil }

// SetThreadSlice does nothing.
func SetThreadSlice(int, time.Duration) error { return nil }
