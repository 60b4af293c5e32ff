package store

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/pierrec/lz4/v4"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxDecodedBytes bounds what one segment may inflate to. The encoder cuts segments at maxSegmentRawBytes, but for a row that
// is larger by itself.
const maxDecodedBytes = 64 << 20

// inflate returns the raw bytes of a segment's frames. The frames' sums are for the server, which reads them from a disk; a
// segment that is decoded here comes from the bus.
func (s *Segment) inflate() ([]byte, error) { return s.inflateInto(nil) }

// inflateInto is inflate with a buffer to write into, which may be grown.
func (s *Segment) inflateInto(raw []byte) ([]byte, error) {
	raw = raw[:0]
	for rest := s.Payload; len(rest) > 0; {
		if len(rest) < emptyFrameBytes || rest[frameHashBytes] != frameMethodLZ4 {
			return nil, fmt.Errorf("%d bytes are no frame", len(rest))
		}
		size := int(binary.LittleEndian.Uint32(rest[frameHashBytes+1:])) + frameHashBytes
		n := int(binary.LittleEndian.Uint32(rest[frameHashBytes+5:]))
		if size < emptyFrameBytes || size > len(rest) || n > frameTarget || len(raw)+n > maxDecodedBytes {
			return nil, fmt.Errorf("a frame of %d bytes for %d does not fit", size, n)
		}
		start := len(raw)
		raw = slices.Grow(raw, n)[:start+n]
		got, err := lz4.UncompressBlock(rest[emptyFrameBytes:size], raw[start:])
		if err != nil || got != n {
			return nil, fmt.Errorf("a frame has %d bytes instead of %d: %w", got, n, err)
		}
		rest = rest[size:]
	}
	return raw, nil
}

// nativeReader reads the columns of a block that an Encoder wrote. After its first fault all reads return nothing.
type nativeReader struct {
	text string // all of it: what is read are parts
	pos  int
	rows int
	err  error
}

func newNativeReader(s *Segment) (*nativeReader, error) {
	raw, err := s.inflate()
	if err != nil {
		return nil, err
	}
	r := &nativeReader{text: string(raw), rows: int(s.Rows)}
	// A row of any table has more than one byte, so this bounds what is made for a count that lies.
	if r.rows > len(raw) {
		return nil, fmt.Errorf("%d rows do not fit into %d bytes", r.rows, len(raw))
	}
	return r, nil
}

func (r *nativeReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// take returns the next n bytes.
func (r *nativeReader) take(n int) string {
	if r.err == nil && (n < 0 || n > len(r.text)-r.pos) {
		r.fail("the block ends %d bytes too early", n-(len(r.text)-r.pos))
	}
	if r.err != nil {
		return ""
	}
	r.pos += n
	return r.text[r.pos-n : r.pos]
}

func (r *nativeReader) uint64() uint64 {
	b := r.take(8)
	if b == "" {
		return 0
	}
	return littleEndian(b)
}

// littleEndian reads up to eight bytes.
func littleEndian(b string) uint64 {
	v := uint64(0)
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

func (r *nativeReader) string() string {
	n := uint64(0)
	for shift := 0; ; shift += 7 {
		b := r.take(1)
		if b == "" {
			return ""
		}
		if shift > 28 {
			r.fail("a string is longer than a block")
			return ""
		}
		n |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return r.take(int(n))
		}
	}
}

// column reads the head of the next column, which must be the one that is wanted.
func (r *nativeReader) column(name, kind string) {
	gotName, gotKind := r.string(), r.string()
	if r.err == nil && (gotName != name || gotKind != kind) {
		r.fail("the column is %.40q of type %.80q, not %s of type %s", gotName, gotKind, name, kind)
	}
}

// lowCardinality reads a column of texts that repeat.
func (r *nativeReader) lowCardinality(name string) []string {
	r.column(name, typeLowCardinality)
	r.version()
	return r.texts(r.rows)
}

func (r *nativeReader) version() {
	if v := r.uint64(); r.err == nil && v != lowCardinalityVersion {
		r.fail("dictionaries have version %d, not %d", v, lowCardinalityVersion)
	}
}

// texts reads a dictionary and n keys into it.
func (r *nativeReader) texts(n int) []string {
	values, keys, width := r.dictionary(n)
	if r.err != nil || n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		key := littleEndian(keys[i*width : (i+1)*width])
		if key >= uint64(len(values)) {
			r.fail("key %d is outside a dictionary of %d", key, len(values))
			return nil
		}
		list[i] = values[key]
	}
	return list
}

// dictionary reads a dictionary and n keys into it, of width bytes each.
func (r *nativeReader) dictionary(n int) (values []string, keys string, width int) {
	if n == 0 || r.err != nil {
		return nil, "", 0
	}
	flags := r.uint64()
	keyType := flags &^ lowCardinalityFlags
	if r.err == nil && (flags&lowCardinalityFlags != lowCardinalityFlags || keyType > lowCardinalityKeysUInt32) {
		r.fail("a dictionary has the flags %#x", flags)
	}
	size := r.uint64()
	if r.err == nil && size > uint64(len(r.text)-r.pos) {
		r.fail("a dictionary of %d texts does not fit", size)
	}
	if r.err != nil {
		return nil, "", 0
	}
	width = 1 << keyType
	values = make([]string, size)
	for i := range values {
		values[i] = r.string()
	}
	if keys := r.uint64(); r.err == nil && keys != uint64(n) {
		r.fail("a dictionary has %d keys, not %d", keys, n)
	}
	return values, r.take(n * width), width
}

// labels reads a column of maps: all rows' pairs, row after row, and per row the end of its pairs.
func (r *nativeReader) labels(name string) (pairs []seamark.Label, ends []uint32) {
	r.column(name, typeLabels)
	r.version()
	ends = make([]uint32, r.rows)
	last := uint64(0)
	for i := range ends {
		end := r.uint64()
		if r.err == nil && (end < last || end > uint64(len(r.text))) {
			r.fail("a row's pairs end at %d, after %d", end, last)
		}
		if r.err != nil {
			return nil, nil
		}
		ends[i], last = uint32(end), end
	}
	names := r.texts(int(last))
	pairs = make([]seamark.Label, 0, len(names))
	for _, n := range names {
		pairs = append(pairs, seamark.Label{Name: n, Value: r.string()})
	}
	return pairs, ends
}

// end fails when something is left.
func (r *nativeReader) end() error {
	if r.err == nil && r.pos != len(r.text) {
		r.fail("%d bytes follow the last column", len(r.text)-r.pos)
	}
	return r.err
}
