package column

import "encoding/binary"

// packer packs blocks of whole numbers. It is scratch space, which stays on the stack: no slice of it is kept.
type packer struct {
	nums  [blockLen]int64 // the caller's
	line  [blockLen]int64 // what is left of them along a line
	delta [blockLen]int64 // their differences
	count int
	form
	divisor divisor // of the form's rests, where scale is not 1
}

// form is a way to write the numbers.
type form struct {
	frame
	span span
}

// rests returns what is packed in a form.
func (p *packer) rests(f *form) []int64 {
	switch {
	case f.delta:
		return p.delta[:p.count]
	case f.slope != 0:
		return p.line[:p.count]
	}
	return p.nums[:p.count]
}

// choose finds the smallest form of the first count numbers and returns the bits that its rests and patches take.
func (p *packer) choose(count int) int {
	p.count = count
	flat := form{span: rangeOf(p.nums[:count])}
	if flat.span.reach == 0 {
		return p.settle(&flat)
	}
	differing := p.differing()
	if differing.span.reach == 0 {
		return p.settle(&form{frame: frame{slope: differing.span.base}, span: span{base: p.nums[0]}})
	}
	forms := [...]form{p.leaning(flat), differing, flat}
	best := flat
	for _, f := range forms[:2] {
		if f.span.bits(count) < best.span.bits(count) {
			best = f
		}
	}
	for _, f := range forms {
		if narrow, smaller := f.span.patched(p.rests(&f), best.span.bits(count)); smaller {
			best = form{frame: f.frame, span: narrow}
		}
	}
	return p.settle(&best)
}

// differing is the form by differences. There are two numbers at least.
func (p *packer) differing() form {
	for i := 1; i < p.count; i++ {
		p.delta[i] = p.nums[i] - p.nums[i-1]
	}
	p.delta[0] = p.delta[1] // before the first number there is none: one like the next costs least
	return form{frame: frame{delta: true, start: p.nums[0] - p.delta[0]}, span: rangeOf(p.delta[:p.count])}
}

// leaning is the form along the straight line from the first number to the last; when that is level, the one without slope.
func (p *packer) leaning(flat form) form {
	slope := roundDiv(p.nums[p.count-1]-p.nums[0], int64(p.count-1))
	if slope == 0 {
		return flat
	}
	line := p.line[:p.count]
	lead := int64(0)
	for i, num := range p.nums[:p.count] {
		line[i] = num - lead
		lead += slope
	}
	return form{frame: frame{slope: slope}, span: rangeOf(line)}
}

// roundDiv divides by a positive number and rounds to the nearest.
func roundDiv(num, by int64) int64 {
	if num < 0 {
		return (num - by/2) / by
	}
	return (num + by/2) / by
}

// settle completes a form and takes it. It returns the bits that the rests and patches take.
func (p *packer) settle(f *form) int {
	f.base, f.patches, f.scale, f.width = f.span.base, f.span.patches, 1, widthOf(f.span.reach)
	if f.width > 1 {
		p.divisor = f.span.commonDivisor(p.rests(f))
		f.scale, f.width = int64(p.divisor.num), widthOf(p.divisor.quotient(f.span.reach))
	}
	p.form = *f
	return p.count*int(f.width) + f.patches*patchBytes*8
}

// append writes the numbers in the form that was chosen. It overwrites them.
func (p *packer) append(dst []byte) []byte {
	dst = appendFrame(dst, &p.frame)
	rests := p.rests(&p.form)
	if p.patches != 0 {
		for i, num := range rests {
			if !p.span.contains(num) {
				dst = binary.LittleEndian.AppendUint64(append(dst, byte(i)), uint64(num))
				rests[i] = p.base
			}
		}
	}
	if p.width == 0 {
		return dst
	}
	for i, num := range rests {
		rests[i] = num - p.base
	}
	if p.scale != 1 {
		for i, rest := range rests {
			rests[i] = int64(p.divisor.quotient(uint64(rest)))
		}
	}
	return pack(dst, rests, p.width)
}
