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
				const enough = 100 * time.Millisecond
				had, beside := idle.had(t)-before, ordinary.had(t)-other
				if had > enough && beside < 50*had {
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

// TestLaunch starts a process from a thread that is real-time: it is not, and the thread still is.
func TestLaunch(t *testing.T) {
	runtime.LockOSThread() // the thread ends with the test
	if err := child.SetThread(0, child.Scheduling{RealTime: true}); errors.Is(err, unix.EPERM) {
		return // no thread here is real-time
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.SetThread(0, child.Scheduling{}) }()
	cmd := exec.Command("cat", "/proc/self/stat")
	var said strings.Builder
	cmd.Stdout = &said
	if err := child.Launch(cmd); err != nil {
		t.Fatal(err)
	}
	if p := policyOf(t, unix.Gettid()); p != unix.SCHED_RR {
		t.Errorf("after the start this thread has policy %d, want SCHED_RR", p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	const policy = 38 // of the fields behind the name in parentheses, see proc_pid_stat(5)
	fields := strings.Fields(said.String()[strings.LastIndexByte(said.String(), ')')+1:])
	if fields[policy] != strconv.Itoa(unix.SCHED_NORMAL) {
		t.Errorf("the process has policy %s, want SCHED_NORMAL", fields[policy])
	}
}
