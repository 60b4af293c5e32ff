package forward_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// What pack takes beside Go's own types.
type (
	array  []any
	object []any // keys and values in turn, in this order
	ext    struct {
		kind int8
		data []byte
	}
	eventTime time.Time
)

// pack writes MessagePack, as far as senders of the protocol do, by the format's specification.
func pack(v any) []byte {
	switch v := v.(type) {
	case nil:
		return []byte{0xc0}
	case bool:
		if v {
			return []byte{0xc3}
		}
		return []byte{0xc2}
	case int:
		switch {
		case v >= 0 && v < 128:
			return []byte{byte(v)}
		case v < 0 && v >= -32:
			return []byte{byte(int8(v))}
		}
		return binary.BigEndian.AppendUint64([]byte{0xd3}, uint64(v))
	case uint32:
		return binary.BigEndian.AppendUint32([]byte{0xce}, v)
	case float64:
		return binary.BigEndian.AppendUint64([]byte{0xcb}, math.Float64bits(v))
	case float32:
		return binary.BigEndian.AppendUint32([]byte{0xca}, math.Float32bits(v))
	case string:
		if len(v) < 32 {
			return append([]byte{0xa0 | byte(len(v))}, v...)
		}
		return append(binary.BigEndian.AppendUint32([]byte{0xdb}, uint32(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint32([]byte{0xc6}, uint32(len(v))), v...)
	case ext:
		return append([]byte{0xc7, byte(len(v.data)), byte(v.kind)}, v.data...)
	case eventTime:
		t := time.Time(v)
		b := binary.BigEndian.AppendUint32([]byte{0xd7, 0}, uint32(t.Unix()))
		return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
	case array:
		b := binary.BigEndian.AppendUint16([]byte{0xdc}, uint16(len(v)))
		for _, e := range v {
			b = append(b, pack(e)...)
		}
		return b
	case object:
		b := binary.BigEndian.AppendUint16([]byte{0xde}, uint16(len(v)/2))
		for _, e := range v {
			b = append(b, pack(e)...)
		}
		return b
	}
	panic("a type that pack does not know")
}

// stream concatenates packed values, as the packed modes have their entries.
func stream(values ...any) []byte {
	var b []byte
	for _, v := range values {
		b = append(b, pack(v)...)
	}
	return b
}

// zip compresses each part as a member of its own, as Fluentd appends to a compressed buffer.
func zip(t testing.TB, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&b)
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}
