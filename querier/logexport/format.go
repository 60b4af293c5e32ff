package logexport

import (
	"io"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Format is the form of an exported file.
type Format uint8

// The formats.
const (
	NDJSON  Format = iota // one JSON object per line
	CSV                   // RFC 4180 with a header
	Parquet               // row groups of some megabytes, compressed with zstd
)

// The columns that every file has, and those of maps that it has unless labels are chosen.
const (
	timeColumn     = "time"
	lineColumn     = "line"
	labelsColumn   = "labels"
	metadataColumn = "metadata"
	parsedColumn   = "parsed"
)

// maxLabels bounds the columns of one file.
const maxLabels = 100

// checkLabels refuses columns that would have the same name.
func checkLabels(list []string) error {
	if len(list) > maxLabels {
		return seamark.Errorf(seamark.Invalid, "seamark-export-labels", "%d columns for labels are more than the limit of %d.", len(list), maxLabels)
	}
	for i, name := range list {
		if name == timeColumn || name == lineColumn || name == "" || slices.Contains(list[:i], name) {
			return seamark.Errorf(seamark.Invalid, "seamark-export-labels",
				"The column %q for a label stands twice or is no name; time and line are columns of every file. Give the label another name with label_format.", name)
		}
	}
	return nil
}

// encoder writes lines in a format.
type encoder interface {
	Write(b *batch) error
	// Flush writes out what is buffered, as far as the format can.
	Flush() error
	// Close writes the end of the file.
	Close() error
}

func newEncoder(p *Params, w io.Writer) (encoder, error) {
	switch p.Format {
	case CSV:
		return newCSVEncoder(p, w), nil
	case Parquet:
		return newParquetEncoder(p, w)
	case NDJSON:
	}
	return &jsonEncoder{fields: newFields(p), buffer: buffer{w: w}}, nil
}

// fields makes the texts of a line's columns behind its time and text.
type fields struct {
	chosen []string
	maps   []string // labels of the batch's streams as JSON
	buf    []byte
}

func newFields(p *Params) fields { return fields{chosen: p.Labels} }

// names are the columns' names.
func (f *fields) names() []string {
	if len(f.chosen) > 0 {
		return f.chosen
	}
	return []string{labelsColumn, metadataColumn, parsedColumn}
}

// begin takes a new batch.
func (f *fields) begin(b *batch) {
	f.maps = f.maps[:0]
	if len(f.chosen) > 0 {
		return
	}
	for _, labels := range b.streams {
		f.maps = append(f.maps, f.object(labels))
	}
}

// object returns labels as a JSON object.
func (f *fields) object(labels []seamark.Label) string {
	if len(labels) == 0 {
		return "{}"
	}
	f.buf = appendObject(f.buf[:0], labels)
	return string(f.buf)
}

// value returns the text of a column of line l.
func (f *fields) value(b *batch, l *line, column int) string {
	if len(f.chosen) > 0 {
		for _, labels := range [][]seamark.Label{b.streams[l.stream], l.metadata, l.parsed} {
			for i := range labels {
				if labels[i].Name == f.chosen[column] {
					return labels[i].Value
				}
			}
		}
		return ""
	}
	switch column {
	case 0:
		return f.maps[l.stream]
	case 1:
		return f.object(l.metadata)
	}
	return f.object(l.parsed)
}

// bufferBytes is how much is gathered before it is written.
const bufferBytes = 64 << 10

// buffer gathers bytes and writes them as it fills.
type buffer struct {
	w   io.Writer
	buf []byte
}

func (b *buffer) spill() error {
	if len(b.buf) < bufferBytes {
		return nil
	}
	return b.Flush()
}

// Flush implements encoder.
func (b *buffer) Flush() error {
	if len(b.buf) == 0 {
		return nil
	}
	_, err := b.w.Write(b.buf)
	b.buf = b.buf[:0]
	return err
}

// Close implements encoder.
func (b *buffer) Close() error { return b.Flush() }
