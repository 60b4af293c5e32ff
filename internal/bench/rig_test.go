package bench_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { harness.Main(m) }

// scaleVariable names the environment variable that all counts of rows are multiplied by, to try a benchmark out.
const scaleVariable = "SEAMARK_BENCH_SCALE"

// scaled returns n times the scale, at least least and a multiple of it.
func scaled(b *testing.B, n, least int) int {
	b.Helper()
	text := os.Getenv(scaleVariable)
	if text == "" {
		return n
	}
	scale, err := strconv.ParseFloat(text, 64)
	if err != nil || scale <= 0 {
		b.Fatalf("%s is %q; it must be a positive number", scaleVariable, text)
	}
	return max(least, int(math.Round(float64(n)*scale))/least*least)
}

// rig is Seamark as processes of its own, so that each part's CPU can be told apart.
type rig struct {
	b              *testing.B
	nats           *harness.NATS
	engine         *harness.Engine // nil, as the writer, where only decoding and publishing is measured
	ingest, writer *harness.Server
	tokens         []string          // of the tenants t0001, t0002, ...
	listeners      map[string]string // addresses by flag
	conn           driver.Conn
	client         *http.Client
}

// noQuotas are the flags of a server that is to take what it can.
var noQuotas = []string{"--quota.rows-per-second", "0", "--quota.bytes-per-second", "0", "--quota.active-series", "0", "--quota.active-streams", "0"}

// countsAge is less than the default, so that counts of patterns do not wait until long after a run's end, for which processes that
// have nothing to do would be measured.
const countsAge = "20s"

// newRig starts the whole product with so many tenants.
func newRig(b *testing.B, tenants int) *rig {
	b.Helper()
	r := &rig{b: b, nats: harness.StartNATS(b, b.TempDir()), engine: harness.StartEngine(b, b.TempDir())}
	r.makeTenants(tenants)
	flags := append([]string{"--nats.url", r.nats.URL}, r.engine.Flags()...)
	r.writer = harness.Serve(b, b.TempDir(), append([]string{"writer", "--writer.max-counts-age", countsAge}, flags...)...)
	r.ingest = harness.Serve(b, b.TempDir(), append(append([]string{"ingest"}, flags...), noQuotas...)...)
	r.connect()
	return r
}

// newIngestRig starts the ingest role and its queue alone, with every listener and one tenant.
func newIngestRig(b *testing.B) *rig {
	b.Helper()
	r := &rig{b: b, nats: harness.StartNATS(b, b.TempDir()), listeners: map[string]string{}}
	r.makeTenants(1)
	token := filepath.Join(b.TempDir(), "token")
	if err := os.WriteFile(token, []byte(r.tokens[0]), 0o600); err != nil {
		b.Fatal(err)
	}
	flags := append([]string{
		"ingest", "--nats.url", r.nats.URL, "--clickhouse.dsn", "clickhouse://nobody:nothing@127.0.0.1:9", "--clickhouse.http-addrs", "127.0.0.1:9",
		"--clickhouse.tenant-secret", "unused", // the role talks to no ClickHouse
	}, noQuotas...)
	for _, name := range []string{"syslog", "forward"} {
		r.listeners[name] = freeAddress(b)
		flags = append(flags, "--"+name+".listen", r.listeners[name], "--"+name+".token-file", token)
	}
	r.ingest = harness.Serve(b, b.TempDir(), flags...)
	r.client = newClient()
	return r
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
}

// freeAddress returns an address on which nothing listens.
func freeAddress(b *testing.B) string {
	b.Helper()
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// makeTenants writes tenants with a cluster and a token each into the directory, which commands of their own would take
// minutes for.
func (r *rig) makeTenants(n int) {
	b := r.b
	b.Helper()
	nc, err := nats.Connect(r.nats.URL)
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	d, err := tenant.Open(b.Context(), tenant.Options{JS: js, Replicas: 1, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = d.Close(context.WithoutCancel(b.Context())) }()
	for i := range n {
		name := fmt.Sprintf("bench-%d", i+1)
		made, err := d.CreateTenant(b.Context(), tenant.TenantSpec{Slug: name, Name: name})
		if err != nil {
			b.Fatal(err)
		}
		c, err := d.CreateCluster(b.Context(), made.ID, tenant.ClusterSpec{Name: "bench"})
		if err != nil {
			b.Fatal(err)
		}
		_, secret, err := d.CreateToken(b.Context(), made.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Name: "bench", Cluster: c.ID})
		if err != nil {
			b.Fatal(err)
		}
		r.tokens = append(r.tokens, secret)
	}
}

func (r *rig) connect() {
	r.b.Helper()
	r.client = newClient()
	var err error
	r.conn, err = clickhouse.Open(&clickhouse.Options{
		Addr: []string{r.engine.TCP}, DialContext: engine.DialClickHouse, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		Auth: clickhouse.Auth{Username: engine.AdminUser, Password: r.engine.Password},
	})
	if err != nil {
		r.b.Fatal(err)
	}
	r.b.Cleanup(func() { _ = r.conn.Close() })
}

// cpu is the CPU seconds each part has used.
type cpu struct{ ingest, nats, writer, clickhouse float64 }

func (c cpu) minus(o cpu) cpu {
	return cpu{c.ingest - o.ingest, c.nats - o.nats, c.writer - o.writer, c.clickhouse - o.clickhouse}
}

func (c cpu) total() float64 { return c.ingest + c.nats + c.writer + c.clickhouse }

func (r *rig) cpu() cpu {
	used := cpu{ingest: r.secondsOf(r.ingest.Pid()), nats: r.secondsOf(r.nats.Pid())}
	if r.engine != nil {
		used.writer, used.clickhouse = r.secondsOf(r.writer.Pid()), r.secondsOf(r.engine.EnginePid)
	}
	return used
}

func (r *rig) secondsOf(pid int) float64 {
	seconds, _, err := engine.ProcStats(pid)
	if err != nil {
		r.b.Fatal(err)
	}
	return seconds
}

// rss returns the resident memory of all parts, and logs each.
func (r *rig) rss() int64 {
	sum, text := int64(0), ""
	for _, part := range []struct {
		name string
		pid  int
	}{{"ingest", r.ingest.Pid()}, {"nats", r.nats.Pid()}, {"writer", r.writer.Pid()}, {"clickhouse", r.engine.EnginePid}} {
		_, rss, err := engine.ProcStats(part.pid)
		if err != nil {
			r.b.Fatal(err)
		}
		sum += rss
		text += fmt.Sprintf(" %s %d MiB", part.name, rss>>20)
	}
	r.b.Log("resident:" + text)
	return sum
}

func (r *rig) until(limit time.Duration, done func() bool) {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			r.b.Fatal("the rows did not arrive in time")
		}
		<-tick.C
	}
}

func (r *rig) count(sql string) (n uint64) {
	if err := r.conn.QueryRow(context.Background(), sql).Scan(&n); err != nil {
		r.b.Fatal(err)
	}
	return n
}

// parts reads a sum over the parts of a table in all tenants' databases.
func (r *rig) parts(column, table string) uint64 {
	return r.count("SELECT toUInt64(sum(" + column + ")) FROM system.parts WHERE active AND match(database, '^t[0-9]+$') AND table = '" + table + "'")
}

// settle waits until a table has all rows in all databases and no merge runs, and returns how long the rows took.
func (r *rig) settle(table string, rows uint64) time.Duration {
	begin := time.Now()
	r.until(5*time.Minute, func() bool { return r.parts("rows", table) >= rows })
	took := time.Since(begin)
	r.until(time.Minute, func() bool { return r.countsWait() == 0 })
	quiet := 0
	r.until(2*time.Minute, func() bool {
		if quiet++; r.count("SELECT count() FROM system.merges") > 0 {
			quiet = 0
		}
		return quiet > 15
	})
	if got := r.parts("rows", table); got != rows {
		r.b.Errorf("%d rows stored, want %d: all that were acknowledged, once", got, rows)
	}
	return took
}

// countsWait returns how many messages the counts of patterns of which are not stored yet: they belong to what was measured.
func (r *rig) countsWait() (sum float64) {
	if r.writer == nil {
		return 0
	}
	for series, n := range r.metrics(r.writer) {
		if strings.HasPrefix(series, "seamark_writer_late_messages{") {
			sum += n
		}
	}
	return sum
}

// metrics reads a process's own metrics: values by the series as they are written.
func (r *rig) metrics(s *harness.Server) map[string]float64 {
	resp, err := http.Get(s.AdminURL + "/metrics")
	if err != nil {
		r.b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.b.Fatal(err)
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		at := strings.LastIndexByte(line, ' ')
		if v, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64); err == nil && at > 0 && line[0] != '#' {
			values[line[:at]] = v
		}
	}
	return values
}

// profile takes CPU profiles of ingest and writer into the folder that SEAMARK_BENCH_PROFILES names, if it does.
func (r *rig) profile() (wait func()) {
	dir := os.Getenv("SEAMARK_BENCH_PROFILES")
	if dir == "" {
		return func() {}
	}
	var done sync.WaitGroup
	for name, s := range map[string]*harness.Server{"ingest": r.ingest, "writer": r.writer} {
		if s == nil {
			continue
		}
		done.Go(func() {
			resp, err := http.Get(s.AdminURL + "/debug/pprof/profile?seconds=8")
			if err != nil {
				r.b.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			data, err := io.ReadAll(resp.Body)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(r.b.Name(), "/", ".")+"."+name+".prof"), data, 0o600)
			}
			if err != nil {
				r.b.Error(err)
			}
		})
	}
	return done.Wait
}
