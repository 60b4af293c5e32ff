package engine_test

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
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
	"github.com/seamarkhq/seamark/querier/logql"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var update = flag.Bool("update", false, "rewrite the expected results of testdata/*.test")

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// base is the scripts' time 0: a minute before midnight, so that scripts cross days.
var base = time.Date(2026, 11, 20, 23, 59, 0, 0, time.UTC)

// TestScripts runs testdata/*.test over the in-memory twin and over ClickHouse. A script is blocks between empty lines:
//
//	stream {app="a"} ns/a         a stream, its group, and its lines: time, what the line carries, the line
//	  5s error k=v `text`
//
//	logs 0s 60s limit=10 forward  a log query over a range
//	range 0s 60s 10s              a metric query over a range, in steps
//	at 60s                        a metric query at an instant
//	query
//	----
//	expected result
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.test")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")
		batch := loadBlocks(t, blocks)
		storages := map[string]logqlengine.Storage{"memory": memory{t, batch}, "clickhouse": stored(t, batch)}
		for name, storage := range storages {
			t.Run(filepath.Base(file)+"/"+name, func(t *testing.T) {
				e, err := logqlengine.New(logqlengine.Options{Storage: storage, MaxSeries: 20, MaxEntries: 5000, MaxSteps: 1000})
				require.NoError(t, err)
				for i, block := range blocks {
					runBlock(t, e, blocks, i, block)
				}
			})
		}
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(blocks, "\n\n")+"\n"), 0o600))
		}
	}
}

func runBlock(t *testing.T, e *logqlengine.Engine, blocks []string, i int, block string) {
	t.Helper()
	head, want, found := strings.Cut(block, "\n----")
	if !found {
		return
	}
	want = strings.TrimPrefix(want, "\n")
	lines := strings.Split(head, "\n")
	for strings.HasPrefix(lines[0], "#") {
		lines = lines[1:]
	}
	p := parseCommand(t, lines[0])
	p.Query = strings.Join(lines[1:], "\n")
	result, err := e.Query(t.Context(), tenant, p)
	got := ""
	if err != nil {
		got = fmt.Sprintf("error %s: %v", seamark.KindOf(err), err)
	} else {
		got = format(result)
	}
	if *update {
		blocks[i] = strings.TrimSuffix(head+"\n----\n"+got, "\n")
		return
	}
	if got != want {
		t.Errorf("%s\n got:\n%s\nwant:\n%s", head, got, want)
	}
}

func parseCommand(t *testing.T, line string) logqlengine.Params {
	t.Helper()
	words := strings.Fields(line)
	at := func(s string) time.Time {
		d, err := quantity.ParseDuration(s)
		require.NoError(t, err, line)
		return base.Add(d)
	}
	var p logqlengine.Params
	switch words[0] {
	case "at":
		p.Start, p.End = at(words[1]), at(words[1])
		return p
	case "range":
		p.Start, p.End, p.Step = at(words[1]), at(words[2]), at(words[3]).Sub(base)
		return p
	}
	require.Equal(t, "logs", words[0], line)
	p.Start, p.End = at(words[1]), at(words[2])
	for _, w := range words[3:] {
		switch key, value, _ := strings.Cut(w, "="); key {
		case "limit":
			var err error
			p.Limit, err = strconv.Atoi(value)
			require.NoError(t, err, line)
		case "forward":
			p.Forward = true
		case "categorize":
			p.Categorize = true
		default:
			t.Fatalf("word %q of %q", w, line)
		}
	}
	return p
}

var streamHead = regexp.MustCompile(`^stream (\{.*\}) (\S+)$`)

// loadBlocks reads the stream blocks of a script.
func loadBlocks(t *testing.T, blocks []string) *seamark.Batch {
	t.Helper()
	b := &seamark.Batch{}
	for _, block := range blocks {
		lines := strings.Split(block, "\n")
		m := streamHead.FindStringSubmatch(lines[0])
		if m == nil {
			continue
		}
		matchers, err := logql.ParseMatchers(m[1])
		require.NoError(t, err)
		s := &seamark.Series{Kind: seamark.LogStream, Name: m[2]}
		hash := fnv.New64a()
		for _, m := range matchers {
			s.Labels = append(s.Labels, seamark.Label{Name: m.Name, Value: m.Value})
		}
		seamark.SortLabels(s.Labels)
		_, err = fmt.Fprint(hash, s.Labels)
		require.NoError(t, err)
		s.FP = hash.Sum64()
		ref := b.Logs.AddStream(s)
		for _, line := range lines[1:] {
			loadLine(t, b, ref, line)
		}
	}
	return b
}

func loadLine(t *testing.T, b *seamark.Batch, ref uint32, line string) {
	t.Helper()
	meta, rest, found := strings.Cut(line, "`")
	require.True(t, found, line)
	words := strings.Fields(meta)
	at, err := quantity.ParseDuration(words[0])
	require.NoError(t, err, line)
	row := seamark.LogRow{Stream: ref, TimeNano: base.Add(at).UnixNano(), Body: strings.ReplaceAll(strings.TrimSuffix(rest, "`"), "⏎", "\n")}
	for _, w := range words[1:] {
		key, value, pair := strings.Cut(w, "=")
		switch {
		case !pair:
			row.Level = seamark.ParseLevel(w)
		case key == "trace":
			_, err = hex.Decode(row.TraceID[:], []byte(value))
		case key == "span":
			_, err = hex.Decode(row.SpanID[:], []byte(value))
		default:
			row.Attrs = append(row.Attrs, seamark.Label{Name: key, Value: value})
		}
		require.NoError(t, err, line)
	}
	b.Logs.Append(&row)
}

// databases counts the databases of this test process, so that tests keep apart also when they run again.
var databases atomic.Uint32

// stored puts a batch into a ClickHouse database of its own.
func stored(t testing.TB, b *seamark.Batch) *store.Store {
	t.Helper()
	number := seamark.TenantNumber(databases.Add(1))
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
		TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		Number:         func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		Dial:           engine.DialClickHouse,
		MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
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
