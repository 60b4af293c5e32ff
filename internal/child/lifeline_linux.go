package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lifelineLook is how long an idle thread is without a processor at least before it is helped.
	lifelineLook = 20 * time.Millisecond
	// lifelineRest is how often is looked while there are no idle threads.
	lifelineRest = 200 * time.Millisecond
	// lifelineTurn is for how long a thread that was helped runs before it is idle again.
	lifelineTurn = 2 * time.Millisecond
)

// Lifeline keeps threads of policy SCHED_IDLE from starving. Where ordinary threads want all processors, an idle one has a three
// hundredth of one: a tick of the kernel's, and then nothing for more than a second. Meanwhile others may wait for a lock that it holds,
// or, in Go, the whole process for the garbage collector, which waits until each thread has stopped. So one that wants a processor
// and has had none between two looks is ordinary until it has had its turn. It is safe for concurrent use.
type Lifeline struct {
	folder string // of the process's threads in /proc

	mu      sync.Mutex
	threads map[int]lifelineThread
	some    chan struct{} // has one value when there may be threads again
}

type lifelineThread struct {
	had    time.Duration // of the processors; when it was helped, until then
	helped bool
}

// NewLifeline returns one for the threads of a process, 0 for this one. It fails where this process may not raise them, or the kernel does
// not tell what they have had.
func NewLifeline(pid int) (*Lifeline, error) {
	l := &Lifeline{folder: "/proc/self/task", threads: map[int]lifelineThread{}, some: make(chan struct{}, 1)}
	if pid != 0 {
		l.folder = fmt.Sprintf("/proc/%d/task", pid)
	}
	if err := try(Scheduling{Idle: true}, Scheduling{}); err != nil {
		return nil, err
	}
	own := Lifeline{folder: fmt.Sprintf("/proc/%d/task", os.Getpid())}
	if had, err := own.had(os.Getpid()); err != nil || had == 0 {
		return nil, errors.Join(errors.New("the kernel does not account for what threads have of the processors (CONFIG_SCHED_INFO)"), err)
	}
	return l, nil
}

// Set schedules a thread of the process, which is watched from then on if it is idle, and otherwise not any more.
func (l *Lifeline) Set(tid int, s Scheduling) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.threads, tid)
	if err := SetThread(tid, s); err != nil || !s.Idle {
		return err
	}
	l.addLocked(tid)
	return nil
}

func (l *Lifeline) addLocked(tid int) {
	if _, known := l.threads[tid]; known {
		return
	}
	l.threads[tid] = lifelineThread{had: -1}
	select {
	case l.some <- struct{}{}:
	default:
	}
}

// Run looks after the threads that Set has made idle until ctx ends.
func (l *Lifeline) Run(ctx context.Context) {
	tick := time.NewTicker(lifelineLook)
	defer tick.Stop()
	for ctx.Err() == nil {
		if l.look() == 0 {
			select {
			case <-l.some:
			case <-ctx.Done():
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// Follow looks after all idle threads of the process until ctx or the process ends.
func (l *Lifeline) Follow(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if isGone(l.find()) {
			return
		}
		if l.look() > 0 {
			timer.Reset(lifelineLook)
		} else {
			timer.Reset(lifelineRest)
		}
	}
}

// isGone reports whether a process or thread has ended. Other errors are this process's: it may have no file to read from just now.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// find adds the idle threads of the process, and lets go of those that are not idle any more.
func (l *Lifeline) find() error {
	tasks, err := os.ReadDir(l.folder)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			continue
		}
		attr, err := unix.SchedGetAttr(tid, 0)
		switch {
		case err != nil:
		case attr.Policy == unix.SCHED_IDLE:
			l.addLocked(tid)
		case !l.threads[tid].helped:
			delete(l.threads, tid)
		}
	}
	return nil
}

// look helps who starves, has who was helped be idle again, and returns how many threads there are.
func (l *Lifeline) look() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for tid, t := range l.threads {
		had, err := l.had(tid)
		switch {
		case isGone(err) || err == nil && had < t.had: // it has ended; another may have its number
			delete(l.threads, tid)
			continue
		case err != nil: // one that was helped is not to stay so
			continue
		case t.helped && had-t.had < lifelineTurn:
			continue
		case t.helped:
			err = SetThread(tid, Scheduling{Idle: true})
			t = lifelineThread{had: had}
		case had == t.had && l.wants(tid):
			err = SetThread(tid, Scheduling{Slice: lifelineTurn})
			t.helped = true
		default:
			t.had = had
		}
		if err != nil {
			delete(l.threads, tid)
			continue
		}
		l.threads[tid] = t
	}
	return len(l.threads)
}

// had returns what a thread has had of the processors (proc_pid_schedstat(5)).
func (l *Lifeline) had(tid int) (time.Duration, error) {
	data, err := os.ReadFile(l.folder + "/" + strconv.Itoa(tid) + "/schedstat")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(data, []byte(" "))
	n, err := strconv.ParseInt(string(first), 10, 64)
	return time.Duration(n), err
}

// wants reports whether a thread runs or wants to, and waits for nothing else (proc_pid_stat(5)).
func (l *Lifeline) wants(tid int) bool {
	data, err := os.ReadFile(l.folder + "/" + strconv.Itoa(tid) + "/stat")
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(data[max(bytes.LastIndexByte(data, ')'), 0):], []byte(" "))
	return len(state) > 0 && state[0] == 'R'
}
