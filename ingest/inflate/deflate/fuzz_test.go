package deflate_test

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"math/bits"
	"testing"

	"github.com/seamarkhq/seamark/ingest/inflate/deflate"
)

// bitWriter writes streams that no compressor would.
type bitWriter struct {
	bytes []byte
	held  uint64
	n     uint
}

// put writes n bits of v, the lowest first, as deflate has its numbers.
func (w *bitWriter) put(v uint64, n uint) *bitWriter {
	w.held |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.bytes = append(w.bytes, byte(w.held))
		w.held >>= 8
	}
	return w
}

// code writes a bit string of n bits, the highest first, as deflate has its Huffman codes.
func (w *bitWriter) code(v uint64, n uint) *bitWriter { return w.put(bits.Reverse64(v)>>(64-n), n) }

// done pads the last byte.
func (w *bitWriter) done() []byte {
	if w.n > 0 {
		return append(w.bytes, byte(w.held))
	}
	return w.bytes
}

// dynamic writes the head of a last dynamic block with the code lengths given, each by a code of four bits; a head with
// other counts than theirs comes from literals and dists. The lengths 0 to 15 have the codes of their own values.
func dynamic(literals, dists int, lengths []uint8) *bitWriter {
	w := new(bitWriter).put(1, 1).put(2, 2).put(uint64(literals-257), 5).put(uint64(dists-1), 5).put(15, 4)
	for range 3 {
		w.put(0, 3) // no repetitions
	}
	for range 16 {
		w.put(4, 3)
	}
	for _, n := range lengths {
		w.code(uint64(n), 4)
	}
	return w
}

// lengths is the code lengths of literals and lengths up to the last in set, and then of distances.
func lengths(literals int, set map[int]uint8, dists ...uint8) []uint8 {
	all := make([]uint8, literals, literals+len(dists))
	for i, n := range set {
		all[i] = n
	}
	return append(all, dists...)
}

// staircase gives n symbols the lengths 1, 2, 3 ... and the last two the same one.
func staircase(n int) []uint8 {
	all := make([]uint8, n)
	for i := range all {
		all[i] = uint8(min(i+1, n-1))
	}
	return all
}

// handmade has the edges of the format, valid or not.
func handmade(tb testing.TB) map[string][]byte {
	tb.Helper()
	fixed := func() *bitWriter { return new(bitWriter).put(1, 1).put(1, 2) }
	simple := map[int]uint8{'a': 1, 256: 2, 285: 2} // a is 0, the end 10, the length 258 is 11
	deep := map[int]uint8{256: 15, 257: 15}
	for i := range 14 {
		deep['a'+i] = uint8(i + 1)
	}
	all := map[string][]byte{
		"nothing":                   {},
		"empty fixed block":         fixed().code(0, 7).done(),
		"reserved block":            {7},
		"stored, empty":             {1, 0, 0, 0xff, 0xff},
		"stored":                    {1, 3, 0, 0xfc, 0xff, 'a', 'b', 'c'},
		"stored, wrong complement":  {1, 3, 0, 0xfc, 0xfe, 'a', 'b', 'c'},
		"stored, cut":               {1, 3, 0, 0xfc, 0xff, 'a', 'b'},
		"empty blocks":              append(bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 20), 3, 0),
		"fixed, length 258":         fixed().code(0x30+'a', 8).code(0xc5, 8).code(0, 5).code(0, 7).done(),
		"fixed, 258 by extra bits":  fixed().code(0x30+'a', 8).code(0xc4, 8).put(31, 5).code(0, 5).code(0, 7).done(),
		"fixed, length symbol 286":  fixed().code(0x30+'a', 8).code(0xc6, 8).code(0, 5).code(0, 7).done(),
		"fixed, distance 30":        fixed().code(0x30+'a', 8).code(1, 7).code(30, 5).code(0, 7).done(),
		"fixed, distance too far":   fixed().code(0x30+'a', 8).code(1, 7).code(1, 5).code(0, 7).done(),
		"fixed, match first":        fixed().code(1, 7).code(0, 5).code(0, 7).done(),
		"dynamic, one distance":     dynamic(286, 1, lengths(286, simple, 1)).code(0, 1).code(3, 2).code(0, 1).code(2, 2).done(),
		"dynamic, other distance":   dynamic(286, 1, lengths(286, simple, 1)).code(0, 1).code(3, 2).code(1, 1).code(2, 2).done(),
		"dynamic, no distance":      dynamic(286, 1, lengths(286, simple, 0)).code(0, 1).code(2, 2).done(),
		"dynamic, no distance used": dynamic(286, 1, lengths(286, simple, 0)).code(0, 1).code(3, 2).code(0, 1).code(2, 2).done(),
		"dynamic, one long dist":    dynamic(286, 1, lengths(286, simple, 2)).code(0, 1).code(2, 2).done(),
		"dynamic, dists incomplete": dynamic(286, 3, lengths(286, simple, 2, 2, 2)).code(0, 1).code(2, 2).done(),
		"dynamic, dists too many":   dynamic(286, 3, lengths(286, simple, 1, 1, 1)).code(0, 1).code(2, 2).done(),
		"dynamic, deep dists":       dynamic(286, 16, lengths(286, simple, staircase(16)...)).code(0, 1).code(3, 2).code(0, 1).code(2, 2).done(),
		"dynamic, deep literals":    dynamic(258, 1, lengths(258, deep, 1)).code(0x7ffe, 15).done(),
		"dynamic, deep match":       dynamic(258, 1, lengths(258, deep, 1)).code(0, 1).code(0x7fff, 15).code(0, 1).code(0x7ffe, 15).done(),
		"dynamic, only the end":     dynamic(257, 1, lengths(257, map[int]uint8{256: 1}, 0)).code(0, 1).done(),
		"dynamic, unused code":      dynamic(257, 1, lengths(257, map[int]uint8{256: 1}, 0)).code(1, 1).done(),
		"dynamic, no end":           dynamic(257, 1, lengths(257, map[int]uint8{'a': 1, 'b': 1}, 0)).code(1, 9).done(),
		"dynamic, no literals":      dynamic(257, 1, lengths(257, nil, 0)).code(1, 9).done(),
		"dynamic, incomplete":       dynamic(257, 1, lengths(257, map[int]uint8{'a': 2, 256: 2}, 0)).code(1, 2).done(),
		"dynamic, oversubscribed":   dynamic(257, 1, lengths(257, map[int]uint8{'a': 1, 'b': 1, 256: 1}, 0)).code(1, 1).done(),
		"dynamic, 287 literals":     dynamic(287, 1, lengths(287, simple, 1)).code(0, 1).code(2, 2).done(),
		"dynamic, 31 distances":     dynamic(286, 31, lengths(286, simple, make([]uint8, 31)...)).code(0, 1).code(2, 2).done(),
		"dynamic, repeats nothing":  new(bitWriter).put(1, 1).put(2, 2).put(0, 10).put(0, 4).put(1, 3).put(0, 3).put(1, 3).put(0, 9).done(),
	}
	for name, text := range texts() {
		all["compressed, "+name] = compressed(tb, text[:min(len(text), 3000)])["stdlib/6"]
	}
	return all
}

// TestInflateHandmade feeds the edges of the format as they are, cut at each byte and with bits turned over: each of the
// first bytes, where the codes are, and one per byte behind them.
func TestInflateHandmade(t *testing.T) {
	d := deflate.New()
	for name, src := range handmade(t) {
		t.Run(name, func(t *testing.T) {
			expectSame(t, d, src)
			padded := append(bytes.Clone(src), make([]byte, 64)...) // the fast loop sees the same
			expectSame(t, d, padded)
			for i := range min(len(src), 400) {
				expectSame(t, d, src[:i])
				for bit := range 8 {
					if i >= 40 && bit != i%8 {
						continue
					}
					padded[i] ^= 1 << bit
					expectSame(t, d, padded[:len(src)])
					expectSame(t, d, padded)
					padded[i] ^= 1 << bit
				}
			}
		})
	}
}

// TestInflateFar copies from as far back as deflate can, and from one byte before the start.
func TestInflateFar(t *testing.T) {
	d := deflate.New()
	for size, valid := range map[int]bool{32767: false, 32768: true, 32769: true} {
		src := append([]byte{0, byte(size), byte(size >> 8), ^byte(size), ^byte(size >> 8)}, logs(size)...)
		// The length 3 at the distance 24577 and all 13 extra bits, and the end.
		src = append(src, new(bitWriter).put(1, 1).put(1, 2).code(1, 7).code(29, 5).put(8191, 13).code(0, 7).done()...)
		expectSame(t, d, src)
		out, _, err := d.Inflate(nil, src, size+3, grow)
		if valid != (err == nil) || valid && !bytes.Equal(out[size:], out[size-32768:size-32765]) {
			t.Errorf("%d bytes: got %d and %v", size, len(out), err)
		}
	}
}

// TestInflateRefused gives Grow's error as it is, with what was decoded before.
func TestInflateRefused(t *testing.T) {
	full := errors.New("no memory left")
	text := logs(5000)
	for name, src := range compressed(t, text) {
		out, _, err := deflate.New().Inflate(make([]byte, 0, 1000), src, 1<<20, func(dst []byte, need int) ([]byte, error) {
			if len(dst) != 1000 || need < 1 {
				t.Errorf("%s: asked for %d bytes behind %d", name, need, len(dst))
			}
			return nil, full
		})
		if !errors.Is(err, full) || !bytes.Equal(out, text[:1000]) {
			t.Errorf("%s: got %d bytes and %v", name, len(out), err)
		}
		if _, _, err = deflate.New().Inflate(make([]byte, 0, 1000), src, 1<<20, nil); !errors.Is(err, deflate.ErrTooLarge) {
			t.Errorf("%s: got %v without a way to grow", name, err)
		}
		stubborn := func(dst []byte, _ int) ([]byte, error) { return dst, nil }
		if _, _, err = deflate.New().Inflate(make([]byte, 0, 1000), src, 1<<20, stubborn); !errors.Is(err, deflate.ErrTooLarge) {
			t.Errorf("%s: got %v when growing gave nothing", name, err)
		}
	}
}

// TestInflateCut cuts streams of every compressor at places spread over their length.
func TestInflateCut(t *testing.T) {
	d := deflate.New()
	text := logs(20_000)
	for name, src := range compressed(t, text) {
		for i := 0; i < len(src); i += 1 + len(src)/200 {
			if _, _, err := d.Inflate(nil, src[:i], len(text), grow); !errors.Is(err, deflate.ErrTruncated) {
				t.Fatalf("%s cut to %d of %d bytes: got %v", name, i, len(src), err)
			}
		}
	}
}

// FuzzInflate holds the decoder against compress/flate on any bytes.
func FuzzInflate(f *testing.F) {
	for _, src := range handmade(f) {
		f.Add(src)
	}
	d := deflate.New()
	f.Fuzz(func(t *testing.T, src []byte) { expectSame(t, d, src) })
}

// FuzzCompressed compresses any bytes, damages one bit of the stream or none and holds the result against compress/flate.
func FuzzCompressed(f *testing.F) {
	for _, text := range texts() {
		f.Add(text[:min(len(text), 5000)], 6, uint(0))
		f.Add(text[:min(len(text), 5000)], 1, uint(77))
	}
	d := deflate.New()
	f.Fuzz(func(t *testing.T, text []byte, level int, flip uint) {
		var b bytes.Buffer
		w, err := stdflate.NewWriter(&b, max(-2, level%10))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err = w.Close(); err != nil {
			t.Fatal(err)
		}
		src := b.Bytes()
		expectSame(t, d, src)
		flip %= uint(8 * len(src))
		src[flip/8] ^= 1 << (flip % 8)
		expectSame(t, d, src)
	})
}
