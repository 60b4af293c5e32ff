package otlp

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/VictoriaMetrics/easyproto"
)

// valueKind is the case of AnyValue's oneof.
type valueKind uint8

const (
	valueEmpty valueKind = iota
	valueString
	valueBool
	valueInt
	valueDouble
	valueBytes
	valueArray
	valueMap
)

// value is one AnyValue, read but not yet rendered. Its strings alias the body.
type value struct {
	kind valueKind
	num  uint64 // the bits of a bool, int or double
	str  string
	raw  []byte // bytes, or the encoded ArrayValue or KeyValueList
}

// attribute is one KeyValue.
type attribute struct {
	key string
	val value
}

// parseValue reads an AnyValue into v. It does not reset v, because an embedded message that stands twice is merged.
func (w *wire) parseValue(src []byte, v *value) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return w.broken("AnyValue", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			v.kind = valueString
			v.str, ok = fc.String()
		case 2, 3:
			v.kind = valueBool + valueKind(fc.FieldNum-2)
			v.num, ok = fc.Uint64()
		case 4:
			v.kind = valueDouble
			v.num, ok = fc.Fixed64()
		case 5:
			v.kind = valueArray
			v.raw, ok = fc.MessageData()
		case 6:
			v.kind = valueMap
			v.raw, ok = fc.MessageData()
		case 7:
			v.kind = valueBytes
			v.raw, ok = fc.Bytes()
		}
		if !ok {
			return w.mistyped("AnyValue", fc.FieldNum, src)
		}
	}
	return nil
}

// parseAttribute reads a KeyValue into a.
func (w *wire) parseAttribute(src []byte, a *attribute) error {
	*a = attribute{}
	if key, val, ok := shortStrings(src); ok {
		a.key, a.val.kind, a.val.str = key, valueString, val
		return nil
	}
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return w.broken("KeyValue", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			a.key, ok = fc.String()
		case 2:
			var data []byte
			if data, ok = fc.MessageData(); ok {
				if err := w.parseValue(data, &a.val); err != nil {
					return err
				}
			}
		}
		if !ok {
			return w.mistyped("KeyValue", fc.FieldNum, src)
		}
	}
	return nil
}

// shortStrings reads a KeyValue of a key and a string value with less than 128 bytes each, in either order (SDKs write the
// key first, the collector last). Nearly all attributes are such, and reading them field by field takes four times as long.
func shortStrings(src []byte) (key, val string, ok bool) {
	const keyTag, valueTag, stringTag = 1<<3 | 2, 2<<3 | 2, 1<<3 | 2
	if len(src) < 4 || len(src) < 4+int(src[1]) {
		return "", "", false
	}
	second := 2 + int(src[1])
	if src[1]|src[second+1] >= 0x80 || second+2+int(src[second+1]) != len(src) {
		return "", "", false
	}
	k, v := src[2:second], src[second+2:]
	switch {
	case src[0] == keyTag && src[second] == valueTag:
	case src[0] == valueTag && src[second] == keyTag:
		k, v = v, k
	default:
		return "", "", false
	}
	if len(v) < 2 || v[0] != stringTag || int(v[1]) != len(v)-2 {
		return "", "", false
	}
	return alias(k), alias(v[2:]), true
}

// alias returns b as a string that shares its bytes, as the other strings of a batch share the body's.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// text renders v as a label value or a log body: strings as they are, numbers and booleans in their usual form, bytes in
// base64, arrays and maps as JSON, nothing as "".
func (w *wire) text(v *value) (string, error) {
	switch v.kind {
	case valueString:
		return v.str, nil
	case valueBool:
		return strconv.FormatBool(v.num != 0), nil
	case valueInt:
		var digits [20]byte
		return w.arena.keepText(strconv.AppendInt(digits[:0], int64(v.num), 10)), nil
	case valueDouble:
		var digits [32]byte
		return w.arena.keepText(appendDouble(digits[:0], math.Float64frombits(v.num))), nil
	case valueBytes:
		return base64.StdEncoding.EncodeToString(v.raw), nil
	case valueArray, valueMap:
		b, err := w.appendJSON(make([]byte, 0, 2*len(v.raw)), v, 0)
		return string(b), err
	}
	return "", nil
}

// appendJSON appends v as compact JSON. Members of a map keep the sender's order.
func (w *wire) appendJSON(dst []byte, v *value, depth int) ([]byte, error) {
	switch v.kind {
	case valueString:
		return appendJSONString(dst, v.str), nil
	case valueBool:
		return strconv.AppendBool(dst, v.num != 0), nil
	case valueInt:
		return strconv.AppendInt(dst, int64(v.num), 10), nil
	case valueDouble:
		f := math.Float64frombits(v.num)
		if math.IsNaN(f) || math.IsInf(f, 0) { // JSON has no such numbers; protobuf's mapping writes them as strings
			return append(appendDouble(append(dst, '"'), f), '"'), nil
		}
		return appendDouble(dst, f), nil
	case valueBytes:
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, v.raw), '"'), nil
	case valueArray, valueMap:
		if depth >= maxDepth {
			return dst, w.tooDeep(v.raw)
		}
		if v.kind == valueArray {
			return w.appendArray(dst, v.raw, depth+1)
		}
		return w.appendMap(dst, v.raw, depth+1)
	}
	return append(dst, "null"...), nil
}

func (w *wire) appendArray(dst, src []byte, depth int) ([]byte, error) {
	dst = append(dst, '[')
	first := true
	err := w.eachOf("ArrayValue", src, 1, func(data []byte) error {
		var v value
		if err := w.parseValue(data, &v); err != nil {
			return err
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var err error
		dst, err = w.appendJSON(dst, &v, depth)
		return err
	})
	return append(dst, ']'), err
}

func (w *wire) appendMap(dst, src []byte, depth int) ([]byte, error) {
	return w.appendMembers(dst, members{"KeyValueList", src, 1}, depth)
}

// members are the KeyValues that stand in a field of an encoded message.
type members struct {
	message string
	src     []byte
	field   uint32
}

// appendMembers appends KeyValues as a JSON object.
func (w *wire) appendMembers(dst []byte, m members, depth int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	err := w.eachOf(m.message, m.src, m.field, func(data []byte) error {
		var a attribute
		if err := w.parseAttribute(data, &a); err != nil {
			return err
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendJSONString(dst, a.key), ':')
		var err error
		dst, err = w.appendJSON(dst, &a.val, depth)
		return err
	})
	return append(dst, '}'), err
}

// appendDouble appends f in the shortest form that reads back to the same bits, with an exponent where JavaScript's
// number-to-string conversion has one, as JSON encoders commonly do.
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go pads the exponent to two digits, the common form does not.
	if n := len(dst); dst[n-4] == 'e' && dst[n-2] == '0' && dst[n-3] == '-' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends s as a JSON string; bytes that are not UTF-8 become the replacement character.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			if c < ' ' {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			} else {
				dst = append(dst, "\ufffd"...)
			}
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
