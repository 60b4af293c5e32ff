package inflate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/gzip"
)

const (
	// maxDeflateRatio is what deflate can reach at most (RFC 1951: 258 bytes for two bits).
	maxDeflateRatio = 1032

	gzipHeaderSize  = 10 // RFC 1952, section 2.3, without the optional parts
	gzipTrailerSize = 8  // CRC32 and ISIZE
	// maxGzipText bounds a member's name and its comment, with their final zero, as Go's own reader does.
	maxGzipText = 512
)

// The bits of a gzip member's FLG (RFC 1952, section 2.3.1).
const (
	flagHeaderSum = 1 << (iota + 1)
	flagExtra
	flagName
	flagComment
	flagReserved // and those above it
)

var (
	errGzipHeader   = errors.New("gzip: a member's header is malformed")
	errGzipChecksum = errors.New("gzip: a member does not match its checksum or its size")
)

// inflateGzip decodes one member after the other (RFC 1952, section 2.2). Bytes behind the last one that are not a member
// make the body corrupt.
func (f *Inflater) inflateGzip(dst []byte, r *Request) ([]byte, error) {
	rest, err := skipGzipHeader(r.Body)
	if err != nil {
		return dst, corrupt(r, "its header is malformed", err)
	}
	hint := gzipHint(r.Body)
	if hint > r.Limit {
		if err := f.countGzip(r); err != nil {
			return dst, err
		}
		hint = 0
	}
	if dst, err = firstRoom(dst, r, hint); err != nil {
		return dst, err
	}
	for {
		start, taken := len(dst), 0
		if dst, taken, err = f.inflateRaw(dst, rest, r); err != nil {
			return dst[:0], err
		}
		if rest, err = checkGzipTrailer(rest[taken:], dst[start:]); err == nil {
			if len(rest) == 0 {
				return dst, nil
			}
			rest, err = skipGzipHeader(rest)
		}
		if err != nil {
			return dst[:0], corrupt(r, "it ends too early or does not match its checksum", err)
		}
	}
}

// skipGzipHeader returns what follows the header of the member that starts body.
func skipGzipHeader(body []byte) (rest []byte, err error) {
	if len(body) < gzipHeaderSize {
		return nil, io.ErrUnexpectedEOF
	}
	flags := body[3]
	if body[0] != 0x1f || body[1] != 0x8b || body[2] != 8 || flags >= flagReserved {
		return nil, errGzipHeader
	}
	rest = body[gzipHeaderSize:]
	if flags&flagExtra != 0 {
		if len(rest) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		end := 2 + int(binary.LittleEndian.Uint16(rest))
		if len(rest) < end {
			return nil, io.ErrUnexpectedEOF
		}
		rest = rest[end:]
	}
	for _, flag := range [...]byte{flagName, flagComment} {
		if flags&flag == 0 {
			continue
		}
		end := bytes.IndexByte(rest[:min(len(rest), maxGzipText)], 0)
		if end < 0 {
			return nil, errGzipHeader
		}
		rest = rest[end+1:]
	}
	if flags&flagHeaderSum != 0 {
		if len(rest) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		sum := crc32.ChecksumIEEE(body[:len(body)-len(rest)])
		if uint32(binary.LittleEndian.Uint16(rest)) != sum&0xffff {
			return nil, errGzipHeader
		}
		rest = rest[2:]
	}
	return rest, nil
}

// checkGzipTrailer holds a member's content against the checksum and the size that follow it, and returns what comes
// behind them.
func checkGzipTrailer(body, content []byte) (rest []byte, err error) {
	if len(body) < gzipTrailerSize {
		return nil, io.ErrUnexpectedEOF
	}
	sum, size := binary.LittleEndian.Uint32(body), binary.LittleEndian.Uint32(body[4:])
	if size != uint32(len(content)) || sum != crc32.ChecksumIEEE(content) {
		return nil, errGzipChecksum
	}
	return body[gzipTrailerSize:], nil
}

// gzipHint reads the size in a gzip body's last four bytes (RFC 1952, ISIZE), right for an honest body of one member, so
// that its buffer is allocated once. A liar gains what it could have had by inflating, and asks for it as everybody does.
func gzipHint(body []byte) int64 {
	if len(body) < gzipHeaderSize+gzipTrailerSize {
		return 0
	}
	size := binary.LittleEndian.Uint32(body[len(body)-4:])
	return min(int64(size), maxDeflateRatio*int64(len(body)))
}

// gzipCounter inflates a body without keeping it.
type gzipCounter struct {
	source bytes.Reader
	reader gzip.Reader
}

// countGzip tells whether the body fits the limit. A bomb that is honest about its size is counted and not kept; so is a
// body that was cut off, whose last bytes may be anything. Such bodies are rare, and a streaming reader serves them.
func (f *Inflater) countGzip(r *Request) error {
	c, ok := f.counters.Get().(*gzipCounter)
	if !ok {
		c = new(gzipCounter)
	}
	defer func() {
		c.source.Reset(nil) // without the body it read
		f.counters.Put(c)
	}()
	c.source.Reset(r.Body)
	if err := c.reader.Reset(&c.source); err != nil {
		return corrupt(r, "its header is malformed", err)
	}
	switch n, err := io.CopyN(io.Discard, &c.reader, r.Limit+1); {
	case n > r.Limit:
		return tooLarge(r, -1)
	case !errors.Is(err, io.EOF):
		return corrupt(r, "it ends too early or does not match its checksum", err)
	}
	return nil
}
