package quota

import (
	"math"
	"math/bits"
)

// sketchBits makes a sketch of 2 KiB with a standard error of 2.3 %.
const (
	sketchBits = 11
	sketchSize = 1 << sketchBits
)

// sketch estimates how many different fingerprints it was shown, and of several nodes' sketches together how many
// different ones they were shown: HyperLogLog (Flajolet et al., 2007), without its corrections for 32-bit hashes.
type sketch [sketchSize]uint8

func (s *sketch) add(fp uint64) {
	fp *= 0x9e3779b97f4a7c15 // fingerprints are hashes; this only unties the sketch from other users of their bits
	fp ^= fp >> 32
	fp *= 0xd6e8feb86659fd93
	rank := uint8(bits.LeadingZeros64(fp<<sketchBits|1<<(sketchBits-1))) + 1
	if at := fp >> (64 - sketchBits); s[at] < rank {
		s[at] = rank
	}
}

// merge adds another sketch's fingerprints; a text of another length is ignored.
func (s *sketch) merge(other []byte) bool {
	if len(other) != sketchSize {
		return false
	}
	for i, rank := range other {
		s[i] = max(s[i], rank)
	}
	return true
}

func (s *sketch) estimate() int64 {
	sum, empty := 0.0, 0
	for _, rank := range s {
		sum += math.Ldexp(1, -int(rank))
		if rank == 0 {
			empty++
		}
	}
	const m = float64(sketchSize)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && empty > 0 {
		estimate = m * math.Log(m/float64(empty)) // linear counting is nearer while many registers are empty
	}
	return int64(math.Round(estimate))
}
