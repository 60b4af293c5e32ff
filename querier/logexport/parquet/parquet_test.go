package parquet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/seamarkhq/seamark/querier/logexport/parquet"
)

// TestFrame looks at what stands around a file's contents; the tests of package logexport let ClickHouse read files.
func TestFrame(t *testing.T) {
	var out bytes.Buffer
	w, err := parquet.NewWriter(&out, []parquet.Column{{Name: "time", Kind: parquet.Time}, {Name: "line"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		w.Time(0, int64(i))
		w.Text(1, "bad \xff byte")
		if err := w.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() != 0 {
		t.Errorf("%d bytes were written before a row group was full", out.Len())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := out.Bytes()
	if !bytes.HasPrefix(file, []byte("PAR1")) || !bytes.HasSuffix(file, []byte("PAR1")) {
		t.Errorf("the file begins with %q and ends with %q", file[:4], file[len(file)-4:])
	}
	footer := int(binary.LittleEndian.Uint32(file[len(file)-8:]))
	if footer <= 0 || footer > len(file)-12 {
		t.Errorf("the footer has %d bytes of %d", footer, len(file))
	}
}

func TestNoColumns(t *testing.T) {
	if _, err := parquet.NewWriter(&bytes.Buffer{}, nil); err == nil {
		t.Error("a file without columns was begun")
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	w, err := parquet.NewWriter(full{}, []parquet.Column{{Name: "line"}})
	if err != nil {
		t.Fatal(err)
	}
	w.Text(0, "x")
	if err := w.EndRow(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("got %v, want %v", err, errFull)
	}
}
