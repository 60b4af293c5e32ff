package engine

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// unhealthyLooks is how many looks in a row must find the same fault before a restart, so that a passing one costs nothing.
	// While a stream is being made its folder is there and the stream is not, which is a fault to the server: a node that makes
	// its buckets on a slow disk may show another such stream at each look, and one of them twice.
	unhealthyLooks = 3
	// mostRestartPause bounds the pause between restarts that did not help: short enough that rows are taken within half a
	// minute of the disk's space coming back, whatever happened before.
	mostRestartPause = 20 * time.Second
)

// watchHealth restarts the server when its health was good and turned bad while the disk has space. A stream that met a
// full disk refuses every write until its server starts again, also after the space is back (measured on v2.15.2); a
// fault that was there from the start (a stream that cannot be read) is not cured by a restart and is left to the operator.
func (n *NATS) watchHealth(ctx context.Context) {
	defer close(n.done)
	tick := time.NewTicker(n.options.HealthInterval)
	defer tick.Stop()
	var (
		wasHealthy = n.Health() == nil
		fault      string // of the last look
		bad        int    // looks that found it
		pause      = n.options.HealthInterval
		restarted  time.Time // when the last restart ended
		notBefore  time.Time
	)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := n.Health()
		switch {
		case err == nil:
			wasHealthy, bad, fault = true, 0, ""
			if time.Since(restarted) >= pause {
				// The last restart has held for as long as the next one would have to wait, so it helped. Without this a
				// disk that fills again and again heals later each time.
				pause = n.options.HealthInterval
			}
			continue
		case err.Error() != fault:
			fault, bad = err.Error(), 0
			n.options.Log.Debug("embedded NATS server may be unhealthy", "error", err)
		}
		if bad++; bad == unhealthyLooks {
			n.options.Log.Error("embedded NATS server is unhealthy", "error", err)
		}
		if !wasHealthy || bad < unhealthyLooks || time.Now().Before(notBefore) || !n.hasSpace() {
			continue
		}
		n.options.Log.Warn("restarting the embedded NATS server", "error", err)
		if err := n.restart(ctx); err != nil {
			n.options.Log.Error("embedded NATS server did not restart", "error", err)
		} else {
			// Streams are loaded by now. A server that is sick already will not be cured by one more restart; one that is
			// well may meet the end of the disk before the next look.
			wasHealthy, bad = n.Health() == nil, 0
		}
		restarted = time.Now()
		notBefore = restarted.Add(pause)
		pause = min(2*pause, mostRestartPause)
	}
}

// Health returns nil when JetStream works, and otherwise what the server says about itself.
func (n *NATS) Health() error {
	n.mu.Lock()
	current := n.server
	n.mu.Unlock()
	if current == nil {
		return errors.New("embedded NATS server is restarting or stopped")
	}
	status := current.Healthz(&server.HealthzOptions{})
	if status.StatusCode != 0 && status.StatusCode != 200 || status.Error != "" {
		return fmt.Errorf("embedded NATS server: %s", status.Error)
	}
	return nil
}

// Restarts returns how often the server was restarted because its health turned bad.
func (n *NATS) Restarts() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.restarts
}

// restart replaces the server by a new one on the same data. Connections break and reconnect by themselves.
func (n *NATS) restart(ctx context.Context) error {
	n.mu.Lock()
	old := n.server
	n.server = nil
	n.mu.Unlock()
	if old != nil {
		old.Shutdown()
		old.WaitForShutdown()
	}
	next, err := n.startServer(ctx)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = next
	n.restarts++
	return nil
}

// hasSpace reports whether the data folder's disk has room for a restart to succeed. When that is unknown, it is tried.
func (n *NATS) hasSpace() bool {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(n.options.DataDir, &disk); err != nil {
		return true
	}
	return int64(disk.Bavail)*int64(disk.Bsize) >= n.options.MinFreeBytes
}
