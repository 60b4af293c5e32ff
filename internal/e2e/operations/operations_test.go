// Package operations does what docs/operations.md tells a new operator to do, as it stands there: it takes the commands out of the
// document and runs them.
package operations

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	document = "../../../docs/operations.md"
	section  = "## A cluster of processes\n"
	// rows is what the canary looks for: three of each of two tenants eleven times, and three of one of them alone.
	rows = 3*2*11 + 3
)

// TestOperationsDocument is a new operator with an empty home.
func TestOperationsDocument(t *testing.T) {
	blocks := commands(t)
	for i, b := range blocks {
		if strings.Contains(b, "cat >ports.sh") {
			blocks[i] = freed(t, b)
		}
	}
	home := t.TempDir()
	script := filepath.Join(home, "commands.sh")
	if err := os.WriteFile(script, []byte("set -euo pipefail\n"+strings.Join(blocks, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-x", script)
	cmd.Env = append(os.Environ(), "HOME="+home, "PATH="+tools(t)+":"+os.Getenv("PATH"),
		// The stand-in has its users from the start.
		"SEAMARK_CLICKHOUSE_TENANT_USERS=provisioned")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // all that the commands have left
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, tail(string(out), 60), logs(home))
	}
	if got := strings.Count(string(out), "queryable after"); got != rows {
		t.Errorf("the canary has found %d rows; want %d\n%s", got, rows, out)
	}
	for _, want := range []string{"Operator login: ", "syncs each message"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands have not printed %q\n%s", want, out)
		}
	}
	left, err := os.ReadDir(filepath.Join(home, "seamark-cluster", "run"))
	if err != nil || len(left) > 0 {
		t.Errorf("at the end there are %v, %v; want no process", left, err)
	}
}

// TestVersionsOfTheDocument wants the operator to have the versions that Seamark is built and tested with.
func TestVersionsOfTheDocument(t *testing.T) {
	text := read(t, document)
	modules := read(t, "../../../go.mod")
	compose := read(t, "../../../deploy/compose/compose.yaml")
	for program, version := range map[string]string{
		"nats-server": version(t, `nats-server/v2 v(\d+\.\d+)`, modules), "clickhouse": version(t, `clickhouse/clickhouse-server:(\d+\.\d+)`, compose),
	} {
		if !regexp.MustCompile("`" + program + "`\\s+" + regexp.QuoteMeta(version) + `\b`).MatchString(text) {
			t.Errorf("docs/operations.md does not ask for %s %s", program, version)
		}
	}
}

// version finds what an expression's group matches.
func version(t *testing.T, expression, text string) string {
	t.Helper()
	m := regexp.MustCompile(expression).FindStringSubmatch(text)
	if len(m) != 2 {
		t.Fatalf("nothing is like %s", expression)
	}
	return m[1]
}

// commands returns the fenced blocks of the section.
func commands(t *testing.T) (blocks []string) {
	t.Helper()
	_, text, ok := strings.Cut(read(t, document), section)
	if !ok {
		t.Fatalf("docs/operations.md has no %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	for i, part := range strings.Split(text, "```") {
		if i%2 == 0 {
			continue
		}
		block, ok := strings.CutPrefix(part, "bash\n")
		if !ok {
			t.Fatalf("a block is not bash: %.40q", part)
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// freed has the operator choose ports that are not taken.
func freed(t *testing.T, block string) string {
	t.Helper()
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	return regexp.MustCompile(`\b\d{4}\b`).ReplaceAllStringFunc(block, func(string) string {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, l)
		return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	})
}

// tools returns a folder with the programs that the operator has installed.
func tools(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	library, err := engine.FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(harness.Binary(t), filepath.Join(dir, "seamark")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", dir, "github.com/nats-io/nats-server/v2").CombinedOutput(); err != nil {
		t.Fatalf("build nats-server: %v\n%s", err, out)
	}
	clickhouse := fmt.Sprintf("#!/bin/sh\nSEAMARK_CLICKHOUSE_LIBRARY=%s exec %s %s \"$@\"\n", library, self, harness.ClickHouseRole)
	if err := os.WriteFile(filepath.Join(dir, "clickhouse"), []byte(clickhouse), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// logs returns the ends of what the processes have logged.
func logs(home string) string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(home, "seamark-cluster", "log", "*"))
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			fmt.Fprintf(&all, "--- %s\n%s\n", filepath.Base(file), tail(string(text), 15))
		}
	}
	return all.String()
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
