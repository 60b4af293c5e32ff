package inflate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const limit = 1 << 20

func newInflater(tb testing.TB) *inflate.Inflater {
	tb.Helper()
	f, err := inflate.New(inflate.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// writeAll compresses text through a writer in pieces, so that stream encoders cannot know the size beforehand.
func writeAll(tb testing.TB, w interface {
	Write([]byte) (int, error)
	Close() error
}, text []byte) {
	tb.Helper()
	for len(text) > 0 {
		n := min(len(text), 100_000)
		if _, err := w.Write(text[:n]); err != nil {
			tb.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

func gzipped(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	writeAll(tb, gzip.NewWriter(&b), text)
	return b.Bytes()
}

func zlibbed(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	writeAll(tb, zlib.NewWriter(&b), text)
	return b.Bytes()
}

func flated(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 6)
	if err != nil {
		tb.Fatal(err)
	}
	writeAll(tb, w, text)
	return b.Bytes()
}

// zstdStreamed has no content size in its frame once the text is longer than a block.
func zstdStreamed(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		tb.Fatal(err)
	}
	writeAll(tb, w, text)
	return b.Bytes()
}

func zstdWhole(tb testing.TB, text []byte) []byte {
	tb.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		tb.Fatal(err)
	}
	return w.EncodeAll(text, nil)
}

type body struct {
	encoding string
	data     []byte
	declares bool
}

func bodies(tb testing.TB, text []byte) map[string]body {
	tb.Helper()
	half := len(text) / 2
	skippable := append([]byte{0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'}, zstdWhole(tb, text)...)
	return map[string]body{
		"identity by default":   {"", text, true},
		"identity":              {"identity", text, true},
		"gzip":                  {"gzip", gzipped(tb, text), false},
		"gzip, two members":     {"GZIP", append(gzipped(tb, text[:half]), gzipped(tb, text[half:])...), false},
		"x-gzip":                {" x-gzip ", gzipped(tb, text), false},
		"deflate":               {"deflate", zlibbed(tb, text), false},
		"deflate without zlib":  {"deflate", flated(tb, text), false},
		"snappy":                {"snappy", snappy.Encode(nil, text), true},
		"zstd":                  {"zstd", zstdWhole(tb, text), true},
		"zstd, two frames":      {"zstd", append(zstdWhole(tb, text[:half]), zstdWhole(tb, text[half:])...), true},
		"zstd, skippable frame": {"zstd", skippable, true},
		"zstd, streamed":        {"zstd", zstdStreamed(tb, text), len(text) <= 100_000},
	}
}

func sampleText(n int) []byte {
	var b bytes.Buffer
	random := rand.New(rand.NewPCG(1, 2))
	for b.Len() < n {
		fmt.Fprintf(&b, "level=info msg=\"request served\" status=%d bytes=%d id=%016x\n", 200+random.IntN(300), random.IntN(1<<20), random.Uint64())
	}
	return b.Bytes()[:n]
}

func TestInflate(t *testing.T) {
	f := newInflater(t)
	var dst []byte
	for _, size := range []int{0, 1, 1000, 99_999, 700_001, limit} {
		text := sampleText(size)
		for name, b := range bodies(t, text) {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				// Twice with one buffer, so that what the first run left behind is seen.
				for range 2 {
					var err error
					dst, err = f.Inflate(t.Context(), dst, inflate.Request{Body: b.data, Encoding: b.encoding, Limit: limit})
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(dst, text) {
						t.Fatalf("got %d bytes that differ from the %d sent", len(dst), len(text))
					}
				}
				n, known := inflate.DeclaredSize(b.data, b.encoding)
				// The zstd encoder leaves the size out of frames under 256 bytes, where it would cost more than it tells.
				if size > 1 && known != b.declares || known && n != int64(size) {
					t.Fatalf("declared size: got %d, %v; want %d, %v", n, known, size, b.declares)
				}
			})
		}
	}
}

func TestInflateNeverAliasesBody(t *testing.T) {
	body := []byte("as it was")
	out, err := newInflater(t).Inflate(t.Context(), nil, inflate.Request{Body: body, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	body[0] = 'X'
	if string(out) != "as it was" {
		t.Fatalf("got %q: the result changed with the body", out)
	}
}

func TestInflateTooLarge(t *testing.T) {
	f := newInflater(t)
	text := sampleText(limit + 1)
	for name, b := range bodies(t, text) {
		t.Run(name, func(t *testing.T) {
			_, err := f.Inflate(t.Context(), nil, inflate.Request{Body: b.data, Encoding: b.encoding, Limit: limit})
			expectError(t, err, seamark.TooLarge, "seamark-body-inflated", "1048576")
			if b.declares {
				expectError(t, err, seamark.TooLarge, "seamark-body-inflated", "says it inflates to 1048577 bytes")
			}
		})
	}
}

func TestInflateCorrupt(t *testing.T) {
	f := newInflater(t)
	text := sampleText(200_000)
	for name, b := range bodies(t, text) {
		if b.encoding == "" || b.encoding == "identity" {
			continue
		}
		for cutName, data := range map[string][]byte{
			"cut":     b.data[:len(b.data)*2/3],
			"garbage": []byte("\x01\x02 this is text, not compressed data"),
			"one":     b.data[:1],
		} {
			t.Run(name+"/"+cutName, func(t *testing.T) {
				_, err := f.Inflate(t.Context(), nil, inflate.Request{Body: data, Encoding: b.encoding, Limit: limit})
				expectError(t, err, seamark.Invalid, "seamark-body-compression", "not valid ")
			})
		}
	}
}

func TestInflateUnknownEncoding(t *testing.T) {
	for _, encoding := range []string{"br", "gzip, snappy", strings.Repeat("x", 500)} {
		_, err := newInflater(t).Inflate(t.Context(), nil, inflate.Request{Body: []byte("x"), Encoding: encoding, Limit: limit})
		expectError(t, err, seamark.Unsupported, "seamark-body-encoding", inflate.Encodings)
	}
}

// TestInflateLiars sends bodies that declare far more than their bytes can hold; none may cause an allocation.
func TestInflateLiars(t *testing.T) {
	zstdHuge := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x02, 0x01, 0, 0} // declares 32 MiB in an empty last block
	for name, b := range map[string]body{
		"snappy of six bytes": {encoding: "snappy", data: []byte{0x80, 0x80, 0x80, 0x10, 0, 0}},
		"zstd of 12 bytes":    {encoding: "zstd", data: zstdHuge},
		"zstd window of 2 GiB": {encoding: "zstd",
			data: []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x0b, 0x00, 0x00, 'a'}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newInflater(t).Inflate(t.Context(), nil, inflate.Request{Body: b.data, Encoding: b.encoding, Limit: 1 << 30,
				Grow: func(n int64) error { t.Errorf("asked for %d bytes", n); return nil }})
			expectError(t, err, seamark.Invalid, "seamark-body-compression", b.encoding)
			if n, known := inflate.DeclaredSize(b.data, b.encoding); known {
				t.Errorf("declared size %d must not be believed", n)
			}
		})
	}
}

func TestInflateGrow(t *testing.T) {
	f := newInflater(t)
	full := errors.New("no memory left")
	text := sampleText(700_000)
	for name, b := range bodies(t, text) {
		t.Run(name, func(t *testing.T) {
			r := inflate.Request{Body: b.data, Encoding: b.encoding, Limit: limit}
			r.Grow = func(int64) error { return full }
			dst, err := f.Inflate(t.Context(), nil, r)
			if !errors.Is(err, full) || cap(dst) != 0 {
				t.Fatalf("got a buffer of %d bytes and %v, want Grow's error and none", cap(dst), err)
			}
			asked := int64(0)
			r.Grow = func(n int64) error { asked += n; return nil }
			if dst, err = f.Inflate(t.Context(), dst, r); err != nil {
				t.Fatal(err)
			}
			if asked < int64(cap(dst)) || asked > 4*limit {
				t.Fatalf("asked for %d bytes in all to fill a buffer of %d", asked, cap(dst))
			}
			r.Grow = func(int64) error { return full }
			if _, err = f.Inflate(t.Context(), dst, r); err != nil {
				t.Fatalf("a buffer that is large enough must not ask: %v", err)
			}
		})
	}
}

func TestInflateZstdWaits(t *testing.T) {
	f, err := inflate.New(inflate.Options{ZstdDecoders: 1})
	if err != nil {
		t.Fatal(err)
	}
	data := zstdWhole(t, sampleText(1000))
	ctx, cancel := context.WithCancel(t.Context())
	_, err = f.Inflate(ctx, nil, inflate.Request{Body: data, Encoding: "zstd", Limit: limit, Grow: func(int64) error {
		// The only decoder is in use here, so that a second request can only give up.
		cancel()
		_, inner := f.Inflate(ctx, nil, inflate.Request{Body: data, Encoding: "zstd", Limit: limit})
		expectError(t, inner, seamark.Canceled, "seamark-request-canceled", "waited")
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []inflate.Options{{ZstdDecoders: -1}, {MaxWindowBytes: -1}} {
		_, err := inflate.New(o)
		expectError(t, err, seamark.Invalid, "seamark-inflate-options", "positive")
	}
}

// TestInflateBombs is the promise of the failure model: 64 bombs at once, under a semaphore as ingest has one, take at
// most 64 MiB. It counts every byte allocated, collected or not, which bounds what resident memory can grow by.
func TestInflateBombs(t *testing.T) {
	zeros := make([]byte, 65<<20) // one more than the limit
	bombs := []body{
		{encoding: "gzip", data: gzipped(t, zeros)},
		{encoding: "deflate", data: zlibbed(t, zeros)},
		{encoding: "snappy", data: snappy.Encode(nil, zeros)},
		{encoding: "zstd", data: zstdWhole(t, zeros)},
		{encoding: "zstd", data: zstdStreamed(t, zeros)},
		{encoding: "snappy", data: []byte{0x80, 0x80, 0x80, 0x20, 0, 0}},
	}
	f := newInflater(t)
	const budget = 32 << 20
	var free atomic.Int64
	free.Store(budget)
	grow := func(n int64) error {
		if free.Add(-n) < 0 {
			free.Add(n)
			return seamark.Errorf(seamark.Unavailable, "seamark-memory-busy", "Busy.")
		}
		return nil
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			b := bombs[i%len(bombs)]
			_, err := f.Inflate(t.Context(), nil, inflate.Request{Body: b.data, Encoding: b.encoding, Limit: 64 << 20, Grow: grow})
			switch seamark.KindOf(err) {
			case seamark.TooLarge, seamark.Unavailable, seamark.Invalid:
			default:
				t.Errorf("%s bomb: got %v", b.encoding, err)
			}
		})
	}
	all.Wait()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Fatalf("64 bombs allocated %d MiB, want at most 64", took>>20)
	}
}

func expectError(t *testing.T, err error, kind seamark.Kind, id, contains string) {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != kind || e.ID != id || !strings.Contains(e.Message, contains) {
		t.Fatalf("got %v, want kind %s, id %s and %q in the message", err, kind, id, contains)
	}
}

func FuzzInflate(f *testing.F) {
	for _, b := range bodies(f, sampleText(3000)) {
		f.Add(b.data, b.encoding)
	}
	f.Add([]byte{0x80, 0x80, 0x80, 0x10, 0, 0}, "snappy")
	f.Add(zstdStreamed(f, sampleText(300_000)), "zstd")
	inflater := newInflater(f)
	const small = 256 << 10
	f.Fuzz(func(t *testing.T, data []byte, encoding string) {
		asked := int64(0)
		r := inflate.Request{Body: data, Encoding: encoding, Limit: small, Grow: func(n int64) error { asked += n; return nil }}
		out, err := inflater.Inflate(t.Context(), nil, r)
		if asked > 2*(small+minSlack) {
			t.Fatalf("asked for %d bytes under a limit of %d", asked, small)
		}
		if err != nil {
			switch seamark.KindOf(err) {
			case seamark.Invalid, seamark.TooLarge, seamark.Unsupported:
				return
			}
			t.Fatalf("got %v", err)
		}
		if len(out) > small {
			t.Fatalf("got %d bytes over a limit of %d", len(out), small)
		}
		if n, known := inflate.DeclaredSize(data, encoding); known && n != int64(len(out)) {
			t.Fatalf("declared %d bytes, gave %d", n, len(out))
		}
		if again, err := inflater.Inflate(t.Context(), nil, r); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("the second time gave %d bytes and %v", len(again), err)
		}
	})
}

// minSlack is what one allocation may take beyond the limit.
const minSlack = 64

func BenchmarkInflate(b *testing.B) {
	text := sampleText(1 << 20)
	for _, name := range []string{"gzip", "deflate", "snappy", "zstd", "zstd, streamed"} {
		data := bodies(b, text)[name]
		b.Run(name, func(b *testing.B) {
			f := newInflater(b)
			var dst []byte
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				dst, err = f.Inflate(b.Context(), dst, inflate.Request{Body: data.data, Encoding: data.encoding, Limit: 1 << 21})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestInflateGzipSize: the size at a gzip body's end decides how its memory is taken, whatever the ratio.
func TestInflateGzipSize(t *testing.T) {
	whole := gzipped(t, make([]byte, limit))
	over := gzipped(t, make([]byte, limit+1))
	lie := bytes.Clone(over)
	copy(lie[len(lie)-4:], []byte{0xff, 0xff, 0xff, 0x7f})
	f := newInflater(t)
	for _, c := range []struct {
		name    string
		body    []byte
		asked   int64 // bytes that Grow is asked for
		kind    seamark.Kind
		id, say string
	}{
		{"at the limit", whole, limit + 1, 0, "", ""},
		{"over the limit", over, 0, seamark.TooLarge, "seamark-body-inflated", "limit of 1048576 bytes"},
		{"over the limit, size wrong", lie, 0, seamark.TooLarge, "seamark-body-inflated", "limit of 1048576 bytes"},
		{"cut off", append(bytes.Clone(over[:len(over)-16]), 0xff, 0xff, 0xff, 0x7f), 0, seamark.Invalid, "seamark-body-compression", "ends too early"},
	} {
		var asked int64
		out, err := f.Inflate(t.Context(), nil, inflate.Request{Body: c.body, Encoding: "gzip", Limit: limit, Grow: func(n int64) error {
			asked += n
			return nil
		}})
		if c.id != "" {
			expectError(t, err, c.kind, c.id, c.say)
		} else if err != nil || len(out) != limit {
			t.Errorf("%s: %d bytes, %v", c.name, len(out), err)
		}
		if asked != c.asked {
			t.Errorf("%s: asked for %d bytes, want %d", c.name, asked, c.asked)
		}
	}
}
