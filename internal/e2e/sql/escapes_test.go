package sql_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/engine"
)

// leastEscapes is how many attempts the corpus has at least.
const leastEscapes = 200

// escape is an attempt to get at what is not the tenant's.
type escape struct{ kind, sql string }

// escapes reads the corpus. Its statements name what they reach for: listeners of the test and the other tenant's database.
func (w *world) escapes(t *testing.T, tcp, udp string) []escape {
	t.Helper()
	file, err := os.Open("testdata/escapes.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	names := strings.NewReplacer("{tcp}", tcp, "{udp}", udp, "{other}", w.other.Database(), "{own}", w.Database(), "{http}", w.engine.HTTP)
	var list []escape
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e escape
		if err := json.Unmarshal(lines.Bytes(), &[]any{&e.kind, &e.sql}); err != nil {
			t.Fatal(err)
		}
		e.sql = names.Replace(e.sql)
		list = append(list, e)
	}
	if err := lines.Err(); err != nil || len(list) < leastEscapes {
		t.Fatalf("the corpus has %d attempts, %v", len(list), err)
	}
	return list
}

// trap counts who comes: over TCP, over UDP, and the sockets of the engine's process that are not of its listeners.
type trap struct {
	tcp, udp string
	came     atomic.Int64

	mu       sync.Mutex // guards outgoing
	outgoing []string
	done     chan struct{}
	watched  sync.WaitGroup
}

func newTrap(t *testing.T, w *world) *trap {
	t.Helper()
	stream, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tr := &trap{tcp: stream.Addr().String(), udp: packets.LocalAddr().String(), done: make(chan struct{})}
	tr.watched.Go(func() {
		for {
			conn, err := stream.Accept()
			if err != nil {
				return
			}
			tr.came.Add(1)
			_ = conn.Close()
		}
	})
	tr.watched.Go(func() {
		for {
			if _, _, err := packets.ReadFrom(make([]byte, 1)); err != nil {
				return
			}
			tr.came.Add(1)
		}
	})
	tr.watched.Go(func() { tr.watch(w) })
	t.Cleanup(func() {
		close(tr.done)
		_ = stream.Close()
		_ = packets.Close()
		tr.watched.Wait()
	})
	return tr
}

// watch looks at the engine's sockets again and again.
func (tr *trap) watch(w *world) {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-tr.done:
			return
		case <-ticks.C:
		}
		for _, s := range outgoing(w.engine.EnginePid, w.engine.TCP, w.engine.HTTP) {
			tr.mu.Lock()
			if !slices.Contains(tr.outgoing, s) {
				tr.outgoing = append(tr.outgoing, s)
			}
			tr.mu.Unlock()
		}
	}
}

func (tr *trap) sockets() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.outgoing)
}

// outgoing lists the sockets of a process whose own end is none of the given addresses, as /proc tells them.
func outgoing(pid int, listeners ...string) []string {
	own := map[string]bool{}
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "socket:[") {
			own[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	var ports []string
	for _, l := range listeners {
		addr, err := net.ResolveTCPAddr("tcp", l)
		if err == nil {
			ports = append(ports, fmt.Sprintf(":%04X", addr.Port))
		}
	}
	var list []string
	for _, protocol := range []string{"tcp", "tcp6", "udp", "udp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, protocol))
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) < 10 || !own[fields[9]] {
				continue
			}
			if !slices.ContainsFunc(ports, func(port string) bool { return strings.HasSuffix(fields[1], port) }) {
				list = append(list, protocol+" "+fields[1]+" to "+fields[2])
			}
		}
	}
	return list
}

// testEscapes sends each attempt to the product, which refuses it with a clear message, and nothing is opened for it.
func (w *world) testEscapes(t *testing.T) {
	tr := newTrap(t, w)
	if outgoing(w.engine.EnginePid, "127.0.0.1:1") == nil {
		t.Error("the test sees no socket of the engine, not even its listeners")
	}
	kinds := map[string]int{}
	for _, path := range []string{"/api/v1/sql", "/api/v1/sql/explain"} {
		for _, e := range w.escapes(t, tr.tcp, tr.udp) {
			kinds[e.kind]++
			answer := w.ask(t, w.Account, path, map[string]any{"query": e.sql, "parameters": map[string]any{}})
			var problem struct{ ID, Detail string }
			if err := json.Unmarshal(answer.Body, &problem); err != nil {
				t.Errorf("%s: %q: %v in %d %s", e.kind, clip(e.sql), err, answer.Status, answer.Body)
				continue
			}
			// The guard's errors say where; the engine has not seen the statement.
			if answer.Status != http.StatusBadRequest || !strings.HasPrefix(problem.ID, "seamark-sql-") || !strings.HasPrefix(problem.Detail, "Line ") {
				t.Errorf("%s: %q: got %d %s, want a refusal by the guard", e.kind, clip(e.sql), answer.Status, answer.Body)
			}
			if strings.Contains(string(answer.Body), canary) {
				t.Errorf("%s: %q: the answer holds the other's data: %s", e.kind, clip(e.sql), answer.Body)
			}
		}
	}
	if n := tr.came.Load(); n > 0 {
		t.Errorf("%d connections were opened", n)
	}
	if list := tr.sockets(); len(list) > 0 {
		t.Errorf("the engine had sockets: %v", list)
	}
	t.Logf("attempts that were refused, on two routes: %v", kinds)
}

// testEngineWall sends the same past the guard, as the tenant's own user of the engine: what that refuses is refused twice. Nothing of
// the other tenant may come back from what it answers.
func (w *world) testEngineWall(t *testing.T) {
	tr := newTrap(t, w)
	stopped, answered := map[string]int{}, []string{}
	for _, e := range w.escapes(t, tr.tcp, tr.udp) {
		before := tr.came.Load()
		ok, body := w.direct(t, e.sql)
		if strings.Contains(body, canary) {
			t.Errorf("%s: %q: the engine gives out the other's data", e.kind, clip(e.sql))
		}
		if tr.came.Load() > before {
			t.Logf("%s: %q: the engine opens a connection; the guard is what stops it", e.kind, clip(e.sql))
		}
		if ok {
			answered = append(answered, clip(e.sql))
			continue
		}
		stopped[e.kind]++
	}
	total := 0
	for _, n := range stopped {
		total += n
	}
	t.Logf("the engine by itself stops %d attempts %v and answers %d: %q", total, stopped, len(answered), answered)
	if total < leastEscapes {
		t.Errorf("the engine stops %d attempts by itself, want %d", total, leastEscapes)
	}
}

// direct runs a statement on the engine as the tenant's user, waits for it for a moment, and returns the beginning of its answer.
func (w *world) direct(t *testing.T, sql string) (ok bool, body string) {
	t.Helper()
	values := url.Values{"database": {w.Database()}, "max_execution_time": {"1"}, "wait_end_of_query": {"0"}}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.engine.HTTP+"/?"+values.Encode(), strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-ClickHouse-User", w.Database())
	r.Header.Set("X-ClickHouse-Key", engine.TenantPassword(w.engine.Secret, w.Database()))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return true, "" // it runs, and is left behind
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode == http.StatusOK && !strings.Contains(string(text), "DB::Exception"), string(text)
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "..."
	}
	return s
}
