package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// InspectOptions says which ClickHouse server is looked at, and for what.
type InspectOptions struct {
	// DSN is that of the product, and Addr the one of its servers that is asked.
	DSN, Addr string
	// CreateUsers wants the privileges that making tenants' users by SQL takes, and Workloads those of making workloads.
	CreateUsers, Workloads bool
	Now                    func() time.Time
}

// Inspection is what one ClickHouse server says of itself.
type Inspection struct {
	Version string
	// ID is the server's own; two addresses may be one server.
	ID string
	// Ahead is how far the server's clock is ahead of ours, and Uncertain how long the question took, which is how far that may be wrong.
	Ahead, Uncertain time.Duration
	// Unknown lists settings that Seamark's statements use and the server does not have.
	Unknown []string
	// Lacking lists privileges that the product's user needs and lacks.
	Lacking []string
	// MakesUsers is whether the server keeps users that are made by SQL.
	MakesUsers bool
	// Users counts tenants' users, and Alone lists tenants' databases without one.
	Users int
	Alone []string
	// Workloads lists those of ours.
	Workloads []Workload
	Disks     []Disk
	// Shard is the ClickHouse shard, from 1, that the server has been so far; 0 is none yet.
	Shard int
	// Local counts Seamark's tables whose rows are on this server alone.
	Local int
}

// Disk is where a ClickHouse server keeps its parts. One without a size, such as a bucket, has a Total of 0.
type Disk struct {
	Name, Path  string
	Free, Total uint64
}

// Servers returns the native addresses in a DSN.
func Servers(dsn string) ([]string, error) {
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		return nil, errors.New("is not a DSN such as clickhouse://user:password@host:9000")
	}
	return o.Addr, nil
}

// Refused reports whether a server answered that it does not know the user, or not with this password.
func Refused(err error) bool {
	ex, ok := errors.AsType[*clickhouse.Exception](err)
	return ok && slices.Contains([]int32{codeUnknownUser, codeRequiredPassword, codeAuthenticationFailed}, ex.Code)
}

// ClickHouse's codes of a log-in that it refuses (src/Common/ErrorCodes.cpp).
const (
	codeUnknownUser          = 192
	codeRequiredPassword     = 194
	codeAuthenticationFailed = 516
)

// Inspect asks one server what Seamark must know of it, and changes nothing there.
func Inspect(ctx context.Context, o InspectOptions) (*Inspection, error) {
	parsed, err := clickhouse.ParseDSN(o.DSN)
	if err != nil {
		return nil, errors.New("is not a DSN such as clickhouse://user:password@host:9000")
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{o.Addr}, TLS: parsed.TLS, MaxOpenConns: 1, DialTimeout: 5 * time.Second,
		Auth: clickhouse.Auth{Username: parsed.Auth.Username, Password: parsed.Auth.Password},
	})
	if err != nil {
		return nil, fmt.Errorf("open native connection: %w", err)
	}
	defer func() { _ = conn.Close() }()
	i := &inspector{conn: conn, opts: o, found: &Inspection{}}
	for _, ask := range []func(context.Context) error{i.identity, i.settings, i.privileges, i.users, i.mark, i.workloads, i.disks} {
		if err := ask(ctx); err != nil {
			return nil, err
		}
	}
	return i.found, nil
}

type inspector struct {
	conn  driver.Conn
	opts  InspectOptions
	found *Inspection
}

// identity asks for the version and the time, once the connection is open: its making would count as time of the question.
func (i *inspector) identity(ctx context.Context) error {
	if err := i.conn.Ping(ctx); err != nil {
		return err
	}
	begin := i.opts.Now()
	var at time.Time
	if err := i.conn.QueryRow(ctx, "SELECT version(), concat(hostName(), ':', toString(tcpPort())), now64(6)").Scan(&i.found.Version, &i.found.ID, &at); err != nil {
		return fmt.Errorf("ask for the version: %w", err)
	}
	i.found.Uncertain = i.opts.Now().Sub(begin)
	i.found.Ahead = at.Sub(begin.Add(i.found.Uncertain / 2))
	return nil
}

// usedSettings are those of statements and of users' profiles, and tableSettings those of tables.
func usedSettings() []string {
	most := ceilingsOf(new(seamark.DefaultCeilings(1)))
	return append(slices.Sorted(maps.Keys(most)), "allow_introspection_functions", "insert_deduplication_token", "max_concurrent_queries_for_user",
		"max_memory_usage_for_user", "max_untracked_memory", "use_query_cache", "workload")
}

var tableSettings = []string{
	"fsync_after_insert", "fsync_part_directory", "merge_selector_base", "non_replicated_deduplication_window", "ttl_only_drop_parts",
}

func (i *inspector) settings(ctx context.Context) error {
	for table, want := range map[string][]string{"system.settings": usedSettings(), "system.merge_tree_settings": tableSettings} {
		known, err := i.names(ctx, "SELECT name FROM "+table+" WHERE has(?, name)", want)
		if err != nil {
			return err
		}
		i.found.Unknown = append(i.found.Unknown, slices.DeleteFunc(slices.Clone(want), func(name string) bool { return slices.Contains(known, name) })...)
	}
	slices.Sort(i.found.Unknown)
	return nil
}

// privileges asks about the first tenant's database, which stands for all: a grant may be on their pattern alone.
func (i *inspector) privileges(ctx context.Context) error {
	db := database(1)
	want := []string{
		"CREATE DATABASE ON " + db + ".*", "CREATE TABLE ON " + db + ".*", "ALTER ON " + db + ".*", "DROP DATABASE ON " + db + ".*", "DROP TABLE ON " + db + ".*",
		"SELECT ON " + db + ".*", "INSERT ON " + db + ".*", "SELECT ON system.*", "KILL QUERY ON *.*",
	}
	if i.opts.CreateUsers {
		want = append(want, "CREATE USER ON *.*", "ALTER USER ON *.*", "DROP USER ON *.*", "CREATE SETTINGS PROFILE ON *.*", "ALTER SETTINGS PROFILE ON *.*",
			"DROP SETTINGS PROFILE ON *.*", "CREATE QUOTA ON *.*", "ALTER QUOTA ON *.*", "DROP QUOTA ON *.*")
	}
	if i.opts.Workloads {
		want = append(want, "CREATE WORKLOAD ON *.*", "CREATE RESOURCE ON *.*")
	}
	for _, privilege := range want {
		var granted uint8
		if err := i.conn.QueryRow(ctx, "CHECK GRANT "+privilege).Scan(&granted); err != nil {
			return fmt.Errorf("check the grant of %s: %w", privilege, err)
		}
		if granted == 0 {
			i.found.Lacking = append(i.found.Lacking, privilege)
		}
	}
	return nil
}

func (i *inspector) users(ctx context.Context) error {
	var writable uint64
	const places = "SELECT count() FROM system.user_directories WHERE type IN ('local_directory', 'local directory', 'replicated', 'memory')"
	if err := i.conn.QueryRow(ctx, places).Scan(&writable); err != nil {
		return fmt.Errorf("ask where users are kept: %w", err)
	}
	i.found.MakesUsers = writable > 0
	const tenants = "match(name, '^t[0-9]{4,}$')"
	users, err := i.names(ctx, "SELECT name FROM system.users WHERE "+tenants)
	if err != nil {
		return err
	}
	databases, err := i.names(ctx, "SELECT name FROM system.databases WHERE "+tenants)
	if err != nil {
		return err
	}
	i.found.Users = len(users)
	i.found.Alone = slices.DeleteFunc(databases, func(name string) bool { return slices.Contains(users, name) })
	const local = "SELECT count() FROM system.tables WHERE startsWith(comment, ?) AND NOT match(engine, '^(Shared|Replicated)')"
	var tables uint64
	if err := i.conn.QueryRow(ctx, local, commentPrefix).Scan(&tables); err != nil {
		return fmt.Errorf("count tables: %w", err)
	}
	i.found.Local = int(tables)
	return nil
}

// mark looks for what a shard's first process has left.
func (i *inspector) mark(ctx context.Context) error {
	marks, err := i.names(ctx, "SELECT name FROM system.tables WHERE database = ? AND startsWith(name, ?)", database(platformBit), shardMark)
	for _, name := range marks {
		i.found.Shard, _ = strconv.Atoi(strings.TrimPrefix(name, shardMark)) // we wrote it
	}
	return err
}

func (i *inspector) workloads(ctx context.Context) error {
	list, err := i.names(ctx, "SELECT name FROM system.workloads WHERE startsWith(name, ?)", rootWorkload)
	for _, w := range []Workload{RuleWorkload, DashboardWorkload, AdHocWorkload, ScanWorkload, ExportWorkload} {
		if slices.Contains(list, string(w)) {
			i.found.Workloads = append(i.found.Workloads, w)
		}
	}
	return err
}

func (i *inspector) disks(ctx context.Context) error {
	rows, err := i.conn.Query(ctx, "SELECT name, path, free_space, if(type IN ('Local', 'local'), total_space, 0) FROM system.disks ORDER BY name")
	if err != nil {
		return fmt.Errorf("ask for disks: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var d Disk
		if err := rows.Scan(&d.Name, &d.Path, &d.Free, &d.Total); err != nil {
			return fmt.Errorf("ask for disks: %w", err)
		}
		i.found.Disks = append(i.found.Disks, d)
	}
	return rows.Err()
}

func (i *inspector) names(ctx context.Context, sql string, args ...any) ([]string, error) {
	from, _, _ := strings.Cut(strings.TrimPrefix(sql, "SELECT name FROM "), " ")
	rows, err := i.conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from, err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read %s: %w", from, err)
		}
		list = append(list, name)
	}
	return list, rows.Err()
}
