package otlp

import (
	"math"
	"math/bits"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Request is one export request after decompression.
type Request struct {
	Body     []byte // the batch aliases it
	Encoding Encoding
	Catalog  seamark.Catalog // of the cluster that sent the request
	Cluster  string          // its name, for the spans of resources that name none
	Now      time.Time       // stands in for timestamps that the sender left out
	Limits   Limits
}

// Limits bounds what decoding one request may allocate beyond the size of its body. Zero fields take their defaults.
type Limits struct {
	// MaxRows bounds the rows of one request, default 1,000,000. An empty log record takes two bytes in the body and
	// forty times that in the batch; without the limit a small bomb takes all memory.
	MaxRows int
	// MaxPairs bounds the structured metadata pairs of all records, and the attributes of all spans, of a request, default 8,000,000, a quarter of a GiB.
	// Attributes of a resource stand once in the body and in each row of the batch; without the limit they multiply.
	MaxPairs int
	// MaxAttrs bounds the structured metadata pairs of one log record and the attributes of one span, default 128. Without
	// it one record can fill a block.
	MaxAttrs int
	// MaxSpanBytes bounds one span as sent, default 512 KiB. Without it one span can be more than a message of the bus holds.
	MaxSpanBytes int
	// MaxSpanEvents and MaxSpanLinks bound what is stored of one span's events and links, default 256 each, twice what SDKs
	// send. Without them a span that lives for days outgrows the rest of its trace.
	MaxSpanEvents, MaxSpanLinks int
}

func (l Limits) withDefaults() Limits {
	if l.MaxRows <= 0 {
		l.MaxRows = 1_000_000
	}
	if l.MaxPairs <= 0 {
		l.MaxPairs = 8_000_000
	}
	if l.MaxAttrs <= 0 {
		l.MaxAttrs = seamark.DefaultLimits().MaxAttrs
	}
	if l.MaxSpanBytes <= 0 {
		l.MaxSpanBytes = 512 << 10
	}
	if l.MaxSpanEvents <= 0 {
		l.MaxSpanEvents = 256
	}
	if l.MaxSpanLinks <= 0 {
		l.MaxSpanLinks = 256
	}
	return l
}

// The seeds keep the catalog keys of this protocol apart from those of others, and the kinds of series from each other.
const (
	seedStream  = 0x6f746c706c6f6773 // "otlplogs"
	seedMetric  = 0x6f746c706d657472 // "otlpmetr"
	seedTarget  = 0x6f746c7074617267 // "otlptarg"
	seedSum     = 0x9e3779b97f4a7c15
	seedCount   = 0xd1b54a32d192ed03
	seedBuckets = 0x8cb92ba72f3d8dd7
	seedDelta   = 0x6f746c7064656c74 // "otlpdelt"
)

// mix combines two hashes into one. The folded 128-bit product spreads every bit of both; the constant keeps zero from
// swallowing the other operand.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}

// hashParts hashes the occurrences of one embedded message. Nearly always there is one.
func hashParts(seed uint64, parts [][]byte) uint64 {
	h := seed
	for _, p := range parts {
		h = mix(h, xxhash.Sum64(p))
	}
	return h
}

// exceeded is the fault of a request over MaxRows or MaxPairs.
func (l Limits) exceeded() error {
	return seamark.Errorf(seamark.TooLarge, "seamark-rows-limit",
		"The request has more than %d rows or %d attributes in all rows, the limits of one request; lower the exporter's batch size.",
		l.MaxRows, l.MaxPairs)
}

// nanoTime turns the wire's unsigned nanoseconds into ours. Times after the year 2262 become the last we can say, so that
// the limit on future times sees them instead of a time before 1970.
func nanoTime(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// maxScratch is how many elements of scratch memory a pooled decoder keeps, so that one freak request does not cost
// memory for ever.
const maxScratch = 1024

// emptied returns s without elements and without pointers into the last request.
func emptied[T any](s []T) []T {
	if cap(s) > maxScratch {
		return nil
	}
	s = s[:cap(s)]
	clear(s)
	return s[:0]
}
