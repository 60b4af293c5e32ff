package child

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ComputeSlice is for processes that compute for seconds: longer than the system's slice of about 3 ms, so that all others are run at once
// when they wake up.
const ComputeSlice = 10 * time.Millisecond

// SetSlice sets for how long each of this process's threads computes before others have their turn (sched_setattr(2)). A thread that
// wakes up runs at once where the one on the processor has a longer slice, from Linux 6.12 on; before, slices are not settable and this
// does nothing. 0 is the system's own slice, about 3 ms. New threads and processes inherit it.
func SetSlice(slice time.Duration) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("set time slice: %w", err)
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			continue
		}
		if err := SetThreadSlice(tid, slice); err != nil && !errors.Is(err, unix.ESRCH) { // a thread that has just ended
			return err
		}
	}
	return nil
}

// SetThreadSlice is SetSlice for one thread, 0 for the calling one.
func SetThreadSlice(tid int, slice time.Duration) error {
	attr, err := unix.SchedGetAttr(tid, 0)
	if err != nil {
		return fmt.Errorf("read scheduling of a thread: %w", err)
	}
	attr.Runtime = uint64(slice)
	if err := unix.SchedSetAttr(tid, attr, 0); err != nil {
		return fmt.Errorf("set time slice: %w", err)
	}
	return nil
}

// Scheduling is how the kernel schedules a thread (sched(7)).
type Scheduling struct {
	// Nice is 0 for most threads and up to 19 for those that come after them.
	Nice int
	// Slice is for how long the thread computes before others have their turn, see SetSlice.
	Slice time.Duration
	// Idle is policy SCHED_IDLE: the thread runs when nothing else wants its processor, whatever its nice value, and leaves it at once to
	// whoever wakes up.
	Idle bool
}

// SetThread sets how a thread is scheduled, 0 for the calling one. Only a privileged process may raise a thread.
func SetThread(tid int, s Scheduling) error {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Nice: int32(s.Nice), Runtime: uint64(s.Slice)}
	if s.Idle {
		attr.Policy, attr.Nice, attr.Runtime = unix.SCHED_IDLE, 0, 0
	}
	if err := unix.SchedSetAttr(tid, attr, 0); err != nil {
		return fmt.Errorf("set scheduling of a thread: %w", err)
	}
	return nil
}
