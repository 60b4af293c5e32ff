package loki_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/loki"
)

var update = flag.Bool("update", false, "rewrite testdata/*.json")

func results() map[string]*engine.Result {
	const at = int64(1_790_000_000_123_456_789)
	stats := engine.Stats{Lines: 1000, Bytes: 250_000, Entries: 2, Seconds: 0.5, Queued: 250 * time.Millisecond, CPUMillis: 7, CacheBytes: 4096}
	app := []seamark.Label{{Name: "app", Value: "api"}, {Name: "ns", Value: `qu"o\te`}}
	entries := []engine.Entry{
		{Time: at, Line: "a \"line\"\twith\n\\ \x01 ünï 世界 \xff", Metadata: app[:1], Parsed: app[1:]},
		{Time: at - 1, Line: ""},
	}
	points := []engine.Point{{Time: 1_790_000_000e9, Value: 1}, {Time: at, Value: 0.1}, {Time: at, Value: math.Inf(1)}, {Time: at, Value: math.Inf(-1)}, {Time: at, Value: math.NaN()}, {Time: 5e6, Value: 1e21}}
	return map[string]*engine.Result{
		"streams":       {Kind: engine.Streams, Streams: []engine.Stream{{Labels: app, Entries: entries}, {Entries: entries[1:]}}, Stats: stats},
		"categorized":   {Kind: engine.Streams, Streams: []engine.Stream{{Labels: app, Entries: entries}}, Stats: stats, Categorized: true},
		"matrix":        {Kind: engine.Matrix, Series: []engine.Series{{Labels: app, Points: points}, {Points: points[:1]}}, Stats: stats},
		"vector":        {Kind: engine.Vector, Series: []engine.Series{{Labels: app, Points: points[:1]}, {Points: points[1:2]}}},
		"scalar":        {Kind: engine.Scalar, Series: []engine.Series{{Points: points[:1]}}},
		"empty-streams": {Kind: engine.Streams},
		"empty-vector":  {Kind: engine.Vector},
	}
}

func TestWriteGolden(t *testing.T) {
	for name, r := range results() {
		var got bytes.Buffer
		require.NoError(t, loki.Write(&got, r))
		require.True(t, json.Valid(got.Bytes()), "%s", got.String())
		path := filepath.Join("testdata", name+".json")
		if *update {
			require.NoError(t, os.MkdirAll("testdata", 0o755))
			require.NoError(t, os.WriteFile(path, got.Bytes(), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got.String(), name)
	}
}

// FuzzWriteString checks that any line comes out as the JSON string that decodes to it.
func FuzzWriteString(f *testing.F) {
	f.Add("plain")
	f.Add("\x00\x1f\"\\/\u2028\xff\xc3")
	f.Fuzz(func(t *testing.T, line string) {
		var got bytes.Buffer
		r := &engine.Result{Kind: engine.Streams, Streams: []engine.Stream{{Entries: []engine.Entry{{Line: line}}}}}
		require.NoError(t, loki.Write(&got, r))
		var envelope struct {
			Data struct {
				Result []struct{ Values [][2]string }
			}
		}
		require.NoError(t, json.Unmarshal(got.Bytes(), &envelope), "%s", got.String())
		require.Equal(t, string([]rune(line)), envelope.Data.Result[0].Values[0][1])
	})
}

type brokenWriter struct{ left int }

var errBroken = errors.New("broken pipe")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left--; w.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// TestWriteStops checks that a large result is written in parts, and that the first failure is returned.
func TestWriteStops(t *testing.T) {
	entries := make([]engine.Entry, 5000)
	for i := range entries {
		entries[i].Line = strings.Repeat("x", 100)
	}
	r := &engine.Result{Kind: engine.Streams, Streams: []engine.Stream{{Entries: entries}}}
	require.ErrorIs(t, loki.Write(&brokenWriter{left: 3}, r), errBroken)
	require.NoError(t, loki.Write(&brokenWriter{left: 100}, r))
}

func BenchmarkWriteStreams(b *testing.B) {
	entries := make([]engine.Entry, 5000)
	for i := range entries {
		entries[i] = engine.Entry{Time: 1_790_000_000_000_000_000, Line: `{"level":"info","msg":"` + strings.Repeat("request served ", 12) + `"}`}
	}
	r := &engine.Result{Kind: engine.Streams, Streams: []engine.Stream{{Labels: []seamark.Label{{Name: "app", Value: "api"}}, Entries: entries}}}
	var out bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := loki.Write(&out, r); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(out.Len()))
}
