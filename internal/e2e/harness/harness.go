// Package harness starts Seamark as its users do, as processes of the built binary, with engines embedded or as processes
// of their own, for the end-to-end tests, the crash tests and the benchmarks. Only _test.go files import it.
package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/engine"
)

// roles of the test binary when it runs itself again.
const (
	natsRole   = "harness-nats"
	engineRole = "harness-engine"
	// ClickHouseRole has the test binary take the command line of `clickhouse`.
	ClickHouseRole = "harness-clickhouse"
)

// Main is the body of TestMain: it serves as an engine when a test runs this binary again as one.
func Main(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case engine.ChildCommand:
			runtime.LockOSThread()
			os.Exit(engine.RunChild(os.Args[2:]))
		case natsRole:
			exitOn(serveNATS(os.Args[2]))
		case engineRole:
			exitOn(serveEngine(os.Args[2], os.Args[3:]))
		case ClickHouseRole:
			exitOn(serveClickHouse(os.Args[2:]))
		}
	}
	code := m.Run()
	_ = os.RemoveAll(binary.folder)
	os.Exit(code)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// binary is the built seamark of this test process; one build serves all tests.
var binary struct {
	once         sync.Once
	folder, path string
	err          error
}

// BinaryVariable names the environment variable with the path of a seamark that is built already, such as a release to be
// accepted. Without it the tests build their own.
const BinaryVariable = "SEAMARK_BINARY"

// Binary builds cmd/seamark once and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.path = os.Getenv(BinaryVariable); binary.path != "" {
			return
		}
		if binary.folder, binary.err = os.MkdirTemp("", "seamark-binary-"); binary.err != nil {
			return
		}
		binary.path = filepath.Join(binary.folder, "seamark")
		cmd := exec.Command("go", "build", "-o", binary.path, "github.com/seamarkhq/seamark/cmd/seamark")
		if out, err := cmd.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatalf("build seamark: %v", binary.err)
	}
	return binary.path
}

// ReaderVariable names the environment variable that, when set, has servers answer queries in a process of their own, as they do for
// users. It costs each start half a second of a processor, so tests that are not about it do without on every push; they say
// --query.process when they are. At night all do.
const ReaderVariable = "SEAMARK_E2E_READER"

// Process is one process that a test started. It dies with the test.
type Process struct {
	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu  sync.Mutex // guards log
	log []string
}

// start runs a command; lines of its standard error go to onLine and to the test's log when the test fails.
func start(t testing.TB, cmd *exec.Cmd, onLine func(string)) *Process {
	t.Helper()
	p := &Process{t: t, cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.mu.Lock()
			p.log = append(p.log, lines.Text())
			p.mu.Unlock()
			if onLine != nil {
				onLine(lines.Text())
			}
		}
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("log of %s:\n%s", filepath.Base(cmd.Path), strings.Join(p.log[max(0, len(p.log)-60):], "\n"))
		}
	})
	return p
}

// Log returns what the process has written to its standard error so far.
func (p *Process) Log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.log, "\n")
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Kill ends the process and its children at once, as a crash would, and waits.
func (p *Process) Kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// Terminate asks the process to drain and waits for its end.
func (p *Process) Terminate(ctx context.Context) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Server is a running seamark process.
type Server struct {
	*Process
	URL, AdminURL, DataDir string
}

// Serve starts `seamark <args>` on free ports and waits until it is ready. args start with the subcommand; dataDir is its
// data folder.
func Serve(t testing.TB, dataDir string, args ...string) *Server {
	t.Helper()
	s := Launch(t, dataDir, args...)
	if err := s.WaitReady(2 * time.Minute); err != nil {
		t.Fatalf("seamark %s: %v", strings.Join(args, " "), err)
	}
	return &s.Server
}

// Launched is a server that may not be ready yet.
type Launched struct {
	Server
	ready chan struct{}
}

// RootKey is the root key of servers with a NATS outside them.
const RootKey = "6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b"

// Launch starts a server without waiting for it.
func Launch(t testing.TB, dataDir string, args ...string) *Launched {
	t.Helper()
	return LaunchUnder(t, nil, dataDir, args...)
}

// LaunchUnder starts a server as the last arguments of another command, such as a tracer's. Pid is that command's then.
func LaunchUnder(t testing.TB, command []string, dataDir string, args ...string) *Launched {
	t.Helper()
	args = append(args, "--data-dir", dataDir, "--http.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--log.format", "json")
	args = slices.Concat(command, []string{Binary(t)}, args)
	s := &Launched{Server: Server{DataDir: dataDir}, ready: make(chan struct{})}
	cmd := exec.Command(args[0], args[1:]...)
	// A test's load is no tenant's: those that are about quotas set flags, which go before the environment.
	cmd.Env = append(os.Environ(), "SEAMARK_CLICKHOUSE_LIBRARY="+library(t), "SEAMARK_QUOTA_ROWS_PER_SECOND=0", "SEAMARK_QUOTA_BYTES_PER_SECOND=0")
	if slices.Contains(args, "--nats.url") { // no process makes a root key for others
		cmd.Env = append(cmd.Env, "SEAMARK_KEYS_ROOT="+RootKey)
	}
	if os.Getenv(ReaderVariable) == "" {
		cmd.Env = append(cmd.Env, "SEAMARK_QUERY_PROCESS=false")
	}
	var once sync.Once
	s.Process = start(t, cmd, func(line string) {
		var l struct{ Msg, HTTP, Admin string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Msg == "ready" {
			once.Do(func() {
				s.URL, s.AdminURL = "http://"+l.HTTP, "http://"+l.Admin
				close(s.ready)
			})
		}
	})
	return s
}

// WaitReady waits until the server has said that it is ready.
func (s *Launched) WaitReady(timeout time.Duration) error {
	select {
	case <-s.ready:
		return nil
	case <-s.done:
		return fmt.Errorf("ended before it was ready: %w", s.err)
	case <-time.After(timeout):
		return fmt.Errorf("not ready after %s", timeout)
	}
}

// library finds the engine's library in the source tree that the test runs in.
func library(t testing.TB) string {
	t.Helper()
	path, err := engine.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Run runs the built binary with a standard input and returns what it printed to its standard output; the error holds its
// standard error.
func Run(t testing.TB, stdin string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Binary(t), args...)
	var stdout, stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("seamark %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// MustRun is Run for what has to succeed.
func MustRun(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	out, err := Run(t, stdin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Admin runs `seamark admin --json ...` on a server's data folder and decodes its output into out, when not nil.
func Admin(t testing.TB, dataDir string, out any, args ...string) {
	t.Helper()
	text := MustRun(t, "", append([]string{"admin", "--json", "--data-dir", dataDir}, args...)...)
	if out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			t.Fatalf("seamark admin %s: %v in %q", strings.Join(args, " "), err, text)
		}
	}
}

// again runs this test binary once more in a role and reads the one JSON line it prints.
func again(t testing.TB, role, dir string, out any, args ...string) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{role, dir}, args...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe() // its end tells the role that the test is gone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
	p := start(t, cmd, nil)
	if err := json.NewDecoder(stdout).Decode(out); err != nil {
		t.Fatalf("%s said nothing: %v", role, err)
	}
	return p
}

// Engine is a ClickHouse engine that is reached by its addresses alone.
type Engine struct {
	*Process
	TCP, HTTP, Password, Secret string
	EnginePid                   int
}

// DSN returns the address in the form of --clickhouse.dsn.
func (e *Engine) DSN() string {
	return fmt.Sprintf("clickhouse://%s:%s@%s", engine.AdminUser, e.Password, e.TCP)
}

// Flags returns the flags that point a server at the engine.
func (e *Engine) Flags() []string { return ShardFlags([]*Engine{e}) }

// ShardFlags returns the flags that point a server at engines that are a shard each.
func ShardFlags(engines []*Engine) []string {
	flags := []string{"--clickhouse.tenant-secret", engines[0].Secret, "--clickhouse.tenant-users", "provisioned"}
	for _, e := range engines {
		flags = append(flags, "--clickhouse.dsn", e.DSN(), "--clickhouse.http-addrs", e.HTTP)
	}
	return flags
}

// StartShards starts engines that tenants' users have the same passwords on.
func StartShards(t testing.TB, n int) []*Engine {
	t.Helper()
	list := []*Engine{StartEngine(t, t.TempDir())}
	for len(list) < n {
		e := &Engine{}
		e.Process = again(t, engineRole, t.TempDir(), e, list[0].Secret)
		list = append(list, e)
	}
	return list
}

// StartEngine starts ClickHouse in a process of its own, with its tables in dir.
func StartEngine(t testing.TB, dir string) *Engine {
	t.Helper()
	e := &Engine{}
	e.Process = again(t, engineRole, dir, e)
	return e
}

// serveEngine runs an engine until its standard input ends. more may have the secret of tenants' passwords.
func serveEngine(dir string, more []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	o := engine.ClickHouseOptions{DataDir: dir, MaxMemoryBytes: 4 << 30}
	if len(more) > 0 {
		o.TenantSecret = more[0]
	}
	ch, err := engine.StartClickHouse(ctx, o)
	if err != nil {
		return err
	}
	tcp, web := ch.Addrs()
	if err := json.NewEncoder(os.Stdout).Encode(Engine{TCP: tcp, HTTP: web, Password: ch.AdminPassword(), Secret: ch.TenantSecret(), EnginePid: ch.Pid()}); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop, cancelStop := context.WithTimeout(context.Background(), time.Minute)
	defer cancelStop()
	return ch.Stop(stop)
}
