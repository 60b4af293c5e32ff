package testkit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// freezeWithin bounds how long a process may take to stand still: one of its threads has to get a processor for it.
const freezeWithin = time.Minute

// Freeze stops a process and returns when every thread of it stands still. The signal alone lets all of them go on until one has got
// a processor to take it, which on a busy machine is long enough to answer a request. SIGCONT lets the process go on.
func Freeze(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("freeze process %d: %v", pid, err)
	}
	Eventually(t, freezeWithin, func() error { return frozen(pid) })
}

// frozen fails while a thread of a process goes on.
func frozen(pid int) error {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return err
	}
	for _, name := range threads {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // it ended meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if _, state, _ := strings.Cut(string(text), ") "); !strings.HasPrefix(state, "T") {
			return fmt.Errorf("a thread goes on: %s", text)
		}
	}
	return nil
}
