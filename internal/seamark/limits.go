package seamark

import "time"

// Limits bounds what one request may carry. Each is a flag (`--ingest.…`) and stands in docs/limits.md.
type Limits struct {
	// MaxBodyBytes bounds the body as sent. Without it one request holds a connection's memory for as long as it likes.
	MaxBodyBytes int64
	// MaxInflatedBytes bounds the body after decompression. Without it a 64 KiB bomb takes all memory.
	MaxInflatedBytes int64
	// MaxLabels bounds the labels of one series or stream. Without it one series row can fill a block.
	MaxLabels int
	// MaxLabelNameBytes and MaxLabelValueBytes bound a label. Without them the label index outgrows the data.
	MaxLabelNameBytes, MaxLabelValueBytes int
	// MaxLineBytes bounds one log line. Longer lines are refused and told, while their neighbours are kept: without it
	// one runaway line fills a block.
	MaxLineBytes int
	// MaxAttrs bounds the structured metadata pairs of one line.
	MaxAttrs int
	// MaxFuture is how far ahead of our clock a timestamp may lie; MaxAge how far behind. Without them a sender with a
	// broken clock creates partitions that no query prunes and no retention removes.
	MaxFuture, MaxAge time.Duration
}

// DefaultLimits returns the limits that a tenant starts with.
func DefaultLimits() Limits {
	return Limits{
		MaxBodyBytes:       8 << 20,
		MaxInflatedBytes:   32 << 20,
		MaxLabels:          64,
		MaxLabelNameBytes:  1024,
		MaxLabelValueBytes: 4096,
		MaxLineBytes:       256 << 10,
		MaxAttrs:           128,
		MaxFuture:          10 * time.Minute,
		MaxAge:             30 * 24 * time.Hour,
	}
}
