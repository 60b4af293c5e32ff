package store_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
)

// TestDump writes every row of a tenant once, as JSON that reads back.
func TestDump(t *testing.T) {
	s := open(t, 107)
	encoded, err := store.NewEncoder().Encode(randomBatch(rand.New(rand.NewPCG(3, 4)), 300), base)
	require.NoError(t, err)
	stored := map[string]uint64{}
	for _, b := range blocks(encoded.Segments, 1<<8) {
		require.NoError(t, s.Insert(t.Context(), tenantA, b))
		stored[b.Table.String()] += b.Rows()
	}
	parts, err := s.DumpParts(t.Context(), tenantA)
	require.NoError(t, err)
	require.Equal(t, store.TableSeries, parts[0].Table, "who reads the rows needs the label sets")
	dumped := map[string]uint64{}
	for _, part := range parts {
		again, err := store.ParseDumpPart(part.String())
		require.NoError(t, err)
		require.Equal(t, part, again)
		var out bytes.Buffer
		rows, err := s.Dump(t.Context(), tenantA, part, &out)
		require.NoError(t, err, part.String())
		dumped[part.Table.String()] += rows
		lines := bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
		require.Len(t, lines, int(rows))
		for _, line := range lines {
			var doc map[string]any
			require.NoError(t, json.Unmarshal(line, &doc), "%s", line)
			require.NotContains(t, doc, "_b")
			require.NotEmpty(t, doc)
		}
	}
	for _, table := range []string{"logs", "samples", "series", "hist_samples"} {
		require.Equal(t, stored[table], dumped[table], table)
	}
	_, err = store.ParseDumpPart("drops/2026-11-20")
	require.Error(t, err)
	rows, err := s.Dump(t.Context(), tenantA, store.DumpPart{Table: store.TableLogs, Day: time.Unix(0, 0).UTC()}, &bytes.Buffer{})
	require.NoError(t, err)
	require.Zero(t, rows)
}
