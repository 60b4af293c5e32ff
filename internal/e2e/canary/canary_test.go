// Package canary runs the built `seamark canary` against roles of their own, and takes them away one after the other.
package canary

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// rig is the roles that a tenant's data passes.
type rig struct {
	flags          []string
	admin          func(out any, args ...string)
	mine, other    *harness.Account
	ingest, writer *harness.Server
	querier        *harness.Server
}

func newRig(t *testing.T) *rig {
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	r := &rig{flags: append([]string{"--nats.url", bus.URL}, engine.Flags()...)}
	r.ingest, r.writer, r.querier = r.start(t, "ingest"), r.start(t, "writer"), r.start(t, "querier")
	r.admin = func(out any, args ...string) {
		t.Helper()
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", bus.URL)...)
	}
	r.mine, r.other = harness.NewAccount(r.admin, "mine"), harness.NewAccount(r.admin, "other")
	return r
}

func (r *rig) start(t *testing.T, role string) *harness.Server {
	t.Helper()
	return harness.Serve(t, t.TempDir(), append([]string{role}, r.flags...)...)
}

// once tries once with two tokens.
func (r *rig) once(t *testing.T, ingest, query string, args ...string) (string, error) {
	t.Helper()
	return harness.Run(t, "", append([]string{
		"canary", "--once", "--url", r.ingest.URL, "--query-url", r.querier.URL, "--ingest-token", ingest, "--query-token", query, "--timeout", "3s",
	}, args...)...)
}

// fails wants exit code 1 and a line of each path with a text.
func (r *rig) fails(t *testing.T, ingest, query, text string) {
	t.Helper()
	out, err := r.once(t, ingest, query)
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok || ended.ExitCode() != 1 {
		t.Errorf("%v, want exit code 1", err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, signal := range []string{"logs", "samples", "events"} {
		if len(lines) != 3 || !strings.HasPrefix(lines[i], "tenant "+signal+": ") || !strings.Contains(lines[i], text) {
			t.Fatalf("no line of %s with %q in:\n%s", signal, text, out)
		}
	}
}

// TestCanary runs its parts in order on one set of processes: each part takes away one more of what the path needs, or brings it back.
func TestCanary(t *testing.T) {
	r := newRig(t)
	for range 2 { // a second try must not take the first one's rows for its own
		if out, err := r.once(t, r.mine.Ingest, r.mine.Query, "--timeout", "30s"); err != nil || strings.Count(out, "queryable after") != 3 {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	r.fails(t, r.mine.Ingest, r.other.Query, "both tokens are not of one tenant")
	r.fails(t, "sm_not_a_token", r.mine.Query, "the push to "+r.ingest.URL+" is refused: status 401")
	r.fails(t, r.mine.Ingest, r.mine.Ingest, "the query to "+r.querier.URL+" is refused: status 40")
	testInterval(t, r)

	r.writer.Kill()
	r.fails(t, r.mine.Ingest, r.mine.Query, "but no query finds it within 3s: the writer does not run")
	r.writer = r.start(t, "writer")
	r.querier.Kill()
	r.fails(t, r.mine.Ingest, r.mine.Query, "but the query to "+r.querier.URL+" is not answered within 3s")
	r.querier = r.start(t, "querier")
	r.admin(nil, "token", "revoke", r.mine.Slug, r.mine.IngestKey)
	testkit.Eventually(t, time.Minute, func() error {
		if out, err := r.once(t, r.mine.Ingest, r.mine.Query); err == nil || strings.Count(out, "is refused: status 401, the token is revoked") != 3 {
			return fmt.Errorf("after the token was revoked: %w\n%s", err, out)
		}
		return nil
	})
	r.ingest.Kill()
	r.fails(t, r.other.Ingest, r.other.Query, "the push to "+r.ingest.URL+" is not acknowledged within 3s")
}

// testInterval runs a canary of two tenants with its own listener, and reads its metrics while one tenant's token is wrong.
func testInterval(t *testing.T, r *rig) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tenants")
	text := fmt.Sprintf("# name, ingest token, query token\nmine %s %s\nbroken %s sm_not_a_token\n", r.mine.Ingest, r.mine.Query, r.mine.Ingest)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	cmd := exec.Command(harness.Binary(t), "canary", "--url", r.ingest.URL, "--query-url", r.querier.URL, "--tenants-file", file, "--interval", "200ms", "--listen", listen)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	canary := harness.Server{AdminURL: "http://" + listen}
	testkit.Eventually(t, 30*time.Second, func() error {
		for _, signal := range []string{"logs", "samples", "events"} {
			for labels, want := range map[string]float64{`signal="` + signal + `",tenant="mine"`: 1, `signal="` + signal + `",tenant="broken"`: 0} {
				up, err := canary.Metric(t.Context(), "seamark_canary_up", labels)
				if err != nil || up != want {
					return fmt.Errorf("up of %s is %v, want %v: %w", labels, up, want, err)
				}
			}
			if err := counts(t.Context(), &canary, signal); err != nil {
				return err
			}
		}
		return nil
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v; want exit code 0", err)
	}
}

// counts wants two tries of a signal at least, each measured.
func counts(ctx context.Context, canary *harness.Server, signal string) error {
	labels := `signal="` + signal + `",tenant="mine"`
	for name, part := range map[string]string{
		"seamark_canary_tries_total": `outcome="ok",` + labels, "seamark_canary_ack_seconds_count": labels, "seamark_canary_queryable_seconds_count": labels,
		"seamark_canary_last_success_timestamp_seconds": labels,
	} {
		if n, err := canary.Metric(ctx, name, part); err != nil || n < 2 {
			return fmt.Errorf("%s{%s} is %v: %w", name, part, n, err)
		}
	}
	refused, err := canary.Metric(ctx, "seamark_canary_tries_total", `outcome="query",signal="`+signal+`",tenant="broken"`)
	if err != nil || refused < 2 {
		return fmt.Errorf("%v refused queries of %s: %w", refused, signal, err)
	}
	return nil
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestSettings wants settings that cannot work refused with their names.
func TestSettings(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "tenants")
	if err := os.WriteFile(empty, []byte("one two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, args := range map[string][]string{
		"SEAMARK_INGEST_TOKEN":                 {},
		"line 1 of " + empty + " has 2 words":  {"--tenants-file", empty},
		"--timeout is 0s; it must be positive": {"--timeout", "0s", "--ingest-token", "a", "--query-token", "b"},
	} {
		if out, err := harness.Run(t, "", append([]string{"canary", "--once"}, args...)...); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v %s; want an error with %q", args, err, out, text)
		}
	}
}
