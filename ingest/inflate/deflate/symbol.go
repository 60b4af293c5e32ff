package deflate

import "encoding/binary"

const (
	// fastIn is what must be left of the input for a turn of the fast loop, which loads eight bytes twice and goes on by seven
	// between the two.
	fastIn = 16
	// fastOut is what must be left of the room: two pairs of literals and a match of 258 bytes, with what its last wide
	// copy writes behind it.
	fastOut = 4 + 258 + 16
)

// fast decodes symbols while plenty of input and of room is left, so that neither is looked at within a turn. done is true
// at the block's end. Its length has a reason: calls within the loop would put its variables into memory.
func (d *Decoder) fast(s *stream) (done bool, err error) { //nolint:revive // see above
	src, out, lits, dists := s.src, s.out, &d.literals, &d.dists
	in, pos, start := s.in, s.pos, s.start
	bits, left := s.bits, uint64(s.left) // only the low six bits of left count
	lastIn, lastOut := len(src)-fastIn, len(out)-fastOut
	for in <= lastIn && pos <= lastOut {
		bits |= binary.LittleEndian.Uint64(src[in:]) << (left & 63)
		in += int(^left >> 3 & 7)
		left |= 56
		e := lits[bits%(1<<litBits)]
		if e&isLiteral != 0 {
			binary.LittleEndian.PutUint16(out[pos:], uint16(e>>valueShift))
			pos += int(e >> countShift & 3)
			bits >>= e & takeMask
			left -= uint64(e)
			e = lits[bits%(1<<litBits)]
			if e&isLiteral != 0 {
				binary.LittleEndian.PutUint16(out[pos:], uint16(e>>valueShift))
				pos += int(e >> countShift & 3)
				bits >>= e & takeMask
				left -= uint64(e)
				e = lits[bits%(1<<litBits)]
				if e&isLiteral != 0 {
					binary.LittleEndian.PutUint16(out[pos:], uint16(e>>valueShift))
					pos += int(e >> countShift & 3)
					bits >>= e & takeMask
					left -= uint64(e)
					continue
				}
			}
			// A length and its distance take up to 48 bits, and fewer may be left.
			bits |= binary.LittleEndian.Uint64(src[in:]) << (left & 63)
			in += int(^left >> 3 & 7)
			left |= 56
		}
		if e&isRare != 0 {
			if e&isSub == isSub {
				bits >>= litBits
				left -= litBits
				e = lits[(uint64(e>>valueShift)+bits&(1<<(e>>beforeShift&beforeMask)-1))%litSize]
			}
			if e&isLiteral != 0 {
				out[pos] = byte(e >> valueShift)
				pos++
				bits >>= e & takeMask
				left -= uint64(e)
				continue
			}
			if e&isRare != 0 {
				bits >>= e & takeMask
				left -= uint64(e)
				done = e&isEnd == isEnd
				if !done {
					err = CorruptError(in - int(left&63/8))
				}
				break
			}
		}
		length := int(e>>valueShift&baseMask) + int(bits>>(e>>beforeShift&beforeMask)&uint64(e>>maskShift))
		bits >>= e & takeMask
		left -= uint64(e)

		f := dists[bits%(1<<distBits)]
		if f&isRare != 0 {
			if f&isSub == isSub {
				bits >>= distBits
				left -= distBits
				f = dists[(f>>valueShift+bits&(1<<(f>>beforeShift&beforeMask)-1))%distSize]
			}
			if f&isRare != 0 {
				err = CorruptError(in - int(left&63/8))
				break
			}
		}
		dist := int(f>>valueShift&0xffff) + int(bits>>(f>>beforeShift&beforeMask)&(f>>farShift))
		bits >>= f & takeMask
		left -= f
		from := pos - dist
		if from < start {
			err = CorruptError(in - int(left&63/8))
			break
		}
		end := pos + length
		if dist >= 16 {
			for {
				*(*[16]byte)(out[pos:]) = *(*[16]byte)(out[from:])
				pos += 16
				from += 16
				if pos >= end {
					break
				}
			}
		} else {
			repeat(out, pos, length, dist)
		}
		pos = end
	}
	s.in, s.pos = in, pos
	s.left = uint(left & 63)
	s.bits = bits & (1<<s.left - 1)
	return done, err
}

// repeat writes length bytes at pos that repeat those up to 15 bytes before it, and up to seven more.
func repeat(out []byte, pos, length, dist int) {
	end := pos + length
	if dist >= 8 {
		for ; pos < end; pos += 8 {
			binary.LittleEndian.PutUint64(out[pos:], binary.LittleEndian.Uint64(out[pos-dist:]))
		}
		return
	}
	// Eight bytes of the pattern, of which the whole repetitions count.
	width := uint(8 * dist)
	word := binary.LittleEndian.Uint64(out[pos-dist:]) & (1<<(width&63) - 1)
	for ; width < 64; width *= 2 {
		word |= word << width
	}
	for step := 8 / dist * dist; pos < end; pos += step {
		binary.LittleEndian.PutUint64(out[pos:], word)
	}
}

// slow decodes one entry with a check before each step. done is true at the block's end.
func (d *Decoder) slow(s *stream) (done bool, err error) {
	s.refill()
	e := d.literals[s.bits%(1<<litBits)]
	if e&isSub == isSub {
		if _, ok := s.take(litBits); !ok {
			return false, ErrTruncated
		}
		e = d.literals[(uint64(e>>valueShift)+s.bits&(1<<(e>>beforeShift&beforeMask)-1))%litSize]
	}
	before := s.bits
	if _, ok := s.take(uint(e & takeMask)); !ok || s.left == 0 && e&takeMask == 0 {
		return false, ErrTruncated
	}
	switch {
	case e&isLiteral != 0:
		for value, n := e>>valueShift, e>>countShift&3; n > 0 && err == nil; value, n = value>>8, n-1 {
			if err = s.room(1); err == nil {
				s.out[s.pos] = byte(value)
				s.pos++
			}
		}
		return false, err
	case e&isEnd == isEnd:
		return true, nil
	case e&isRare != 0:
		return false, s.corrupt()
	}
	length := int(e>>valueShift&baseMask) + int(before>>(e>>beforeShift&beforeMask)&uint64(e>>maskShift))
	dist, err := d.slowDist(s)
	if err != nil {
		return false, err
	}
	for ; length > 0; length-- {
		if err := s.room(length); err != nil {
			return false, err
		}
		s.out[s.pos] = s.out[s.pos-dist]
		s.pos++
	}
	return false, nil
}

// slowDist decodes a distance.
func (d *Decoder) slowDist(s *stream) (int, error) {
	s.refill()
	e := d.dists[s.bits%(1<<distBits)]
	if e&isSub == isSub {
		if _, ok := s.take(distBits); !ok {
			return 0, ErrTruncated
		}
		e = d.dists[(e>>valueShift+s.bits&(1<<(e>>beforeShift&beforeMask)-1))%distSize]
	}
	before := s.bits
	if _, ok := s.take(uint(e & takeMask)); !ok || s.left == 0 && e&takeMask == 0 {
		return 0, ErrTruncated
	}
	dist := int(e>>valueShift&0xffff) + int(before>>(e>>beforeShift&beforeMask)&(e>>farShift))
	if e&isRare != 0 || dist > s.pos-s.start {
		return 0, s.corrupt()
	}
	return dist, nil
}
