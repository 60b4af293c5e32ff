package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/child"
)

// runIdle gives the engine's threads that lower themselves to PatientNice or below the scheduling policy SCHED_IDLE, and back their
// own when they raise themselves again. A thread of a low priority still keeps its processor for a tick of the kernel's (4 ms) when
// somebody wakes up there; one of this policy does not for a microsecond, and the kernel takes its processor for a free one when it
// chooses where who wakes up runs (sched(7)).
//
// The engine knows nice values alone, so the kernel asks this process about each of its calls of setpriority(2), by a filter of
// seccomp_unotify(2) for the calling thread and all that it starts. It must be called on the thread that then enters the engine.
func runIdle() error {
	arch, ok := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !ok {
		return fmt.Errorf("system calls of %s are not known", runtime.GOARCH)
	}
	lifeline, err := child.NewLifeline(0) // who is idle holds locks of the engine's at times
	if errors.Is(err, unix.EPERM) {
		return nil // nor does the engine lower threads that it may not raise again
	} else if err != nil {
		return err
	}
	// What the filter looks at: struct seccomp_data begins with the call's number and the architecture.
	const nr, architecture = 0, 4
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: architecture},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: arch, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: nr},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_SETPRIORITY, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	// Without this only the privileged may set a filter.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("filter setpriority: %w", errno)
	}
	go answerPriorities(int(listener), lifeline)
	go func() {
		runAtOnce()
		lifeline.Run(context.Background())
	}()
	return nil
}

// answerSlice is the time slice of the threads that answer and look after others: shorter than any other's.
const answerSlice = 200 * time.Microsecond

// runAtOnce gives the calling goroutine a thread of its own, which runs at once when it wakes up.
func runAtOnce() {
	runtime.LockOSThread()
	_ = child.SetThreadSlice(0, answerSlice)
}

// seccompNotif and seccompResponse are struct seccomp_notif and struct seccomp_notif_resp of linux/seccomp.h.
type seccompNotif struct {
	id                 uint64
	tid, flags         uint32
	nr                 int32
	arch               uint32
	instructionPointer uint64
	args               [6]uint64
}

type seccompResponse struct {
	id      uint64
	value   int64
	failure int32 // a negative errno, or 0
	flags   uint32
}

// answerPriorities answers the kernel's questions for as long as the process lives.
func answerPriorities(listener int, lifeline *child.Lifeline) {
	runAtOnce() // somebody waits for it
	for {
		var n seccompNotif
		switch notify(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) {
		case 0:
			r := answerPriority(&n, lifeline)
			_ = notify(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)) // who has asked may be gone
		case unix.EINTR, unix.ENOENT: // a signal, or who has asked is gone
		default:
			_ = unix.Close(listener) // from now on callers are told that there is no such call
			return
		}
	}
}

// answerPriority does what setpriority(2) would for one thread, and what runIdle says. Other calls are the kernel's.
func answerPriority(n *seccompNotif, lifeline *child.Lifeline) seccompResponse {
	r := seccompResponse{id: n.id}
	which, tid, nice := int32(n.args[0]), int32(n.args[1]), int32(n.args[2])
	if which != unix.PRIO_PROCESS {
		r.flags = unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE
		return r
	}
	if tid == 0 {
		tid = int32(n.tid)
	}
	s := child.Scheduling{Nice: int(nice), Slice: child.ComputeSlice, Idle: nice >= PatientNice}
	if err := lifeline.Set(int(tid), s); err != nil {
		r.failure = -int32(unix.EPERM)
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			r.failure = -int32(errno)
		}
	}
	return r
}

func notify(listener int, request uintptr, what unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), request, uintptr(what))
	return errno
}
