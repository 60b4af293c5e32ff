package deflate

// pairFrom is how much input, behind a block's head and since the dynamic block before it, makes pairs of literals worth
// their two microseconds. Without it a body of blocks of a dozen bytes each would cost twice what its tables cost.
const pairFrom = 1 << 10

// useFixed builds the tables of RFC 1951, section 3.2.6.
func (d *Decoder) useFixed() {
	if d.fixed {
		return
	}
	lengths := d.lengths[:maxLiterals]
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	var c code
	c.sort(lengths)
	build(&c, d.literals[:], d.symbols.literals[:], litBits) // no two literals fit its first level
	lengths = d.lengths[:maxDists]
	for i := range lengths {
		lengths[i] = 5
	}
	c.sort(lengths)
	build(&c, d.dists[:], d.symbols.dists[:], distBits)
	d.fixed = true
}

// readDynamic reads the codes at the start of a block (RFC 1951, section 3.2.7) and builds their tables.
func (d *Decoder) readDynamic(s *stream) error {
	d.fixed = false
	head, ok := s.take(14)
	if !ok {
		return ErrTruncated
	}
	literals, dists, codes := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if literals > 286 || dists > 30 {
		return s.corrupt()
	}
	if err := d.readCode(s, codes); err != nil {
		return err
	}
	if err := d.readLengths(s, literals+dists); err != nil {
		return err
	}
	var c code
	if !c.sort(d.lengths[:literals]) {
		return s.corrupt()
	}
	build(&c, d.literals[:], d.symbols.literals[:], litBits)
	if s.in-s.dynamic >= pairFrom && len(s.src)-s.in >= pairFrom {
		pair(&d.literals)
	}
	s.dynamic = s.in
	if !c.sort(d.lengths[literals : literals+dists]) {
		return s.corrupt()
	}
	build(&c, d.dists[:], d.symbols.dists[:], distBits)
	return nil
}

// readCode reads the code that the code lengths are written in. An entry of d.codes is the symbol times eight and the
// length of its bit string, 0 for an unused one.
func (d *Decoder) readCode(s *stream, codes int) error {
	order := [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [19]uint8
	for _, symbol := range order[:codes] {
		s.refill()
		n, ok := s.take(3)
		if !ok {
			return ErrTruncated
		}
		lengths[symbol] = uint8(n)
	}
	var c code
	if !c.sort(lengths[:]) {
		return s.corrupt()
	}
	clear(d.codes[:])
	bitString := 0
	for n := 1; n <= c.longest; n++ {
		bitString <<= 1
		for _, symbol := range c.sorted[c.first[n]:c.first[n+1]] {
			for i := reversed(bitString, n); i < codeSize; i += 1 << n {
				d.codes[i] = uint8(symbol)<<3 | uint8(n)
			}
			bitString++
		}
	}
	return nil
}

// readLengths reads the lengths of both codes as one list; a repetition may run from one into the other.
func (d *Decoder) readLengths(s *stream, n int) error {
	lengths := d.lengths[:n]
	for i := 0; i < n; {
		s.refill()
		e := d.codes[s.bits%codeSize]
		if e == 0 && s.left > 0 {
			return s.corrupt()
		}
		if _, ok := s.take(uint(e & 7)); !ok || e == 0 {
			return ErrTruncated
		}
		symbol := e >> 3
		if symbol < 16 {
			lengths[i] = symbol
			i++
			continue
		}
		var repeated uint8
		count, extra := 3, uint(3)
		switch symbol {
		case 16:
			if i == 0 {
				return s.corrupt()
			}
			repeated, extra = lengths[i-1], 2
		case 18:
			count, extra = 11, 7
		}
		more, ok := s.take(extra)
		if !ok {
			return ErrTruncated
		}
		count += int(more)
		if count > n-i {
			return s.corrupt()
		}
		for range count {
			lengths[i] = repeated
			i++
		}
	}
	return nil
}
