package promql_test

import (
	"context"
	"errors"
	"log/slog"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/promql"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// newEngine returns an engine over s whose limits no test meets by chance.
func newEngine(t testing.TB, s promql.Store, change ...func(*promql.Options)) *promql.Engine {
	t.Helper()
	o := promql.Options{
		Store: s, MaxSeries: 100_000, MaxSamples: 50_000_000, Timeout: time.Minute,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	}
	for _, c := range change {
		c(&o)
	}
	e, err := promql.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

// scriptStorage is what Prometheus' test scripts load into and read from. Floats and native histograms go to our storage. Samples
// with start timestamps, which we do not store, go to Prometheus' own, so that the rest of the same scripts is still ours.
type scriptStorage struct {
	storage.Storage // Prometheus' own, with histograms and samples with start timestamps
	floats          storage.Queryable
	write           func([]float) error
}

type float struct {
	labels labels.Labels
	at     int64
	value  float64
	data   string // of a native histogram, else ""
}

func newScriptStorage(t testing.TB, floats storage.Queryable, write func([]float) error) *scriptStorage {
	return &scriptStorage{floats: floats, write: write, Storage: teststorage.New(t, func(o *tsdb.Options) {
		o.EnableSTStorage, o.FloatChunkEncoding, o.EnableHistogramSTEncoding = true, chunkenc.EncXOR2, true
	})}
}

func (s *scriptStorage) Querier(mint, maxt int64) (storage.Querier, error) {
	ours, err := s.floats.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	theirs, err := s.Storage.Querier(mint, maxt)
	return storage.NewMergeQuerier([]storage.Querier{ours, theirs}, nil, storage.ChainedSeriesMerge), err
}

func (s *scriptStorage) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return &scriptAppender{AppenderV2: s.Storage.AppenderV2(ctx), write: s.write}
}

type scriptAppender struct {
	storage.AppenderV2
	floats []float
	write  func([]float) error
}

func (a *scriptAppender) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AppendV2Options) (storage.SeriesRef, error) {
	if st != 0 {
		return a.AppenderV2.Append(ref, ls, st, t, v, h, fh, opts)
	}
	var message prompb.Histogram
	switch {
	case h != nil:
		message = prompb.FromIntHistogram(0, h)
	case fh != nil:
		message = prompb.FromFloatHistogram(0, fh)
	default:
		a.floats = append(a.floats, float{ls, t, v, ""})
		return 1, nil
	}
	data, err := message.Marshal()
	a.floats = append(a.floats, float{ls, t, 0, string(data)})
	return 1, err
}

func (a *scriptAppender) Commit() error {
	return errors.Join(a.AppenderV2.Commit(), a.write(a.floats))
}

// TestBuiltinScripts runs every script of Prometheus' own suite over the store's twin.
func TestBuiltinScripts(t *testing.T) {
	e := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	promqltest.RunBuiltinTestsWithStorage(t, e, func(t testing.TB) storage.Storage {
		w := newTwin()
		return newScriptStorage(t, newEngine(t, w).Queryable(tenantA), func(list []float) error {
			for _, f := range list {
				if f.data != "" {
					w.addHistogram(f.labels, f.at, f.data)
				} else {
					w.add(f.labels, f.at, f.value)
				}
			}
			return nil
		})
	})
}

// realScripts run over ClickHouse too: those about selecting and about time. The others add evaluations, not ways of reading.
var realScripts = []string{
	"collision.test", "limit.test", "literals.test", "name_label_dropping.test", "range_queries.test", "selectors.test", "staleness.test", "subquery.test",
}

// onlyReal hides the scripts that are not in the list from the suite's runner.
type onlyReal struct{ *testing.T }

func (r onlyReal) Run(name string, f func(*testing.T)) bool {
	return !slices.Contains(realScripts, path.Base(name)) || r.T.Run(name, f)
}

// TestBuiltinScriptsOnClickHouse runs scripts of Prometheus' suite over ClickHouse. Scripts begin at 1970, which the tables'
// retention would drop, so their times are moved to yesterday.
func TestBuiltinScriptsOnClickHouse(t *testing.T) {
	s, conn := openStore(t, 1), adminConn(t)
	_, err := s.EnsureTenant(t.Context(), tenantA)
	require.NoError(t, err)
	shift := time.Now().UTC().Truncate(24*time.Hour).UnixMilli() - 5*dayMilli
	ours := newEngine(t, s).Queryable(tenantA)
	batch := uint64(0)
	e := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	promqltest.RunBuiltinTestsWithStorage(onlyReal{t}, e, func(t testing.TB) storage.Storage {
		for _, table := range []string{"series", "samples", "hist_samples"} {
			require.NoError(t, conn.Exec(context.Background(), "TRUNCATE TABLE IF EXISTS t0001."+table))
		}
		return newScriptStorage(t, &shifted{ours, shift}, func(list []float) error {
			batch++
			return insertFloats(context.Background(), s, batch, shift, list)
		})
	})
}

// insertFloats stores samples as ingest and the writer do.
func insertFloats(ctx context.Context, s *store.Store, batchID uint64, shift int64, list []float) error {
	b, refs := &seamark.Batch{}, map[uint64]uint32{}
	for _, f := range list {
		ref, ok := refs[f.labels.Hash()]
		if !ok {
			one := &seamark.Series{Kind: seamark.MetricSeries, FP: f.labels.Hash(), Name: f.labels.Get(seamark.MetricNameLabel)}
			f.labels.Range(func(l labels.Label) { one.Labels = append(one.Labels, seamark.Label{Name: l.Name, Value: l.Value}) })
			ref = b.Samples.AddSeries(one)
			refs[one.FP] = ref
		}
		if f.data != "" {
			b.Histograms.Append(&seamark.HistogramRow{Series: ref, TimeMilli: f.at + shift, Data: f.data})
			continue
		}
		b.Samples.Append(ref, f.at+shift, f.value)
	}
	encoded, err := store.NewEncoder().Encode(b, time.Now())
	if err != nil {
		return err
	}
	for _, seg := range encoded.Segments {
		block := &store.Block{Table: seg.Table, Day: seg.Day, BatchID: batchID, Segments: []store.Segment{seg}}
		if err := s.Insert(ctx, tenantA, block); err != nil {
			return err
		}
		batchID += 1 << 32
	}
	return nil
}

// openStore returns a store whose one tenant has the given number, so that tests keep apart.
func openStore(t testing.TB, number seamark.TenantNumber) *store.Store {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number:         func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func adminConn(t testing.TB) driver.Conn {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, _ := ch.Addrs()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{tcp}, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// shifted moves a storage in time: what it holds at by+t is seen at t.
type shifted struct {
	storage.Queryable
	by int64
}

func (s *shifted) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := s.Queryable.Querier(mint+s.by, maxt+s.by)
	return &shiftedQuerier{q, s.by}, err
}

type shiftedQuerier struct {
	storage.Querier
	by int64
}

func (q *shiftedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if hints != nil {
		moved := *hints
		moved.Start, moved.End = hints.Start+q.by, hints.End+q.by
		hints = &moved
	}
	return &shiftedSet{q.Querier.Select(ctx, sorted, hints, matchers...), q.by}
}

type shiftedSet struct {
	storage.SeriesSet
	by int64
}

func (s *shiftedSet) At() storage.Series { return &shiftedSeries{s.SeriesSet.At(), s.by} }

type shiftedSeries struct {
	storage.Series
	by int64
}

func (s *shiftedSeries) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return &shiftedIterator{s.Series.Iterator(nil), s.by}
}

type shiftedIterator struct {
	chunkenc.Iterator
	by int64
}

func (it *shiftedIterator) Seek(t int64) chunkenc.ValueType { return it.Iterator.Seek(t + it.by) }

func (it *shiftedIterator) At() (int64, float64) {
	t, v := it.Iterator.At()
	return t - it.by, v
}

func (it *shiftedIterator) AtHistogram(reuse *histogram.Histogram) (int64, *histogram.Histogram) {
	t, h := it.Iterator.AtHistogram(reuse)
	return t - it.by, h
}

func (it *shiftedIterator) AtFloatHistogram(reuse *histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	t, h := it.Iterator.AtFloatHistogram(reuse)
	return t - it.by, h
}

func (it *shiftedIterator) AtT() int64 { return it.Iterator.AtT() - it.by }
