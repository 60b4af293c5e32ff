package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// twoTenants makes the databases of tenants 1 and 2, the second with a marker that must never reach the first.
func twoTenants(t *testing.T) *engine.ClickHouse {
	t.Helper()
	ch := testkit.ClickHouse(t)
	for _, db := range []string{"t0001", "t0002"} {
		admin(t, ch, "CREATE DATABASE IF NOT EXISTS "+db)
		admin(t, ch, "CREATE OR REPLACE TABLE "+db+".lines (n Int64, line String) ENGINE = MergeTree ORDER BY n")
	}
	admin(t, ch, "INSERT INTO t0001.lines VALUES (1, 'own')")
	admin(t, ch, "INSERT INTO t0002.lines VALUES (1, 'marker')")
	return ch
}

func TestTenantReadsItsOwnDatabase(t *testing.T) {
	ch := twoTenants(t)
	for statement, want := range map[string]string{
		"SELECT line FROM t0001.lines":                 "own",
		"SHOW TABLES FROM t0001":                       "lines",
		"SELECT DISTINCT database FROM system.tables":  "t0001",
		"SELECT DISTINCT database FROM system.columns": "t0001",
		"SHOW DATABASES":                               "t0001",
		"SELECT sum(number) FROM numbers(4)":           "6",
		"SELECT 1 SETTINGS max_execution_time = 3, max_threads = 1, log_comment = 'x', priority = 5": "1",
	} {
		if got, err := tenant(t, ch, 1, statement); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", statement, got, err, want)
		}
	}
}

func TestTenantIsDeniedEverythingElse(t *testing.T) {
	ch := twoTenants(t)
	for _, statement := range []string{
		"SELECT * FROM t0002.lines",
		"SELECT * FROM merge('t0002', '.*')",
		"SELECT * FROM mergeTreeIndex('t0002', 'lines')",
		"SELECT * FROM loop('t0002', 'lines') LIMIT 1",
		"SHOW CREATE TABLE t0002.lines",
		"DESCRIBE t0002.lines",
		"USE t0002",
		"SELECT hasColumnInTable('t0002', 'lines', 'n')",
		"SELECT * FROM system.processes",
		"SELECT * FROM system.users",
		"SELECT * FROM system.parts",
		"SELECT * FROM system.server_settings",
		"SELECT * FROM system.disks",
		"SELECT * FROM information_schema.tables",
		"SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
		"SELECT * FROM file('/etc/hostname', 'CSV', 'a String')",
		"SELECT * FROM remote('127.0.0.1', 't0002', 'lines')",
		"SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'CSV', 'a String')",
		"SELECT * FROM mysql('127.0.0.1:3306', 'd', 't', 'u', 'p')",
		"SELECT * FROM postgresql('127.0.0.1:5432', 'd', 't', 'u', 'p')",
		"SELECT * FROM executable('x', 'CSV', 'a String')",
		"SELECT addressToLine(1)",
		"INSERT INTO t0001.lines VALUES (2, 'x')",
		"INSERT INTO FUNCTION file('x.csv', 'CSV', 'a String') SELECT 'x'",
		"CREATE TABLE t0001.more (n Int64) ENGINE = Memory",
		"CREATE DATABASE t0003",
		"CREATE TEMPORARY TABLE more (n Int64)",
		"CREATE FUNCTION f AS x -> x",
		"CREATE USER u",
		"DROP TABLE t0001.lines",
		"ALTER TABLE t0001.lines DELETE WHERE 1",
		"TRUNCATE TABLE t0001.lines",
		"GRANT SELECT ON t0002.* TO t0001",
		"KILL QUERY WHERE 1",
		"SYSTEM FLUSH LOGS",
		"SYSTEM STOP LISTEN QUERIES ALL",
		"BACKUP DATABASE t0001 TO Disk('default', 'x')",
		"SELECT 1 INTO OUTFILE 'x'",
	} {
		if got, err := tenant(t, ch, 1, statement); err == nil {
			t.Errorf("%s: got %q, want a refusal", statement, got)
		}
	}
	if got, err := tenant(t, ch, 1, "EXISTS t0002.lines"); err == nil && got != "0" {
		t.Errorf("EXISTS t0002.lines: got %q, want a refusal or 0", got)
	}
}

func TestTenantCannotReadTheMachinesFiles(t *testing.T) {
	ch := twoTenants(t)
	secret := fmt.Sprintf("%s/secret", t.TempDir())
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"/etc/passwd", "/proc/self/root/etc/passwd", "/etc/hostname", secret, fmt.Sprintf("/proc/%d/environ", os.Getpid()),
	} {
		if got, err := tenant(t, ch, 1, "SELECT file('"+path+"')"); err == nil {
			t.Errorf("file(%s): got %q, want a refusal", path, got)
		}
	}
}

func TestTenantCannotChangeLockedSettings(t *testing.T) {
	ch := twoTenants(t)
	for _, change := range []string{
		"readonly = 0", "allow_ddl = 1", "allow_introspection_functions = 1", "use_query_cache = 1",
		"max_memory_usage = 0", "max_memory_usage = 99999999999", "max_memory_usage_for_user = 0", "max_untracked_memory = 99999999999",
		"read_overflow_mode = 'break'", "timeout_overflow_mode = 'break'", "result_overflow_mode = 'break'",
		"max_bytes_to_read = 0", "max_result_bytes = 0", "max_concurrent_queries_for_user = 0", "dialect = 'prql'",
		"format_schema = '/etc/passwd:x'", "format_template_row = '/etc/passwd'", "output_format_schema = '/tmp/x'",
		"additional_result_filter = 'file(1) = 2'", "allow_get_client_http_header = 1",
	} {
		if _, err := tenant(t, ch, 1, "SELECT 1 SETTINGS "+change); err == nil {
			t.Errorf("SETTINGS %s: got no error", change)
		}
		if _, err := tenant(t, ch, 1, "SET "+change); err == nil {
			t.Errorf("SET %s: got no error", change)
		}
	}
}

// TestEveryTextSettingIsDecided fails when an engine version brings a setting whose value may be a path or an expression.
func TestEveryTextSettingIsDecided(t *testing.T) {
	ch := testkit.ClickHouse(t)
	names := strings.Split(admin(t, ch, "SELECT name FROM system.settings "+
		"WHERE type IN ('String', 'URI', 'Map', 'Dialect') AND alias_for = '' ORDER BY name"), "\n")
	for _, name := range names {
		locked, free := slices.Contains(engine.LockedSettings(), name), slices.Contains(engine.FreeTextSettings(), name)
		if locked == free {
			t.Errorf("%s: locked=%v free=%v, want exactly one", name, locked, free)
		}
	}
	if len(names) < 50 {
		t.Errorf("got %d text settings, the query finds too few", len(names))
	}
	user := engine.TenantUser(1)
	password := engine.TenantPassword(ch.TenantSecret(), user)
	out, err := exec(t, ch, user, password, "SELECT name FROM system.settings WHERE readonly ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range engine.LockedSettings() {
		if !slices.Contains(strings.Split(out, "\n"), name) {
			t.Errorf("%s: the engine lets a tenant change it", name)
		}
	}
}

func TestDefaultUserCannotLogIn(t *testing.T) {
	ch := testkit.ClickHouse(t)
	for _, password := range []string{"", ch.AdminPassword()} {
		if got, err := exec(t, ch, "default", password, "SELECT 1"); err == nil {
			t.Errorf("got %q, want a refusal", got)
		}
	}
}

func TestPasswordsAreNeeded(t *testing.T) {
	ch := testkit.ClickHouse(t)
	for _, user := range []string{ch.AdminUser(), engine.TenantUser(1)} {
		for _, password := range []string{"", "wrong", engine.TenantPassword(ch.TenantSecret(), engine.TenantUser(2))} {
			if got, err := exec(t, ch, user, password, "SELECT 1"); err == nil {
				t.Errorf("%s with %q: got %q, want a refusal", user, password, got)
			}
		}
	}
}

// TestTenantNativeConnection shows what the query path needs of the tenant profile: settings per query, an external
// table, time limits.
func TestTenantNativeConnection(t *testing.T) {
	ch := twoTenants(t)
	conn := native(t, ch, 1)
	wanted, err := ext.NewTable("wanted", ext.Column("n", "Int64"))
	if err != nil {
		t.Fatal(err)
	}
	if err := wanted.Append(int64(1)); err != nil {
		t.Fatal(err)
	}
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{
		"max_execution_time": 10, "log_comment": "test", "max_threads": 1, "max_rows_to_read": 1000,
	}), clickhouse.WithExternalTable(wanted))
	var line string
	if err := conn.QueryRow(ctx, "SELECT line FROM t0001.lines WHERE n IN (SELECT n FROM wanted)").Scan(&line); err != nil || line != "own" {
		t.Fatalf("got %q, %v, want own", line, err)
	}
	raised := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_memory_usage": 0}))
	if err := conn.QueryRow(raised, "SELECT line FROM t0001.lines").Scan(&line); err == nil {
		t.Error("max_memory_usage=0 over native: got no error")
	}
	limited := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": 1}))
	began := time.Now()
	if err := conn.QueryRow(limited, "SELECT toString(sum(sleepEachRow(0.1))) FROM numbers(600) SETTINGS max_block_size = 1").Scan(&line); err == nil {
		t.Errorf("max_execution_time=1: got no error after %v", time.Since(began))
	}
}

// TestProfileSwitchKeepsTheLimits: a session may name another profile, but keeps its own constraints.
func TestProfileSwitchKeepsTheLimits(t *testing.T) {
	ch := twoTenants(t)
	conn := native(t, ch, 1)
	if err := conn.Exec(t.Context(), "SET profile = 'default'"); err != nil {
		t.Logf("refused: %v", err)
	}
	for _, change := range []string{"readonly = 0", "max_memory_usage = 0", "format_schema = '/etc/passwd:x'"} {
		if err := conn.Exec(t.Context(), "SET "+change); err == nil {
			t.Errorf("SET %s: got no error", change)
		}
	}
}

// TestCanceledQueriesLeaveTheEngineAlive covers what DialClickHouse is for: with a plain dialer the engine's process ends
// here, because a connection closed with unread data is reset.
func TestCanceledQueriesLeaveTheEngineAlive(t *testing.T) {
	ch := testkit.ClickHouse(t)
	pid := ch.Pid()
	for wait := range 20 {
		conn := native(t, ch, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(wait)*4*time.Millisecond)
		if rows, err := conn.Query(ctx, "SELECT number FROM numbers(10000000000)"); err == nil {
			for rows.Next() {
			}
			_ = rows.Close()
		}
		cancel()
		_ = conn.Close()
	}
	for range 5 {
		conn, err := engine.DialClickHouse(t.Context(), addrOf(ch))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("\x00\x02go\x01\x01")); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after close: got %v", err)
		}
	}
	testkit.Eventually(t, time.Minute, func() error {
		left, err := exec(t, ch, ch.AdminUser(), ch.AdminPassword(), "SELECT count() FROM system.processes WHERE user = 't0001'")
		if err != nil || left != "0" {
			return fmt.Errorf("%q queries still run, error %w", left, err)
		}
		return nil
	})
	if !ch.Up() || ch.Pid() != pid {
		t.Fatalf("the engine died: up=%v pid=%d, was %d", ch.Up(), ch.Pid(), pid)
	}
}

func addrOf(ch *engine.ClickHouse) string {
	tcp, _ := ch.Addrs()
	return tcp
}

// native opens a native connection as a tenant, without a database: that of a tenant may not exist yet.
func native(t *testing.T, ch *engine.ClickHouse, n int) clickhouse.Conn {
	t.Helper()
	user := engine.TenantUser(n)
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:         []string{addrOf(ch)},
		DialContext:  engine.DialClickHouse,
		MaxOpenConns: 1,
		Auth:         clickhouse.Auth{Username: user, Password: engine.TenantPassword(ch.TenantSecret(), user)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
