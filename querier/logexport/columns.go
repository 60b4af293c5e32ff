package logexport

import (
	"io"

	"github.com/seamarkhq/seamark/querier/logexport/parquet"
)

// parquetEncoder writes a Parquet file. Its writer holds a row group and writes it whole.
type parquetEncoder struct {
	fields
	writer *parquet.Writer
}

func newParquetEncoder(p *Params, w io.Writer) (*parquetEncoder, error) {
	e := &parquetEncoder{fields: newFields(p)}
	columns := []parquet.Column{{Name: timeColumn, Kind: parquet.Time}, {Name: lineColumn}}
	for _, name := range e.names() {
		columns = append(columns, parquet.Column{Name: name})
	}
	var err error
	e.writer, err = parquet.NewWriter(w, columns)
	return e, err
}

// Write implements encoder.
func (e *parquetEncoder) Write(b *batch) error {
	e.begin(b)
	for i := range b.lines {
		l := &b.lines[i]
		e.writer.Time(0, l.time)
		e.writer.Text(1, l.text)
		for column := range e.names() {
			e.writer.Text(2+column, e.value(b, l, column))
		}
		if err := e.writer.EndRow(); err != nil {
			return err
		}
	}
	return nil
}

// Flush implements encoder; small row groups would make a poor file.
func (e *parquetEncoder) Flush() error { return nil }

// Close implements encoder.
func (e *parquetEncoder) Close() error { return e.writer.Close() }
