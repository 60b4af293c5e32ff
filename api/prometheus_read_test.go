package api_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"
)

func promRead(t *testing.T, f *promFake, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/prometheus/api/v1/read", bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer smk_x")
	w := httptest.NewRecorder()
	promEdge(t, f).ServeHTTP(w, r)
	return w
}

func readBody(t *testing.T, queries int, change func(*prompb.ReadRequest)) []byte {
	t.Helper()
	request := &prompb.ReadRequest{}
	for range queries {
		request.Queries = append(request.Queries, &prompb.Query{
			StartTimestampMs: 60_000, EndTimestampMs: 300_000, Matchers: []*prompb.LabelMatcher{{Type: prompb.LabelMatcher_RE, Name: "job", Value: "a|b"}},
		})
	}
	if change != nil {
		change(request)
	}
	body, err := request.Marshal()
	require.NoError(t, err)
	return snappy.Encode(nil, body)
}

func TestPrometheusReadSamples(t *testing.T) {
	f := newPromFake(t)
	w := promRead(t, f, readBody(t, 2, nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, "application/x-protobuf", w.Header().Get("Content-Type"))
	require.Equal(t, "snappy", w.Header().Get("Content-Encoding"))
	body, err := snappy.Decode(nil, w.Body.Bytes())
	require.NoError(t, err)
	var answer prompb.ReadResponse
	require.NoError(t, answer.Unmarshal(body))
	require.Len(t, answer.Results, 2)
	for _, result := range answer.Results {
		require.Len(t, result.Timeseries, 2)
		require.Equal(t, []prompb.Sample{{Timestamp: 60_000, Value: 1}, {Timestamp: 120_000, Value: 2}, {Timestamp: 180_000, Value: 3}, {Timestamp: 240_000, Value: 4}, {Timestamp: 300_000, Value: 5}}, result.Timeseries[1].Samples)
		require.True(t, math.IsNaN(result.Timeseries[0].Samples[0].Value))
	}
	require.Equal(t, promTenant, f.tenant)
}

// TestPrometheusReadStream reads the frames as the protocol describes them: length, checksum, message.
func TestPrometheusReadStream(t *testing.T) {
	w := promRead(t, newPromFake(t), readBody(t, 2, func(r *prompb.ReadRequest) {
		r.AcceptedResponseTypes = []prompb.ReadRequest_ResponseType{9, prompb.ReadRequest_STREAMED_XOR_CHUNKS, prompb.ReadRequest_SAMPLES}
	}))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", w.Header().Get("Content-Type"))
	var indexes []int64
	for rest := w.Body.Bytes(); len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		require.Positive(t, n)
		sum, frame := binary.BigEndian.Uint32(rest[n:]), rest[n+4:n+4+int(size)]
		require.Equal(t, crc32.Checksum(frame, crc32.MakeTable(crc32.Castagnoli)), sum)
		rest = rest[n+4+int(size):]
		var message prompb.ChunkedReadResponse
		require.NoError(t, message.Unmarshal(frame))
		require.Len(t, message.ChunkedSeries, 1)
		one := message.ChunkedSeries[0].Chunks[0]
		require.Equal(t, []any{prompb.Chunk_XOR, int64(60_000), int64(300_000)}, []any{one.Type, one.MinTimeMs, one.MaxTimeMs})
		chunk, err := chunkenc.FromData(chunkenc.EncXOR, one.Data)
		require.NoError(t, err)
		require.Equal(t, 5, chunk.NumSamples())
		indexes = append(indexes, message.QueryIndex)
	}
	require.Equal(t, []int64{0, 0, 1, 1}, indexes)
}

func TestPrometheusReadHints(t *testing.T) {
	f := newPromFake(t)
	w := promRead(t, f, readBody(t, 2, func(r *prompb.ReadRequest) {
		r.Queries[0].Hints = &prompb.ReadHints{StartMs: 1, EndMs: 2, Func: "series"}
		r.Queries[1].Hints = &prompb.ReadHints{StartMs: 3, EndMs: 4, Func: "rate", StepMs: 5, RangeMs: 6, Grouping: []string{"job"}, By: true}
	}))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, []storage.SelectHints{{Start: 1, End: 2, Func: "series"}, {Start: 3, End: 4}}, f.reads)
}

func TestPrometheusReadFaults(t *testing.T) {
	for name, c := range map[string]struct {
		body   []byte
		status int
		text   string
	}{
		"no snappy":   {[]byte("hello"), 400, "snappy's block format"},
		"no protobuf": {snappy.Encode(nil, []byte{0xff}), 400, "not a remote read request"},
		"large":       {make([]byte, 1<<20+1), 413, "limit of 1048576 bytes"},
		"bomb":        {snappy.Encode(nil, make([]byte, 1<<20+1)), 413, "limit of 1048576 bytes"},
		"queries":     {readBody(t, 65, nil), 400, "65 queries; the limit is 64"},
		"regexp":      {readBody(t, 1, func(r *prompb.ReadRequest) { r.Queries[0].Matchers[0].Value = "(" }), 400, `The matcher on the label "job" of query 0`},
		"matcher":     {readBody(t, 1, func(r *prompb.ReadRequest) { r.Queries[0].Matchers[0].Type = 7 }), 400, "none of EQ, NEQ, RE and NRE"},
		"type":        {readBody(t, 1, func(r *prompb.ReadRequest) { r.AcceptedResponseTypes = []prompb.ReadRequest_ResponseType{9} }), 400, "SAMPLES and STREAMED_XOR_CHUNKS are"},
	} {
		w := promRead(t, newPromFake(t), c.body)
		require.Equal(t, c.status, w.Code, name)
		require.Contains(t, w.Body.String(), c.text, name)
		require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"), name)
		require.Empty(t, w.Header().Get("Content-Encoding"), name)
	}
}

func FuzzPrometheusRead(f *testing.F) {
	f.Add([]byte("hello"))
	request := prompb.ReadRequest{Queries: []*prompb.Query{{EndTimestampMs: 300_000, Matchers: []*prompb.LabelMatcher{{Name: "job", Value: "a"}}, Hints: &prompb.ReadHints{EndMs: 1}}}}
	body, err := request.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, message []byte) {
		fake := &promFake{storage: emptyStorage{}}
		for _, body := range [][]byte{message, snappy.Encode(nil, message)} {
			if status := promRead(t, fake, body).Code; status != http.StatusOK && status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge {
				t.Errorf("got %d, want 200, 400 or 413", status)
			}
		}
	})
}

// emptyStorage has no series.
type emptyStorage struct{ storage.Storage }

func (emptyStorage) Querier(int64, int64) (storage.Querier, error) { return storage.NoopQuerier(), nil }

func TestPrometheusFederateRange(t *testing.T) {
	f := newPromFake(t) // at 600 s; job a has samples until then, job b until 360 s
	get := func(query string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/prometheus/federate"+query, nil)
		r.Header.Set("Authorization", "Bearer smk_x")
		w := httptest.NewRecorder()
		promEdge(t, f).ServeHTTP(w, r)
		return w
	}
	w := get("?match[]=up&match[]=%7Bjob%3D%22a%22%7D")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "# TYPE up untyped\n"+`up{instance="<y>&\"quoted\"\n",job="b"} -0.5 360000`+"\n"+`up{instance="x",job="a"} 10 600000`+"\n", w.Body.String())
	require.Equal(t, storage.SelectHints{Start: 300_000, End: 600_000}, f.reads[0])
	w = get("?match[]=up%7B")
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Equal(t, "1:4: parse error: unexpected end of input inside braces\n", w.Body.String())
	require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
}
