package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// downloadOptions says what a download's headers tell.
type downloadOptions struct {
	name, kind string // without a name the body is an answer and no file
	estimate   uint64
	packed     bool // the file is compressed itself
	stall      time.Duration
}

// download writes a file as the body of an answer: compressed where the reader takes it, with a deadline for each write, and
// with trailers that tell how it ended. Its headers go out with the first byte, so that what fails before has a status.
type download struct {
	downloadOptions
	w       http.ResponseWriter
	control *http.ResponseController
	zip     *gzip.Writer // nil where the body is not compressed
	out     io.Writer
	begun   bool
}

const (
	rowsHeader     = "X-Seamark-Rows"
	errorHeader    = "X-Seamark-Error"
	estimateHeader = "X-Seamark-Rows-Estimate"
)

func newDownload(w http.ResponseWriter, r *http.Request, o *downloadOptions) *download {
	d := &download{downloadOptions: *o, w: w, control: http.NewResponseController(w)}
	d.out = wire{d}
	if !o.packed && hasToken(r.Header, "Accept-Encoding", "gzip") {
		// Its only error is a level that there is not.
		d.zip, _ = gzip.NewWriterLevel(wire{d}, gzip.BestSpeed)
		d.out = d.zip
	}
	return d
}

// begin sends the headers.
func (d *download) begin() {
	if d.begun {
		return
	}
	d.begun = true
	h := d.w.Header()
	h.Set("Content-Type", d.kind)
	if d.name != "" {
		h.Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
		h.Set(estimateHeader, strconv.FormatUint(d.estimate, 10))
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Trailer", rowsHeader+", "+errorHeader)
	if !d.packed {
		h.Set("Vary", "Accept-Encoding")
	}
	if d.zip != nil {
		h.Set("Content-Encoding", "gzip")
	}
	d.w.WriteHeader(http.StatusOK)
}

// Write implements io.Writer.
func (d *download) Write(b []byte) (int, error) {
	d.begin()
	return d.out.Write(b)
}

// flush sends what was written.
func (d *download) flush() error {
	if !d.begun {
		return nil
	}
	if d.zip != nil {
		if err := d.zip.Flush(); err != nil {
			return err
		}
	}
	return d.told(d.control.Flush())
}

// finish ends the body. id is that of the error that it ends with, "" for none; rows are negative where nobody has counted.
func (d *download) finish(rows int64, id string) error {
	d.begin()
	if d.zip != nil {
		if err := d.zip.Close(); err != nil {
			return err
		}
	}
	if rows >= 0 {
		d.w.Header().Set(rowsHeader, strconv.FormatInt(rows, 10))
	}
	if id != "" {
		d.w.Header().Set(errorHeader, id)
	}
	return nil
}

// release takes the deadline back: the connection may serve another request.
func (d *download) release() { _ = d.control.SetWriteDeadline(time.Time{}) }

// told says in our words why a reader could not be written to.
func (d *download) told(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return seamark.Wrap(err, seamark.Canceled, "seamark-export-stalled", "The reader took nothing for %s.", d.stall)
	}
	return seamark.Wrap(err, seamark.Canceled, "seamark-request-canceled", "The caller closed the request.")
}

// wire is a download's way out.
type wire struct{ *download }

func (s wire) Write(b []byte) (int, error) {
	// A recorder in a test has no deadlines; connections have.
	if err := s.control.SetWriteDeadline(time.Now().Add(s.stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, s.told(err)
	}
	n, err := s.w.Write(b)
	return n, s.told(err)
}

// encodeLine is v as a line of NDJSON; it is for values that have nothing that could fail.
func encodeLine(v any) []byte {
	b, _ := json.Marshal(v)
	return append(b, '\n')
}
