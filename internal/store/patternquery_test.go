package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// patternBatch makes lines with templates over midnight and tells how many each template, level and minute has.
func patternBatch(r *rand.Rand, n int) (*seamark.Batch, map[string]uint64) {
	b, want := &seamark.Batch{}, map[string]uint64{}
	for i := range 4 {
		b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i + 1), Name: fmt.Sprint("ns/app-", i%2)})
	}
	patterns := make([]*seamark.LogPattern, 5)
	for i := range patterns {
		text := fmt.Sprintf("%c took <_>", 'a'+i)
		patterns[i] = &seamark.LogPattern{ID: xxhash.Sum64String(text), Text: text}
	}
	for range n {
		row := seamark.LogRow{
			Stream: uint32(r.IntN(4)), TimeNano: base.Add(time.Duration(r.IntN(240)) * time.Second).UnixNano(), Level: seamark.Level(r.IntN(3)), Body: "0123456789",
		}
		b.Logs.Append(&row)
		p := patterns[r.IntN(len(patterns))]
		b.Logs.Patterns = append(b.Logs.Patterns, p)
		want[fmt.Sprint(p.Text, " ", row.Level, " ", time.Unix(0, row.TimeNano).UTC().Format("15:04"), " ", row.Stream)]++
	}
	return b, want
}

// insertPatterns stores a batch with its counts of templates as the writer does.
func insertPatterns(t *testing.T, s *store.Store, id uint64, e *store.Encoder, b *seamark.Batch) store.Encoded {
	t.Helper()
	encoded, err := e.Encode(b, base)
	require.NoError(t, err)
	segments := encoded.Segments
	for _, p := range encoded.Patterns {
		require.Equal(t, store.TableLogs, encoded.Segments[p.Logs].Table)
		require.Equal(t, encoded.Segments[p.Logs].Day, p.Day)
		segments = append(segments, p.Segment)
	}
	for _, block := range blocks(segments, id) {
		require.NoError(t, s.Insert(t.Context(), tenantA, block))
		if block.Table.Exact() {
			stored, err := s.Verify(t.Context(), tenantA, block)
			require.NoError(t, err)
			require.True(t, stored, "a block in doubt is found by its count")
		}
	}
	return encoded
}

func TestLogPatterns(t *testing.T) {
	s := open(t, 63)
	e := store.NewEncoder()
	whole := seamark.TimeRange{Start: base, End: base.Add(4 * time.Minute)}
	none, err := s.LogPatterns(t.Context(), tenantA, store.PatternsQuery{PatternScope: store.PatternScope{All: true, Range: whole}, Limit: 100})
	require.NoError(t, err)
	require.Empty(t, none, "a tenant without the table has no templates")

	batch, want := patternBatch(rand.New(rand.NewPCG(1, 1)), 3000)
	encoded := insertPatterns(t, s, 1, e, batch)
	encoded.Ack()
	insertPatterns(t, s, 2, e, batch) // texts are told once a day

	count := func(q store.PatternsQuery, in func(key string) bool) {
		t.Helper()
		q.Limit = 100
		list, err := s.LogPatterns(t.Context(), tenantA, q)
		require.NoError(t, err)
		got, expected := map[string]uint64{}, map[string]uint64{}
		for _, p := range list {
			require.Equal(t, xxhash.Sum64String(p.Text), p.ID)
			require.Equal(t, base.Truncate(24*time.Hour), p.FirstDay)
			require.Equal(t, p.Lines*10, p.Bytes)
			sum := uint64(0)
			for _, level := range p.Levels {
				got[p.Text+" "+level.Level] += level.Lines
				sum += level.Lines
			}
			require.Equal(t, p.Lines, sum)
		}
		for key, n := range want {
			if in(key) {
				expected[key[:len(key)-len(" 00:00 0")]] += 2 * n
			}
		}
		require.Equal(t, expected, got)
	}
	count(store.PatternsQuery{PatternScope: store.PatternScope{All: true, Range: whole}}, func(string) bool { return true })
	count(store.PatternsQuery{PatternScope: store.PatternScope{All: true, Range: seamark.TimeRange{Start: base, End: base.Add(time.Minute)}}},
		func(key string) bool { return key[len(key)-7:len(key)-2] == "23:59" })
	count(store.PatternsQuery{PatternScope: store.PatternScope{Streams: []store.LogStream{{FP: 3, Group: "ns/app-0"}}, Range: whole}},
		func(key string) bool { return key[len(key)-1] == '2' })
	count(store.PatternsQuery{PatternScope: store.PatternScope{Range: whole}}, func(string) bool { return false })
}

func TestLogPatternsCompare(t *testing.T) {
	s := open(t, 64)
	batch, want := patternBatch(rand.New(rand.NewPCG(2, 1)), 2000)
	insertPatterns(t, s, 1, store.NewEncoder(), batch)
	list, err := s.LogPatterns(t.Context(), tenantA, store.PatternsQuery{
		PatternScope: store.PatternScope{All: true, Range: seamark.TimeRange{Start: base.Add(3 * time.Minute), End: base.Add(4 * time.Minute)}},
		Before:       seamark.TimeRange{Start: base, End: base.Add(time.Minute)}, Limit: 100,
	})
	require.NoError(t, err)
	var got, before, expected, expectedBefore uint64
	for _, p := range list {
		got, before = got+p.Lines, before+p.Before
		require.Equal(t, base, p.First)
		require.Equal(t, base.Add(3*time.Minute), p.Last)
		require.Equal(t, []string{"ns/app-0", "ns/app-1"}, p.Groups)
	}
	for key, n := range want {
		switch key[len(key)-7 : len(key)-2] {
		case "00:02":
			expected += n
		case "23:59":
			expectedBefore += n
		}
	}
	require.Equal(t, []uint64{expected, expectedBefore}, []uint64{got, before})
}

func TestLogPatternSeries(t *testing.T) {
	s := open(t, 65)
	batch, want := patternBatch(rand.New(rand.NewPCG(3, 1)), 2000)
	insertPatterns(t, s, 1, store.NewEncoder(), batch)
	id := xxhash.Sum64String("a took <_>")
	q := store.PatternSeriesQuery{
		PatternScope: store.PatternScope{All: true, Range: seamark.TimeRange{Start: base, End: base.Add(4 * time.Minute)}}, IDs: []uint64{id}, Step: 2 * time.Minute, Limit: 6,
	}
	points, err := s.LogPatternSeries(t.Context(), tenantA, q)
	require.NoError(t, err)
	got, expected := [2]uint64{}, [2]uint64{}
	for _, p := range points {
		require.Equal(t, id, p.ID)
		got[p.Step] += p.Lines
	}
	for key, n := range want {
		if key[0] != 'a' {
			continue
		}
		if minute := key[len(key)-7 : len(key)-2]; minute == "23:59" || minute == "00:00" {
			expected[0] += n
		} else {
			expected[1] += n
		}
	}
	require.Equal(t, expected, got)

	q.Limit = 5
	_, err = s.LogPatternSeries(t.Context(), tenantA, q)
	require.ErrorContains(t, err, "more than the limit of 5")
}

// TestPatternTexts wants many long texts to come with several batches, each once a day, while counts are complete from the first.
func TestPatternTexts(t *testing.T) {
	s := open(t, 66)
	b := &seamark.Batch{}
	b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 1, Name: "ns/app"})
	for i := range 400 {
		b.Logs.Append(&seamark.LogRow{TimeNano: base.UnixNano(), Body: "x"})
		text := fmt.Sprintf("%d %01000d", i, i)
		b.Logs.Patterns = append(b.Logs.Patterns, &seamark.LogPattern{ID: xxhash.Sum64String(text), Text: text})
	}
	e := store.NewEncoder()
	texts := uint32(0)
	for id := range uint64(2) {
		encoded := insertPatterns(t, s, id+1, e, b)
		encoded.Ack()
		told := encoded.Patterns[0].Rows - 400
		require.Less(t, told, uint32(400))
		texts += told
	}
	require.Equal(t, uint32(400), texts)
	require.Equal(t, uint32(400), insertPatterns(t, s, 3, e, b).Patterns[0].Rows)
	list, err := s.LogPatterns(t.Context(), tenantA, store.PatternsQuery{
		PatternScope: store.PatternScope{All: true, Range: seamark.TimeRange{Start: base, End: base.Add(time.Minute)}}, Limit: 1000,
	})
	require.NoError(t, err)
	require.Len(t, list, 400)
	for _, p := range list {
		require.Equal(t, uint64(3), p.Lines)
		require.NotEmpty(t, p.Text)
	}
}
