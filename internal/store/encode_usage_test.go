package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func usageLine(at time.Time, kind seamark.UsageKind, signal seamark.Signal, n uint64) seamark.Usage {
	return seamark.Usage{
		UsageKey: seamark.UsageKey{
			Hour: seamark.HourOf(at), Day: int32(at.Unix() / 86400), Kind: kind, Signal: signal, Cluster: "prod", Source: "loki",
		},
		UsageCounts: seamark.UsageCounts{Requests: n, Rows: 10 * n, Bytes: 100 * n, WireBytes: 30 * n, Micros: 7 * n},
	}
}

// TestFrameCarriesUsage sends lines with and without rows, and gets them back beside the rows.
func TestFrameCarriesUsage(t *testing.T) {
	rows := []store.Segment{{Table: store.TableLogs, Columns: 8, Day: 20000, Rows: 3, Payload: []byte("payload")}}
	lines := []seamark.Usage{usageLine(base, seamark.UsageIngest, seamark.Logs, 1), usageLine(base, seamark.UsageQuery, 0, 1<<40)}
	lines[1].Cluster, lines[1].Actor = "", "anna@example.com"
	for _, f := range []store.Frame{
		{Segments: rows, Usage: lines}, {Segments: []store.Segment{}, Usage: lines}, {Segments: rows},
	} {
		f.Tenant, f.Cluster, f.Signal, f.ReceivedMs = tenantA, cluster, seamark.Logs, 7
		got, err := store.ParseFrame(store.AppendFrame(nil, &f))
		require.NoError(t, err)
		require.Equal(t, f, got)
	}
}

// TestFrameRefusesBrokenUsage changes each byte of the lines and cuts them anywhere: what is read is refused or is lines, and never
// more than there are.
func TestFrameRefusesBrokenUsage(t *testing.T) {
	f := store.Frame{Tenant: tenantA, Cluster: cluster, Signal: seamark.Logs, Usage: []seamark.Usage{usageLine(base, seamark.UsageIngest, seamark.Logs, 5)}}
	whole := store.AppendFrame(nil, &f)
	empty := len(store.AppendFrame(nil, &store.Frame{Tenant: tenantA, Cluster: cluster, Signal: seamark.Logs}))
	const head = 14 // of the segment, which other tests break
	for i := empty + head; i < len(whole); i++ {
		broken := slices.Clone(whole)
		broken[i] ^= 0xff
		if got, err := store.ParseFrame(broken); err == nil {
			require.Len(t, got.Usage, 1, "byte %d", i)
		}
		_, err := store.ParseFrame(whole[:i])
		require.Error(t, err, "cut at %d", i)
	}
}

// TestUsageTallyIsTheSameForTheSameLines adds lines in another order: the segments must be equal, since a batch that is built again
// after a crash is compared with its intent.
func TestUsageTallyIsTheSameForTheSameLines(t *testing.T) {
	var lines []seamark.Usage
	for i := range 40 {
		at := base.Add(time.Duration(i%3) * 5 * 24 * time.Hour)
		u := usageLine(at, seamark.UsageIngest, seamark.Signal(1+i%4), uint64(i))
		u.Cluster = []string{"prod", "dev"}[i%2]
		lines = append(lines, u)
	}
	segments := func() []store.Segment {
		var tally store.UsageTally
		for i := range lines {
			tally.Add(tenantA, &lines[i])
		}
		return tally.Segments()
	}
	first := segments()
	slices.Reverse(lines)
	require.Equal(t, first, segments())
	rows := uint32(0)
	for _, s := range first {
		require.Equal(t, store.TableUsage, s.Table)
		require.Equal(t, int32(4), s.Day%7, "a Monday") // 1970-01-05 was one
		rows += s.Rows
	}
	require.Equal(t, uint32(12), rows, "lines with one key are one row")
	require.Greater(t, len(first), 1, "one segment per week")
}

func TestCountUsageTellsRowsOfSignalsAndDays(t *testing.T) {
	like := seamark.UsageKey{Kind: seamark.UsageIngest, Hour: 5, Cluster: "prod", Source: "otlp"}
	segments := []store.Segment{
		{Table: store.TableSeries, Day: 10, Rows: 9}, {Table: store.TableLogs, Day: 10, Rows: 1}, {Table: store.TableLogs, Day: 11, Rows: 2},
		{Table: store.TableSamples, Day: 10, Rows: 3}, {Table: store.TableHistograms, Day: 10, Rows: 4}, {Table: store.TableLogs, Day: 10, Rows: 5},
		{Table: store.TableExemplars, Day: 10, Rows: 6}, {Table: store.TableMetadata, Rows: 7}, {Table: store.TableSpans, Day: -3, Rows: 8},
	}
	line := func(signal seamark.Signal, day int32, rows uint64) seamark.Usage {
		key := like
		key.Signal, key.Day = signal, day
		return seamark.Usage{UsageKey: key, UsageCounts: seamark.UsageCounts{Rows: rows}}
	}
	require.Equal(t, []seamark.Usage{
		line(seamark.Logs, 10, 6), line(seamark.Logs, 11, 2), line(seamark.Metrics, 10, 7), line(seamark.Traces, 0, 8),
	}, store.CountUsage(nil, segments, like))
}

func BenchmarkFrameUsage(b *testing.B) {
	rows := []store.Segment{{Table: store.TableLogs, Columns: 8, Day: 20000, Rows: 1000, Payload: make([]byte, 20<<10)}}
	key := seamark.UsageKey{Kind: seamark.UsageIngest, Hour: 500000, Cluster: "prod", Source: "otlp"}
	for _, metered := range []bool{false, true} {
		b.Run(map[bool]string{false: "bare", true: "metered"}[metered], func(b *testing.B) {
			var buf []byte
			room := make([]seamark.Usage, 0, 4)
			f := store.Frame{Tenant: tenantA, Cluster: cluster, Signal: seamark.Logs, Segments: rows}
			b.ReportAllocs()
			for b.Loop() {
				if metered {
					f.Usage = store.CountUsage(room[:0], rows, key)
				}
				buf = store.AppendFrame(buf[:0], &f)
			}
		})
	}
}
