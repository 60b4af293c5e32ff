// Package inflate decompresses request bodies under a hard limit: it looks at the size a body declares before it takes
// memory, asks before every allocation, and stops at the limit. It does no I/O and knows no tenants; package ingest
// imports it.
package inflate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Encodings lists the content encodings that Inflate takes, as they are named to a sender.
const Encodings = "identity, gzip, zstd, snappy and deflate"

// minBuffer is the first allocation for a body whose inflated size is unknown; doubling from here costs an honest body
// little and a bomb is stopped while it is still small.
const minBuffer = 64 << 10

// Options sets up an Inflater. The zero value is good.
type Options struct {
	// ZstdDecoders bounds the zstd decoders, and so the histories of up to MaxWindowBytes that they keep. Further calls
	// wait for one. Without it a wave of requests keeps a window each for ever. 0 means the number of cores, at most 4.
	ZstdDecoders int
	// MaxWindowBytes bounds the window of a zstd frame that does not declare its size. Without it a body of twelve
	// bytes reserves gigabytes of history. 0 means 8 MiB, which RFC 8878 asks every decoder to take.
	MaxWindowBytes int64
}

func (o *Options) validate() error {
	if o.ZstdDecoders == 0 {
		o.ZstdDecoders = min(runtime.GOMAXPROCS(0), 4)
	}
	if o.MaxWindowBytes == 0 {
		o.MaxWindowBytes = 8 << 20
	}
	if o.ZstdDecoders < 0 || o.MaxWindowBytes < 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-inflate-options",
			"Zstd decoders (%d) and the zstd window (%d bytes) must be positive.", o.ZstdDecoders, o.MaxWindowBytes)
	}
	return nil
}

// Inflater keeps readers for reuse. It is safe for concurrent use; make one with New and share it.
type Inflater struct {
	maxWindow int64
	gzips     sync.Pool          // *stream over gzip
	zlibs     sync.Pool          // *stream over zlib
	flates    sync.Pool          // *stream over raw deflate
	zstds     chan *zstd.Decoder // nil entries are decoders not made yet
}

// New makes an Inflater.
func New(o Options) (*Inflater, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	f := &Inflater{maxWindow: o.MaxWindowBytes, zstds: make(chan *zstd.Decoder, o.ZstdDecoders)}
	for range o.ZstdDecoders {
		f.zstds <- nil
	}
	return f, nil
}

// Request is one body to inflate.
type Request struct {
	Body     []byte
	Encoding string // the Content-Encoding header's value; "" means identity
	Limit    int64  // most bytes that the body may have when inflated
	// Grow is asked before each allocation, with its size in bytes. Its error ends the work and is returned as it is.
	// A buffer that was outgrown stays counted, because it stays in memory until the collector runs; the caller gives
	// everything back when the request ends. nil allows everything.
	Grow func(n int64) error
}

// stream is a resettable reader with the source it reads from.
type stream struct {
	source bytes.Reader
	reader io.Reader
}

// Inflate writes the inflated body over dst and returns it; it never aliases the body. The returned slice replaces dst
// even beside an error, so that the caller can keep grown memory for the next request.
//
// Errors: TooLarge seamark-body-inflated over the limit, Invalid seamark-body-compression for corrupt data, Unsupported
// seamark-body-encoding, Canceled when ctx ends while all zstd decoders are busy, and whatever Grow returns.
func (f *Inflater) Inflate(ctx context.Context, dst []byte, r Request) ([]byte, error) {
	dst = dst[:0]
	if declared, known := DeclaredSize(r.Body, r.Encoding); known && declared > r.Limit {
		return dst, tooLarge(&r, declared)
	}
	switch canonical(r.Encoding) {
	case "identity":
		dst, err := grown(dst, int64(len(r.Body)), &r)
		if err != nil {
			return dst, err
		}
		return append(dst, r.Body...), nil
	case "snappy":
		return inflateSnappy(dst, &r)
	case "gzip":
		return f.inflateGzip(dst, &r)
	case "deflate":
		return f.inflateDeflate(dst, &r)
	case "zstd":
		return f.inflateZstd(ctx, dst, &r)
	}
	return dst, seamark.Errorf(seamark.Unsupported, "seamark-body-encoding",
		"Content-Encoding %q is not supported; send %s.", clip(r.Encoding), Encodings)
}

// DeclaredSize tells how many bytes a body says it has when inflated, without inflating it. It is exact for identity and
// snappy, and for zstd when every frame carries its content size; gzip and deflate do not know. A size that the
// compressed bytes could never hold counts as unknown.
func DeclaredSize(body []byte, encoding string) (n int64, known bool) {
	switch canonical(encoding) {
	case "identity":
		return int64(len(body)), true
	case "snappy":
		size, err := snappy.DecodedLen(body)
		return int64(size), err == nil && int64(size) <= maxSnappyRatio*int64(len(body))
	case "zstd":
		info, err := scanZstd(body)
		return info.content, err == nil && info.contentKnown
	}
	return 0, false
}

// canonical folds the spellings of an encoding that RFC 9110 and agents use.
func canonical(encoding string) string {
	switch e := strings.ToLower(strings.TrimSpace(encoding)); e {
	case "":
		return "identity"
	case "x-gzip":
		return "gzip"
	default:
		return e
	}
}

// maxSnappyRatio is what snappy can reach at most: a copy element of three bytes stands for 64. The bound refuses a body
// of six bytes that declares gigabytes before anything is allocated.
const maxSnappyRatio = 22

func inflateSnappy(dst []byte, r *Request) ([]byte, error) {
	size, err := snappy.DecodedLen(r.Body)
	if err != nil {
		return dst, corrupt(r, "the length at its start cannot be read", err)
	}
	if int64(size) > maxSnappyRatio*int64(len(r.Body)) {
		return dst, corrupt(r, "it declares more bytes than it can hold", nil)
	}
	if dst, err = grown(dst, int64(size), r); err != nil {
		return dst, err
	}
	// The capacity is there, so that snappy decodes in place.
	out, err := snappy.Decode(dst[:size], r.Body)
	if err != nil {
		return dst, corrupt(r, "it cannot be decoded; snappy's block format is expected, not its framed one", err)
	}
	return out, nil
}

func (f *Inflater) inflateGzip(dst []byte, r *Request) ([]byte, error) {
	s, ok := f.gzips.Get().(*stream)
	if !ok {
		s = &stream{reader: new(gzip.Reader)}
	}
	defer s.release(&f.gzips)
	s.source.Reset(r.Body)
	if err := s.reader.(*gzip.Reader).Reset(&s.source); err != nil {
		return dst, corrupt(r, "its header is malformed", err)
	}
	hint := gzipHint(r.Body)
	if hint <= r.Limit {
		return fill(dst, s.reader, r, hint)
	}
	// A bomb that is honest about its size is counted and not kept; so is a body that was cut off, whose last bytes may
	// be anything.
	switch n, err := io.CopyN(io.Discard, s.reader, r.Limit+1); {
	case n > r.Limit:
		return dst, tooLarge(r, -1)
	case !errors.Is(err, io.EOF):
		return dst, corrupt(r, "it ends too early or does not match its checksum", err)
	}
	s.source.Reset(r.Body)
	if err := s.reader.(*gzip.Reader).Reset(&s.source); err != nil {
		return dst, corrupt(r, "its header is malformed", err)
	}
	return fill(dst, s.reader, r, 0)
}

// maxDeflateRatio is what deflate can reach at most (RFC 1951: 258 bytes for two bits).
const maxDeflateRatio = 1032

// gzipHint reads the size in a gzip body's last four bytes (RFC 1952, ISIZE), right for an honest body of one member, so
// that its buffer is allocated once. A liar gains what it could have had by inflating, and asks for it as everybody does.
func gzipHint(body []byte) int64 {
	if len(body) < 18 {
		return 0
	}
	tail := body[len(body)-4:]
	size := int64(tail[0]) | int64(tail[1])<<8 | int64(tail[2])<<16 | int64(tail[3])<<24
	return min(size, maxDeflateRatio*int64(len(body)))
}

func (f *Inflater) inflateDeflate(dst []byte, r *Request) ([]byte, error) {
	// RFC 9110 means zlib by "deflate", yet some agents send the raw stream. A zlib header is a multiple of 31 and names
	// method 8; a raw stream would have to start with a stored block and odd padding to look like one.
	pool := &f.flates
	if b := r.Body; len(b) >= 2 && b[0]&0x0f == 8 && (uint(b[0])<<8|uint(b[1]))%31 == 0 {
		pool = &f.zlibs
	}
	s, ok := pool.Get().(*stream)
	if !ok {
		s = new(stream)
	}
	defer s.release(pool)
	s.source.Reset(r.Body)
	if err := s.resetDeflate(pool == &f.zlibs); err != nil {
		return dst, corrupt(r, "its header is malformed", err)
	}
	return fill(dst, s.reader, r, 4*int64(len(r.Body)))
}

// resetDeflate points the stream's reader to its source and makes the reader first where there is none.
func (s *stream) resetDeflate(isZlib bool) (err error) {
	if resetter, ok := s.reader.(flate.Resetter); ok { // zlib's has the same shape
		return resetter.Reset(&s.source, nil)
	}
	if !isZlib {
		s.reader = flate.NewReader(&s.source)
		return nil
	}
	reader, err := zlib.NewReader(&s.source)
	if err == nil {
		s.reader = reader
	}
	return err
}

// release puts the stream back, without the body it read.
func (s *stream) release(pool *sync.Pool) {
	s.source.Reset(nil)
	pool.Put(s)
}

// fill reads src to its end into dst, which starts with room for hint bytes and doubles up to the limit.
func fill(dst []byte, src io.Reader, r *Request, hint int64) ([]byte, error) {
	// One byte over the limit tells a body at the limit from one beyond it.
	most := r.Limit + 1
	dst, err := grown(dst, min(max(hint+1, minBuffer), most), r)
	for err == nil {
		n := 0
		n, err = src.Read(dst[len(dst):min(int64(cap(dst)), most)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)) > r.Limit:
			return dst[:0], tooLarge(r, -1)
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst[:0], corrupt(r, "it ends too early or does not match its checksum", err)
		case len(dst) == cap(dst):
			dst, err = grown(dst, min(2*int64(cap(dst)), most), r)
		}
	}
	return dst[:0], err
}

// grown returns dst with a capacity of at least n, after asking for the memory.
func grown(dst []byte, n int64, r *Request) ([]byte, error) {
	if int64(cap(dst)) >= n {
		return dst, nil
	}
	if n > math.MaxInt {
		return dst, tooLarge(r, n)
	}
	if r.Grow != nil {
		if err := r.Grow(n); err != nil {
			return dst, err
		}
	}
	bigger := make([]byte, len(dst), n)
	copy(bigger, dst)
	return bigger, nil
}

// tooLarge is the error of a body over the limit; declared is what it says it has, negative when it does not say.
func tooLarge(r *Request, declared int64) error {
	const cure = "send smaller batches, or ask for a higher limit on inflated bodies"
	if declared < 0 {
		return seamark.Errorf(seamark.TooLarge, "seamark-body-inflated",
			"The %s body of %d bytes inflates to more than the limit of %d bytes; %s.",
			canonical(r.Encoding), len(r.Body), r.Limit, cure)
	}
	return seamark.Errorf(seamark.TooLarge, "seamark-body-inflated",
		"The %s body of %d bytes says it inflates to %d bytes; the limit is %d bytes; %s.",
		canonical(r.Encoding), len(r.Body), declared, r.Limit, cure)
}

// corrupt is the error of a body that is not what its encoding says.
func corrupt(r *Request, what string, cause error) error {
	return seamark.Wrap(cause, seamark.Invalid, "seamark-body-compression",
		"The body is not valid %s: %s. Check the Content-Encoding header and the sender's compression.",
		canonical(r.Encoding), what)
}

// clip shortens a header's text for a message.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
