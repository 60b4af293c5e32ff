package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
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
	return eachThread(func(tid int) error { return SetThreadSlice(tid, slice) })
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
	// RealTime is policy SCHED_RR: the thread takes a processor when it wakes up, and keeps it for as long as it computes, from all that
	// are not real-time themselves. It takes CAP_SYS_NICE or RLIMIT_RTPRIO.
	RealTime bool
}

// realTimePriority is the lowest: what else is real-time on a machine has its reasons.
const realTimePriority = 1

// SetThread sets how a thread is scheduled, 0 for the calling one. Only a privileged process may raise a thread.
func SetThread(tid int, s Scheduling) error {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Nice: int32(s.Nice), Runtime: uint64(s.Slice)}
	switch {
	case s.RealTime:
		attr.Policy, attr.Nice, attr.Runtime, attr.Priority = unix.SCHED_RR, 0, 0, realTimePriority
	case s.Idle:
		attr.Policy, attr.Nice, attr.Runtime = unix.SCHED_IDLE, 0, 0
	}
	if err := unix.SchedSetAttr(tid, attr, 0); err != nil {
		return fmt.Errorf("set scheduling of a thread: %w", err)
	}
	return nil
}

// launching is held while a thread is as a process is to be that it starts, and while all threads are set: a process that begins from a
// thread which was made real-time meanwhile is so itself, with all that it starts, and nobody would take it back.
var launching sync.Mutex

// SetProcess sets how this process's threads are scheduled, but for their nice values, which they keep. New threads inherit it, and so
// do processes, unless Launch starts them.
func SetProcess(s Scheduling) error {
	launching.Lock()
	defer launching.Unlock()
	return eachThread(func(tid int) (err error) {
		if s.Nice, err = niceOf(tid); err != nil {
			return err
		}
		return SetThread(tid, s)
	})
}

// niceOf returns a thread's nice value, 0 for the calling one. One that is real-time keeps its own for when it is not.
func niceOf(tid int) (int, error) {
	const lowest = 20 // the system call has no negative answers
	n, err := unix.Getpriority(unix.PRIO_PROCESS, tid)
	if err != nil {
		return 0, fmt.Errorf("read the nice value of a thread: %w", err)
	}
	return lowest - n, nil
}

// eachThread calls set for each thread of this process, those that begin meanwhile included.
func eachThread(set func(tid int) error) error {
	done := map[int]bool{}
	for before := -1; len(done) > before; {
		before = len(done)
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list threads: %w", err)
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || done[tid] {
				continue
			}
			if err := set(tid); err != nil && !errors.Is(err, unix.ESRCH) { // a thread that has just ended
				return err
			}
			done[tid] = true
		}
	}
	return nil
}

// Launch starts a command, which is an ordinary process with this one's nice value, also where this one is real-time.
func Launch(cmd *exec.Cmd) error {
	launching.Lock()
	defer launching.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return fmt.Errorf("read scheduling of a thread: %w", err)
	}
	if own.Policy == unix.SCHED_RR {
		nice, err := niceOf(0)
		if err != nil {
			return err
		}
		if err := SetThread(0, Scheduling{Nice: nice}); err != nil {
			return err
		}
		defer func() { _ = unix.SchedSetAttr(0, own, 0) }() // or it stays as others are
	}
	return cmd.Start()
}
