package child

import (
	"fmt"
	"os"
	"syscall"
)

// Attributes puts the child in its own process group, so that Ctrl-C reaches only the parent, which then stops in
// order; and has the kernel kill it when the parent's spawning thread dies.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// SetOOMScore makes the kernel prefer the child when memory runs out: it recovers in a second, the parent holds acks.
func SetOOMScore(pid, score int) error {
	path := fmt.Sprintf("/proc/%d/oom_score_adj", pid)
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d", score), 0o600); err != nil {
		return fmt.Errorf("set OOM score: %w", err)
	}
	return nil
}
