package column

import (
	"encoding/binary"
	"math"
)

// The first byte of a block's values says what whole numbers they became: those of decimals with so many digits, or bit
// patterns, and whether some values stand aside.
const (
	sourceBits = 31 // not a number of digits
	sourceMask = 31
	flagOdd    = 32
)

// worthBits is the width of a decimal from which on bit patterns may be smaller.
const worthBits = 24

// valuePacker packs the values of blocks.
type valuePacker struct {
	decimals decimals
	patterns packer
}

// append writes the values of one block.
func (p *valuePacker) append(dst []byte, values []float64) []byte {
	count, d := len(values), &p.decimals
	if !d.fill(values) {
		p.choosePatterns(values)
		return p.patterns.append(append(dst, sourceBits))
	}
	size := d.choose(count) + d.odd*patchBytes*8
	if size > count*worthBits && p.choosePatterns(values) < size {
		return p.patterns.append(append(dst, sourceBits))
	}
	source := byte(d.digits)
	if d.odd == 0 {
		return d.append(append(dst, source))
	}
	dst = append(dst, source|flagOdd, byte(d.odd))
	for _, at := range d.odds[:d.odd] {
		dst = binary.LittleEndian.AppendUint64(append(dst, at), math.Float64bits(values[at]))
	}
	return d.append(dst)
}

// choosePatterns finds the form of the bit patterns and returns the bits it takes.
func (p *valuePacker) choosePatterns(values []float64) int {
	for i, v := range values {
		p.patterns.nums[i] = int64(math.Float64bits(v))
	}
	return p.patterns.choose(len(values))
}

// valueBlock is the values of one block, to be read.
type valueBlock struct {
	frame  frame
	source byte
	odds   []byte // each a position and a bit pattern
	body   []byte
}

// open fills b with the values that src starts with.
func (b *valueBlock) open(src []byte) {
	flags := src[0]
	b.source, b.odds = flags&sourceMask, nil
	src = src[1:]
	if flags&flagOdd != 0 {
		size := int(src[0]) * patchBytes
		b.odds, src = src[1:1+size], src[1+size:]
	}
	b.body = b.frame.read(src)
}

// read reads len(dst) values from an index on, which the frame's seek returned.
func (b *valueBlock) read(dst []float64, from int, buf *[blockLen]int64) {
	nums := buf[:len(dst)]
	switch {
	case b.frame.constant():
		v := toValue(b.frame.start+b.frame.base, b.source)
		for i := range dst {
			dst[i] = v
		}
	case b.frame.delta:
		b.frame.parts(nums, from, b.body)
		sumValues(dst, nums, b.frame.start, b.source)
	default:
		b.frame.parts(nums, from, b.body)
		toValues(dst, nums, b.source)
	}
	for odds := b.odds; len(odds) > 0; odds = odds[patchBytes:] {
		if at := int(odds[0]) - from; at >= 0 && at < len(dst) {
			dst[at] = math.Float64frombits(binary.LittleEndian.Uint64(odds[1:]))
		}
	}
}

// value reads the value at an index.
func (b *valueBlock) value(index int) float64 {
	for odds := b.odds; len(odds) > 0; odds = odds[patchBytes:] {
		if int(odds[0]) == index {
			return math.Float64frombits(binary.LittleEndian.Uint64(odds[1:]))
		}
	}
	return toValue(b.frame.number(index, b.body), b.source)
}

func toValue(num int64, source byte) float64 {
	if source == sourceBits {
		return math.Float64frombits(uint64(num))
	}
	return float64(num) / powers[source]
}

// toValues converts numbers. Nums and dst have the same length.
func toValues(dst []float64, nums []int64, source byte) {
	dst = dst[:len(nums)]
	switch source {
	case 0:
		for i, num := range nums {
			dst[i] = float64(num)
		}
	case sourceBits:
		for i, num := range nums {
			dst[i] = math.Float64frombits(uint64(num))
		}
	default:
		scale := powers[source]
		for i, num := range nums {
			dst[i] = float64(num) / scale
		}
	}
}

// sumValues is toValues of the sums of differences. One loop for both takes a fifth less than two.
func sumValues(dst []float64, differences []int64, sum int64, source byte) {
	dst = dst[:len(differences)]
	switch source {
	case 0:
		for i, difference := range differences {
			sum += difference
			dst[i] = float64(sum)
		}
	case sourceBits:
		for i, difference := range differences {
			sum += difference
			dst[i] = math.Float64frombits(uint64(sum))
		}
	default:
		scale := powers[source]
		for i, difference := range differences {
			sum += difference
			dst[i] = float64(sum) / scale
		}
	}
}
