// Package parquet writes Parquet files of times and texts, as far as an export of log lines needs the format: columns
// without nulls, plain encoding, one page per column of a row group, compressed with zstd. The format is that of
// https://parquet.apache.org/docs/file-format/ with the Thrift structs of parquet.thrift. Package logexport uses it.
package parquet

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Kind is what a column holds.
type Kind uint8

// The kinds.
const (
	Text Kind = iota // UTF-8
	Time             // nanoseconds since 1970, UTC
)

// Column is a column's name and kind.
type Column struct {
	Name string
	Kind Kind
}

const (
	magic = "PAR1"
	// groupBytes is how many bytes of values a row group gathers before it is written: what the writer holds in memory. Larger
	// groups compress little better, and much smaller ones fill the footer.
	groupBytes = 8 << 20
	// groupRows bounds a group of short rows.
	groupRows = 1 << 17
)

// Values of parquet.thrift.
const (
	typeInt64       = 2
	typeByteArray   = 6
	required        = 0
	convertedUTF8   = 0
	logicalString   = 1
	logicalTime     = 8
	unitNanos       = 3
	encodingPlain   = 0
	encodingRLE     = 3
	codecZSTD       = 6
	pageData        = 0
	metadataVersion = 2
)

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	w       io.Writer
	columns []Column
	values  [][]byte // of the row group, per column
	rows    int      // of the row group
	bytes   int      // of the row group
	offset  int64
	total   int64 // rows of all groups
	groups  thrift
	count   int // of groups
	encoder *zstd.Encoder
	page    []byte
	err     error
}

// NewWriter returns a writer of a file with these columns.
func NewWriter(w io.Writer, columns []Column) (*Writer, error) {
	if len(columns) == 0 {
		return nil, errors.New("parquet: a file needs columns")
	}
	// A window of a megabyte holds what lines repeat; the default would take eight for each export.
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	return &Writer{w: w, columns: columns, values: make([][]byte, len(columns)), encoder: encoder}, nil
}

// Time sets a column of kind Time in the current row.
func (p *Writer) Time(column int, nanos int64) {
	p.values[column] = binary.LittleEndian.AppendUint64(p.values[column], uint64(nanos))
	p.bytes += 8
}

// Text sets a column of kind Text in the current row. Bytes that are not UTF-8 are replaced, because readers refuse them.
func (p *Writer) Text(column int, s string) {
	s = strings.ToValidUTF8(s, "\ufffd")
	b := binary.LittleEndian.AppendUint32(p.values[column], uint32(len(s)))
	p.values[column] = append(b, s...)
	p.bytes += 4 + len(s)
}

// EndRow ends the current row, of which every column was set once.
func (p *Writer) EndRow() error {
	p.rows++
	if p.bytes >= groupBytes || p.rows >= groupRows {
		p.flush()
	}
	return p.err
}

// Close writes what is left and the footer, without which the file is none.
func (p *Writer) Close() error {
	p.flush()
	t := &thrift{}
	t.begin()
	t.i32(1, metadataVersion)
	t.list(2, len(p.columns)+1, thriftStruct)
	p.schema(t)
	t.i64(3, p.total)
	t.list(4, p.count, thriftStruct)
	t.buf = append(t.buf, p.groups.buf...)
	t.text(6, "seamark")
	t.end()
	t.buf = binary.LittleEndian.AppendUint32(t.buf, uint32(len(t.buf)))
	p.write(append(t.buf, magic...))
	return errors.Join(p.err, p.encoder.Close())
}

// schema writes the root and its columns.
func (p *Writer) schema(t *thrift) {
	t.begin()
	t.text(4, "schema")
	t.i32(5, int32(len(p.columns)))
	t.end()
	for _, c := range p.columns {
		t.begin()
		t.i32(1, c.physical())
		t.i32(3, required)
		t.text(4, c.Name)
		if c.Kind == Text {
			t.i32(6, convertedUTF8)
		}
		t.object(10)
		if c.Kind == Text {
			t.empty(logicalString)
		} else {
			t.object(logicalTime)
			t.yes(1) // adjusted to UTC
			t.object(2)
			t.empty(unitNanos)
			t.end()
			t.end()
		}
		t.end()
		t.end()
	}
}

func (c Column) physical() int32 {
	if c.Kind == Time {
		return typeInt64
	}
	return typeByteArray
}

// flush writes the row group that has gathered, and notes where it stands for the footer.
func (p *Writer) flush() {
	if p.rows == 0 || p.err != nil {
		return
	}
	g := &p.groups
	g.begin()
	g.list(1, len(p.columns), thriftStruct)
	size := int64(0)
	for i := range p.columns {
		size += p.chunk(g, i)
	}
	g.i64(2, size)
	g.i64(3, int64(p.rows))
	g.end()
	p.count++
	p.total += int64(p.rows)
	p.rows, p.bytes = 0, 0
}

// chunk writes a column of the row group as one page and returns its size before compression.
func (p *Writer) chunk(g *thrift, column int) int64 {
	values := p.values[column]
	p.page = p.encoder.EncodeAll(values, p.page[:0])
	p.values[column] = values[:0]
	t := &thrift{}
	t.begin()
	t.i32(1, pageData)
	t.i32(2, int32(len(values)))
	t.i32(3, int32(len(p.page)))
	t.object(5)
	t.i32(1, int32(p.rows))
	t.i32(2, encodingPlain)
	t.i32(3, encodingRLE)
	t.i32(4, encodingRLE)
	t.end()
	t.end()
	start, header := max(p.offset, int64(len(magic))), int64(len(t.buf))
	p.write(t.buf)
	p.write(p.page)

	g.begin()
	g.i64(2, start)
	g.object(3)
	g.i32(1, p.columns[column].physical())
	g.list(2, 1, thriftI32)
	g.buf = binary.AppendVarint(g.buf, encodingPlain)
	g.list(3, 1, thriftBinary)
	g.bare(p.columns[column].Name)
	g.i32(4, codecZSTD)
	g.i64(5, int64(p.rows))
	g.i64(6, header+int64(len(values)))
	g.i64(7, header+int64(len(p.page)))
	g.i64(9, start)
	g.end()
	g.end()
	return header + int64(len(values))
}

// write writes b unless an earlier write has failed.
func (p *Writer) write(b []byte) {
	if p.offset == 0 {
		b = append([]byte(magic), b...)
	}
	if p.err != nil {
		return
	}
	n, err := p.w.Write(b)
	p.offset += int64(n)
	p.err = err
}
