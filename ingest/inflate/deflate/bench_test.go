package deflate_test

import (
	"bytes"
	stdgzip "compress/gzip"
	"fmt"
	"hash/crc32"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/seamarkhq/seamark/ingest/inflate/deflate"
)

// BenchmarkGzip inflates one request body of logs and checks its sum, as ingest does, beside the reader that it replaced.
func BenchmarkGzip(b *testing.B) {
	text := logs(250_000)
	for _, level := range []int{1, 6} {
		var body bytes.Buffer
		w, err := stdgzip.NewWriterLevel(&body, level)
		if err != nil {
			b.Fatal(err)
		}
		if _, err = w.Write(text); err != nil {
			b.Fatal(err)
		}
		if err = w.Close(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("level=%d/by=deflate", level), func(b *testing.B) {
			d := deflate.New()
			dst := make([]byte, 0, len(text)+1)
			sum := crc32.ChecksumIEEE(text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				out, _, err := d.Inflate(dst, body.Bytes()[10:], len(text), nil)
				if err != nil || crc32.ChecksumIEEE(out) != sum {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("level=%d/by=klauspost", level), func(b *testing.B) {
			reader := new(gzip.Reader)
			dst := make([]byte, len(text)+1)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := reader.Reset(bytes.NewReader(body.Bytes())); err != nil {
					b.Fatal(err)
				}
				n := 0
				for err = nil; err == nil; {
					var m int
					m, err = reader.Read(dst[n:])
					n += m
				}
				if n != len(text) {
					b.Fatal(err)
				}
			}
		})
	}
}
