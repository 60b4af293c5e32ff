package lz4_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	reference "github.com/pierrec/lz4/v4"

	"github.com/seamarkhq/seamark/internal/store/lz4"
)

// roundTrip encodes src and has the reference decode it.
func roundTrip(t *testing.T, e *lz4.Encoder, src []byte) []byte {
	t.Helper()
	prefix := []byte("head")
	block := e.AppendBlock(prefix, src)
	if !bytes.HasPrefix(block, prefix) {
		t.Fatal("what stood before the block is gone")
	}
	block = block[len(prefix):]
	if len(block) > lz4.Bound(len(src)) {
		t.Fatalf("the block of %d bytes has %d, more than the bound %d", len(src), len(block), lz4.Bound(len(src)))
	}
	got := make([]byte, len(src))
	n, err := reference.UncompressBlock(block, got)
	if err != nil || n != len(src) || !bytes.Equal(got, src) {
		t.Fatalf("decoded %d of %d bytes: %v", n, len(src), err)
	}
	return block
}

func TestRoundTrip(t *testing.T) {
	rnd, e := rand.New(rand.NewPCG(1, 2)), &lz4.Encoder{}
	for n := range 64 {
		roundTrip(t, e, bytes.Repeat([]byte("a"), n))
		roundTrip(t, e, noise(rnd, n))
	}
	for _, n := range []int{1 << 10, 65535, 65536, 65537, 70_000, 1 << 20} {
		roundTrip(t, e, noise(rnd, n))
		roundTrip(t, e, make([]byte, n))
		roundTrip(t, e, append(noise(rnd, n), noise(rand.New(rand.NewPCG(1, 2)), n)...))
	}
	text := lines(1 << 20)
	if block := roundTrip(t, e, text); len(block) > len(text)/2 {
		t.Fatalf("log lines of %d bytes took %d", len(text), len(block))
	}
}

func noise(rnd *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

func lines(n int) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, `{"level":"info","ts":"2026-11-21T03:%02d:%02d.%06dZ","caller":"server/handler.go:%d","msg":"request served","path":"/api/v1/items/%d","status":200,"duration_ms":%d,"trace":"%016x%016x"}`,
			rnd.IntN(60), rnd.IntN(60), rnd.IntN(1e6), rnd.IntN(300), rnd.IntN(1e5), rnd.IntN(500), rnd.Uint64(), rnd.Uint64())
	}
	return []byte(b.String())
}

func FuzzAppendBlock(f *testing.F) {
	f.Add([]byte(nil), uint8(0))
	f.Add([]byte("abcabcabcabcabcabcabc"), uint8(3))
	f.Add(lines(500), uint8(40))
	f.Fuzz(func(t *testing.T, src []byte, times uint8) {
		e := &lz4.Encoder{}
		roundTrip(t, e, src)
		roundTrip(t, e, bytes.Repeat(src, int(times)))
	})
}

func BenchmarkAppendBlock(b *testing.B) {
	src := lines(1 << 20)
	b.Run("ours", func(b *testing.B) {
		e, dst := &lz4.Encoder{}, []byte(nil)
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			dst = e.AppendBlock(dst[:0], src)
		}
		b.ReportMetric(float64(len(src))/float64(len(dst)), "ratio")
	})
	b.Run("reference", func(b *testing.B) {
		c, dst, n := &reference.Compressor{}, make([]byte, reference.CompressBlockBound(len(src))), 0
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			n, _ = c.CompressBlock(src, dst)
		}
		b.ReportMetric(float64(len(src))/float64(n), "ratio")
	})
}
