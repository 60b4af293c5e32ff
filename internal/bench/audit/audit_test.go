// Package audit_test measures the analysis of a tenant's audit log: five million records of a day, and the questions of the
// audit API about its last hour and about all of it.
package audit_test

import (
	"log/slog"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	tenant  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	records = 5_000_000
	span    = 24 * time.Hour
	rounds  = 9
	// scaleVariable names the environment variable that the number of records is multiplied by, to try the benchmark out.
	scaleVariable = "SEAMARK_BENCH_SCALE"
)

// open returns a store with one tenant, and a connection that may insert.
func open(b *testing.B) (*store.Store, clickhouse.Conn) {
	b.Helper()
	ch := testkit.ClickHouse(b)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(seamark.TenantID) (seamark.TenantNumber, error) { return 1, nil },
		Dial:   engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword(), Database: "t0001"},
		ReadTimeout: 10 * time.Minute,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	if _, err := s.EnsureTenant(b.Context(), tenant); err != nil {
		b.Fatal(err)
	}
	return s, conn
}

func count(b *testing.B) int {
	b.Helper()
	text := os.Getenv(scaleVariable)
	if text == "" {
		return records
	}
	scale, err := strconv.ParseFloat(text, 64)
	if err != nil || scale <= 0 {
		b.Fatalf("%s is %q; it must be a positive number", scaleVariable, text)
	}
	return max(1000, int(math.Round(records*scale)))
}

// fill makes the records on the server: one of 40 namespaces or none, about 500 users of 60 programs, with attributes and
// bodies of the size that API servers send at level Metadata.
func fill(b *testing.B, conn clickhouse.Conn, n int, end time.Time) {
	b.Helper()
	const parts = 100
	const verbs = "['get','list','watch','create','update','patch','delete','get','get','update']"
	stream := "cityHash64(verb, ns) AS fp"
	if err := conn.Exec(b.Context(), "INSERT INTO series SELECT 'log', concat(ns, '/kube-apiserver'), day, fp, "+
		"map('signal', 'audit', 'service_name', 'kube-apiserver', 'cluster', 'bench', 'verb', verb, 'namespace', ns), now() FROM ("+
		"SELECT DISTINCT "+verbs+"[number % 10 + 1] AS verb, if(number % 41 = 40, '', concat('ns-', toString(number % 41))) AS ns, "+stream+" FROM numbers(410)"+
		") AS s CROSS JOIN (SELECT toDate(now()) - number AS day FROM numbers(4)) AS d"); err != nil {
		b.Fatal(err)
	}
	for part := range parts {
		params := clickhouse.WithParameters(clickhouse.Parameters{
			"from": strconv.FormatInt(int64(part)*int64(n/parts), 10), "n": strconv.Itoa(n / parts),
			"start": strconv.FormatInt(end.Add(-span).UnixNano(), 10), "step": strconv.FormatInt(span.Nanoseconds()/int64(n), 10),
		})
		if err := conn.Exec(clickhouse.Context(b.Context(), params), insert(verbs, stream)); err != nil {
			b.Fatal(err)
		}
	}
}

func insert(verbs, stream string) string {
	return "INSERT INTO logs (grp, ts, fp, level, body, attrs) WITH " + verbs + `[h % 10 + 1] AS verb, intDiv(h, 10) AS r,
		if(r % 41 = 40, '', concat('ns-', toString(r % 41))) AS ns, ` + stream + `,
		fromUnixTimestamp64Nano({start:Int64} + toInt64(number) * {step:Int64}, 'UTC') AS at, intDiv(r, 41) AS k,
		toString(generateUUIDv4(number)) AS id, concat('system:serviceaccount:', ns, ':sa-', toString(k % 12)) AS user,
		concat('controller-', toString(k % 60), '/v1.33 (linux/amd64) kubernetes/abcdef0') AS agent,
		['pods','configmaps','secrets','deployments','leases','nodes','events','endpoints','services','jobs'][intDiv(k, 300) % 10 + 1] AS resource,
		concat('object-', toString(intDiv(k, 3000) % 20000)) AS name, concat('/api/v1/namespaces/', ns, '/', resource, '/', name, '?timeout=10s') AS uri,
		multiIf(k % 97 = 0, '403', k % 991 = 0, '500', verb = 'create', '201', '200') AS code, concat('10.', toString(k % 4), '.', toString(k % 200), '.7') AS ip
	SELECT concat(ns, '/kube-apiserver'), at, fp, multiIf(code = '403', 'warn', code = '500', 'error', 'info'),
		concat('{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"', id, '","stage":"ResponseComplete","requestURI":"', uri, '","verb":"', verb,
			'","user":{"username":"', user, '","uid":"b929074d-9364-4978-9cf3-7e03c85b0a70","groups":["system:serviceaccounts","system:authenticated"]},"sourceIPs":["', ip,
			'"],"userAgent":"', agent, '","objectRef":{"resource":"', resource, '","namespace":"', ns, '","name":"', name, '","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":', code,
			'},"requestReceivedTimestamp":"', formatDateTime(at - toIntervalMillisecond(h % 800), '%Y-%m-%dT%H:%i:%S.%fZ'), '","stageTimestamp":"', formatDateTime(at, '%Y-%m-%dT%H:%i:%S.%fZ'),
			'","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding"}}'),
		map('audit_id', id, 'stage', 'ResponseComplete', 'audit_level', 'Metadata', 'user', user, 'source_ip', ip, 'user_agent', agent, 'uri', uri, 'resource', resource,
			'api_version', 'v1', 'name', name, 'code', code, 'decision', 'allow', 'reason', 'RBAC: allowed by ClusterRoleBinding')
	FROM (SELECT number, sipHash64(number) AS h FROM numbers({from:UInt64}, {n:UInt64}))`
}

// BenchmarkAudit asks each question some times and reports the median and the slowest.
func BenchmarkAudit(b *testing.B) {
	s, conn := open(b)
	end := time.Now().UTC().Truncate(time.Second)
	n := count(b)
	fill(b, conn, n, end)
	hour, all := seamark.TimeRange{Start: end.Add(-time.Hour), End: end}, seamark.TimeRange{Start: end.Add(-span), End: end}
	clients := func(r seamark.TimeRange, by ...store.AuditField) func() (int, error) {
		return func() (int, error) {
			found, err := s.AuditClients(b.Context(), tenant, store.AuditClientsQuery{AuditFilter: store.AuditFilter{Range: r}, By: by, Limit: 50})
			if err != nil {
				return 0, err
			}
			return len(found.List), nil
		}
	}
	list := func(f store.AuditFilter) func() (int, error) {
		return func() (int, error) {
			found, err := s.ListAudit(b.Context(), tenant, store.AuditQuery{AuditFilter: f, Limit: 200})
			return len(found.Records), err
		}
	}
	object := []store.AuditCondition{{Field: store.AuditName, Values: []string{"object-7"}}}
	for _, q := range []struct {
		name string
		ask  func() (int, error)
	}{
		{"clients of the last hour by user, verb and resource", clients(hour, store.AuditUser, store.AuditVerb, store.AuditResource)},
		{"clients of the last hour by program and address", clients(hour, store.AuditUserAgent, store.AuditSourceIP)},
		{"clients of the day by user, verb and resource", clients(all, store.AuditUser, store.AuditVerb, store.AuditResource)},
		{"denied requests of the day", list(store.AuditFilter{Range: all, Class: store.AuditDenied})},
		{"secrets read in the last hour", list(store.AuditFilter{Range: hour, Class: store.AuditSecrets})},
		{"who touched an object in the day", list(store.AuditFilter{Range: all, Conditions: object})},
		{"slow lists of the last hour", func() (int, error) {
			found, _, err := s.AuditLists(b.Context(), tenant, store.AuditListsQuery{AuditFilter: store.AuditFilter{Range: hour}, Limit: 50})
			return len(found), err
		}},
	} {
		b.Run(q.name, func(b *testing.B) {
			var took []time.Duration
			before := processorTime(b)
			for len(took) < rounds {
				begun := time.Now()
				found, err := q.ask()
				if err != nil || found == 0 {
					b.Fatalf("%d found: %v", found, err)
				}
				took = append(took, time.Since(begun))
			}
			spent := (processorTime(b) - before) / time.Duration(len(took))
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
			b.ReportMetric(float64(spent.Microseconds())/1000, "engine-cpu-ms")
			b.ReportMetric(float64(n), "records")
		})
	}
}

// processorTime returns what the engine has computed so far, its merges included. Beside the time of a query it says what
// the query would take on a machine that does nothing else.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(testkit.ClickHouse(b).Pid()) + "/stat")
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')'):]))
	const user, system, ticksPerSecond = 12, 13, 100 // proc(5), counted from the state, which is the first behind the name
	ticks := 0
	for _, at := range []int{user, system} {
		n, err := strconv.Atoi(fields[at])
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond
}
