package httpx

import (
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// packed is the permission of the routes whose answers are compressed for who takes gzip: those of queries, which can be
// megabytes of JSON. Answers with secrets, beside which a caller's own text would stand, are left as they are.
const packed = "data:read"

// smallestPacked is the first piece of an answer from which on it is compressed. Below a packet nothing would be saved.
const smallestPacked = 1400

// packers are the writers of gzip that answers share; each has tables of some hundred KiB.
type packers struct{ pool sync.Pool }

// open compresses what is written to w, where route and request want it, and returns what ends the answer in order.
func (p *packers) open(route *Route, r *http.Request, w http.ResponseWriter) (http.ResponseWriter, func()) {
	if route.Permission != packed {
		return w, func() {}
	}
	w.Header().Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header) {
		return w, func() {}
	}
	a := &packedAnswer{ResponseWriter: w, packers: p}
	return a, a.finish
}

// acceptsGzip reports whether a caller takes gzip (RFC 9110, 12.5.3). "*" is not taken for a yes.
func acceptsGzip(h http.Header) bool {
	for _, value := range h.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(item, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			weight, weighed := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			return !weighed || strings.Trim(weight, "0.") != ""
		}
	}
	return false
}

// packedAnswer is an answer that is compressed if it is long, of a type that shrinks, and not compressed already. It holds its
// status until the first byte tells.
type packedAnswer struct {
	http.ResponseWriter
	packers *packers
	zip     *gzip.Writer // nil while the answer goes out as it is
	held    bool         // the handler has said 200, which is not sent yet
	sent    bool
}

// Unwrap is for http.ResponseController.
func (a *packedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *packedAnswer) WriteHeader(status int) {
	switch {
	case a.sent:
	case status == http.StatusOK:
		a.held = true
	default:
		a.sent = status >= http.StatusOK
		a.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (a *packedAnswer) Write(b []byte) (int, error) {
	a.begin(len(b))
	if a.zip != nil {
		return a.zip.Write(b)
	}
	return a.ResponseWriter.Write(b)
}

// begin sends the headers of an answer whose first piece has size bytes.
func (a *packedAnswer) begin(size int) {
	if a.sent {
		return
	}
	a.sent = true
	h := a.Header()
	if size >= smallestPacked && h.Get("Content-Encoding") == "" && shrinks(h.Get("Content-Type")) {
		h.Del("Content-Length")
		h.Set("Content-Encoding", "gzip")
		a.zip = a.packers.take()
		a.zip.Reset(a.ResponseWriter)
	}
	a.ResponseWriter.WriteHeader(http.StatusOK)
}

// shrinks reports whether a media type is text.
func shrinks(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/json")
}

// FlushError implements what http.ResponseController looks for.
func (a *packedAnswer) FlushError() error {
	a.begin(0)
	if a.zip != nil {
		if err := a.zip.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (a *packedAnswer) Flush() { _ = a.FlushError() }

// finish ends the answer. One that is cut off must not be ended, or it would look whole.
func (a *packedAnswer) finish() {
	if a.held {
		a.begin(0)
	}
	if a.zip != nil {
		_ = a.zip.Close() // it fails where the reader has gone
		a.packers.pool.Put(a.zip)
		a.zip = nil
	}
}

func (p *packers) take() *gzip.Writer {
	if z, ok := p.pool.Get().(*gzip.Writer); ok {
		return z
	}
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // its only error is a level that there is not
	return z
}
