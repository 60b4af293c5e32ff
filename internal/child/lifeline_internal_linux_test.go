package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// told is a lifeline for one thread, which waits, and of which a test tells what it has had and whether it wants to run.
type told struct {
	*Lifeline
	tid int
}

// newTold returns nil where nobody may raise a thread.
func newTold(t *testing.T) *told {
	t.Helper()
	l, err := NewLifeline(0)
	if errors.Is(err, unix.EPERM) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	tids, stop, done := make(chan int), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with the goroutine
		tids <- unix.Gettid()
		<-stop
	}()
	t.Cleanup(func() { close(stop); <-done })
	l.folder = t.TempDir()
	return &told{l, <-tids}
}

func (l *told) path(name string) string {
	return filepath.Join(l.folder, strconv.Itoa(l.tid), name)
}

func (l *told) tell(t *testing.T, had time.Duration, state string) {
	t.Helper()
	for name, text := range map[string]string{"schedstat": fmt.Sprintf("%d 0 0\n", had), "stat": fmt.Sprintf("%d (a) b) %s 1", l.tid, state)} {
		err := errors.Join(os.MkdirAll(filepath.Dir(l.path(name)), 0o700), os.RemoveAll(l.path(name)), os.WriteFile(l.path(name), []byte(text), 0o600))
		if err != nil {
			t.Fatal(err)
		}
	}
}

// looks has the lifeline look, and tells what the thread's policy is then and how many threads it knows.
func (l *told) looks(t *testing.T, policy uint32, known int) {
	t.Helper()
	n := l.look()
	attr, err := unix.SchedGetAttr(l.tid, 0)
	if err != nil {
		t.Fatal(err)
	}
	if attr.Policy != policy || n != known {
		t.Fatalf("policy %d and %d threads, want %d and %d", attr.Policy, n, policy, known)
	}
}

// TestHelpEnds follows a thread from its idle beginning to its end, over moments in which this process has no file to read it with.
func TestHelpEnds(t *testing.T) {
	l := newTold(t)
	if l == nil {
		return
	}
	l.tell(t, 5*time.Millisecond, "R")
	if err := l.Set(l.tid, Scheduling{Idle: true}); err != nil {
		t.Fatal(err)
	}
	l.looks(t, unix.SCHED_IDLE, 1)
	l.tell(t, 5*time.Millisecond, "S")
	l.looks(t, unix.SCHED_IDLE, 1) // it wants nothing
	l.tell(t, 5*time.Millisecond, "R")
	l.looks(t, unix.SCHED_NORMAL, 1)
	if err := errors.Join(os.Remove(l.path("schedstat")), os.Mkdir(l.path("schedstat"), 0o700)); err != nil {
		t.Fatal(err)
	}
	l.looks(t, unix.SCHED_NORMAL, 1) // which cannot be read
	l.tell(t, 6*time.Millisecond, "R")
	l.looks(t, unix.SCHED_NORMAL, 1)
	l.tell(t, 7*time.Millisecond, "R")
	l.looks(t, unix.SCHED_IDLE, 1)
	if err := os.RemoveAll(l.path("")); err != nil {
		t.Fatal(err)
	}
	l.looks(t, unix.SCHED_IDLE, 0)
}

// TestOrdinaryThreadsAreLeftAlone has a thread raise itself whose process is followed: it is not made idle again.
func TestOrdinaryThreadsAreLeftAlone(t *testing.T) {
	l := newTold(t)
	if l == nil {
		return
	}
	l.tell(t, 5*time.Millisecond, "R")
	follow := func(s Scheduling) {
		t.Helper()
		if err := errors.Join(SetThread(l.tid, s), l.find()); err != nil {
			t.Fatal(err)
		}
	}
	follow(Scheduling{})
	l.looks(t, unix.SCHED_NORMAL, 0)
	follow(Scheduling{Idle: true})
	l.looks(t, unix.SCHED_IDLE, 1)
	l.looks(t, unix.SCHED_NORMAL, 1)
	follow(Scheduling{Idle: true})
	l.tell(t, 8*time.Millisecond, "R")
	l.looks(t, unix.SCHED_IDLE, 1)
	follow(Scheduling{})
	l.looks(t, unix.SCHED_NORMAL, 0)
}
