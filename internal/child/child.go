package child

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"sync/atomic"
	"time"
)

// readyWithin bounds a start: a child that hangs must not.
const readyWithin = 2 * time.Minute

// Options says what to run.
type Options struct {
	// Command is the executable and its arguments.
	Command []string
	// Hello is sent as one line of JSON to each start's standard input, which stays open for as long as the child is wanted: its end
	// asks the child to end. Secrets go this way, for arguments and environments can be read by others.
	Hello any
	// Started is told of each start what the child has said of itself when it was ready, one line of JSON on its standard output.
	Started func(hello json.RawMessage) error
	// Ended is told that the child is gone, unless it was stopped.
	Ended func(err error)
	// OOMScore is the child's oom_score_adj (proc(5)), -1000 to 1000: higher is killed earlier.
	OOMScore int
	// StopWithin bounds the orderly end of a child.
	StopWithin time.Duration
	// Stderr takes what the child writes to its standard error, whole lines at a time.
	Stderr io.Writer
	Logger *slog.Logger
}

func (o *Options) validate() error {
	if len(o.Command) == 0 || o.Started == nil || o.Ended == nil || o.StopWithin <= 0 || o.Stderr == nil || o.Logger == nil {
		return errors.New("child: Command, Started, Ended, StopWithin, Stderr and Logger are required")
	}
	return nil
}

// Process is a child that is started again whenever it ends, until Stop. It is safe for concurrent use.
type Process struct {
	opts Options
	stop context.CancelFunc
	done chan struct{} // closed when the supervisor has returned
	pid  atomic.Int64  // 0 while there is no child
}

// Start starts the child and returns when it is ready. ctx bounds the start alone.
func Start(ctx context.Context, o Options) (*Process, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	p := &Process{opts: o, stop: stop, done: make(chan struct{})}
	started := make(chan error, 1)
	go p.supervise(running, started)
	var err error
	select {
	case err = <-started:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		stop()
		<-p.done
		return nil, fmt.Errorf("start %s: %w", o.Command[0], err)
	}
	return p, nil
}

// Pid returns the child's process id, or 0 while there is none.
func (p *Process) Pid() int { return int(p.pid.Load()) }

// Stop ends the child and waits for it, at most until ctx ends; then the child is killed.
func (p *Process) Stop(ctx context.Context) error {
	p.stop()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop %s: %w", p.opts.Command[0], ctx.Err())
	}
}

// supervise keeps a child running until ctx ends.
func (p *Process) supervise(ctx context.Context, started chan<- error) {
	defer close(p.done)
	s := Supervisor[*run]{Start: p.startOnce, Watch: p.watch, Ended: func(err error, pause time.Duration) {
		p.opts.Ended(err)
		p.opts.Logger.Error("child ended, starting it again", "err", err, "pause", pause)
	}}
	s.Run(ctx, started)
}

// run is one run of the child.
type run struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ready chan json.RawMessage // what the child says when it is ready
	ended chan struct{}        // closed after the process was reaped
	err   error                // why it ended; read after ended
}

// startOnce starts the child and waits until it is ready. On failure the process is gone.
func (p *Process) startOnce(ctx context.Context) (*run, error) {
	r, err := p.spawn()
	if err != nil {
		return nil, err
	}
	p.pid.Store(int64(r.cmd.Process.Pid))
	if err := SetOOMScore(r.cmd.Process.Pid, p.opts.OOMScore); err != nil {
		p.opts.Logger.Warn("child keeps its OOM score", "err", err)
	}
	if err := p.waitReady(ctx, r); err != nil {
		p.kill(r)
		return nil, err
	}
	return r, nil
}

func (p *Process) waitReady(ctx context.Context, r *run) error {
	limit := time.NewTimer(readyWithin)
	defer limit.Stop()
	select {
	case hello := <-r.ready:
		return p.opts.Started(hello)
	case <-r.ended:
		return fmt.Errorf("ended before it was ready: %w", exitError(r.err))
	case <-limit.C:
		return fmt.Errorf("not ready within %s", readyWithin)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Process) kill(r *run) {
	_ = r.cmd.Process.Kill()
	<-r.ended
	p.pid.Store(0)
}

// spawn starts the process.
func (p *Process) spawn() (*run, error) {
	hello, err := json.Marshal(p.opts.Hello)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(p.opts.Command[0], p.opts.Command[1:]...)
	cmd.SysProcAttr = Attributes()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := Launch(cmd); err != nil {
		return nil, err
	}
	r := &run{cmd: cmd, stdin: stdin, ready: make(chan json.RawMessage, 1), ended: make(chan struct{})}
	said := make(chan struct{})
	go func() {
		defer close(said)
		r.listen(stdout)
	}()
	go func() {
		_, _ = stdin.Write(append(hello, '\n')) // a child that is gone is seen below
	}()
	go func() {
		// Wait closes the pipes, so everything the child said must be read first.
		copyLines(p.opts.Stderr, stderr)
		<-said
		r.err = cmd.Wait()
		close(r.ended)
	}()
	return r, nil
}

// listen hands on the child's first line and reads the rest, which nobody waits for.
func (r *run) listen(stdout io.Reader) {
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadBytes('\n'); err == nil {
		r.ready <- line
	}
	_, _ = io.Copy(io.Discard, lines)
}

// copyLines copies whole lines, so that those of two processes do not mix.
func copyLines(to io.Writer, from io.Reader) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			_, _ = to.Write(line)
		}
		if err != nil {
			return
		}
	}
}

// watch waits until the child ends by itself, or ends it when ctx does.
func (p *Process) watch(ctx context.Context, r *run) error {
	defer p.pid.Store(0)
	select {
	case <-r.ended:
		return exitError(r.err)
	case <-ctx.Done():
	}
	_ = r.stdin.Close()
	limit := time.NewTimer(p.opts.StopWithin)
	defer limit.Stop()
	select {
	case <-r.ended:
	case <-limit.C:
		p.opts.Logger.Warn("child did not end in time and is killed", "waited", p.opts.StopWithin)
		p.kill(r)
	}
	return nil
}

// exitError names an end without an error, which is one too: nobody asked the child to end.
func exitError(err error) error {
	if err == nil {
		return errors.New("process ended by itself")
	}
	return err
}
