package api

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"slices"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// SeriesReader reads series as they are stored. The i-th matchers select in the range of the i-th hints (Start and End in
// milliseconds, both included; Func "series" asks for label sets without samples). visit is called with i and each of its
// series, sorted by labels, one i after the other; a series is valid until visit returns.
type SeriesReader interface {
	ReadSeries(ctx context.Context, scope seamark.Scope, hints []storage.SelectHints, sets [][]*labels.Matcher, visit func(i int, s storage.Series) error) error
}

// The limits of remote read (https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/).
const (
	// maxReadRequestBytes bounds a request, before and after decompression. Real ones have some hundred bytes.
	maxReadRequestBytes = 1 << 20
	// maxReadQueries bounds the queries of a request. Without it one request is as much work as its sender likes.
	maxReadQueries = 64
	// maxReadSamples bounds an answer that is not streamed, which is held in memory three times: read, encoded, compressed.
	maxReadSamples = 5_000_000
	// maxFrameBytes is about how large a frame of a streamed answer is; Prometheus' own default.
	maxFrameBytes = 1 << 20
)

// read answers Prometheus' remote read, as samples or as a stream of chunks, whichever the caller names first.
func (a *prometheusAPI) read(w http.ResponseWriter, r *httpx.Request) error {
	request, err := decodeRead(r)
	if err != nil {
		return err
	}
	hints, sets, err := readQueries(request)
	if err != nil {
		return err
	}
	kind, err := responseType(request.AcceptedResponseTypes)
	if err != nil {
		return err
	}
	if kind == prompb.ReadRequest_STREAMED_XOR_CHUNKS {
		stream := newReadStream(w)
		if err := a.Reader.ReadSeries(r.Context(), r.Scope(), hints, sets, stream.series); err != nil {
			return err
		}
		return stream.out.Flush()
	}
	samples := newReadSamples(len(sets))
	if err := a.Reader.ReadSeries(r.Context(), r.Scope(), hints, sets, samples.series); err != nil {
		return err
	}
	return samples.write(w)
}

func decodeRead(r *httpx.Request) (*prompb.ReadRequest, error) {
	tooLarge := func() error {
		return seamark.Errorf(seamark.TooLarge, "seamark-body-large", "The read request is larger than the limit of %d bytes.", maxReadRequestBytes)
	}
	invalid := func(err error) error {
		return seamark.Errorf(seamark.Invalid, "seamark-read-malformed", "The body is not a remote read request, a ReadRequest in snappy's block format: %s", err)
	}
	compressed, err := io.ReadAll(io.LimitReader(r.Body, maxReadRequestBytes+1))
	if err != nil {
		return nil, invalid(err)
	}
	if len(compressed) > maxReadRequestBytes {
		return nil, tooLarge()
	}
	size, err := snappy.DecodedLen(compressed)
	if err != nil {
		return nil, invalid(err)
	}
	if size > maxReadRequestBytes {
		return nil, tooLarge()
	}
	body, err := snappy.Decode(nil, compressed)
	if err != nil {
		return nil, invalid(err)
	}
	request := &prompb.ReadRequest{}
	if err := request.Unmarshal(body); err != nil {
		return nil, invalid(err)
	}
	if len(request.Queries) > maxReadQueries {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-read-queries", "The read request has %d queries; the limit is %d. Send several requests.", len(request.Queries), maxReadQueries)
	}
	return request, nil
}

// readQueries translates the queries. Hints narrow the time and may ask for label sets alone; what function the samples
// are for is the caller's business.
func readQueries(request *prompb.ReadRequest) ([]storage.SelectHints, [][]*labels.Matcher, error) {
	hints, sets := make([]storage.SelectHints, len(request.Queries)), make([][]*labels.Matcher, len(request.Queries))
	for i, query := range request.Queries {
		hints[i] = storage.SelectHints{Start: query.StartTimestampMs, End: query.EndTimestampMs}
		if h := query.Hints; h != nil {
			hints[i].Start, hints[i].End = h.StartMs, h.EndMs
			if h.Func == labelsOnly {
				hints[i].Func = labelsOnly
			}
		}
		for _, m := range query.Matchers {
			one, err := readMatcher(m)
			if err != nil {
				return nil, nil, seamark.Errorf(seamark.Invalid, "seamark-read-matcher", "The matcher on the label %q of query %d: %s", m.Name, i, err)
			}
			sets[i] = append(sets[i], one)
		}
	}
	return hints, sets, nil
}

// labelsOnly is the function in hints by which Prometheus' series API asks for no samples.
const labelsOnly = "series"

func readMatcher(m *prompb.LabelMatcher) (*labels.Matcher, error) {
	switch m.Type {
	case prompb.LabelMatcher_EQ:
		return labels.NewMatcher(labels.MatchEqual, m.Name, m.Value)
	case prompb.LabelMatcher_NEQ:
		return labels.NewMatcher(labels.MatchNotEqual, m.Name, m.Value)
	case prompb.LabelMatcher_RE:
		return labels.NewMatcher(labels.MatchRegexp, m.Name, m.Value)
	case prompb.LabelMatcher_NRE:
		return labels.NewMatcher(labels.MatchNotRegexp, m.Name, m.Value)
	}
	return nil, errors.New("its type is none of EQ, NEQ, RE and NRE")
}

// responseType returns the first of the accepted types, all of which there are here; callers from before there were types
// name none and want samples.
func responseType(accepted []prompb.ReadRequest_ResponseType) (prompb.ReadRequest_ResponseType, error) {
	if len(accepted) == 0 {
		return prompb.ReadRequest_SAMPLES, nil
	}
	for _, one := range accepted {
		if one == prompb.ReadRequest_SAMPLES || one == prompb.ReadRequest_STREAMED_XOR_CHUNKS {
			return one, nil
		}
	}
	return 0, seamark.Errorf(seamark.Invalid, "seamark-read-type", "None of the accepted response types %v is supported: SAMPLES and STREAMED_XOR_CHUNKS are.", accepted)
}

// readSamples gathers an answer of samples.
type readSamples struct {
	response prompb.ReadResponse
	left     int // samples until maxReadSamples
	it       chunkenc.Iterator
}

func newReadSamples(queries int) *readSamples {
	s := &readSamples{left: maxReadSamples, response: prompb.ReadResponse{Results: make([]*prompb.QueryResult, queries)}}
	for i := range s.response.Results {
		s.response.Results[i] = &prompb.QueryResult{}
	}
	return s
}

func (s *readSamples) series(i int, series storage.Series) error {
	one := &prompb.TimeSeries{Labels: prompb.FromLabels(series.Labels(), nil)}
	s.it = series.Iterator(s.it)
	for kind := s.it.Next(); kind != chunkenc.ValNone; kind = s.it.Next() {
		if s.left--; s.left < 0 {
			return seamark.Errorf(seamark.Invalid, "seamark-read-samples",
				"The read selects more than %d samples, the limit of an answer of type SAMPLES. Accept STREAMED_XOR_CHUNKS, or ask for a shorter range or fewer series.", maxReadSamples)
		}
		switch kind {
		case chunkenc.ValFloat:
			t, v := s.it.At()
			one.Samples = append(one.Samples, prompb.Sample{Timestamp: t, Value: v})
		case chunkenc.ValHistogram:
			one.Histograms = append(one.Histograms, prompb.FromIntHistogram(s.it.AtHistogram(nil)))
		case chunkenc.ValFloatHistogram:
			one.Histograms = append(one.Histograms, prompb.FromFloatHistogram(s.it.AtFloatHistogram(nil)))
		case chunkenc.ValNone:
		}
	}
	result := s.response.Results[i]
	result.Timeseries = append(result.Timeseries, one)
	return s.it.Err()
}

func (s *readSamples) write(w http.ResponseWriter) error {
	body, err := s.response.Marshal()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.Header().Set("Content-Encoding", "snappy")
	_, err = w.Write(snappy.Encode(nil, body))
	return err
}

// readStream writes an answer of chunks: frames of a length, a checksum and a ChunkedReadResponse with one series or a
// part of one.
type readStream struct {
	out    *bufio.Writer
	sums   *crc32.Table
	it     chunks.Iterator
	labels []prompb.Label
	chunks []prompb.Chunk
	frame  []byte
}

func newReadStream(w http.ResponseWriter) *readStream {
	w.Header().Set("Content-Type", "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse")
	return &readStream{out: bufio.NewWriterSize(w, flushBytes), sums: crc32.MakeTable(crc32.Castagnoli)}
}

func (s *readStream) series(i int, series storage.Series) error {
	s.it = storage.NewSeriesToChunkEncoder(series).Iterator(s.it)
	s.labels = prompb.FromLabels(series.Labels(), s.labels)
	room := maxFrameBytes
	for _, l := range s.labels {
		room -= l.Size()
	}
	s.chunks = s.chunks[:0]
	left := room
	for s.it.Next() {
		if left <= 0 {
			if err := s.write(i); err != nil {
				return err
			}
			left = room
		}
		chunk := s.it.At()
		s.chunks = append(s.chunks, prompb.Chunk{
			MinTimeMs: chunk.MinTime, MaxTimeMs: chunk.MaxTime, Type: prompb.Chunk_Encoding(chunk.Chunk.Encoding()), Data: chunk.Chunk.Bytes(),
		})
		left -= s.chunks[len(s.chunks)-1].Size()
	}
	if err := s.it.Err(); err != nil || len(s.chunks) == 0 {
		return err
	}
	return s.write(i)
}

// write sends the chunks that were gathered.
func (s *readStream) write(i int) error {
	message := prompb.ChunkedReadResponse{ChunkedSeries: []*prompb.ChunkedSeries{{Labels: s.labels, Chunks: s.chunks}}, QueryIndex: int64(i)}
	size := message.Size()
	s.frame = slices.Grow(s.frame[:0], size)[:size]
	if _, err := message.MarshalToSizedBuffer(s.frame); err != nil {
		return err
	}
	head := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+crc32.Size), uint64(size))
	head = binary.BigEndian.AppendUint32(head, crc32.Checksum(s.frame, s.sums))
	s.chunks = s.chunks[:0]
	_, err := s.out.Write(head)
	if err == nil {
		_, err = s.out.Write(s.frame)
	}
	return err
}
