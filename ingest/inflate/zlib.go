package inflate

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"
	"math"

	"github.com/seamarkhq/seamark/ingest/inflate/deflate"
)

var (
	errZlibHeader   = errors.New("zlib: the header is malformed")
	errZlibChecksum = errors.New("zlib: the content does not match its checksum")
)

// inflateDeflate decodes what RFC 9110 calls deflate. It means zlib by that, yet some agents send the raw stream. What
// follows the stream is not looked at.
func (f *Inflater) inflateDeflate(dst []byte, r *Request) ([]byte, error) {
	stream, isZlib, err := skipZlibHeader(r.Body)
	if err != nil {
		return dst, corrupt(r, "its header is malformed", err)
	}
	if dst, err = firstRoom(dst, r, 4*int64(len(r.Body))); err != nil {
		return dst, err
	}
	dst, taken, err := f.inflateRaw(dst, stream, r)
	if err == nil && isZlib {
		if err = checkZlibTrailer(stream[taken:], dst); err != nil {
			err = corrupt(r, "it ends too early or does not match its checksum", err)
		}
	}
	if err != nil {
		return dst[:0], err
	}
	return dst, nil
}

// skipZlibHeader returns the deflate stream behind a zlib header (RFC 1950, section 2.2), or the whole body where none is.
func skipZlibHeader(body []byte) (stream []byte, isZlib bool, err error) {
	// A zlib header is a multiple of 31 and names method 8; a raw stream would have to start with a stored block and odd
	// padding to look like one.
	if len(body) < 2 || body[0]&0x0f != 8 || binary.BigEndian.Uint16(body)%31 != 0 {
		return body, false, nil
	}
	stream = body[2:]
	if body[0]>>4 > 7 {
		return nil, true, errZlibHeader // a window over 32 KiB
	}
	if body[1]&0x20 != 0 {
		// The checksum of a preset dictionary; only that of the empty one is known here.
		if len(stream) < 4 || binary.BigEndian.Uint32(stream) != adler32.Checksum(nil) {
			return nil, true, errZlibHeader
		}
		stream = stream[4:]
	}
	return stream, true, nil
}

// checkZlibTrailer holds the content against the checksum that follows it.
func checkZlibTrailer(rest, content []byte) error {
	if len(rest) < 4 {
		return io.ErrUnexpectedEOF
	}
	if binary.BigEndian.Uint32(rest) != adler32.Checksum(content) {
		return errZlibChecksum
	}
	return nil
}

// firstRoom returns dst with room for about hint bytes, the first allocation for a body that does not say its size.
func firstRoom(dst []byte, r *Request, hint int64) ([]byte, error) {
	return grown(dst, min(max(hint+1, minBuffer), r.Limit+1), r)
}

// deflater is a decoder with the request that it works for, so that asking for memory takes no memory of its own.
type deflater struct {
	decoder *deflate.Decoder
	grow    deflate.Grow // double, bound once
	request Request
	refused error // Grow's
}

func newDeflater() *deflater {
	d := &deflater{decoder: deflate.New()}
	d.grow = d.double
	return d
}

// double makes room up to the limit.
func (d *deflater) double(full []byte, need int) (bigger []byte, err error) {
	size := max(2*int64(cap(full)), int64(len(full))+int64(need))
	bigger, d.refused = grown(full, min(size, d.request.Limit+1), &d.request)
	return bigger, d.refused
}

// inflateRaw appends the deflate stream at the start of src to dst and tells how many bytes of src it takes. The limit
// counts what dst held before. Its errors are the customer's.
func (f *Inflater) inflateRaw(dst, src []byte, r *Request) (out []byte, taken int, err error) {
	d, ok := f.deflaters.Get().(*deflater)
	if !ok {
		d = newDeflater()
	}
	d.request = *r
	out, taken, err = d.decoder.Inflate(dst, src, int(min(r.Limit, math.MaxInt)), d.grow)
	refused := d.refused
	d.request, d.refused = Request{}, nil // without the body it read
	f.deflaters.Put(d)
	switch {
	case err == nil:
		return out, taken, nil
	case refused != nil:
		return out, taken, refused
	case errors.Is(err, deflate.ErrTooLarge):
		return out, taken, tooLarge(r, -1)
	}
	return out, taken, corrupt(r, "it ends too early or does not match its checksum", err)
}
