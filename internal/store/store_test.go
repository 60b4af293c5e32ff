package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	cluster = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

// taken is which test has a tenant's number.
var taken sync.Map

// open returns a store whose one tenant has the given number, so that tests keep apart.
func open(t testing.TB, number seamark.TenantNumber) *store.Store {
	t.Helper()
	if other, _ := taken.LoadOrStore(number, t.Name()); other != t.Name() {
		t.Fatalf("the tenant number %d is that of %s", number, other)
	}
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(id seamark.TenantID) (seamark.TenantNumber, error) {
			if id != tenantA {
				return 0, seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "No such tenant.")
			}
			return number, nil
		},
		Platform: number, Dial: engine.DialClickHouse, MaxTenantConns: 4, FilterRows: 50, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func adminConn(t testing.TB) driver.Conn {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, _ := ch.Addrs()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// blocks groups the segments of an encoded batch as the writer does: one block per table and partition.
func blocks(segments []store.Segment, batchID uint64) []*store.Block {
	var list []*store.Block
	for _, seg := range segments {
		var found *store.Block
		for _, b := range list {
			if b.Table == seg.Table && b.Day == seg.Day {
				found = b
			}
		}
		if found == nil {
			found = &store.Block{Table: seg.Table, Day: seg.Day, BatchID: batchID}
			list = append(list, found)
		}
		found.Segments = append(found.Segments, seg)
	}
	return list
}

var base = time.Now().UTC().Truncate(24 * time.Hour).Add(-time.Minute)

// randomBatch makes a batch with rows over midnight, attributes on some rows and every kind of row.
func randomBatch(r *rand.Rand, n int) *seamark.Batch {
	b := &seamark.Batch{}
	var streams, series []*seamark.Series
	for i := range 7 {
		streams = append(streams, &seamark.Series{Kind: seamark.LogStream, FP: r.Uint64(), Name: fmt.Sprintf("ns/app-%d", i%3),
			Labels: []seamark.Label{{Name: "app", Value: fmt.Sprint("app-", i)}, {Name: "cluster", Value: "prod"}}})
		series = append(series, &seamark.Series{Kind: seamark.MetricSeries, FP: r.Uint64(), Name: fmt.Sprintf("metric_%d", i%4),
			Labels: []seamark.Label{{Name: "__name__", Value: fmt.Sprintf("metric_%d", i%4)}, {Name: "pod", Value: fmt.Sprint("p", i)}}})
	}
	for _, s := range streams {
		b.Logs.AddStream(s)
	}
	for _, s := range series {
		b.Samples.AddSeries(s)
	}
	for i := range n {
		row := seamark.LogRow{
			Stream: uint32(r.IntN(len(streams))), TimeNano: base.Add(time.Duration(r.IntN(120)) * time.Second).UnixNano(),
			Level: seamark.Level(r.IntN(7)), Body: strings.Repeat("x", r.IntN(300)) + fmt.Sprint(i), TraceID: [16]byte{byte(i), 1}, SpanID: [8]byte{2, byte(i)},
		}
		for a := range r.IntN(3) {
			row.Attrs = append(row.Attrs, seamark.Label{Name: fmt.Sprint("k", a), Value: fmt.Sprint("v", i)})
		}
		b.Logs.Append(&row)
		value := r.NormFloat64()
		if i%17 == 0 {
			value = math.Float64frombits(0x7ff0000000000002)
		}
		b.Samples.Append(uint32(r.IntN(len(series))), base.Add(time.Duration(i)*time.Second).UnixMilli(), value)
	}
	for i := range n / 10 {
		at := base.Add(time.Duration(i) * time.Second)
		b.Histograms.Append(&seamark.HistogramRow{
			Series: uint32(r.IntN(len(series))), TimeMilli: at.UnixMilli(), Count: float64(i), Sum: r.NormFloat64(), Data: strings.Repeat("h", i%40),
		})
		b.Exemplars = append(b.Exemplars, seamark.Exemplar{
			Series: uint32(r.IntN(len(series))), TimeMilli: at.UnixMilli(), Value: float64(i), TraceID: [16]byte{9, byte(i)},
			Labels: []seamark.Label{{Name: "span_id", Value: fmt.Sprint(i)}},
		})
		b.Spans = append(b.Spans, seamark.Span{
			TraceID: [16]byte{1, byte(i)}, SpanID: [8]byte{2, byte(i)}, ParentID: [8]byte{3}, TimeNano: at.UnixNano() + 7, DurationNano: uint64(i),
			Name: fmt.Sprint("GET /", i%5), Service: "shop", Kind: "server", Status: "ok", StatusMessage: "fine", TraceState: "a=b", Scope: "lib",
			Resource: []seamark.Label{{Name: "cluster", Value: "prod"}}, Attrs: []seamark.Label{{Name: "n", Value: fmt.Sprint(i)}},
			Events: `[{"name":"retry"}]`, Links: `[]`,
		})
		b.Drops = append(b.Drops, seamark.Drop{
			Time: at.AddDate(0, 0, i%9), Cluster: "prod", Token: "key1", Protocol: "loki", Signal: seamark.Logs, Reason: "seamark-line-bytes", Status: 400,
			Requests: 1, Rows: uint64(i), Bytes: 10, Detail: "A line is too long.", Sample: "xxx",
		})
	}
	b.Metadata = append(b.Metadata, seamark.MetricMetadata{Metric: "metric_0", Type: "counter", Help: "What it counts.", Unit: "bytes"})
	b.Events = append(b.Events, seamark.Event{
		Cluster: "prod", UID: "1b4e28ba-2fa1-11d2-883f-0016d3cca427", Namespace: "ns", Kind: "Pod", Object: "p-1", Type: "Warning",
		Reason: "BackOff", Message: "Back-off restarting", Source: "kubelet", Node: "n1", Count: 3, First: base, Last: base.Add(time.Minute),
	}, seamark.Event{Cluster: "prod", UID: "not-a-uuid", Kind: "Node", Object: "n1", Type: "Normal", Reason: "Ready", Count: 1, First: base, Last: base})
	return b
}

// TestInsertStoresEveryValue inserts a random batch and reads every value of every table back.
func TestInsertStoresEveryValue(t *testing.T) {
	ctx, s, r := t.Context(), open(t, 1), testkit.Seed(t)
	b := randomBatch(r, 2000)
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(t, err)
	list := blocks(encoded.Segments, 77)
	for _, block := range list {
		stored, err := s.Verify(ctx, tenantA, block)
		require.NoError(t, err)
		require.False(t, stored)
		require.NoError(t, s.Insert(ctx, tenantA, block))
		stored, err = s.Verify(ctx, tenantA, block)
		require.NoError(t, err)
		require.Equal(t, block.Table.Exact(), stored, "%s", block.Table)
	}
	conn := adminConn(t)
	checkLogs(t, conn, b)
	checkSamples(t, conn, b)
	checkRare(t, conn, b)

	var parts uint64
	require.NoError(t, conn.QueryRow(ctx, "SELECT count() FROM system.parts WHERE database = 't0001' AND table = 'logs' AND level = 0").Scan(&parts))
	require.LessOrEqual(t, parts, uint64(2), "one part for each of the two days")

	var n uint64
	require.NoError(t, conn.QueryRow(ctx, `SELECT count() FROM t0001.series WHERE labels['cluster'] = 'prod' AND kind = 'log'`).Scan(&n))
	require.Equal(t, uint64(14), n, "7 streams on two days")
	var message, uid string
	var cnt uint32
	require.NoError(t, conn.QueryRow(ctx, `SELECT message, toString(uid), cnt FROM t0001.events FINAL WHERE reason = 'BackOff'`).Scan(&message, &uid, &cnt))
	require.Equal(t, "Back-off restarting|1b4e28ba-2fa1-11d2-883f-0016d3cca427|3", fmt.Sprintf("%s|%s|%d", message, uid, cnt))
	var help string
	require.NoError(t, conn.QueryRow(ctx, `SELECT help FROM t0001.metadata WHERE metric = 'metric_0' AND type = 'counter' AND unit = 'bytes'`).Scan(&help))
	require.Equal(t, "What it counts.", help)
}

func checkLogs(t *testing.T, conn driver.Conn, b *seamark.Batch) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT grp, toUnixTimestamp64Nano(ts), fp, level, trace_id, span_id, body, attrs FROM t0001.logs`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	got := map[string]int{}
	for rows.Next() {
		var grp, level, trace, spanID, body string
		var ts int64
		var fp uint64
		attrs := map[string]string{}
		require.NoError(t, rows.Scan(&grp, &ts, &fp, &level, &trace, &spanID, &body, &attrs))
		got[fmt.Sprintln(grp, ts, fp, level, []byte(trace), []byte(spanID), body, attrs)]++
	}
	require.NoError(t, rows.Err())
	l, want := &b.Logs, map[string]int{}
	for i := range l.Len() {
		attrs := map[string]string{}
		for _, a := range l.AttrsOf(i) {
			attrs[a.Name] = a.Value
		}
		st := l.Streams[l.Stream[i]]
		want[fmt.Sprintln(st.Name, l.TimeNano[i], st.FP, l.Level[i], l.TraceID[i][:], l.SpanID[i][:], l.Body[i], attrs)]++
	}
	requireSameRows(t, want, got)
}

func checkSamples(t *testing.T, conn driver.Conn, b *seamark.Batch) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT metric, fp, toUnixTimestamp64Milli(ts), reinterpretAsUInt64(v) FROM t0001.samples`)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	got := map[string]int{}
	for rows.Next() {
		var metric string
		var fp, bits uint64
		var ts int64
		require.NoError(t, rows.Scan(&metric, &fp, &ts, &bits))
		got[fmt.Sprint(metric, fp, ts, bits)]++
	}
	require.NoError(t, rows.Err())
	s, want := &b.Samples, map[string]int{}
	for i := range s.Len() {
		series := s.Series[s.SeriesRef[i]]
		want[fmt.Sprint(series.Name, series.FP, s.TimeMilli[i], math.Float64bits(s.Value[i]))]++
	}
	requireSameRows(t, want, got)
}

// checkRare compares the tables that most tenants have little in.
func checkRare(t *testing.T, conn driver.Conn, b *seamark.Batch) {
	t.Helper()
	want := map[string]int{}
	for i := range b.Histograms.Len() {
		h, series := &b.Histograms, b.Samples.Series[b.Histograms.SeriesRef[i]]
		want[fmt.Sprint("h ", series.Name, series.FP, h.TimeMilli[i], h.Count[i], h.Sum[i], h.Data[i])]++
	}
	for _, x := range b.Exemplars {
		series := b.Samples.Series[x.Series]
		want[fmt.Sprint("x ", series.Name, series.FP, x.TimeMilli, x.Value, []byte(x.TraceID[:]), x.Labels[0].Value)]++
	}
	for _, p := range b.Spans {
		want[fmt.Sprint("s ", p.Service, p.Name, p.TimeNano, p.DurationNano, []byte(p.TraceID[:]), []byte(p.SpanID[:]), []byte(p.ParentID[:]), p.Kind, p.Status,
			p.StatusMessage, p.TraceState, p.Scope, p.Resource[0].Value, p.Attrs[0].Value, p.Events, p.Links)]++
	}
	for _, d := range b.Drops {
		want[fmt.Sprint("d ", d.Time.UnixMilli(), d.Cluster, d.Token, d.Protocol, d.Signal, d.Reason, d.Status, d.Requests, d.Rows, d.Bytes, d.Detail, d.Sample)]++
	}
	got := map[string]int{}
	read := func(sql string, row func(rows driver.Rows) string) {
		rows, err := conn.Query(t.Context(), sql)
		require.NoError(t, err)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			got[row(rows)]++
		}
		require.NoError(t, rows.Err())
	}
	read("SELECT metric, fp, toUnixTimestamp64Milli(ts), cnt, sum, hist FROM t0001.hist_samples", func(rows driver.Rows) string {
		var metric, data string
		var fp uint64
		var ts int64
		var count, sum float64
		require.NoError(t, rows.Scan(&metric, &fp, &ts, &count, &sum, &data))
		return fmt.Sprint("h ", metric, fp, ts, count, sum, data)
	})
	read("SELECT metric, fp, toUnixTimestamp64Milli(ts), v, trace_id, labels['span_id'] FROM t0001.exemplars", func(rows driver.Rows) string {
		var metric, trace, label string
		var fp uint64
		var ts int64
		var v float64
		require.NoError(t, rows.Scan(&metric, &fp, &ts, &v, &trace, &label))
		return fmt.Sprint("x ", metric, fp, ts, v, []byte(trace), label)
	})
	read("SELECT service, name, toUnixTimestamp64Nano(ts), duration, trace_id, span_id, parent_id, kind, status, status_message, trace_state, scope, "+
		"resource['cluster'], attrs['n'], events, links FROM t0001.spans", func(rows driver.Rows) string {
		var service, name, trace, span, parent, kind, status, message, state, scope, cluster, n, events, links string
		var ts int64
		var duration uint64
		require.NoError(t, rows.Scan(&service, &name, &ts, &duration, &trace, &span, &parent, &kind, &status, &message, &state, &scope, &cluster, &n, &events, &links))
		return fmt.Sprint("s ", service, name, ts, duration, []byte(trace), []byte(span), []byte(parent), kind, status, message, state, scope, cluster, n, events, links)
	})
	read("SELECT toUnixTimestamp64Milli(ts), cluster, token, protocol, signal, reason, status, requests, rows, bytes, detail, sample FROM t0001.drops", func(rows driver.Rows) string {
		var cluster, token, protocol, signal, reason, detail, sample string
		var ts int64
		var status uint16
		var requests, n, bytes uint64
		require.NoError(t, rows.Scan(&ts, &cluster, &token, &protocol, &signal, &reason, &status, &requests, &n, &bytes, &detail, &sample))
		return fmt.Sprint("d ", ts, cluster, token, protocol, signal, reason, status, requests, n, bytes, detail, sample)
	})
	requireSameRows(t, want, got)
}

// requireSameRows compares two multisets and shows the first difference only.
func requireSameRows(t *testing.T, want, got map[string]int) {
	t.Helper()
	require.Len(t, got, len(want))
	for row, n := range want {
		require.Equal(t, n, got[row], "row %s", row)
	}
}

// TestInsertJoinsSegments sends many requests' segments as one block, which must become one part.
func TestInsertJoinsSegments(t *testing.T) {
	ctx, s, r := t.Context(), open(t, 2), testkit.Seed(t)
	var all []store.Segment
	var rows int
	for range 40 {
		encoded, err := store.NewEncoder().Encode(randomBatch(r, 1+r.IntN(500)), base)
		require.NoError(t, err)
		for _, seg := range encoded.Segments {
			if seg.Table == store.TableLogs {
				all, rows = append(all, seg), rows+int(seg.Rows)
			}
		}
	}
	list := blocks(all, 78)
	for _, block := range list {
		require.NoError(t, s.Insert(ctx, tenantA, block))
	}
	conn := adminConn(t)
	var n uint64
	var created int64
	require.NoError(t, conn.QueryRow(ctx, "SELECT count() FROM t0002.logs").Scan(&n))
	require.Equal(t, uint64(rows), n)
	require.NoError(t, conn.QueryRow(ctx, "SELECT max(max_block_number) FROM system.parts WHERE database = 't0002' AND table = 'logs'").Scan(&created))
	require.Equal(t, int64(len(list)), created, "each block was written as one part")
}

// TestVerifyRefusesHalfABlock stores fewer rows than the block has and expects the shard to be told.
func TestVerifyRefusesHalfABlock(t *testing.T) {
	ctx, s, r := t.Context(), open(t, 3), testkit.Seed(t)
	encoded, err := store.NewEncoder().Encode(randomBatch(r, 100), base)
	require.NoError(t, err)
	for _, block := range blocks(encoded.Segments, 79) {
		if block.Table != store.TableSamples {
			continue
		}
		require.NoError(t, s.Insert(ctx, tenantA, block))
		block.Segments = append(block.Segments, block.Segments[0])
		_, err := s.Verify(ctx, tenantA, block)
		var doubt *store.DoubtError
		require.True(t, errors.As(err, &doubt), "got %v", err)
	}
}

// TestInsertRejectsDamagedFrames flips a byte, which the frame's checksum must catch on the server; nothing is stored.
func TestInsertRejectsDamagedFrames(t *testing.T) {
	ctx, s, r := t.Context(), open(t, 4), testkit.Seed(t)
	encoded, err := store.NewEncoder().Encode(randomBatch(r, 100), base)
	require.NoError(t, err)
	block := blocks(encoded.Segments, 80)[0]
	block.Segments[0].Payload[len(block.Segments[0].Payload)/2] ^= 0x10
	err = s.Insert(ctx, tenantA, block)
	require.Error(t, err)
	require.True(t, store.Rejected(err), "got %v", err)
}

func TestEnsureTenantRefusesUnknown(t *testing.T) {
	_, err := open(t, 5).EnsureTenant(context.Background(), "01ARZ3NDEKTSV4RRFFQ69G5FXX")
	require.Equal(t, seamark.NotFound, seamark.KindOf(err))
}

func TestFrameRoundTrip(t *testing.T) {
	encoded, err := store.NewEncoder().Encode(randomBatch(testkit.Seed(t), 300), base)
	require.NoError(t, err)
	f := store.Frame{Tenant: tenantA, Cluster: cluster, Signal: seamark.Logs, ReceivedMs: 12345, Segments: encoded.Segments}
	got, err := store.ParseFrame(store.AppendFrame(nil, &f))
	require.NoError(t, err)
	require.Equal(t, f, got)
}

func FuzzParseFrame(f *testing.F) {
	encoded, err := store.NewEncoder().Encode(randomBatch(rand.New(rand.NewPCG(1, 1)), 20), base)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(store.AppendFrame(nil, &store.Frame{Tenant: tenantA, Cluster: cluster, Signal: seamark.Logs, Segments: encoded.Segments}))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := store.ParseFrame(data)
		if err != nil {
			return
		}
		if again := store.AppendFrame(nil, &frame); !bytes.Equal(again, data) {
			t.Fatalf("round trip: got %x want %x", again, data)
		}
	})
}

func BenchmarkEncodeLogs(b *testing.B) { benchmarkEncode(b, true) }

func BenchmarkEncodeSamples(b *testing.B) { benchmarkEncode(b, false) }

func benchmarkEncode(b *testing.B, logs bool) {
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), 2000)
	if logs {
		batch = &seamark.Batch{Logs: batch.Logs}
	} else {
		batch = &seamark.Batch{Samples: batch.Samples}
	}
	e := store.NewEncoder()
	b.ReportAllocs()
	for b.Loop() {
		encoded, err := e.Encode(batch, base)
		if err != nil {
			b.Fatal(err)
		}
		encoded.Ack()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch.Rows()), "ns/row")
}
