//go:build !linux

package child

import (
	"context"
	"errors"
	"os/exec"
	"time"
)

// ComputeSlice is for processes that compute for seconds.
const ComputeSlice = 10 * time.Millisecond

// SetSlice does nothing: only Linux lets a process choose its time slice.
func SetSlice(time.Duration) error { return nil }

// SetThreadSlice does nothing.
func SetThreadSlice(int, time.Duration) error { return nil }

// Scheduling is how a system schedules a thread; it is known for Linux alone.
type Scheduling struct {
	Nice           int
	Slice          time.Duration
	Idle, RealTime bool
}

// SetProcess sets nothing, and says so.
func SetProcess(Scheduling) error { return errors.ErrUnsupported }

// Launch starts a command.
func Launch(cmd *exec.Cmd) error { return cmd.Start() }

// Lifeline keeps idle threads from starving, of which only Linux has any.
type Lifeline struct{}

// NewLifeline fails.
func NewLifeline(int) (*Lifeline, error) { return nil, errors.ErrUnsupported }

// Follow does nothing.
func (*Lifeline) Follow(context.Context) {}
