package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// manyStreams is a batch of rows of forty streams in four groups, over two hours from base.
func manyStreams(t testing.TB, n int) *seamark.Batch {
	t.Helper()
	r, b := testkit.Seed(t), &seamark.Batch{}
	for i := range 40 {
		b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: r.Uint64(), Name: fmt.Sprint("ns/app-", i%4),
			Labels: []seamark.Label{{Name: "job", Value: "many"}, {Name: "text", Value: fmt.Sprint(i)}}})
	}
	for i := range n {
		b.Logs.Append(&seamark.LogRow{
			Stream: uint32(r.IntN(40)), TimeNano: base.Add(-2*time.Hour).UnixNano() + r.Int64N(int64(2*time.Hour)), Body: fmt.Sprint("line ", i),
		})
	}
	return b
}

// TestLogCountsOfManyStreams counts some of the streams of each group, where the statement does not name the streams that it
// reads, and compares with counting rows one by one: rows of the groups' other streams must not show.
func TestLogCountsOfManyStreams(t *testing.T) {
	s := open(t, 29)
	b := manyStreams(t, 3000)
	insertLogs(t, s, b)
	streams, into, wanted := []store.LogStream{}, []uint64{}, map[uint64]uint64{}
	for i, one := range b.Logs.Streams {
		if i%10 == 9 {
			continue
		}
		streams = append(streams, store.LogStream{FP: one.FP, Group: one.Name})
		into = append(into, streams[i%3].FP)
		wanted[one.FP] = streams[i%3].FP
	}
	start := base.Add(-2 * time.Hour).UnixNano()
	for _, window := range []time.Duration{time.Minute, 150 * time.Second, 7 * time.Minute, 5 * time.Hour} {
		grid := store.LogGrid{First: start + int64(window), Step: int64(2 * time.Minute), Steps: 40, Window: int64(window)}
		from, until := grid.Range()
		for _, q := range []store.LogCountsQuery{{}, {Into: into}, {Into: into, Bytes: true}} {
			q.LogScope, q.Grid = store.LogScope{Streams: streams, Start: from, End: until}, grid
			got, want := map[string]uint64{}, map[string]uint64{}
			_, err := s.LogCounts(t.Context(), tenantA, q, func(c *store.LogCount) error {
				got[fmt.Sprint(c.FP, " ", c.Bucket)] += c.Lines<<32 + c.Bytes
				return nil
			})
			require.NoError(t, err)
			for i, at := range b.Logs.TimeNano {
				fp := b.Logs.Streams[b.Logs.Stream[i]].FP
				target, ok := wanted[fp]
				if !ok || at < from || at >= until {
					continue
				}
				if q.Into == nil {
					target = fp
				}
				key := fmt.Sprint(target, " ", grid.Bucket(at))
				want[key] += 1 << 32
				if q.Bytes {
					want[key] += uint64(len(b.Logs.Body[i]))
				}
			}
			require.Equal(t, want, got, "window %v, into %t, bytes %t", window, q.Into != nil, q.Bytes)
		}
	}
}

// TestLogCountsOfWholeGroups counts all streams of groups together over a long range, where the server needs not tell streams apart,
// and again when one of the groups has a stream that nobody asked for.
func TestLogCountsOfWholeGroups(t *testing.T) {
	s := open(t, 91)
	b := manyStreams(t, 3000)
	insertLogs(t, s, b)
	var q store.LogCountsQuery
	for i, one := range b.Logs.Streams {
		q.Streams = append(q.Streams, store.LogStream{FP: one.FP, Group: one.Name})
		q.Into = append(q.Into, b.Logs.Streams[i%4/2].FP) // two groups each
	}
	q.Grid = store.LogGrid{First: base.UnixNano(), Step: int64(time.Minute), Steps: 1, Window: int64(7 * time.Hour)}
	q.Start, q.End = q.Grid.Range()
	check := func(fewer bool) {
		t.Helper()
		for i, bytes := range []bool{false, true, false} {
			text := ""
			if q.Bytes, q.Filters = bytes, nil; i == 2 {
				text = "ne 1"
				q.Filters = []store.LogFilter{{Op: store.LogContains, Texts: []string{text}}}
			}
			got, want := map[string]uint64{}, map[string]uint64{}
			stats, err := s.LogCounts(t.Context(), tenantA, q, func(c *store.LogCount) error {
				got[fmt.Sprint(c.FP, " ", c.Bucket)] += c.Lines<<32 + c.Bytes
				return nil
			})
			require.NoError(t, err)
			for i, at := range b.Logs.TimeNano {
				if !strings.Contains(b.Logs.Body[i], text) {
					continue
				}
				key := fmt.Sprint(q.Into[b.Logs.Stream[i]], " ", q.Grid.Bucket(at))
				want[key] += 1 << 32
				if bytes {
					want[key] += uint64(len(b.Logs.Body[i]))
				}
			}
			require.Equal(t, want, got)
			if !bytes && text == "" {
				require.Equal(t, fewer, stats.Bytes < 3000*16, "rows of %d bytes are read", stats.Bytes/3000)
			}
		}
	}
	check(true)
	stranger := &seamark.Batch{}
	stranger.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 77, Name: "ns/app-0", Labels: []seamark.Label{{Name: "job", Value: "new"}}})
	stranger.Logs.Append(&seamark.LogRow{TimeNano: base.Add(-time.Hour).UnixNano(), Body: "of nobody's interest"})
	insertLogs(t, s, stranger)
	check(false)
}
