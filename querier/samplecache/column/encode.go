package column

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// scratchBytes holds some 2,000 samples of most series, and some 400 of any values, so that packing so many allocates
// nothing but the result. It is cleared for every run.
const scratchBytes = 4 << 10

// encoder is the scratch space of Encode.
type encoder struct {
	times  packer
	values valuePacker
	out    [scratchBytes]byte
}

// Encode packs samples. Times are milliseconds since 1970 and rise strictly, which the caller guarantees: windows of a run
// that is not in order return wrong samples. Values keep their exact bits. It panics when there are not as many values as
// times, or more than 2^27.
func Encode(times []int64, values []float64) Run {
	if len(times) != len(values) || len(times) > maxLen {
		panic(fmt.Sprintf("column: %d times and %d values; there must be as many, at most %d", len(times), len(values), maxLen))
	}
	if len(times) == 0 {
		return Run{}
	}
	var e encoder
	out := e.append(e.out[:0], times, values)
	return Run{data: slices.Clone(out)}
}

// append writes a run.
func (e *encoder) append(dst []byte, times []int64, values []float64) []byte {
	count := len(times)
	first, last := times[0], times[count-1]
	wide, head := uint64(last-first) > math.MaxUint32, uint32(count)
	if wide {
		head |= wideTimes
	}
	dst = binary.LittleEndian.AppendUint32(dst, head)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(first))
	size := entryBytes(wide)
	dst = append(dst, make([]byte, (count-1)/blockLen*size)...)
	for start := 0; start < count; start += blockLen {
		end := min(start+blockLen, count)
		if start > 0 {
			entry := dst[headerBytes+(start/blockLen-1)*size:]
			if wide {
				binary.LittleEndian.PutUint64(entry, uint64(times[start]))
			} else {
				binary.LittleEndian.PutUint32(entry, uint32(times[start]-first))
			}
			binary.LittleEndian.PutUint32(entry[size-4:], uint32(len(dst)))
		}
		dst = e.appendTimes(dst, times[start:end])
		dst = e.values.append(dst, values[start:end])
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(last))
}

// appendTimes writes the times of one block, from the first on.
func (e *encoder) appendTimes(dst []byte, times []int64) []byte {
	for i, t := range times {
		e.times.nums[i] = t - times[0]
	}
	e.times.choose(len(times))
	return e.times.append(dst)
}
