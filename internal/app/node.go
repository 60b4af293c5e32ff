package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockFolder takes the folder's lock file for this process. The kernel releases it when the process ends, however.
func lockFolder(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is in use by another Seamark", dir)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f.Close, nil
}

// lockPatience is how long a process that others start waits for the one before it, whose end the kernel is about to see to.
const lockPatience = 5 * time.Second

// lockDataDir takes the data folder for this process.
func (a *App) lockDataDir() (unlock func() error, err error) {
	for begin := time.Now(); ; {
		unlock, err = lockFolder(a.opts.DataDir)
		if err == nil || a.opts.Link == nil || time.Since(begin) > lockPatience {
			return unlock, err
		}
		<-time.After(20 * time.Millisecond)
	}
}

// loadNodeID takes the node's name from the options or the data folder, where it stays over restarts: a process that
// comes back takes its own leases again without waiting for them to run out.
func (a *App) loadNodeID() error {
	if a.node = a.opts.NodeID; a.node != "" {
		return nil
	}
	path := filepath.Join(a.opts.DataDir, "node-id")
	text, err := os.ReadFile(path)
	if err == nil && len(strings.TrimSpace(string(text))) > 0 {
		a.node = strings.TrimSpace(string(text))
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read the node id: %w", err)
	}
	a.node = rand.Text()
	if err := os.WriteFile(path, []byte(a.node+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the node id: %w", err)
	}
	return nil
}
