// Package doctor runs the built `seamark doctor` beside what it looks at, with the settings that the server has. What each check
// finds is tested in internal/doctor.
package doctor

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

type finding struct{ Level, Check, Message, Advice string }

type report struct {
	Level    string
	Findings []finding
}

// codes are the exit codes by level.
var codes = map[string]int{"ok": 0, "warning": 1, "failure": 2}

// examine runs the doctor and wants its exit code to be that of its level.
func examine(t *testing.T, args ...string) *report {
	t.Helper()
	out, err := harness.Run(t, "", append([]string{"doctor", "--json"}, args...)...)
	r := &report{}
	if jsonErr := json.Unmarshal([]byte(out), r); jsonErr != nil {
		t.Fatalf("%v in %q (%v)", jsonErr, out, err)
	}
	code := 0
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		code = ended.ExitCode()
	}
	if want, ok := codes[r.Level]; !ok || code != want {
		t.Errorf("exit code %d with the level %q", code, r.Level)
	}
	return r
}

// find wants a finding with a text.
func (r *report) find(t *testing.T, level, check, text string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Level == level && f.Check == check && strings.Contains(f.Message, text) {
			return
		}
	}
	t.Errorf("no %s of %s with %q in %+v", level, check, text, r.Findings)
}

// TestServe looks at a server with everything in one process: before its start, while it runs and with a wrong setting.
func TestServe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	before := examine(t, "--data-dir", dir, "--http.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0")
	before.find(t, "ok", "server", "none runs here")
	before.find(t, "ok", "root-key", "made at the first start")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the doctor has made the data folder: %v", err)
	}

	s := harness.Serve(t, dir, "serve")
	listen := []string{"--data-dir", dir, "--http.listen", strings.TrimPrefix(s.URL, "http://"), "--admin.listen", strings.TrimPrefix(s.AdminURL, "http://")}
	during := examine(t, listen...)
	if during.Level == "failure" {
		t.Errorf("a server that runs has failures: %+v", during.Findings)
	}
	for check, text := range map[string]string{
		"server": "is ready", "address": "is served", "root-key": "for its owner alone", "nats": "the embedded server has version", "streams": "are as the settings say",
		"clock": "the clock of NATS is", "disk": "are free", "clickhouse": "the embedded engine is", "settings": "fit together",
	} {
		during.find(t, "ok", check, text)
	}
	examine(t, append(listen, "--disk.min-free-percent", "90", "--disk.max-reserve-bytes", "1000000000000000000")...).find(t, "failure", "disk", "below the reserve")
	examine(t, append(listen, "--bus.duplicate-window", "1m")...).find(t, "warning", "streams", "not --bus.duplicate-window 1m0s have")
	examine(t, append(listen, "--bus.shards", "0")...).find(t, "failure", "settings", "--bus.shards is 0; it must be 1 to 64")
}

// TestRoles looks at a role alone, whose settings stand in a file as the role's do.
func TestRoles(t *testing.T) {
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	flags := append([]string{"--nats.url", bus.URL, "--doctor.nats-monitor-urls", bus.MonitorURL, "--admin.listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, engine.Flags()...)
	good := examine(t, append(flags, "--role", "writer")...)
	for _, text := range []string{"with JetStream", "syncs each message"} {
		good.find(t, "ok", "nats", text)
	}
	for _, text := range []string{"has version", "may do what it must", "users of tenants", "answers"} {
		good.find(t, "ok", "clickhouse", text)
	}
	examine(t, append(flags, "--role", "alerting")...).find(t, "failure", "root-key", "there is none")

	file := filepath.Join(t.TempDir(), "seamark.yaml")
	if err := os.WriteFile(file, []byte("nats: {replicas: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	examine(t, append(flags, "--role", "writer", "--config", file)...).find(t, "failure", "nats", "--nats.replicas is 3 and the server is in no cluster")
	bus.Kill()
	examine(t, append(flags, "--role", "writer")...).find(t, "failure", "nats", "does not answer")
}
