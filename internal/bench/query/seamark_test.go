package query_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/samplecache"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

const (
	tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	number = 1 // of its database

	// Limits that no query of the benchmark meets, but for Prometheus' own.
	maxSamples = 200_000_000
	maxSeries  = 1_000_000
	timeout    = 2 * time.Minute

	// rowsPerInsert is where ClickHouse is at its best.
	rowsPerInsert = 1 << 20
)

// rig is ClickHouse as a process of its own with the store before it in this one.
type rig struct {
	engine  *harness.Engine
	store   *store.Store
	encoder *store.Encoder
	batch   seamark.Batch
	batchID uint64
}

func newRig(b *testing.B) *rig {
	b.Helper()
	r := &rig{engine: harness.StartEngine(b, b.TempDir()), encoder: store.NewEncoder()}
	var err error
	r.store, err = store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{r.engine.TCP}, HTTPAddrs: []string{r.engine.HTTP}, User: engine.AdminUser, Password: r.engine.Password,
			TenantPassword: func(user string) string { return engine.TenantPassword(r.engine.Secret, user) },
		}},
		Dial:           engine.DialClickHouse,
		Number:         func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		MaxTenantConns: 8, Logger: slog.New(slog.DiscardHandler), Registerer: client.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.store.Close(); err != nil {
			b.Error(err)
		}
	})
	return r
}

// add appends a series to the batch, and stores the batch when it is full.
func (r *rig) add(ctx context.Context, c *corpus, ls labels.Labels, values []float64) error {
	one := &seamark.Series{Kind: seamark.MetricSeries, FP: ls.Hash(), Name: ls.Get(seamark.MetricNameLabel)}
	ls.Range(func(l labels.Label) { one.Labels = append(one.Labels, seamark.Label{Name: l.Name, Value: l.Value}) })
	ref := r.batch.Samples.AddSeries(one)
	for k, v := range values {
		r.batch.Samples.Append(ref, c.at(k), v)
	}
	if r.batch.Samples.Len() < rowsPerInsert {
		return nil
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
	r.batch.Reset()
	return nil
}

// settle waits until the server has merged what it wants to merge, so that its CPU is the queries'.
func (r *rig) settle(b *testing.B) {
	b.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{r.engine.TCP}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: engine.AdminUser, Password: r.engine.Password},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const limit, quietTicks = 10 * time.Minute, 15
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for quiet := 0; quiet < quietTicks; quiet++ {
		var merges uint64
		if err := conn.QueryRow(b.Context(), "SELECT count() FROM system.merges").Scan(&merges); err != nil {
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
	err = conn.QueryRow(b.Context(), fmt.Sprintf("SELECT count(), sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 't%04d' AND table = 'samples'", number)).Scan(&parts, &rows, &bytes)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d samples in %d parts, %.2f bytes each", rows, parts, float64(bytes)/float64(rows))
}

// querier returns the engine over the store, as the product makes it.
func (r *rig) querier(b *testing.B) *promql.Engine {
	b.Helper()
	registry, quiet := client.NewRegistry(), slog.New(slog.DiscardHandler)
	index, err := seriesindex.New(seriesindex.Options{
		Store: r.store, MaxBytes: seriesindex.DefaultMaxBytes, Refresh: seriesindex.DefaultRefresh, Now: time.Now, Logger: quiet, Registerer: registry,
	})
	if err != nil {
		b.Fatal(err)
	}
	samples, err := samplecache.New(samplecache.Options{
		Source: r.store, MaxBytes: samplecache.DefaultMaxBytes, Refresh: samplecache.DefaultRefresh, Grace: samplecache.DefaultGrace, Now: time.Now, Logger: quiet, Registerer: registry,
	})
	if err != nil {
		b.Fatal(err)
	}
	e, err := promql.New(promql.Options{
		Store: promql.WithSamples(index, samples), MaxSeries: maxSeries, MaxSamples: maxSamples, Timeout: timeout, Logger: quiet, Registerer: registry,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(e.Close(), samples.Close(), index.Close()); err != nil {
			b.Error(err)
		}
	})
	return e
}
