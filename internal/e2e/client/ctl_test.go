package client_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// shell runs the built `seamark ctl` as a user with a folder of their own.
type shell struct {
	t      *testing.T
	binary string
	env    []string
}

// run returns what the command wrote and its exit code.
func (s *shell) run(input string, args ...string) (out string, code int) {
	s.t.Helper()
	cmd := exec.Command(s.binary, append([]string{"ctl"}, args...)...)
	cmd.Env, cmd.Stdin = s.env, strings.NewReader(input)
	text, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(text), exit.ExitCode()
	} else if err != nil {
		s.t.Fatalf("seamark ctl %v: %v", args, err)
	}
	return string(text), 0
}

func (s *shell) want(input string, code int, text string, args ...string) string {
	s.t.Helper()
	out, got := s.run(input, args...)
	if got != code || !strings.Contains(out, text) {
		s.t.Fatalf("seamark ctl %s: exit code %d, want %d, with %q:\n%s", strings.Join(args, " "), got, code, text, out)
	}
	return out
}

// TestCtl works on a tenant from a shell: signs in, makes a token, changes a document, and meets errors.
func TestCtl(t *testing.T) {
	w := newWorld(t)
	s := &shell{t, harness.Binary(t), []string{"HOME=" + t.TempDir(), "XDG_CONFIG_HOME=" + t.TempDir()}}
	s.want("", 2, "say which server", "cluster", "list")
	s.want("wrong\n", 3, "seamark-", "login", "--address", w.URL, "--user", "owner@example.com", "--password-stdin")
	s.want(password+"\n", 0, "current context is acme", "login", "--address", w.URL, "--user", "owner@example.com", "--tenant", slug, "--password-stdin")
	s.want("", 0, "owner@example.com", "session", "get")
	s.want("", 0, w.clusterID, "cluster", "list")

	var token struct{ ID, Secret string }
	made := s.want("", 0, "smk_ingest_", "token", "create", "--kind", "ingest", "--name", "agents", "--cluster-id", w.clusterID, "--idempotency-key", "k", "-o", "json")
	if err := json.Unmarshal([]byte(made), &token); err != nil {
		t.Fatal(err)
	}
	if again := s.want("", 0, "", "token", "create", "--kind", "ingest", "--name", "agents", "--cluster-id", w.clusterID, "--idempotency-key", "k", "-o", "json"); again != made {
		t.Errorf("the same creation again:\n%s\nfirst:\n%s", again, made)
	}
	s.want("", 0, token.ID, "token", "list")
	s.want("", 0, "", "token", "delete", token.ID)
	s.want("", 4, "seamark-token-absent", "token", "delete", "nothing")

	yaml := s.want("", 0, "revision: 0", "pipeline", "get", "-o", "yaml")
	yaml = strings.Replace(yaml, "pipelines: []", "pipelines: [{name: p, steps: [{name: s, kind: drop, match: ['IsMatch(log.body, \"x\")']}]}]", 1)
	s.want(yaml, 0, "p", "pipeline", "replace", "-f", "-")
	s.want(yaml, 5, "seamark-pipeline-changed", "pipeline", "replace", "-f", "-")
	s.want("{max_labels: 30, max_lables: 1}", 6, "/max_lables", "cluster", "set-quota", w.clusterID, "-f", "-")
	s.want("", 0, "max_labels", "cluster", "set-quota", w.clusterID, "--max-labels", "30")
	s.want("", 3, "seamark-permission-missing", "tenant", "list")
	s.want("name: g\nrules:\n- record: a:b\n  expr: vector(1)\n", 0, "success", "rule", "apply", "team/a", "-f", "-")
	s.want("", 0, "record: a:b", "rule", "get", "team/a", "g")
	s.want("", 0, `"web"`, "call", "lokiListLabelValues", "app", "-o", "json")
	s.want("", 0, "", "logout")
	s.want("", 2, "nobody is signed in", "cluster", "list")
}
