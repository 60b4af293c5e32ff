package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// base is the scripts' time 0: a minute before midnight, so that scripts cross days; not long ago, or the store's retention takes
// their lines.
var base = time.Now().UTC().Truncate(24 * time.Hour).Add(-time.Minute)

// scriptsNow is what templates of scripts have for now.
var scriptsNow = time.Date(2026, 11, 21, 0, 59, 0, 0, time.UTC)

// databases counts the databases of this test process, so that tests keep apart also when they run again.
var databases atomic.Uint32

// stored puts a batch into a ClickHouse database of its own.
func stored(t testing.TB, b *seamark.Batch) *store.Store {
	t.Helper()
	number := seamark.TenantNumber(databases.Add(1))
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number:         func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		Dial:           engine.DialClickHouse,
		MaxTenantConns: 4, FilterRows: 1, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
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

func format(r *logqlengine.Result) string {
	var lines []string
	for _, s := range r.Streams {
		lines = append(lines, printLabels(s.Labels))
		for _, e := range s.Entries {
			line := "  " + offset(e.Time)
			if r.Categorized {
				line += " metadata" + printLabels(e.Metadata) + " parsed" + printLabels(e.Parsed)
			}
			lines = append(lines, line+" "+strings.ReplaceAll(e.Line, "\n", "⏎"))
		}
	}
	for _, s := range r.Series {
		line := printLabels(s.Labels)
		for _, p := range s.Points {
			line += " " + offset(p.Time) + "=" + strconv.FormatFloat(p.Value, 'g', 12, 64)
		}
		lines = append(lines, line)
	}
	kind := map[logqlengine.Kind]string{logqlengine.Scalar: "scalar"}[r.Kind]
	if kind != "" {
		lines = slices.Insert(lines, 0, kind)
	}
	return strings.Join(lines, "\n")
}

func offset(nanos int64) string {
	return quantity.FormatDuration(time.Duration(nanos - base.UnixNano()))
}

func printLabels(list []seamark.Label) string {
	parts := make([]string, len(list))
	for i, l := range list {
		parts[i] = l.Name + "=" + strconv.Quote(l.Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
