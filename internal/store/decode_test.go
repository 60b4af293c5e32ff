package store_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	ourlz4 "github.com/seamarkhq/seamark/internal/store/lz4"
)

// decodeBatch has log lines of some streams, among them empty ones and one larger than a segment, and a metric's series.
func decodeBatch(rows int) *seamark.Batch {
	b := &seamark.Batch{}
	var refs []uint32
	for i := range 300 {
		refs = append(refs, b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i) << 40, Name: fmt.Sprint("ns/", i%7),
			Labels: []seamark.Label{{Name: "app", Value: fmt.Sprint("app", i)}, {Name: "text", Value: hostile[i%len(hostile)]}}}))
	}
	for i := range rows {
		row := seamark.LogRow{Stream: refs[i%len(refs)], TimeNano: base.UnixNano() + int64(i), Body: fmt.Sprint(i, hostile[i%len(hostile)]), Level: seamark.Level(i % 7)}
		if i%3 == 0 {
			row.TraceID, row.SpanID = [16]byte{1, byte(i)}, [8]byte{2, byte(i)}
			row.Attrs = []seamark.Label{{Name: "a" + fmt.Sprint(i), Value: hostile[i%len(hostile)]}, {Name: "b", Value: ""}}
		}
		if i == 5 {
			row.Body = strings.Repeat("long ", 1<<20)
		}
		b.Logs.Append(&row)
	}
	b.Samples.Series = append(b.Samples.Series, &seamark.Series{Kind: seamark.MetricSeries, FP: 7, Name: "up", Labels: []seamark.Label{{Name: "__name__", Value: "up"}}})
	b.Samples.SeriesRef, b.Samples.TimeMilli, b.Samples.Value = []uint32{0}, []int64{base.UnixMilli()}, []float64{1}
	return b
}

// TestDecodeLogs reads what the encoder wrote.
func TestDecodeLogs(t *testing.T) {
	for _, rows := range []int{1, 7, 700} {
		b := decodeBatch(rows)
		encoded, err := store.NewEncoder().Encode(b, base)
		require.NoError(t, err)
		row, streams := 0, map[uint64]store.LogStream{}
		for i := range encoded.Segments {
			segment := &encoded.Segments[i]
			switch segment.Table {
			case store.TableSeries:
				found, err := store.DecodeLogStreams(segment)
				require.NoError(t, err)
				for _, s := range found {
					streams[s.FP] = s
				}
			case store.TableLogs:
				got, err := store.DecodeLogs(segment)
				require.NoError(t, err)
				require.Equal(t, int(segment.Rows), got.Len())
				for k := range got.Len() {
					l := &b.Logs
					want := []any{l.TimeNano[row], l.Streams[l.Stream[row]].FP, l.Body[row], l.Level[row], l.TraceID[row], l.SpanID[row], len(l.AttrsOf(row))}
					have := []any{got.Time[k], got.FP[k], got.Body[k], got.Level[k], got.TraceID[k], got.SpanID[k], len(got.AttrsOf(k))}
					if diff := cmp.Diff(want, have); diff != "" {
						t.Fatalf("row %d (-want +got):\n%s", row, diff)
					}
					if len(l.AttrsOf(row)) > 0 {
						require.Equal(t, l.AttrsOf(row), got.AttrsOf(k), "row %d", row)
					}
					row++
				}
			}
		}
		require.Equal(t, rows, row)
		require.Len(t, streams, min(rows, 300), "the metric is no stream")
		for _, s := range b.Logs.Streams[:min(rows, 300)] {
			require.Equal(t, store.LogStream{FP: s.FP, Group: s.Name, Labels: s.Labels}, streams[s.FP])
		}
	}
}

func TestDecodeRefusesOtherTables(t *testing.T) {
	_, err := store.DecodeLogs(&store.Segment{Table: store.TableSamples})
	require.Error(t, err)
	_, err = store.DecodeLogStreams(&store.Segment{Table: store.TableLogs})
	require.Error(t, err)
}

// FuzzDecode reads segments that nobody wrote: an error, or blocks whose columns have as many rows as the segment says. The
// fuzzer changes what the frames hold, or else the frames.
func FuzzDecode(f *testing.F) {
	encoded, err := store.NewEncoder().Encode(decodeBatch(4), time.Unix(0, 0))
	require.NoError(f, err)
	for _, s := range encoded.Segments {
		f.Add(uint8(s.Table), s.Rows, s.Payload, false)
		f.Add(uint8(s.Table), s.Rows, unframe(f, s.Payload), true)
	}
	f.Fuzz(func(t *testing.T, table uint8, rows uint32, payload []byte, raw bool) {
		if raw {
			payload = frame(t, payload)
		}
		s := &store.Segment{Table: store.Table(table), Rows: rows, Payload: payload}
		if b, err := store.DecodeLogs(s); err == nil {
			for i := range b.Len() {
				_ = b.AttrsOf(i)
			}
			for _, n := range []int{len(b.Time), len(b.FP), len(b.Body), len(b.Level), len(b.TraceID), len(b.SpanID), len(b.AttrEnd)} {
				if n != int(rows) {
					t.Errorf("a column has %d rows, want %d", n, rows)
				}
			}
		}
		if streams, err := store.DecodeLogStreams(s); err == nil && len(streams) > int(rows) {
			t.Errorf("%d streams of %d rows", len(streams), rows)
		}
	})
}

// The head of a compressed frame: a sum that is not looked at, the method, two sizes.
const frameSum, frameHead = 16, 16 + 9

// unframe returns what the first frame of a payload holds.
func unframe(t testing.TB, payload []byte) []byte {
	t.Helper()
	size := int(binary.LittleEndian.Uint32(payload[frameSum+1:])) + frameSum
	raw := make([]byte, binary.LittleEndian.Uint32(payload[frameSum+5:]))
	n, err := lz4.UncompressBlock(payload[frameHead:size], raw)
	require.NoError(t, err)
	return raw[:n]
}

// frame returns raw in one frame of literals.
func frame(t testing.TB, raw []byte) []byte {
	t.Helper()
	if len(raw) == 0 {
		return nil
	}
	block := new(ourlz4.Encoder).AppendBlock(nil, raw)
	head := make([]byte, frameHead, frameHead+len(block))
	head[frameSum] = 0x82
	binary.LittleEndian.PutUint32(head[frameSum+1:], uint32(frameHead-frameSum+len(block)))
	binary.LittleEndian.PutUint32(head[frameSum+5:], uint32(len(raw)))
	return append(head, block...)
}
