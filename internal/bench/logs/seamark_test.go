package logs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	client "github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logfilter"
	logql "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/loki"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

const (
	tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	number = 1 // of its database

	// rowsPerBatch is the flush rule of the writer.
	rowsPerBatch = 10_000
)

// rig is ClickHouse as a process of its own with the store before it in this one.
type rig struct {
	engine  *harness.Engine
	dir     string // of its tables
	admin   driver.Conn
	store   *store.Store
	encoder *store.Encoder
	batch   seamark.Batch
	batchID uint64
}

func newRig(b *testing.B) *rig {
	b.Helper()
	r := &rig{dir: b.TempDir(), encoder: store.NewEncoder()}
	r.engine = harness.StartEngine(b, r.dir)
	var err error
	r.store, err = store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{r.engine.TCP}, HTTPAddrs: []string{r.engine.HTTP}, User: engine.AdminUser, Password: r.engine.Password,
			TenantPassword: func(user string) string { return engine.TenantPassword(r.engine.Secret, user) },
		}},
		Dial:           engine.DialClickHouse,
		Number:         func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		MaxTenantConns: 8, FilterRows: 256, Logger: slog.New(slog.DiscardHandler), Registerer: client.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	r.admin, err = clickhouse.Open(&clickhouse.Options{
		Addr: []string{r.engine.TCP}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: engine.AdminUser, Password: r.engine.Password},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(r.admin.Close(), r.store.Close()); err != nil {
			b.Error(err)
		}
	})
	return r
}

// load stores the corpus. The server merges what is older than an hour nearly whole, whatever its number of parts is, and the
// corpus is a day that it has not had: so that is asked for before the last hour comes.
func (r *rig) load(ctx context.Context, c *corpus) error {
	merged, young := false, c.end.Add(-time.Hour).UnixNano()
	for row := range c.lines() {
		if !merged && row.TimeNano >= young {
			merged = true
			if err := r.flush(ctx); err != nil {
				return err
			}
			if err := r.admin.Exec(ctx, fmt.Sprintf("OPTIMIZE TABLE t%04d.logs FINAL", number)); err != nil {
				return err
			}
			if err := r.admin.Exec(ctx, fmt.Sprintf("OPTIMIZE TABLE t%04d.log_filters FINAL", number)); err != nil {
				return err
			}
		}
		if r.batch.Logs.Len() == 0 {
			for _, one := range c.streams {
				r.batch.Logs.AddStream(one)
			}
		}
		r.batch.Logs.Append(row)
		if r.batch.Logs.Len() < rowsPerBatch {
			continue
		}
		if err := r.flush(ctx); err != nil {
			return err
		}
	}
	return r.flush(ctx)
}

// flush stores the batch as the writer does: one block for each table and day.
func (r *rig) flush(ctx context.Context) error {
	encoded, err := r.encoder.Encode(&r.batch, time.Now())
	if err != nil {
		return err
	}
	type key struct {
		table store.Table
		day   int32
	}
	blocks := map[key]*store.Block{}
	var order []key
	for _, segment := range encoded.Segments {
		k := key{segment.Table, segment.Day}
		if blocks[k] == nil {
			r.batchID++
			blocks[k] = &store.Block{Table: k.table, Day: k.day, BatchID: r.batchID}
			order = append(order, k)
		}
		blocks[k].Segments = append(blocks[k].Segments, segment)
	}
	for _, k := range order {
		if err := r.store.Insert(ctx, tenant, blocks[k]); err != nil {
			return err
		}
	}
	encoded.Ack()
	r.batch.Reset()
	return nil
}

// settle waits until the server has merged what it wants to merge, so that its CPU is the queries'.
func (r *rig) settle(b *testing.B) {
	b.Helper()
	const limit, quietTicks = 10 * time.Minute, 15
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for quiet := 0; quiet < quietTicks; quiet++ {
		var merges uint64
		if err := r.admin.QueryRow(b.Context(), "SELECT count() FROM system.merges").Scan(&merges); err != nil {
			b.Fatal(err)
		}
		if merges > 0 {
			quiet = 0
		}
		if time.Now().After(deadline) {
			b.Fatalf("merges go on after %v", limit)
		}
		<-tick.C
	}
	var parts, rows, bytes uint64
	err := r.admin.QueryRow(b.Context(), fmt.Sprintf("SELECT count(), sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 't%04d' AND table = 'logs'", number)).Scan(&parts, &rows, &bytes)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rows in %d parts, %.1f bytes each", rows, parts, float64(bytes)/float64(rows))
	var filters, size uint64
	var fill float64
	err = r.admin.QueryRow(b.Context(), fmt.Sprintf("SELECT count(), avg(bitmapCardinality(grams)) / 65536, (SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 't%04d' AND table = 'log_filters') FROM t%04d.log_filters",
		number, number)).Scan(&filters, &fill, &size)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d filters, %.1f bytes per row, %.0f %% full", filters, float64(size)/float64(rows), 100*fill)
}

// chill makes the server read from the disk: it forgets what it knows of the tables, and the kernel the pages of their files.
func (r *rig) chill(b *testing.B) {
	b.Helper()
	for _, what := range []string{"MARK CACHE", "INDEX MARK CACHE", "PRIMARY INDEX CACHE", "QUERY CONDITION CACHE"} {
		if err := r.admin.Exec(b.Context(), "SYSTEM DROP "+what); err != nil {
			b.Fatal(err)
		}
	}
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // files come and go with the parts
		}
		f, err := os.Open(path)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		return errors.Join(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
	})
	if err != nil {
		b.Fatal(err)
	}
}

// scan returns the CPU seconds of reading all bodies and doing nothing with them, which figures of other minutes and machines
// can be compared by.
func (r *rig) scan(b *testing.B) float64 {
	b.Helper()
	const times = 3
	before := r.cpu(b)
	for range times {
		if err := r.admin.Exec(b.Context(), fmt.Sprintf("SELECT count() FROM t%04d.logs WHERE NOT ignore(body)", number)); err != nil {
			b.Fatal(err)
		}
	}
	return (r.cpu(b) - before) / times
}

// cpu returns the CPU seconds that the server has used.
func (r *rig) cpu(b *testing.B) float64 {
	b.Helper()
	seconds, _, err := engine.ProcStats(r.engine.EnginePid)
	if err != nil {
		b.Fatal(err)
	}
	return seconds
}

// counted is the store with its streams and filters in memory, as the product makes it, counting what queries of rows read.
type counted struct {
	*seriesindex.Index
	filters                 *logfilter.Cache
	rows, bytes, statements atomic.Uint64
}

func newCounted(b *testing.B, s *store.Store) *counted {
	b.Helper()
	index, err := seriesindex.New(seriesindex.Options{
		Store: s, MaxBytes: seriesindex.DefaultMaxBytes, Refresh: seriesindex.DefaultRefresh, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Registerer: client.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := index.Close(); err != nil {
			b.Error(err)
		}
	})
	filters, err := logfilter.New(logfilter.Options{Source: s, MaxBytes: logfilter.DefaultMaxBytes, Registerer: client.NewRegistry()})
	if err != nil {
		b.Fatal(err)
	}
	return &counted{Index: index, filters: filters}
}

func (c *counted) add(s store.LogStats) {
	c.rows.Add(s.Rows)
	c.bytes.Add(s.Bytes)
	c.statements.Add(1)
}

// LogRows implements logql.Storage.
func (c *counted) LogRows(ctx context.Context, id seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	s, err := c.Index.LogRows(ctx, id, q, fn)
	c.add(s)
	return s, err
}

// LogCounts implements logql.Storage.
func (c *counted) LogCounts(ctx context.Context, id seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	s, err := c.Index.LogCounts(ctx, id, q, fn)
	c.add(s)
	return s, err
}

// NarrowLogs implements logql.Storage.
func (c *counted) NarrowLogs(ctx context.Context, id seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	scope, s, err := c.filters.NarrowLogs(ctx, id, scope)
	c.add(s)
	return scope, s, err
}

// logAPI shows the LogQL engine in the API's words, as the product does.
type logAPI struct{ engine *logql.Engine }

// QueryLogs implements api.LogQuerier.
func (l logAPI) QueryLogs(ctx context.Context, scope seamark.Scope, q api.LogQuery) (func(io.Writer) error, error) {
	result, err := l.engine.Query(ctx, scope.Tenant, logql.Params{
		Query: q.Query, Start: q.Start, End: q.End, Step: q.Step, Limit: q.Limit, Forward: q.Forward, Categorize: q.Categorize,
	})
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error { return loki.Write(w, result) }, nil
}

// LabelNames implements api.LogQuerier.
func (l logAPI) LabelNames(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) ([]string, error) {
	return l.engine.LabelNames(ctx, scope.Tenant, selector, r)
}

// LabelValues implements api.LogQuerier.
func (l logAPI) LabelValues(ctx context.Context, scope seamark.Scope, name, selector string, r seamark.TimeRange) ([]string, error) {
	return l.engine.LabelValues(ctx, scope.Tenant, name, selector, r)
}

// Series implements api.LogQuerier.
func (l logAPI) Series(ctx context.Context, scope seamark.Scope, selectors []string, r seamark.TimeRange) ([][]seamark.Label, error) {
	return l.engine.Series(ctx, scope.Tenant, selectors, r)
}

// Format implements api.LogQuerier.
func (l logAPI) Format(query string) (string, error) { return l.engine.Format(query) }

// verifier lets everybody in: it is the queries that are measured.
type verifier struct{}

func (verifier) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Tenant: tenant, Kind: seamark.QueryToken}, nil
}

func (verifier) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, errors.New("the benchmark has no sessions")
}

func (verifier) Permit(seamark.Principal, string) error { return nil }

// newEdge returns Loki's HTTP API over the store.
func newEdge(b *testing.B, s *counted) http.Handler {
	b.Helper()
	e, err := logql.New(logql.Options{Storage: s, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	edge, err := httpx.New(httpx.Options{
		Routes:   api.LokiRoutes(api.LokiOptions{Logs: logAPI{e}, Logger: slog.New(slog.DiscardHandler), Now: time.Now}),
		Verifier: verifier{}, Logger: slog.New(slog.DiscardHandler), Registerer: client.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	return edge
}
