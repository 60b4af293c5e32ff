package forward

import (
	"encoding/binary"
	"math"
)

// kind is a MessagePack type. str and bin stay apart: only one of them is text.
type kind uint8

const (
	kindNever kind = iota // the one byte that no value begins with
	kindNil
	kindBool
	kindInt  // bits is an int64
	kindUint // bits is a uint64
	kindFloat
	kindStr
	kindBin
	kindArray
	kindMap
	kindExt
)

// header is what stands before a value's content.
type header struct {
	kind    kind
	size    int    // bytes of the header itself, with a number's value
	payload int    // bytes of text, binary or extension behind it
	count   int    // values behind it: elements of an array, keys and values of a map
	bits    uint64 // the value of a number or a boolean, the type of an extension
}

// parseHeader reads the header at the start of b; ok is false when b ends in it.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) == 0 {
		return h, false
	}
	c := b[0]
	switch {
	case c < 0x80:
		return header{kind: kindInt, size: 1, bits: uint64(c)}, true
	case c < 0x90:
		return header{kind: kindMap, size: 1, count: 2 * int(c&0x0f)}, true
	case c < 0xa0:
		return header{kind: kindArray, size: 1, count: int(c & 0x0f)}, true
	case c < 0xc0:
		return header{kind: kindStr, size: 1, payload: int(c & 0x1f)}, true
	case c >= 0xe0:
		return header{kind: kindInt, size: 1, bits: uint64(int64(int8(c)))}, true
	}
	return parseLongHeader(b)
}

// parseLongHeader reads the headers from 0xc0 to 0xdf, whose numbers are in 0, 1, 2, 4 or 8 bytes behind the first.
func parseLongHeader(b []byte) (h header, ok bool) {
	widths := [32]uint8{
		0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
	}
	c := b[0]
	width := int(widths[c&0x1f])
	if len(b) < 1+width {
		return h, false
	}
	n := bigEndian(b[1 : 1+width])
	h.size = 1 + width
	switch {
	case c == 0xc0:
		h.kind = kindNil
	case c == 0xc1:
		h.kind = kindNever
	case c <= 0xc3:
		h.kind, h.bits = kindBool, uint64(c&1)
	case c <= 0xc6:
		h.kind, h.payload = kindBin, int(n)
	case c <= 0xc9:
		return extHeader(b, h.size, int(n))
	case c == 0xca:
		h.kind, h.bits = kindFloat, math.Float64bits(float64(math.Float32frombits(uint32(n))))
	case c == 0xcb:
		h.kind, h.bits = kindFloat, n
	case c <= 0xcf:
		h.kind, h.bits = kindUint, n
	case c <= 0xd3:
		h.kind, h.bits = kindInt, signed(n, width)
	case c <= 0xd8:
		return extHeader(b, 1, 1<<(c-0xd4))
	case c <= 0xdb:
		h.kind, h.payload = kindStr, int(n)
	case c <= 0xdd:
		h.kind, h.count = kindArray, int(n)
	default:
		h.kind, h.count = kindMap, 2*int(n)
	}
	return h, true
}

// extHeader reads an extension's type, which stands behind its length.
func extHeader(b []byte, size, payload int) (h header, ok bool) {
	if len(b) <= size {
		return h, false
	}
	return header{kind: kindExt, size: size + 1, payload: payload, bits: uint64(int64(int8(b[size])))}, true
}

func bigEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 8:
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// signed extends the sign of a number of width bytes.
func signed(n uint64, width int) uint64 {
	shift := 64 - 8*width
	return uint64(int64(n<<shift) >> shift)
}

// value is one value, or the start of an array or map.
type value struct {
	header
	data []byte // of text, binary and extensions
}

// nested reports whether other values follow that are a part of it.
func (v *value) nested() bool { return v.kind == kindArray || v.kind == kindMap }

// reader reads values from bytes that are all there.
type reader struct {
	buf []byte
	at  int
}

// next reads one value; of arrays and maps only the header, whose elements come next. It fails at the end of the bytes,
// at a byte that begins no value, and where an array or map announces more than the bytes can hold.
func (r *reader) next() (v value, ok bool) {
	rest := r.buf[r.at:]
	h, ok := parseHeader(rest)
	if !ok || h.kind == kindNever || h.payload > len(rest)-h.size || h.count > len(rest)-h.size {
		return v, false
	}
	end := h.size + h.payload
	r.at += end
	return value{h, rest[h.size:end]}, true
}

// skip passes over one whole value and returns its bytes. It counts instead of recursing, so depth costs nothing.
func (r *reader) skip() (raw []byte, ok bool) {
	from := r.at
	if !r.pass(1) {
		return nil, false
	}
	return r.buf[from:r.at], true
}

// pass passes over n whole values. Most bytes of a record are short text and short headers, which are told by one byte.
func (r *reader) pass(n int) (ok bool) {
	buf, at := r.buf, r.at
	for left := n; left > 0; left-- {
		if at >= len(buf) {
			return false
		}
		switch c := buf[at]; {
		case c < 0x80 || c >= 0xe0:
			at++
		case c < 0x90:
			at++
			left += 2 * int(c&0x0f)
		case c < 0xa0:
			at++
			left += int(c & 0x0f)
		case c < 0xc0:
			at += 1 + int(c&0x1f)
		default:
			h, ok := parseLongHeader(buf[at:])
			rest := len(buf) - at - h.size
			if !ok || h.kind == kindNever || h.payload > rest || h.count > rest {
				return false
			}
			at += h.size + h.payload
			left += h.count
		}
	}
	if at > len(buf) {
		return false
	}
	r.at = at
	return true
}

// sizer finds the end of a value whose bytes are still coming, without looking at any byte twice.
type sizer struct {
	at   int // bytes that were looked at, text passed over included
	left int // values that are still to come, the first one excluded
	any  bool
}

// fault is why no value can be read.
type fault uint8

const (
	faultNone  fault = iota
	faultNever       // a byte that begins no value
	faultLarge       // the value is longer than the limit
)

// size returns how many bytes the value at the start of b takes, 0 while its end has not come. b is what came so far; the
// next call gives at least as much of the same. No byte is waited for that would be over the limit.
func (s *sizer) size(b []byte, limit int) (int, fault) {
	for !s.any || s.left > 0 {
		if s.at >= len(b) {
			return 0, faultNone
		}
		h, ok := parseHeader(b[s.at:])
		switch {
		case !ok:
			return 0, faultNone
		case h.kind == kindNever:
			return 0, faultNever
		case h.payload > limit || h.count > limit || s.at+h.size+h.payload+h.count > limit:
			return 0, faultLarge
		}
		if s.any {
			s.left--
		}
		s.any = true
		s.at += h.size + h.payload
		s.left += h.count
	}
	if s.at > len(b) {
		return 0, faultNone
	}
	n := s.at
	*s = sizer{}
	return n, faultNone
}
