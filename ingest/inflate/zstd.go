package inflate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// maxZstdBlock is the most that one compressed block gives (RFC 8878, Block_Maximum_Size).
	maxZstdBlock = 128 << 10
	// zstdSlack is room behind the output that lets the decoder copy in wide steps.
	zstdSlack = 32
)

// zstdInfo is what a walk over a zstd body's frame and block headers tells without decoding.
type zstdInfo struct {
	content      int64 // sum of the declared content sizes
	contentKnown bool  // every frame declares its size
	bound        int64 // most that the blocks can give
	window       int64 // the largest window any frame asks for
}

var (
	errZstdShort    = errors.New("zstd: a block is cut off")
	errZstdReserved = errors.New("zstd: a block has the reserved type")
	errZstdLie      = errors.New("zstd: the declared size is more than the blocks can hold")
)

// scanZstd walks the headers of all frames. It costs a few nanoseconds per block of up to 128 KiB, and lets the caller
// know the size of concatenated frames and see through a small frame that declares gigabytes.
func scanZstd(body []byte) (zstdInfo, error) {
	info := zstdInfo{contentKnown: true}
	for rest := body; len(rest) > 0; {
		var h zstd.Header
		if err := h.Decode(rest); err != nil {
			return info, fmt.Errorf("zstd: frame at byte %d: %w", len(body)-len(rest), err)
		}
		if h.Skippable {
			size := h.HeaderSize + int(h.SkippableSize)
			if size > len(rest) {
				return info, errZstdShort
			}
			rest = rest[size:]
			continue
		}
		bound, after, err := scanZstdBlocks(rest[h.HeaderSize:], h.HasCheckSum)
		if err != nil {
			return info, err
		}
		rest = after
		info.bound += bound
		window := h.WindowSize
		if h.SingleSegment {
			window = h.FrameContentSize
		}
		info.window = max(info.window, clampInt64(window))
		if !h.HasFCS {
			info.contentKnown = false
			continue
		}
		if h.FrameContentSize > uint64(bound) {
			return info, errZstdLie
		}
		info.content += int64(h.FrameContentSize)
	}
	return info, nil
}

// scanZstdBlocks walks the blocks of one frame; it returns the most they can give and the bytes after the frame.
func scanZstdBlocks(rest []byte, checksum bool) (bound int64, after []byte, err error) {
	const (
		raw        = 0
		runLength  = 1
		compressed = 2
	)
	for last := false; !last; {
		if len(rest) < 3 {
			return 0, nil, errZstdShort
		}
		header := uint32(rest[0]) | uint32(rest[1])<<8 | uint32(rest[2])<<16
		rest = rest[3:]
		last = header&1 != 0
		size := int(header >> 3)
		stored := size
		switch header >> 1 & 3 {
		case raw:
			bound += int64(size)
		case runLength:
			bound += int64(size)
			stored = 1
		case compressed:
			bound += maxZstdBlock
		default:
			return 0, nil, errZstdReserved
		}
		if stored > len(rest) {
			return 0, nil, errZstdShort
		}
		rest = rest[stored:]
	}
	if checksum {
		if len(rest) < 4 {
			return 0, nil, errZstdShort
		}
		rest = rest[4:]
	}
	return bound, rest, nil
}

func clampInt64(n uint64) int64 { return int64(min(n, 1<<62)) }

func (f *Inflater) inflateZstd(ctx context.Context, dst []byte, r *Request) ([]byte, error) {
	info, err := scanZstd(r.Body)
	if err != nil {
		return dst, corrupt(r, "its frame headers are malformed", err)
	}
	if !info.contentKnown && info.window > f.maxWindow {
		return dst, corrupt(r, fmt.Sprintf("a frame without a content size asks for a window of %d bytes; the limit is %d bytes",
			info.window, f.maxWindow), nil)
	}
	decoder, err := f.takeZstd(ctx)
	if err != nil {
		return dst, err
	}
	defer func() { f.zstds <- decoder }()
	if !info.contentKnown {
		return streamZstd(dst, decoder, r, min(info.bound, 4*int64(len(r.Body))))
	}
	if dst, err = grown(dst, info.content+zstdSlack, r); err != nil {
		return dst, err
	}
	out, err := decoder.DecodeAll(r.Body, dst)
	if err != nil {
		return dst, corrupt(r, "it cannot be decoded", err)
	}
	return out, nil
}

// streamZstd decodes a body whose frames do not declare their size.
func streamZstd(dst []byte, decoder *zstd.Decoder, r *Request, hint int64) ([]byte, error) {
	// A bytes.Reader, because the decoder would inflate a small bytes.Buffer at once and without asking anyone.
	if err := decoder.Reset(bytes.NewReader(r.Body)); err != nil && !errors.Is(err, io.EOF) {
		return dst, corrupt(r, "it cannot be decoded", err)
	}
	out, err := fill(dst, decoder, r, hint)
	if resetErr := decoder.Reset(nil); resetErr != nil && err == nil {
		return out[:0], seamark.Wrap(resetErr, seamark.Internal, "seamark-inflate-zstd", "The body could not be inflated.")
	}
	return out, err
}

// takeZstd waits for a decoder. Decoders decode on the caller's goroutine and never write beyond the given capacity,
// which is the tenant's limit at most.
func (f *Inflater) takeZstd(ctx context.Context) (*zstd.Decoder, error) {
	select {
	case decoder := <-f.zstds:
		if decoder != nil {
			return decoder, nil
		}
	case <-ctx.Done():
		return nil, seamark.Wrap(ctx.Err(), seamark.Canceled, "seamark-request-canceled",
			"The request ended while its body waited to be inflated.")
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		f.zstds <- nil
		return nil, seamark.Wrap(err, seamark.Internal, "seamark-inflate-zstd", "The body could not be inflated.")
	}
	return decoder, nil
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
