package logexport_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
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
	"github.com/seamarkhq/seamark/querier/logexport"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// base is a minute before midnight, so that lines cross days; not long ago, or the store's retention takes them.
var base = time.Now().UTC().Truncate(24 * time.Hour).Add(-time.Minute)

// databases counts the databases of this test process, so that tests keep apart also when they run again.
var databases atomic.Uint32

// stored puts a batch into a ClickHouse database of its own.
func stored(t *testing.T, b *seamark.Batch) *store.Store {
	t.Helper()
	number := seamark.TenantNumber(databases.Add(1))
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		Dial:   engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(t, err)
	blocks := map[string]*store.Block{}
	for _, seg := range encoded.Segments {
		key := fmt.Sprint(seg.Table, seg.Day)
		if blocks[key] == nil {
			blocks[key] = &store.Block{Table: seg.Table, Day: seg.Day, BatchID: 1}
		}
		blocks[key].Segments = append(blocks[key].Segments, seg)
	}
	for _, block := range blocks {
		require.NoError(t, s.Insert(context.Background(), tenant, block))
	}
	return s
}

func exporter(t *testing.T, s *store.Store, change func(*logexport.Limits)) *logexport.Exporter {
	t.Helper()
	limits := logexport.DefaultLimits()
	if change != nil {
		change(&limits)
	}
	e, err := logexport.New(logexport.Options{Storage: s, Limits: limits, Now: time.Now})
	require.NoError(t, err)
	return e
}

// admin returns a connection that may do everything.
func admin(t *testing.T) driver.Conn {
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

// hostile texts mean something to JSON, CSV or Parquet.
var hostile = []string{
	"", "plain", "it's", `"quoted"`, `back\slash`, "tab\tnew\nline\rnul\x00end", "a,b", "ünï 世界", "\u2028", `{"a":1}`, " leading", "trailing ", "cr\r\nlf", `\.`, "\x7f\x1b[0m",
}

// world is lines over a day's end: most in one second, some of them at one nanosecond.
func world(n int) *seamark.Batch {
	b := &seamark.Batch{}
	for i := range 5 {
		b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i+1) << 40, Name: fmt.Sprint("ns/", i%2), Labels: []seamark.Label{
			{Name: "app", Value: fmt.Sprint("app-", i)}, {Name: "quote", Value: `"` + hostile[i+3]},
		}})
	}
	for i := range n {
		at := base.Add(30 * time.Second).UnixNano()
		switch {
		case i%3 == 0:
			at += int64(i) * 7919 % int64(time.Second)
		case i%3 == 1:
			at = base.Add(time.Duration(i%97) * 2 * time.Second).UnixNano()
		}
		row := seamark.LogRow{Stream: uint32(i % 5), TimeNano: at, Level: seamark.Level(i % 7), Body: fmt.Sprint(hostile[i%len(hostile)], i)}
		if i%4 == 0 {
			row.Attrs = []seamark.Label{{Name: "said", Value: hostile[i%len(hostile)] + "!"}}
		}
		b.Logs.Append(&row)
	}
	return b
}
