// Package inflate decompresses request bodies under a hard limit: it looks at the size a body declares before it takes
// memory, asks before every allocation, and stops at the limit. It does no I/O and knows no tenants; package ingest
// imports it.
package inflate

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync"

	"github.com/klauspost/compress/snappy"
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
	deflaters sync.Pool          // *deflater, for gzip and deflate
	counters  sync.Pool          // *gzipCounter
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
