package abuse

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// encodings are the values of Content-Encoding that every route takes; "" is none, or the protocol's own.
var encodings = []string{"", "identity", "gzip", "zstd", "deflate", "snappy"}

// encode compresses a body for a Content-Encoding.
func encode(encoding string, body []byte) []byte {
	switch encoding {
	case "snappy":
		return snappy.Encode(nil, body)
	case "zstd":
		return zstdEncoder().EncodeAll(body, nil)
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

// zstdEncoder is shared, because one takes megabytes; EncodeAll may be called side by side.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(mutationLanes))
	if err != nil {
		panic(err) // the options are ours
	}
	return enc
})

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
