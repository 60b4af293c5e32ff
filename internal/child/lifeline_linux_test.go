package child_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/internal/child"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// computer is a thread that computes without end on one processor, in the way it is told.
type computer struct {
	tid   int
	turns uint64
	stop  atomic.Bool
}

func compute(t *testing.T, processor int) *computer {
	t.Helper()
	c := &computer{}
	begun, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with the goroutine
		c.tid = unix.Gettid()
		var only unix.CPUSet
		only.Set(processor)
		begun <- unix.SchedSetaffinity(0, &only)
		for !c.stop.Load() {
			c.turns++
		}
	}()
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.stop.Store(true); <-done })
	return c
}

func (c *computer) had(t *testing.T) time.Duration {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/schedstat", c.tid))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n)
}

func policyOf(t *testing.T, tid int) uint32 {
	t.Helper()
	attr, err := unix.SchedGetAttr(tid, 0)
	if err != nil {
		t.Fatal(err)
	}
	return attr.Policy
}

// TestLifeline has an idle thread and an ordinary one want the same processor: alone the idle one would have 3 ms of each second.
// When the other is gone it is idle again, and when it is set to be ordinary it stays so.
func TestLifeline(t *testing.T) {
	own, err := child.NewLifeline(0)
	if errors.Is(err, unix.EPERM) {
		return // nobody here may raise a thread, and nothing is made idle then
	} else if err != nil {
		t.Fatal(err)
	}
	followed, err := child.NewLifeline(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		lifeline *child.Lifeline
		run      func(context.Context)
	}{
		"its own": {own, own.Run},
		"another": {followed, followed.Follow},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); c.run(ctx) }()
			defer func() { stop(); <-done }()
			idle, ordinary := compute(t, 0), compute(t, 0)
			if err := own.Set(idle.tid, child.Scheduling{Idle: true}); err != nil {
				t.Fatal(err)
			}
			before, other := idle.had(t), ordinary.had(t)
			testkit.Eventually(t, time.Minute, func() error {
				const enough, most = 100 * time.Millisecond, 150 // a machine that does more gives both less
				had, beside := idle.had(t)-before, ordinary.had(t)-other
				if had > enough && beside < most*had {
					return nil
				}
				if had > enough {
					t.Fatalf("it has had %v beside %v", had, beside)
				}
				return fmt.Errorf("it has had %v beside %v", had, beside)
			})
			ordinary.stop.Store(true)
			testkit.Eventually(t, 30*time.Second, func() error {
				if p := policyOf(t, idle.tid); p != unix.SCHED_IDLE {
					return fmt.Errorf("policy %d, want SCHED_IDLE", p)
				}
				return nil
			})
			if err := own.Set(idle.tid, child.Scheduling{}); err != nil {
				t.Fatal(err)
			}
			if p := policyOf(t, idle.tid); p != unix.SCHED_NORMAL {
				t.Errorf("policy %d, want SCHED_NORMAL", p)
			}
		})
	}
}

// launched starts a process and returns its policy and nice value.
func launched(t *testing.T) (policy, nice string) {
	t.Helper()
	cmd := exec.Command("cat", "/proc/self/stat")
	var said strings.Builder
	cmd.Stdout = &said
	if err := child.Launch(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(said.String()[strings.LastIndexByte(said.String(), ')')+1:]) // see proc_pid_stat(5)
	return fields[38], fields[16]
}

// mayBeRealTime has all threads be real-time until the test ends, and reports whether the system allows it.
func mayBeRealTime(t *testing.T) bool {
	t.Helper()
	err := child.SetProcess(child.Scheduling{RealTime: true})
	if err != nil && !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.SetProcess(child.Scheduling{}); err != nil {
			t.Fatal(err)
		}
	})
	return err == nil
}

// TestLaunch starts a process from a thread that is real-time: it is not, and the thread still is. Both keep their nice value.
func TestLaunch(t *testing.T) {
	runtime.LockOSThread() // the thread ends with the test
	const nice = 5
	if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice); err != nil {
		t.Fatal(err)
	}
	if !mayBeRealTime(t) {
		return
	}
	if policy, got := launched(t); policy != strconv.Itoa(unix.SCHED_NORMAL) || got != strconv.Itoa(nice) {
		t.Errorf("the process has policy %s and nice %s, want SCHED_NORMAL and %d", policy, got, nice)
	}
	if p := policyOf(t, unix.Gettid()); p != unix.SCHED_RR {
		t.Errorf("after the start this thread has policy %d, want SCHED_RR", p)
	}
	if err := child.SetProcess(child.Scheduling{}); err != nil {
		t.Fatal(err)
	}
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if attr.Policy != unix.SCHED_NORMAL || attr.Nice != nice {
		t.Errorf("in the end this thread has policy %d and nice %d, want SCHED_NORMAL and %d", attr.Policy, attr.Nice, nice)
	}
}

// TestLaunchWhileThreadsAreSet starts processes while all threads become real-time and ordinary in turn: no process is real-time, and in the
// end no thread is.
func TestLaunchWhileThreadsAreSet(t *testing.T) {
	if !mayBeRealTime(t) {
		return
	}
	var stop atomic.Bool
	done := make(chan error, 1)
	go func() {
		var err error
		for err == nil && !stop.Load() {
			err = errors.Join(child.SetProcess(child.Scheduling{RealTime: true}), child.SetProcess(child.Scheduling{}))
		}
		done <- err
	}()
	for range 30 {
		if policy, _ := launched(t); policy != strconv.Itoa(unix.SCHED_NORMAL) {
			t.Errorf("a process has policy %s, want SCHED_NORMAL", policy)
		}
	}
	stop.Store(true)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			t.Fatal(err)
		}
		if attr, err := unix.SchedGetAttr(tid, 0); err == nil && attr.Policy != unix.SCHED_NORMAL {
			t.Errorf("thread %d has policy %d, want SCHED_NORMAL", tid, attr.Policy)
		}
	}
}
