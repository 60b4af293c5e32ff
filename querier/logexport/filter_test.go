package logexport_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexport"
)

// segments is a batch as it is on the bus, by half: the second one's series stand in the first.
func segments(t *testing.T, b *seamark.Batch) (streams []store.LogStream, blocks []*store.LogBlock) {
	t.Helper()
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(t, err)
	for i := range encoded.Segments {
		switch s := &encoded.Segments[i]; s.Table {
		case store.TableSeries:
			found, err := store.DecodeLogStreams(s)
			require.NoError(t, err)
			streams = append(streams, found...)
		case store.TableLogs:
			block, err := store.DecodeLogs(s)
			require.NoError(t, err)
			blocks = append(blocks, block)
		}
	}
	return streams, blocks
}

// TestFilterIsTheQuery runs queries over a batch on its way, and over the same batch in the store: the files are the same.
func TestFilterIsTheQuery(t *testing.T) {
	b := world(3000)
	streams, blocks := segments(t, b)
	e := exporter(t, stored(t, b), nil)
	for _, query := range []string{
		`{app=~".+"}`,
		`{app="app-1"} |= "1"`,
		`{app!="app-1", app=~"app-.*"} !~ "[02468]$"`,
		`{app=~".+"} | detected_level="error"`,
		"{app=`app-1`} |= `1` | regexp `(?P<digit>[0-9])$` | digit != `1` | line_format `{{.digit}} of {{.app}}`",
		`{app=~".+"} | json | __error__="JSONParserErr"`,
		`{app=~".+"} | label_format who="{{.app}}" | drop app`,
		`{app=~".+"} | logfmt | keep app`,
		`{app="none"}`,
	} {
		f, err := logexport.NewFilter(t.Context(), tenant, query)
		require.NoError(t, err, query)
		var rows []logexport.Row
		for _, block := range blocks {
			var selected []store.LogStream
			for _, s := range streams {
				if f.Selects(s.Labels) {
					selected = append(selected, s)
				}
			}
			passed, err := f.Apply(t.Context(), base, selected, block)
			require.NoError(t, err, query)
			require.True(t, slices.IsSortedFunc(passed, func(a, b logexport.Row) int { return int(a.Time - b.Time) }), query)
			rows = append(rows, passed...)
		}
		p := params(logexport.NDJSON)
		p.Query = query
		file, _ := run(t, e, p)
		var text []byte
		for i := range rows {
			text = append(logexport.AppendRow(text, &rows[i]), '\n')
		}
		want, got := sortedLines(file), sortedLines(string(text))
		require.Equal(t, want, got, query)
		if query != `{app="none"}` {
			require.NotEmpty(t, got, query)
		}
	}
}

func sortedLines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		list = append(list, line)
	}
	slices.Sort(list)
	return list
}

// TestFilterParquet lets ClickHouse read a file of rows.
func TestFilterParquet(t *testing.T) {
	row := logexport.Row{
		Time: base.UnixNano(), Line: "a \"line\"\n", Labels: []seamark.Label{{Name: "app", Value: "api"}}, Parsed: []seamark.Label{{Name: "n", Value: "7"}},
	}
	var file bytes.Buffer
	require.NoError(t, logexport.WriteParquet(&file, []logexport.Row{row}))
	require.Equal(t, []record{{base.Format("2006-01-02T15:04:05.000000000Z"), row.Line, `{"app":"api"}`, "{}", `{"n":"7"}`}}, parseParquet(t, file.String()))
}

// TestFilterRefusals tells what a query gets wrong when it is compiled, and not with the first line.
func TestFilterRefusals(t *testing.T) {
	for _, query := range []string{`{`, `rate({app="a"}[1m])`, `{app=~"("}`, `{app="a"} |~ "("`, "{app=`a`} | line_format `{{`"} {
		_, err := logexport.NewFilter(t.Context(), tenant, query)
		require.Equal(t, seamark.Invalid, seamark.KindOf(err), "%s: %v", query, err)
	}
	_, err := logexport.NewFilter(t.Context(), "", `{app="a"}`)
	require.Error(t, err)
}

// TestFilterRepeats gives the same lines again, also where a template asks for the time.
func TestFilterRepeats(t *testing.T) {
	streams, blocks := segments(t, world(100))
	f, err := logexport.NewFilter(t.Context(), tenant, "{app=~`.+`} | line_format `{{ now | unixEpoch }} {{ __line__ }}`")
	require.NoError(t, err)
	first, err := f.Apply(t.Context(), base, streams, blocks[0])
	require.NoError(t, err)
	again, err := f.Apply(t.Context(), base, streams, blocks[0])
	require.NoError(t, err)
	require.Equal(t, first, again)
	later, err := f.Apply(t.Context(), base.Add(time.Hour), streams, blocks[0])
	require.NoError(t, err)
	require.NotEqual(t, first, later)
}
