package abuse

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// encodings are the values of Content-Encoding that every route takes; "" is none, or the protocol's own.
var encodings = []string{"", "identity", "gzip", "zstd", "deflate", "snappy"}

// encode compresses a body for a Content-Encoding.
func encode(encoding string, body []byte) []byte {
	if encoding == "snappy" {
		return snappy.Encode(nil, body)
	}
	var out bytes.Buffer
	w := writerOf(encoding, &out)
	if w == nil {
		return body
	}
	_, _ = w.Write(body) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// writerOf returns what compresses for an encoding, nil for none.
func writerOf(encoding string, w io.Writer) io.WriteCloser {
	switch encoding {
	case "gzip":
		return gzip.NewWriter(w)
	case "deflate":
		return zlib.NewWriter(w)
	case "zstd":
		enc, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are ours
		}
		return enc
	}
	return nil
}

func zip(body []byte) []byte { return encode("gzip", body) }
