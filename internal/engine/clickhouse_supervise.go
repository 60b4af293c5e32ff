package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/seamarkhq/seamark/internal/child"
)

const (
	// readyPoll is the pause between two looks at a starting child, which is ready after about 250 ms.
	readyPoll = 20 * time.Millisecond
	// readyWithin bounds a start. Loading many tables on a busy disk takes long; a child that hangs must not.
	readyWithin = 2 * time.Minute
	// stopWithin bounds an orderly end: 5 s for clients that are still connected, then merges and flushes.
	stopWithin = 20 * time.Second
)

// supervise keeps a child running until ctx ends.
func (c *ClickHouse) supervise(ctx context.Context, started chan<- error) {
	defer close(c.done)
	s := child.Supervisor[*engineRun]{Start: c.startChild, Watch: c.watch, Ended: func(err error, pause time.Duration) {
		c.options.Log.Error("ClickHouse engine ended, starting it again", "error", err, "pause", pause)
	}}
	s.Run(ctx, started)
}

// engineRun is one run of the engine's process.
type engineRun struct {
	cmd   *exec.Cmd
	stdin io.Closer     // closing it asks the engine to end
	ended chan struct{} // closed after the process was reaped
	err   error         // why it ended; read after ended
}

// startChild starts the process and waits until it answers. On failure the process is gone.
func (c *ClickHouse) startChild(ctx context.Context) (*engineRun, error) {
	// The engine does not load workloads of an earlier run but refuses to make them again; without the folder it can.
	if err := os.RemoveAll(filepath.Join(c.dataPath(), "workload")); err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	run, err := c.spawn()
	if err != nil {
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	if err := child.SetOOMScore(run.cmd.Process.Pid, c.options.OOMScore); err != nil {
		c.options.Log.Warn("ClickHouse engine keeps its OOM score", "error", err)
	}
	c.setState(run.cmd.Process.Pid, false)
	if err := c.waitReady(ctx, run); err != nil {
		_ = run.cmd.Process.Kill()
		<-run.ended
		c.setState(0, false)
		return nil, fmt.Errorf("start ClickHouse: %w", err)
	}
	// From here on others' statements run, too: what dies now was up.
	c.setState(run.cmd.Process.Pid, true)
	for _, statement := range c.options.Prepare {
		// What is prepared makes queries better; without it there still are queries.
		if err := c.run(ctx, statement); err != nil {
			c.options.Log.Warn("ClickHouse engine is not prepared as it should be", "error", err)
		}
	}
	return run, nil
}

// spawn starts the process with an empty environment: the engine must not act on the operator's proxies or credentials.
func (c *ClickHouse) spawn() (*engineRun, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(executable, ChildCommand, c.library, c.configPath())
	cmd.Dir = c.options.DataDir
	cmd.Env = []string{"HOME=" + c.options.DataDir, "TZ=UTC", "LC_ALL=C"}
	cmd.SysProcAttr = child.Attributes()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Launch(cmd); err != nil {
		return nil, err
	}
	run := &engineRun{cmd: cmd, stdin: stdin, ended: make(chan struct{})}
	go func() {
		// Wait closes the pipe, so everything the child said must be read first.
		logLines(c.options.Log, stderr)
		run.err = cmd.Wait()
		close(run.ended)
	}()
	return run, nil
}

// waitReady returns when the child answers a query on HTTP and listens on TCP.
func (c *ClickHouse) waitReady(ctx context.Context, run *engineRun) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	for {
		err := c.ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-run.ended:
			return fmt.Errorf("process ended before it was ready: %w", exitError(run.err))
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// run has the engine run a statement over HTTP with this boot's password, so that a stranger on our port is not taken for it.
func (c *ClickHouse) run(ctx context.Context, statement string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.ports.httpAddr()+"/", strings.NewReader(statement))
	if err != nil {
		return err
	}
	request.Header.Set("X-ClickHouse-User", AdminUser)
	request.Header.Set("X-ClickHouse-Key", c.adminPassword)
	response, err := c.probe.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("%s answered %s: %s", statement, response.Status, text)
	}
	return nil
}

// ping asks whether the engine answers on both of its ports.
func (c *ClickHouse) ping(ctx context.Context) error {
	if err := c.run(ctx, "SELECT 1"); err != nil {
		return err
	}
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", c.ports.tcpAddr())
	if err != nil {
		return err
	}
	return conn.Close()
}

// watch waits until the child ends by itself, or ends it when ctx does.
func (c *ClickHouse) watch(ctx context.Context, run *engineRun) error {
	defer c.setState(0, false)
	select {
	case <-run.ended:
		return exitError(run.err)
	case <-ctx.Done():
	}
	_ = run.stdin.Close()
	select {
	case <-run.ended:
	case <-time.After(stopWithin):
		c.options.Log.Warn("ClickHouse engine did not end in time and is killed", "waited", stopWithin)
		_ = run.cmd.Process.Kill()
		<-run.ended
	}
	return nil
}

// kill ends the child at once, if there is one.
func (c *ClickHouse) kill() {
	if pid := c.Pid(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// setState notes the child's pid and whether it answers, and tells OnState about a change of the latter. Only the
// supervisor calls it, so OnState sees changes in order.
func (c *ClickHouse) setState(pid int, up bool) {
	c.mu.Lock()
	changed := c.up != up
	c.pid, c.up = pid, up
	c.mu.Unlock()
	if changed {
		c.options.OnState(up)
	}
}

// exitError names an end without an error, which is one too: nobody asked the child to end.
func exitError(err error) error {
	if err == nil {
		return errors.New("process ended by itself")
	}
	return err
}

// logLines hands the engine's stderr to log, one record per line, until it closes. A record begins with a date and holds
// its level in angle brackets; anything else (stack traces, statements) continues the record before and is kept for debugging.
func logLines(log *slog.Logger, stderr io.Reader) {
	log = log.With("engine", "clickhouse")
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		if text := strings.TrimSpace(line); text != "" {
			log.Log(context.Background(), lineLevel(text), "engine", "line", text)
		}
		if err != nil {
			return
		}
	}
}

func lineLevel(line string) slog.Level {
	if line[0] < '0' || line[0] > '9' {
		return slog.LevelDebug
	}
	_, rest, _ := strings.Cut(line, "<")
	level, _, _ := strings.Cut(rest, ">")
	switch level {
	case "Fatal", "Critical", "Error":
		return slog.LevelError
	case "Warning":
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
