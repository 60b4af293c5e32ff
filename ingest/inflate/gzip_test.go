package inflate_test

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// member is a gzip member with the optional parts of its header as given; sum asks for the header's checksum.
func member(tb testing.TB, text, extra []byte, name, comment string, sum bool) []byte {
	tb.Helper()
	head := []byte{0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 0, 255}
	if extra != nil {
		head[3] |= 4
		head = binary.LittleEndian.AppendUint16(head, uint16(len(extra)))
		head = append(head, extra...)
	}
	if name != "" {
		head[3] |= 8
		head = append(append(head, name...), 0)
	}
	if comment != "" {
		head[3] |= 16
		head = append(append(head, comment...), 0)
	}
	if sum {
		head[3] |= 2
		head = binary.LittleEndian.AppendUint16(head, uint16(crc32.ChecksumIEEE(head)))
	}
	whole := slices.Concat(head, flated(tb, text))
	whole = binary.LittleEndian.AppendUint32(whole, crc32.ChecksumIEEE(text))
	return binary.LittleEndian.AppendUint32(whole, uint32(len(text)))
}

// gzipBodies has every part that a header can have, valid or not.
func gzipBodies(tb testing.TB) map[string][]byte {
	tb.Helper()
	text := sampleText(300)
	plain := member(tb, text, nil, "", "", false)
	full := member(tb, text, []byte("more"), "name.txt", "said", true)
	changed := func(body []byte, at int, b byte) []byte {
		body = bytes.Clone(body)
		if at < 0 {
			at += len(body)
		}
		body[at] ^= b
		return body
	}
	return map[string][]byte{
		"nothing":                    {},
		"plain":                      plain,
		"no content":                 member(tb, nil, nil, "", "", false),
		"all parts":                  full,
		"extra field":                member(tb, text, []byte{}, "", "", false),
		"long extra field":           member(tb, text, make([]byte, 65535), "", "", false),
		"name":                       member(tb, text, nil, "x", "", false),
		"longest name":               member(tb, text, nil, strings.Repeat("x", 511), "", false),
		"name too long":              member(tb, text, nil, strings.Repeat("x", 512), "", false),
		"comment too long":           member(tb, text, nil, "", strings.Repeat("x", 512), false),
		"header's checksum":          member(tb, text, nil, "", "", true),
		"wrong header's checksum":    changed(full, 5, 1),
		"reserved flag":              changed(plain, 3, 0x20),
		"text flag":                  changed(plain, 3, 1),
		"other method":               changed(plain, 2, 1),
		"wrong magic":                changed(plain, 1, 1),
		"wrong checksum":             changed(plain, -8, 1),
		"wrong size":                 changed(plain, -4, 1),
		"size far too large":         changed(plain, -1, 0xff),
		"three members":              slices.Concat(full, member(tb, nil, nil, "", "", false), plain),
		"second wrong":               slices.Concat(full, changed(plain, -8, 1)),
		"zeros behind":               append(bytes.Clone(plain), make([]byte, 20)...),
		"a byte behind":              append(bytes.Clone(plain), 'x'),
		"text behind":                append(bytes.Clone(plain), "and this is no gzip"...),
		"second cut in its header":   slices.Concat(plain, full[:5]),
		"second cut in its name":     slices.Concat(plain, full[:20]),
		"second cut in its content":  slices.Concat(plain, full[:60]),
		"second cut in its checksum": slices.Concat(plain, full[:len(full)-3]),
	}
}

// expectLikeReaders inflates the body and holds the result against what the streaming readers make of it.
func expectLikeReaders(t *testing.T, f *inflate.Inflater, body []byte, encoding string, opens ...func(io.Reader) (io.Reader, error)) {
	t.Helper()
	var want []byte
	var wantErr error
	for _, open := range opens {
		reader, err := open(bytes.NewReader(body))
		if err == nil {
			want, err = io.ReadAll(io.LimitReader(reader, limit+1))
		}
		wantErr = errors.Join(wantErr, err)
	}
	out, err := f.Inflate(t.Context(), nil, inflate.Request{Body: body, Encoding: encoding, Limit: limit})
	switch {
	case wantErr != nil:
		expectError(t, err, seamark.Invalid, "seamark-body-compression", encoding)
	case len(want) > limit:
		expectError(t, err, seamark.TooLarge, "seamark-body-inflated", "inflates to more than the limit")
	case err != nil:
		t.Fatalf("got %v for a body that the readers take", err)
	case !bytes.Equal(out, want):
		t.Fatalf("got %d bytes that differ from the readers' %d", len(out), len(want))
	}
}

// expectGzip compares with two readers, because klauspost's takes a second member whose name is cut off for the end.
func expectGzip(t *testing.T, f *inflate.Inflater, body []byte) {
	t.Helper()
	expectLikeReaders(t, f, body, "gzip",
		func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		func(r io.Reader) (io.Reader, error) { return stdgzip.NewReader(r) })
}

func expectDeflate(t *testing.T, f *inflate.Inflater, body []byte) {
	t.Helper()
	expectLikeReaders(t, f, body, "deflate", func(r io.Reader) (io.Reader, error) {
		if len(body) >= 2 && body[0]&15 == 8 && (int(body[0])<<8+int(body[1]))%31 == 0 {
			return zlib.NewReader(r)
		}
		return flate.NewReader(r), nil
	})
}

// TestInflateGzipLikeReaders takes each body whole, cut at each byte and with each bit turned over.
func TestInflateGzipLikeReaders(t *testing.T) {
	f := newInflater(t)
	for name, body := range gzipBodies(t) {
		t.Run(name, func(t *testing.T) {
			expectGzip(t, f, body)
			for i := range min(len(body), 700) {
				expectGzip(t, f, body[:i])
				body[i] ^= 1 << (i % 8)
				expectGzip(t, f, body)
				body[i] ^= 1 << (i % 8)
			}
		})
	}
}

// zlibBodies are bodies for the encoding deflate, valid or not.
func zlibBodies(tb testing.TB) map[string][]byte {
	tb.Helper()
	text := sampleText(300)
	raw := flated(tb, text)
	framed := func(head ...byte) []byte {
		head[1] += byte(31 - (int(head[0])<<8+int(head[1]))%31)
		if head[1]&0x20 != 0 {
			head = append(head, 0, 0, 0, 1) // the empty dictionary
		}
		return binary.BigEndian.AppendUint32(append(head, raw...), adler32.Checksum(text))
	}
	wrong := framed(0x78, 0x80)
	wrong[len(wrong)-1] ^= 1
	unknown := framed(0x78, 0x20)
	unknown[5] ^= 2
	return map[string][]byte{
		"nothing": {}, "raw": raw, "raw, more behind": append(bytes.Clone(raw), "more"...),
		"zlib": framed(0x78, 0x80), "small window": framed(0x08, 0), "window too large": framed(0x88, 0),
		"empty dictionary": framed(0x78, 0x20), "unknown dictionary": unknown, "wrong checksum": wrong,
		"more behind": append(framed(0x78, 0x80), "more"...),
	}
}

func TestInflateDeflateLikeReaders(t *testing.T) {
	f := newInflater(t)
	for name, body := range zlibBodies(t) {
		t.Run(name, func(t *testing.T) {
			expectDeflate(t, f, body)
			for i := range body {
				expectDeflate(t, f, body[:i])
				body[i] ^= 1 << (i % 8)
				expectDeflate(t, f, body)
				body[i] ^= 1 << (i % 8)
			}
		})
	}
}

func FuzzGzip(f *testing.F) {
	for _, body := range gzipBodies(f) {
		f.Add(body)
	}
	inflater := newInflater(f)
	f.Fuzz(func(t *testing.T, body []byte) { expectGzip(t, inflater, body) })
}

func FuzzDeflate(f *testing.F) {
	for _, body := range zlibBodies(f) {
		f.Add(body)
	}
	inflater := newInflater(f)
	f.Fuzz(func(t *testing.T, body []byte) { expectDeflate(t, inflater, body) })
}

// BenchmarkInflateGzip inflates a request of logs as a collector sends it, beside the reader that served it before.
func BenchmarkInflateGzip(b *testing.B) {
	for _, size := range []int{2_000, 20_000, 250_000} {
		for _, level := range []int{1, 6} {
			text := sampleText(size)
			var buffer bytes.Buffer
			w, err := stdgzip.NewWriterLevel(&buffer, level)
			if err != nil {
				b.Fatal(err)
			}
			writeAll(b, w, text)
			body := buffer.Bytes()
			f := newInflater(b)
			dst := make([]byte, 0, 300_000)
			b.Run(fmt.Sprintf("bytes=%d/level=%d/by=inflate", size, level), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := f.Inflate(b.Context(), dst, inflate.Request{Body: body, Encoding: "gzip", Limit: limit}); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(fmt.Sprintf("bytes=%d/level=%d/by=reader", size, level), func(b *testing.B) {
				var source bytes.Reader
				var reader gzip.Reader
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					source.Reset(body)
					err := reader.Reset(&source)
					for n, m := 0, 0; err == nil; n += m {
						m, err = reader.Read(dst[n:cap(dst)])
					}
					if !errors.Is(err, io.EOF) {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
