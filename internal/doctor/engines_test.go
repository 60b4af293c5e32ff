package doctor_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// openStreams makes a stream and a bucket as the product does.
func openStreams(t *testing.T, url string, replicas int) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "SEAMARK_LOGS_0", Subjects: []string{"seamark.logs.0.>"}, MaxBytes: 1 << 20, Replicas: replicas, Duplicates: time.Minute, AllowAtomicPublish: true,
	}); err != nil {
		t.Fatal(err)
	}
	return js
}

func TestNATS(t *testing.T) {
	server := harness.StartNATS(t, t.TempDir())
	js := openStreams(t, server.URL, 1)
	o := options(t)
	o.NATS = doctor.NATSOptions{URL: server.URL, MonitorURLs: []string{server.MonitorURL}, Replicas: 1, Streams: 1, MaxStreamBytes: 1 << 20, DuplicateWindow: time.Minute}
	want(t, o, doctor.OK, "nats", server.URL, "with JetStream")
	want(t, o, doctor.OK, "nats", "syncs each message")
	want(t, o, doctor.OK, "clock", "the clock of NATS is")
	want(t, o, doctor.OK, "streams", "1 streams and buckets are as the settings say")

	skewed := o
	skewed.Now = func() time.Time { return time.Now().Add(time.Hour) }
	want(t, skewed, doctor.Failure, "clock", "the clock of NATS is", "more than ten times 1s", "NTP")
	window := o
	window.NATS.DuplicateWindow = 10 * time.Minute
	want(t, window, doctor.Warning, "streams", "--bus.duplicate-window 10m0s", "SEAMARK_LOGS_0")
	replicas := o
	replicas.NATS.Replicas = 3
	want(t, replicas, doctor.Failure, "nats", "--nats.replicas is 3 and the server is in no cluster")
	want(t, replicas, doctor.Failure, "streams", "not 3 replicas have: SEAMARK_LOGS_0 (1)")
	blind := o
	blind.NATS.MonitorURLs = nil
	want(t, blind, doctor.Warning, "nats", "--doctor.nats-monitor-urls")
	for _, f := range doctor.ExamineEngines(t.Context(), blind).Findings {
		if f.Level != doctor.OK && f.Check == "nats" {
			t.Errorf("a server that asks for itself is told %+v", f)
		}
	}

	for range 9 {
		if _, err := js.Publish(t.Context(), "seamark.logs.0.x", make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, o, doctor.Warning, "streams", "SEAMARK_LOGS_0 holds", "of 1 MiB", "seamark_writer_queue_messages")
	server.Kill()
	want(t, o, doctor.Failure, "nats", server.URL, "does not answer")
	want(t, o, doctor.Failure, "nats", server.MonitorURL, "does not tell")
}

func TestNATSWithPassword(t *testing.T) {
	server := harness.StartNATSWith(t, &harness.NATSOptions{Dir: t.TempDir(), User: "seamark", Password: "right", Lazy: true})
	_, address, _ := strings.Cut(server.URL, "//")
	o := options(t)
	o.NATS.URL, o.NATS.MonitorURLs = "nats://seamark:wrong@"+address, []string{server.MonitorURL}
	want(t, o, doctor.Failure, "nats", "nats://seamark:xxxxx@"+address, "refuses the user")
	want(t, o, doctor.Failure, "nats", "a power failure takes", "sync_interval: always")
	o.NATS.URL = "nats://seamark:right@" + address
	want(t, o, doctor.OK, "nats", "with JetStream")
}

// TestNATSCluster takes one of three servers away.
func TestNATSCluster(t *testing.T) {
	cluster := harness.StartNATSCluster(t, 3)
	healthy := func() error { return cluster.Healthy(t.Context()) }
	testkit.Eventually(t, time.Minute, healthy)
	openStreams(t, cluster.URL(), 3)
	testkit.Eventually(t, time.Minute, healthy)
	o := options(t)
	o.NATS = doctor.NATSOptions{URL: cluster.URL(), MonitorURLs: cluster.Monitors(), Replicas: 3, Streams: 1, MaxStreamBytes: 1 << 20, DuplicateWindow: time.Minute}
	want(t, o, doctor.OK, "streams", "1 streams and buckets are as the settings say")
	for _, url := range strings.Split(cluster.URL(), ",") {
		want(t, o, doctor.OK, "nats", url, "with JetStream")
	}
	one := o
	one.NATS.Replicas = 1
	want(t, one, doctor.Warning, "nats", "--nats.replicas is 1 on a cluster")
	want(t, one, doctor.Failure, "streams", "not 1 replicas have: SEAMARK_LOGS_0 (3)")

	cluster.Node(2).Kill()
	testkit.Eventually(t, time.Minute, func() error { // the others notice by and by
		r := doctor.Examine(t.Context(), o)
		if !slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool {
			return f.Level == doctor.Warning && f.Check == "streams" && strings.Contains(f.Message, "replicas are away or behind of: SEAMARK_LOGS_0")
		}) {
			return fmt.Errorf("no stream is told to lack a replica: %+v", r.Findings)
		}
		return nil
	})
	want(t, o, doctor.Failure, "nats", strings.Split(cluster.URL(), ",")[2], "does not answer")
}

// TestEmbeddedNATS reaches the server of a process through the socket in its folder.
func TestEmbeddedNATS(t *testing.T) {
	dir := t.TempDir()
	server, err := engine.StartNATS(t.Context(), engine.NATSOptions{DataDir: dir, MaxStoreBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	if err := server.ServeSocket("seamark.sock"); err != nil {
		t.Fatal(err)
	}
	ready := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ready\n")) }))
	t.Cleanup(ready.Close)
	o := options(t)
	o.Admin, o.Socket = ready.Listener.Addr().String(), filepath.Join(dir, "seamark.sock")
	want(t, o, doctor.OK, "nats", "the embedded server has version")
	want(t, o, doctor.OK, "streams", "0 streams and buckets")
	stop()
	want(t, o, doctor.Failure, "nats", "the embedded NATS does not answer")
}

// at points the doctor at an engine.
func at(t *testing.T, e *harness.Engine) doctor.Options {
	t.Helper()
	o := options(t)
	o.ClickHouse = doctor.ClickHouseOptions{Shards: []doctor.ClickHouseShard{{DSN: e.DSN(), HTTPAddrs: []string{e.HTTP}}}}
	return o
}

func TestClickHouse(t *testing.T) {
	e := harness.StartEngine(t, t.TempDir())
	o := at(t, e)
	for _, text := range []string{e.TCP + " has version ", "may do what it must", "users of tenants", "--clickhouse.http-addrs " + e.HTTP + " answers"} {
		want(t, o, doctor.OK, "clickhouse", text)
	}
	want(t, o, doctor.OK, "clock", "ClickHouse at "+e.TCP)
	want(t, o, doctor.OK, "disk", "ClickHouse at "+e.TCP)

	skewed := o
	skewed.Now = func() time.Time { return time.Now().Add(-5 * time.Second) }
	want(t, skewed, doctor.Warning, "clock", "ClickHouse at "+e.TCP+" is", "more than 1s")
	full := o
	full.Disk.MinFreePercent, full.Disk.MaxReserveBytes = 100, 1<<62
	want(t, full, doctor.Failure, "disk", "ClickHouse at "+e.TCP, "below the reserve")
	made := o
	made.ClickHouse.CreateUsers = true
	want(t, made, doctor.Failure, "clickhouse", "keeps no users that are made by SQL")
	workloads := o
	workloads.ClickHouse.Workloads = true
	want(t, workloads, doctor.Warning, "clickhouse", "has no workloads of Seamark")
	web := o
	away := freeAddress(t)
	web.ClickHouse.Shards = []doctor.ClickHouseShard{{DSN: e.DSN(), HTTPAddrs: []string{away}}}
	want(t, web, doctor.Failure, "clickhouse", "--clickhouse.http-addrs "+away+" does not answer")
	twice := o
	twice.ClickHouse.Shards = append(slices.Clone(o.ClickHouse.Shards), o.ClickHouse.Shards...)
	want(t, twice, doctor.Failure, "clickhouse", "shards 1 and 2 of --clickhouse.dsn are one server")
	exec(t, e, "CREATE DATABASE platform")
	exec(t, e, "CREATE TABLE platform.shard_2 (at DateTime) ENGINE = Null COMMENT 'seamark:1'")
	want(t, o, doctor.Failure, "clickhouse", "shard 1 of --clickhouse.dsn is ", "which has been shard 2")

	exec(t, e, "CREATE DATABASE t9999")
	want(t, o, doctor.Warning, "clickhouse", "databases without a user: t9999")
	e.Kill()
	want(t, o, doctor.Failure, "clickhouse", e.TCP+" does not answer")
}

// TestClickHouseApart has two servers that know nothing of each other.
func TestClickHouseApart(t *testing.T) {
	ids := map[string]bool{}
	for range 2 {
		e := harness.StartEngine(t, t.TempDir())
		exec(t, e, "CREATE DATABASE t0001")
		exec(t, e, "CREATE TABLE t0001.logs (ts DateTime) ENGINE = MergeTree ORDER BY ts COMMENT 'seamark:1'")
		exec(t, e, "CREATE TABLE t0001.other (ts DateTime) ENGINE = MergeTree ORDER BY ts COMMENT 'not ours'")
		found, err := store.Inspect(t.Context(), store.InspectOptions{DSN: e.DSN(), Addr: e.TCP, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if found.Local != 1 {
			t.Errorf("%d tables are told to be on one server alone, want 1", found.Local)
		}
		ids[found.ID] = true
	}
	if len(ids) != 2 {
		t.Errorf("two servers have the ids %v", ids)
	}
}

func exec(t *testing.T, e *harness.Engine, sql string) {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{e.TCP}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: engine.AdminUser, Password: e.Password},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// TestClickHousePassword meets a server that refuses the log-in with the exception of its native protocol. The embedded engine ends on
// a refused log-in instead of telling.
func TestClickHousePassword(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go refuse(l)
	o := options(t)
	o.ClickHouse.Shards = []doctor.ClickHouseShard{{DSN: fmt.Sprintf("clickhouse://seamark:wrong@%s", l.Addr())}}
	want(t, o, doctor.Failure, "clickhouse", "refuses the user of --clickhouse.dsn")
}

// refuse answers every greeting with AUTHENTICATION_FAILED.
func refuse(l net.Listener) {
	text := func(s string) []byte { return append(binary.AppendUvarint(nil, uint64(len(s))), s...) }
	answer := slices.Concat([]byte{2}, binary.LittleEndian.AppendUint32(nil, 516), text("DB::Exception"), text("Authentication failed"), text(""), []byte{0})
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			if _, err := conn.Read(make([]byte, 4096)); err == nil {
				_, _ = conn.Write(answer)
			}
		}()
	}
}
