package compat

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// root is the product's source tree, seen from this package.
const root = "../../.."

// binaryVariable names the environment variable with the path of a seamark that is built already. Without it the test
// builds its own.
const binaryVariable = "SEAMARK_BINARY"

// readyWithin bounds the server's start on a machine under heavy load.
const readyWithin = 2 * time.Minute

// server is a seamark with all roles and every listener, over TLS.
type server struct {
	binary, dataDir string
	URL, admin      string            // base URLs of the front and of the process's own metrics
	listeners       map[string]string // addresses of the other listeners, by flag
	streams         *account          // whose token syslog and forward connections have

	cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex // guards log
	log  []string
}

// startServer starts the product and waits until it is ready. It ends with the test.
func startServer(t *testing.T) *server {
	t.Helper()
	s := &server{binary: build(t), dataDir: t.TempDir()}
	t.Cleanup(func() { s.end(t) })
	// The listeners' token has to exist before they start, and only a running server makes one.
	s.boot(t)
	x, err := s.newAccount(t.Context(), "streams")
	if err != nil {
		t.Fatal(err)
	}
	s.streams = x
	s.kill()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(x.Ingest), 0o600); err != nil {
		t.Fatal(err)
	}
	s.boot(t,
		"--otlp.grpc-listen", "127.0.0.1:0", "--otlp.http-listen", "127.0.0.1:0",
		"--syslog.listen", "127.0.0.1:0", "--syslog.tls-listen", "127.0.0.1:0", "--syslog.token-file", token,
		"--forward.listen", "127.0.0.1:0", "--forward.tls-listen", "127.0.0.1:0", "--forward.token-file", token,
	)
	return s
}

// boot starts the process with more flags.
func (s *server) boot(t *testing.T, flags ...string) {
	t.Helper()
	s.cmd = exec.Command(s.binary, append([]string{
		"serve", "--data-dir", s.dataDir, "--http.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--log.format", "json",
		"--writer.max-batch-age", "100ms", "--http.tls-cert-file", authority.certificate, "--http.tls-key-file", authority.key,
	}, flags...)...)
	s.cmd.Dir = root // where the engine's library is found
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", s.binary, err)
	}
	s.done = make(chan struct{})
	ready := make(chan struct{})
	go s.follow(bufio.NewScanner(stderr), ready)
	select {
	case <-ready:
	case <-s.done:
		t.Fatal("seamark ended before it was ready")
	case <-time.After(readyWithin):
		t.Fatalf("seamark was not ready after %s", readyWithin)
	}
}

// follow keeps the server's log and closes ready when the server says that it is.
func (s *server) follow(lines *bufio.Scanner, ready chan struct{}) {
	defer close(s.done)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.mu.Lock()
		s.log = append(s.log, lines.Text())
		s.mu.Unlock()
		var l struct {
			Msg, HTTP, Admin string
			Listeners        map[string]string
		}
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Msg == "ready" {
			s.URL, s.admin, s.listeners = "https://"+l.HTTP, "http://"+l.Admin, l.Listeners
			close(ready)
		}
	}
	_ = s.cmd.Wait()
}

// kill ends the process and its children and waits.
func (s *server) kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.done
}

func (s *server) end(t *testing.T) {
	t.Helper()
	if s.done == nil {
		return
	}
	s.kill()
	if t.Failed() {
		s.mu.Lock()
		defer s.mu.Unlock()
		t.Logf("log of seamark:\n%s", strings.Join(s.log[max(0, len(s.log)-60):], "\n"))
	}
}

// host returns the front's address without its scheme.
func (s *server) host() string { return strings.TrimPrefix(s.URL, "https://") }

// build returns the path of the product, built in its own module so that its own versions go into it.
func build(t *testing.T) string {
	t.Helper()
	if path := os.Getenv(binaryVariable); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "seamark")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/seamark")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build seamark: %v: %s", err, out)
	}
	return path
}

// account is a tenant with one cluster, named eu-1, and the tokens of an agent and of Grafana.
type account struct {
	*server
	Ingest, Query string
	start         time.Time // of the samples that were pushed before the checks, where a client asks for such
}

const clusterName = "eu-1"

func (s *server) newAccount(ctx context.Context, slug string) (*account, error) {
	x := &account{server: s}
	var token struct {
		Token string `json:"token"`
	}
	err := errors.Join(
		s.runAdmin(ctx, nil, "tenant", "create", slug),
		s.runAdmin(ctx, nil, "cluster", "create", slug, clusterName),
		s.runAdmin(ctx, &token, "token", "create", slug, "--cluster", clusterName),
	)
	x.Ingest = token.Token
	err = errors.Join(err, s.runAdmin(ctx, &token, "token", "create", slug, "--kind", "query"))
	x.Query = token.Token
	return x, err
}

// runAdmin runs `seamark admin --json` on the server's data folder and decodes its output into out, when not nil.
func (s *server) runAdmin(ctx context.Context, out any, args ...string) error {
	cmd := exec.CommandContext(ctx, s.binary, append([]string{"admin", "--json", "--data-dir", s.dataDir}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("seamark admin %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}
