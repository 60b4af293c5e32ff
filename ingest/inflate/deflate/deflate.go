// Package deflate decodes a raw deflate stream (RFC 1951) that is whole in memory into one slice. It knows neither gzip's
// nor zlib's frame, does no I/O and starts nothing; package inflate imports it.
//
// It judges streams as compress/flate does, and is faster because it need not stop where a reader's buffer ends: bits come
// in loads of eight bytes, matches are copied within the output, which is its own window.
package deflate

import (
	"encoding/binary"
	"errors"
	"strconv"
)

var (
	// ErrTruncated says that the stream ends before its last block does.
	ErrTruncated = errors.New("deflate: the stream ends too early")
	// ErrTooLarge says that the stream gives more bytes than the caller allows.
	ErrTooLarge = errors.New("deflate: the stream gives more than is allowed")
)

// CorruptError says that a stream breaks RFC 1951 before this byte offset.
type CorruptError int

func (e CorruptError) Error() string {
	return "deflate: the stream is corrupt before byte " + strconv.Itoa(int(e))
}

// Grow returns a slice with the content of dst, the same length and room for one more byte at least; need is how many
// are known to come. Its error ends the work and is returned as it is. Without a Grow the capacity of dst is all the room
// there is.
type Grow func(dst []byte, need int) ([]byte, error)

// Decoder holds the tables of one stream at a time, about 30 KiB, for reuse. It is not safe for concurrent use; make one
// with New.
type Decoder struct {
	symbols  symbols
	literals [litSize]uint32
	dists    [distSize]uint64
	codes    [codeSize]uint8
	lengths  [maxLiterals + maxDists]uint8
	fixed    bool // literals and dists hold the fixed code, which the next fixed block need not build again
}

// New makes a Decoder.
func New() *Decoder {
	d := new(Decoder)
	d.symbols.fill()
	return d
}

// stream is a stream under way.
type stream struct {
	src  []byte
	in   int    // the next byte of src to load
	bits uint64 // loaded bits, the next one lowest; those from left on are zero
	left uint   // how many bits are loaded

	dynamic int // where the codes of the latest dynamic block ended

	out   []byte // the output with all the room that may be used
	pos   int    // the next byte of out to write
	start int    // where this stream's output starts; no match reaches before it
	most  int    // what pos may come to
	grow  Grow
}

// Inflate appends what the stream at the start of src holds to dst and returns it, with the bytes of src that the stream
// takes. The result may be no longer than most bytes, with what dst held before. Bytes between its length and its capacity
// are overwritten with anything. Beside an error comes what was decoded before it.
//
// Errors: ErrTruncated, ErrTooLarge, CorruptError and whatever grow returns.
func (d *Decoder) Inflate(dst, src []byte, most int, grow Grow) (out []byte, consumed int, err error) {
	if len(dst) > most {
		return dst, 0, ErrTooLarge
	}
	s := stream{src: src, out: dst[:min(cap(dst), most)], pos: len(dst), start: len(dst), most: most, grow: grow, dynamic: -pairFrom}
	for last := false; !last && err == nil; {
		last, err = d.block(&s)
	}
	return s.out[:s.pos], s.in - int(s.left/8), err
}

// block decodes one block and tells whether it was the last one.
func (d *Decoder) block(s *stream) (last bool, err error) {
	s.refill()
	head, ok := s.take(3)
	if !ok {
		return false, ErrTruncated
	}
	switch head >> 1 {
	case 0:
		err = s.stored()
	case 1:
		d.useFixed()
		err = d.compressed(s)
	case 2:
		if err = d.readDynamic(s); err == nil {
			err = d.compressed(s)
		}
	default:
		err = s.corrupt()
	}
	return head&1 == 1, err
}

// compressed decodes the symbols of a block up to its end.
func (d *Decoder) compressed(s *stream) error {
	for {
		done, err := d.fast(s)
		// Between two fast runs is one symbol at least, near the end of the input or of the room.
		if !done && err == nil {
			done, err = d.slow(s)
		}
		if done || err != nil {
			return err
		}
	}
}

// refill loads as many whole bytes as there is room and input for: 56 bits or more, unless the input ends.
func (s *stream) refill() {
	if len(s.src)-s.in >= 8 {
		n := (63 - s.left) / 8
		s.bits |= binary.LittleEndian.Uint64(s.src[s.in:]) << (s.left & 63)
		s.in += int(n)
		s.left += 8 * n
		s.bits &= 1<<(s.left&63) - 1
		return
	}
	for s.left <= 55 && s.in < len(s.src) {
		s.bits |= uint64(s.src[s.in]) << (s.left & 63)
		s.in++
		s.left += 8
	}
}

// take removes n loaded bits; ok is false when the input ended before them.
func (s *stream) take(n uint) (v uint64, ok bool) {
	if n > s.left {
		return 0, false
	}
	v = s.bits & (1<<(n&63) - 1)
	s.bits >>= n & 63
	s.left -= n
	return v, true
}

func (s *stream) corrupt() error { return CorruptError(s.in - int(s.left/8)) }

// room makes sure that at least one more byte can be written, and asks for need bytes where none can.
func (s *stream) room(need int) error {
	if s.pos < len(s.out) {
		return nil
	}
	if s.pos >= s.most || s.grow == nil {
		return ErrTooLarge
	}
	dst, err := s.grow(s.out[:s.pos], need)
	if err != nil {
		return err
	}
	s.out = dst[:min(cap(dst), s.most)]
	if s.pos >= len(s.out) {
		return ErrTooLarge
	}
	return nil
}

// stored copies a block that is not compressed.
func (s *stream) stored() error {
	s.in -= int(s.left / 8)
	s.bits, s.left = 0, 0
	if len(s.src)-s.in < 4 {
		return ErrTruncated
	}
	size := binary.LittleEndian.Uint16(s.src[s.in:])
	check := binary.LittleEndian.Uint16(s.src[s.in+2:])
	s.in += 4
	if size != ^check {
		return s.corrupt()
	}
	data := s.src[s.in:min(s.in+int(size), len(s.src))]
	for rest := data; len(rest) > 0; {
		if err := s.room(len(rest)); err != nil {
			return err
		}
		n := copy(s.out[s.pos:], rest)
		rest = rest[n:]
		s.pos += n
	}
	s.in += len(data)
	if len(data) < int(size) {
		return ErrTruncated
	}
	return nil
}
