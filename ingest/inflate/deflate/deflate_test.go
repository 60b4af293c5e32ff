package deflate_test

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/seamarkhq/seamark/ingest/inflate/deflate"
)

// grow doubles, from so little that short streams ask too.
func grow(dst []byte, need int) ([]byte, error) {
	bigger := make([]byte, len(dst), max(2*cap(dst), len(dst)+need, 64))
	copy(bigger, dst)
	return bigger, nil
}

// expectSame decodes src and holds the result against compress/flate's: both fail, or both give the same bytes and take
// the same part of src.
func expectSame(t *testing.T, d *deflate.Decoder, src []byte) {
	t.Helper()
	reader := bytes.NewReader(src)
	want, wantErr := io.ReadAll(stdflate.NewReader(reader))
	took := len(src) - reader.Len()
	prefix := []byte("no match reaches here")
	exact := append(make([]byte, 0, len(prefix)+len(want)), prefix...)
	roomy := append(make([]byte, 0, len(prefix)+len(want)+1000), prefix...)
	for name, dst := range map[string][]byte{"grown": prefix, "exact": exact, "roomy": roomy} {
		got, n, err := d.Inflate(dst, src, math.MaxInt, grow)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: got error %v, want %v; stream %x", name, err, wantErr, clip(src))
		}
		if !bytes.HasPrefix(got, prefix) {
			t.Fatalf("%s: what was before the output is gone", name)
		}
		if err != nil {
			expectFault(t, err, len(src))
			continue
		}
		if !bytes.Equal(got[len(prefix):], want) || n != took {
			t.Fatalf("%s: got %d bytes from %d, want %d from %d; stream %x", name, len(got)-len(prefix), n, len(want), took, clip(src))
		}
	}
	if wantErr == nil && len(want) > 0 {
		_, _, err := d.Inflate(nil, src, len(want)-1, grow)
		if !errors.Is(err, deflate.ErrTooLarge) {
			t.Fatalf("got %v for a stream that is one byte too long", err)
		}
	}
}

// expectFault wants a truncated or a corrupt stream, the latter with an offset inside it.
func expectFault(t *testing.T, err error, size int) {
	t.Helper()
	corrupt, ok := errors.AsType[deflate.CorruptError](err)
	if ok && (corrupt < 0 || int(corrupt) > size) || !ok && !errors.Is(err, deflate.ErrTruncated) {
		t.Fatalf("got %v for a broken stream of %d bytes", err, size)
	}
}

func clip(b []byte) []byte { return b[:min(len(b), 200)] }

// writer is what both deflate packages make.
type writer interface {
	io.WriteCloser
	Flush() error
}

// compressed is text as every compressor and level writes it.
func compressed(tb testing.TB, text []byte) map[string][]byte {
	tb.Helper()
	all := make(map[string][]byte)
	for level := -2; level <= 9; level++ {
		for name, open := range map[string]func(io.Writer) (writer, error){
			"stdlib":    func(w io.Writer) (writer, error) { return stdflate.NewWriter(w, level) },
			"klauspost": func(w io.Writer) (writer, error) { return flate.NewWriter(w, level) },
		} {
			var b bytes.Buffer
			w, err := open(&b)
			if err != nil {
				tb.Fatal(err)
			}
			// A flush in the middle ends a block and puts an empty stored one behind it.
			half := len(text) / 2
			_, err1 := w.Write(text[:half])
			err2 := w.Flush()
			_, err3 := w.Write(text[half:])
			if err := errors.Join(err1, err2, err3, w.Close()); err != nil {
				tb.Fatal(err)
			}
			all[fmt.Sprintf("%s/%d", name, level)] = b.Bytes()
		}
	}
	return all
}

// texts has something for each part of the format.
func texts() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	skewed := make([]byte, 70_000) // long codes: byte values halve in frequency
	for i := range skewed {
		for skewed[i] < 40 && random.Uint32()&1 == 0 {
			skewed[i]++
		}
	}
	far := append(bytes.Clone(noise[:32768]), noise[:32768]...) // distance 32768
	short := make([]byte, 0, 40_000)                            // short distances of every kind
	for d := 1; len(short) < 39_000; d = d%20 + 1 {
		short = append(short, bytes.Repeat(noise[len(short):len(short)+d], 1+random.IntN(300/d))...)
	}
	return map[string][]byte{
		"empty": nil, "one": []byte("a"), "two": []byte("ab"), "word": []byte("seamark"),
		"zeros": make([]byte, 100_000), "noise": noise, "skewed": skewed, "far": far, "short": short,
		"logs": logs(200_000),
	}
}

// logs is n bytes of lines like those of a cluster, about 190 bytes each, in the frames that protobuf puts around them.
func logs(n int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	methods := []string{"GET", "POST", "PUT", "DELETE"}
	services := []string{"checkout", "cart", "payment", "frontend", "recommendation"}
	var b []byte
	at := uint64(1_790_000_000_000_000_000)
	for len(b) < n {
		at += uint64(random.IntN(5_000_000))
		line := fmt.Appendf(nil, `level=info ts=2026-09-21T14:%02d:%02d.%06dZ caller=http.go:%d msg="request served" method=%s path=/api/v1/%s/%d status=%d duration=%d.%03dms bytes=%d trace_id=%016x`,
			at/60_000_000_000%60, at/1_000_000_000%60, at/1000%1_000_000, 50+random.IntN(4), methods[random.IntN(4)], services[random.IntN(5)],
			random.IntN(100_000), 200+100*random.IntN(4), random.IntN(900), random.IntN(1000), random.IntN(50_000), random.Uint64())
		b = append(b, 0x12, byte(len(line)+26)|0x80, 1, 0x09)
		for i := range 8 {
			b = append(b, byte(at>>(8*i)))
		}
		b = append(b, 0x10, 9, 0x1a, 4, 'I', 'N', 'F', 'O', 0x2a, byte(len(line)+3)|0x80, 1, 0x0a, byte(len(line))|0x80, 1)
		b = append(b, line...)
	}
	return b[:n]
}

func TestInflate(t *testing.T) {
	d := deflate.New()
	for name, text := range texts() {
		t.Run(name, func(t *testing.T) {
			for _, src := range compressed(t, text) {
				expectSame(t, d, src)
				expectSame(t, d, append(bytes.Clone(src), "what follows is not touched"...))
			}
		})
	}
}
