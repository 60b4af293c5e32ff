package engine_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestClickHouseKeepsDataPortsAndUsersOverRestarts(t *testing.T) {
	folder := t.TempDir()
	var addr, password string
	for cycle := range 4 {
		ch := start(t, engine.ClickHouseOptions{DataDir: folder})
		tcp, http := ch.Addrs()
		if cycle == 0 {
			addr = tcp + http
			admin(t, ch, "CREATE DATABASE t0001")
			admin(t, ch, "CREATE TABLE t0001.lines (n Int64) ENGINE = MergeTree ORDER BY n")
		}
		if tcp+http != addr {
			t.Errorf("cycle %d: got ports %s %s, want those of the first start", cycle, tcp, http)
		}
		if ch.AdminPassword() == password {
			t.Errorf("cycle %d: the password is that of an earlier boot", cycle)
		}
		password = ch.AdminPassword()
		admin(t, ch, "INSERT INTO t0001.lines SELECT number FROM numbers(10)")
		want := fmt.Sprint((cycle + 1) * 10)
		if got, err := tenant(t, ch, 1, "SELECT count() FROM t0001.lines"); err != nil || got != want {
			t.Errorf("cycle %d: got %q, %v, want %s rows", cycle, got, err, want)
		}
		stop(t, ch)
		if ch.Up() || ch.Pid() != 0 {
			t.Errorf("cycle %d: stopped engine says up=%v pid=%d", cycle, ch.Up(), ch.Pid())
		}
	}
}

func TestClickHouseFilesAreReadableByTheOwnerAlone(t *testing.T) {
	folder := t.TempDir()
	start(t, engine.ClickHouseOptions{DataDir: folder})
	for _, name := range []string{"config.xml", "users.xml", "ports.json"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: got mode %v, want 0600", name, got)
		}
	}
}

func TestClickHouseTakesTakenPortsAnew(t *testing.T) {
	folder := t.TempDir()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	kept := fmt.Appendf(nil, `{"tcp":%d,"http":%d}`, port, port)
	if err := os.WriteFile(filepath.Join(folder, "ports.json"), kept, 0o600); err != nil {
		t.Fatal(err)
	}
	ch := start(t, engine.ClickHouseOptions{DataDir: folder})
	if tcp, http := ch.Addrs(); tcp == taken.Addr().String() || http == taken.Addr().String() {
		t.Fatalf("got %s and %s, one of which was taken", tcp, http)
	}
}

// TestClickHouseTakesPortsAnewThatItLosesWhileItStarts has somebody else listen on a port between its choice and the child's use of it.
func TestClickHouseTakesPortsAnewThatItLosesWhileItStarts(t *testing.T) {
	folder := t.TempDir()
	hold := filepath.Join(folder, holdFile)
	if err := os.WriteFile(hold, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	type started struct {
		ch  *engine.ClickHouse
		err error
	}
	done := make(chan started, 1)
	go func() {
		ch, err := engine.StartClickHouse(t.Context(), engine.ClickHouseOptions{DataDir: folder, TenantUsers: 1})
		done <- started{ch, err}
	}()
	var lost net.Listener
	testkit.Eventually(t, time.Minute, func() error {
		text, err := os.ReadFile(filepath.Join(folder, "ports.json"))
		if err != nil {
			return err
		}
		var chosen struct{ TCP int }
		if err := json.Unmarshal(text, &chosen); err != nil {
			return err
		}
		lost, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", chosen.TCP)) // once the choice is over
		return err
	})
	defer lost.Close()
	if err := os.Remove(hold); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	defer stop(t, got.ch)
	if tcp, _ := got.ch.Addrs(); tcp == lost.Addr().String() {
		t.Errorf("the engine says that it listens on %s, which is taken", tcp)
	}
	admin(t, got.ch, "SELECT 1")
}

func TestClickHouseKilledChildComesBack(t *testing.T) {
	var mu sync.Mutex
	var states []bool
	ch := start(t, engine.ClickHouseOptions{DataDir: t.TempDir(), OnState: func(up bool) {
		mu.Lock()
		defer mu.Unlock()
		states = append(states, up)
	}})
	admin(t, ch, "CREATE DATABASE t0001")
	admin(t, ch, "CREATE TABLE t0001.lines (n Int64) ENGINE = MergeTree ORDER BY n")
	for kill := range 3 {
		admin(t, ch, "INSERT INTO t0001.lines SELECT number FROM numbers(1000)")
		dead, began := ch.Pid(), time.Now()
		if err := syscall.Kill(dead, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, time.Minute, func() error {
			if pid := ch.Pid(); !ch.Up() || pid == dead {
				return fmt.Errorf("up=%v pid=%d, killed %d", ch.Up(), pid, dead)
			}
			return nil
		})
		t.Logf("back after %v", time.Since(began))
		want := fmt.Sprint((kill + 1) * 1000)
		if got := admin(t, ch, "SELECT count() FROM t0001.lines"); got != want {
			t.Errorf("kill %d: got %s rows, want %s", kill, got, want)
		}
	}
	testkit.Eventually(t, time.Minute, func() error { // it is up before it says so
		mu.Lock()
		defer mu.Unlock()
		if got, want := fmt.Sprint(states), "[true false true false true false true]"; got != want {
			return fmt.Errorf("got states %s, want %s", got, want)
		}
		return nil
	})
}

// TestClickHousePreparesEveryStart has the engine forget its workloads by an orderly end and by a kill.
func TestClickHousePreparesEveryStart(t *testing.T) {
	options := engine.ClickHouseOptions{DataDir: t.TempDir(), Prepare: []string{
		"not SQL", "CREATE RESOURCE IF NOT EXISTS cpu (MASTER THREAD, WORKER THREAD)", "CREATE OR REPLACE WORKLOAD all SETTINGS max_concurrent_threads = 2",
	}}
	for range 2 {
		ch := start(t, options)
		for kill := range 2 {
			testkit.Eventually(t, time.Minute, func() error { // an engine that was started again is up before it is prepared
				if got := admin(t, ch, "SELECT count() FROM system.workloads WHERE name = 'all'"); got != "1" {
					return fmt.Errorf("kill %d: got %s workloads, want 1", kill, got)
				}
				return nil
			})
			dead := ch.Pid()
			if err := syscall.Kill(dead, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, time.Minute, func() error {
				if pid := ch.Pid(); !ch.Up() || pid == dead {
					return fmt.Errorf("up=%v pid=%d, killed %d", ch.Up(), pid, dead)
				}
				return nil
			})
		}
		stop(t, ch)
	}
}

// TestMergedPartsStay has the parts that a merge has replaced outlive it: they are what a power cut leaves of rows whose merged part
// the kernel has not written yet. The library deletes them at once where nothing is set.
func TestMergedPartsStay(t *testing.T) {
	ch := start(t, engine.ClickHouseOptions{DataDir: t.TempDir()})
	for _, statement := range []string{
		"CREATE DATABASE merged", "CREATE TABLE merged.rows (n UInt8) ENGINE = MergeTree ORDER BY n",
		"INSERT INTO merged.rows SELECT 1", "INSERT INTO merged.rows SELECT 2", "OPTIMIZE TABLE merged.rows FINAL",
	} {
		admin(t, ch, statement)
	}
	if got := admin(t, ch, "SELECT value FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime'"); got != "480" {
		t.Fatalf("parts that were merged stay for %s s, want 480", got)
	}
	if got := admin(t, ch, "SELECT countIf(active), countIf(NOT active) FROM system.parts WHERE database = 'merged'"); got != "1\t2" {
		t.Fatalf("got %q active parts and others, want one and the two that it was merged of", got)
	}
}

func TestClickHouseEndsWithItsKilledParent(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	parent := osexec.Command(executable, parentCommand, folder)
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("parent said nothing: %v", err)
	}
	if err := dial(strings.TrimSpace(addr)); err != nil {
		t.Fatalf("engine of the parent: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	testkit.Eventually(t, time.Minute, func() error {
		if dial(strings.TrimSpace(addr)) == nil {
			return errors.New("the engine still listens")
		}
		return nil
	})
	// The folder is free again, and holds what it held.
	start(t, engine.ClickHouseOptions{DataDir: folder})
}

func dial(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestClickHouseStopHurriesWhenItsContextEnds(t *testing.T) {
	ch := start(t, engine.ClickHouseOptions{DataDir: t.TempDir()})
	tcp, _ := ch.Addrs()
	held, err := net.Dial("tcp", tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := ch.Stop(canceled(t)); err == nil {
		t.Error("got no error, want one that says the engine was killed")
	}
	if dial(tcp) == nil {
		t.Error("the engine still listens")
	}
}

func TestClickHouseMissingLibraryNamesTheCure(t *testing.T) {
	options := engine.ClickHouseOptions{DataDir: t.TempDir(), LibraryPath: filepath.Join(t.TempDir(), "libchdb.so")}
	_, err := engine.StartClickHouse(t.Context(), options)
	if seamark.KindOf(err) != seamark.Unavailable || !strings.Contains(fmt.Sprint(err), "make engine") {
		t.Fatalf("got %v, want Unavailable and `make engine`", err)
	}
}

func TestClickHouseBrokenLibraryFailsTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(path, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	options := engine.ClickHouseOptions{DataDir: t.TempDir(), LibraryPath: path}
	if ch, err := engine.StartClickHouse(t.Context(), options); err == nil {
		stop(t, ch)
		t.Fatal("got no error")
	}
}

func TestClickHouseOptionsAreChecked(t *testing.T) {
	for name, options := range map[string]engine.ClickHouseOptions{
		"no folder":       {},
		"negative memory": {DataDir: t.TempDir(), MaxMemoryBytes: -1},
		"OOM score":       {DataDir: t.TempDir(), OOMScore: 1001},
	} {
		if ch, err := engine.StartClickHouse(t.Context(), options); err == nil {
			stop(t, ch)
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestClickHouseListensOnTwoLoopbackPortsOnly(t *testing.T) {
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	want := map[string]bool{tcp: true, http: true}
	for _, addr := range listeners(t, ch.Pid()) {
		if !want[addr] {
			t.Errorf("the engine listens on %s", addr)
		}
		delete(want, addr)
	}
	if len(want) > 0 {
		t.Errorf("the engine does not listen on %v", want)
	}
}

func TestProcStats(t *testing.T) {
	ch := testkit.ClickHouse(t)
	before, rss, err := engine.ProcStats(ch.Pid())
	if err != nil || rss < 50<<20 || before <= 0 {
		t.Fatalf("got %v CPU s, %d bytes, %v, want a living engine", before, rss, err)
	}
	admin(t, ch, "SELECT sum(sipHash64(number)) FROM numbers(20000000)")
	after, _, err := engine.ProcStats(ch.Pid())
	if err != nil || after <= before {
		t.Fatalf("got %v then %v CPU s, %v, want more after work", before, after, err)
	}
	if _, _, err := engine.ProcStats(1 << 30); err == nil {
		t.Error("no such process: got no error")
	}
}

func TestClickHouseOOMScore(t *testing.T) {
	ch := testkit.ClickHouse(t)
	got, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", ch.Pid()))
	if err != nil || strings.TrimSpace(string(got)) != "500" {
		t.Fatalf("got %q, %v, want 500", got, err)
	}
}
