package forward

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"unicode/utf8"
)

// marker tells Fluent Bit's entries that are no events from events.
type marker uint8

const (
	noMarker marker = iota
	groupStart
	groupEnd
)

// Extension types: the protocol's own time, and MessagePack's.
const (
	extEventTime = 0
	extTimestamp = -1
)

const nanosPerSecond = 1_000_000_000

// timeOf reads an entry's time in nanoseconds since 1970, 0 when it tells none. Fluent Bit marks where a group of entries
// starts and ends with the times -1 and -2.
func timeOf(v value) (nanos int64, m marker) {
	switch v.kind {
	case kindInt, kindUint:
		switch seconds := int64(v.bits); {
		case v.kind == kindInt && seconds == -1:
			return 0, groupStart
		case v.kind == kindInt && seconds == -2:
			return 0, groupEnd
		case seconds <= 0 || seconds > math.MaxInt64/nanosPerSecond:
			return 0, noMarker
		default:
			return seconds * nanosPerSecond, noMarker
		}
	case kindFloat:
		if f := math.Float64frombits(v.bits); f > 0 && f < math.MaxInt64/nanosPerSecond {
			seconds, fraction := math.Modf(f)
			return int64(seconds)*nanosPerSecond + int64(fraction*1e6)*1000, noMarker // a float has no more than microseconds
		}
	case kindExt:
		return timeOfExt(v)
	}
	return 0, noMarker
}

func timeOfExt(v value) (nanos int64, m marker) {
	switch kind := int8(v.bits); {
	case kind == extEventTime && len(v.data) == 8:
		seconds, nanos := binary.BigEndian.Uint32(v.data), binary.BigEndian.Uint32(v.data[4:])
		switch int32(seconds) {
		case -1:
			return 0, groupStart
		case -2:
			return 0, groupEnd
		}
		return int64(seconds)*nanosPerSecond + int64(nanos), noMarker
	case kind == extTimestamp && len(v.data) == 4:
		return int64(binary.BigEndian.Uint32(v.data)) * nanosPerSecond, noMarker
	case kind == extTimestamp && len(v.data) == 8:
		n := binary.BigEndian.Uint64(v.data)
		return int64(n&(1<<34-1))*nanosPerSecond + int64(n>>34), noMarker
	case kind == extTimestamp && len(v.data) == 12:
		seconds := int64(binary.BigEndian.Uint64(v.data[4:]))
		if seconds > 0 && seconds < math.MaxInt64/nanosPerSecond {
			return seconds*nanosPerSecond + int64(binary.BigEndian.Uint32(v.data)), noMarker
		}
	}
	return 0, noMarker
}

// maxDepth bounds nested maps and arrays. Nothing that people read is deeper, and without it a message of nothing but
// brackets takes the stack.
const maxDepth = 32

// fields adds the fields of a map, which was read before, to the record; nil adds none. It returns true when the map is
// nested too deep.
func (d *Decoder) fields(raw []byte) (deep bool) {
	if raw == nil {
		return false
	}
	r := reader{buf: raw}
	d.path = d.path[:0]
	v, _ := r.next()
	if v.kind != kindMap {
		return false
	}
	return !d.members(&r, v.count, 1)
}

// members adds the members of a map behind the path.
func (d *Decoder) members(r *reader, count, depth int) (ok bool) {
	base := len(d.path)
	for range count / 2 {
		name, _ := r.next()
		d.path = d.path[:base]
		if name.nested() { // a key that is an array or a map names nothing
			r.pass(name.count + 1)
			continue
		}
		if base > 0 {
			d.path = append(d.path, '.')
		}
		d.path = appendScalar(d.path, name)
		v, _ := r.next()
		if !d.add(r, v, depth) {
			return false
		}
	}
	d.path = d.path[:base]
	return true
}

// add adds one value under the path.
func (d *Decoder) add(r *reader, v value, depth int) (ok bool) {
	switch v.kind {
	case kindNil:
		return true
	case kindStr:
		d.builder.Add(alias(d.path), alias(v.data))
		return true
	case kindMap:
		if depth == maxDepth {
			return false
		}
		// What OpenTelemetry adds in Fluent Bit's metadata are the record's own fields.
		if string(d.path) == "otlp" {
			d.path = d.path[:0]
		}
		return d.members(r, v.count, depth+1)
	case kindArray:
		if d.json, ok = appendJSON(d.json[:0], r, v, depth); !ok {
			return false
		}
		d.builder.Add(alias(d.path), d.text.keep(d.json))
		return true
	case kindBin:
		if isID(d.path, v.data) || !utf8.Valid(v.data) {
			break
		}
		d.builder.Add(alias(d.path), alias(v.data))
		return true
	}
	d.json = appendScalar(d.json[:0], v)
	d.builder.Add(alias(d.path), d.text.keep(d.json))
	return true
}

// isID tells trace and span ids, which Fluent Bit keeps as bytes.
func isID(path, data []byte) bool {
	return string(path) == "trace_id" && len(data) == 16 || string(path) == "span_id" && len(data) == 8
}

// appendScalar appends a scalar as text; binary that is not UTF-8, and trace ids, as hex.
func appendScalar(dst []byte, v value) []byte {
	switch v.kind {
	case kindBool:
		return strconv.AppendBool(dst, v.bits == 1)
	case kindInt:
		return strconv.AppendInt(dst, int64(v.bits), 10)
	case kindUint:
		return strconv.AppendUint(dst, v.bits, 10)
	case kindFloat:
		return strconv.AppendFloat(dst, math.Float64frombits(v.bits), 'g', -1, 64)
	case kindStr:
		return append(dst, v.data...)
	case kindBin:
		return hex.AppendEncode(dst, v.data)
	case kindExt:
		if nanos, m := timeOf(v); nanos > 0 && m == noMarker {
			return strconv.AppendInt(dst, nanos, 10)
		}
		return hex.AppendEncode(dst, v.data)
	}
	return append(dst, "null"...)
}

// appendJSON appends a value as JSON; of arrays and maps v is the header, and the rest is read from r.
func appendJSON(dst []byte, r *reader, v value, depth int) (out []byte, ok bool) {
	switch v.kind {
	case kindArray, kindMap:
		if depth == maxDepth {
			return dst, false
		}
		return appendNested(dst, r, v, depth+1)
	case kindStr:
		return appendString(dst, v.data), true
	case kindBin, kindExt:
		if v.kind == kindBin && utf8.Valid(v.data) {
			return appendString(dst, v.data), true
		}
		return append(appendScalar(append(dst, '"'), v), '"'), true
	case kindFloat:
		if f := math.Float64frombits(v.bits); math.IsNaN(f) || math.IsInf(f, 0) { // JSON has neither
			return append(dst, "null"...), true
		}
	}
	return appendScalar(dst, v), true
}

func appendNested(dst []byte, r *reader, v value, depth int) (out []byte, ok bool) {
	open, end := byte('['), byte(']')
	if v.kind == kindMap {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for i := range v.count {
		element, _ := r.next()
		isKey := v.kind == kindMap && i%2 == 0
		switch {
		case v.kind == kindMap && i%2 == 1:
			dst = append(dst, ':')
		case i > 0:
			dst = append(dst, ',')
		}
		switch {
		case isKey && element.nested(): // it names nothing, and JSON has no such thing
			return dst, false
		case isKey && element.kind != kindStr && element.kind != kindBin:
			dst = append(appendScalar(append(dst, '"'), element), '"')
			continue
		}
		if dst, ok = appendJSON(dst, r, element, depth); !ok {
			return dst, false
		}
	}
	return append(dst, end), true
}

// appendString appends a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(dst, s []byte) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xf])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRune(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}

// textArena makes strings of numbers and arrays, which do not stand in a message as text. Its memory is never used twice,
// so strings stay what they are.
type textArena struct {
	free []byte
	used int // bytes since the beginning
}

const textChunk = 8 << 10

func (a *textArena) keep(text []byte) string {
	a.used += len(text)
	if len(text) > len(a.free) {
		if len(text) > textChunk/4 {
			return string(text)
		}
		a.free = make([]byte, textChunk)
	}
	kept := a.free[:copy(a.free, text)]
	a.free = a.free[len(kept):]
	return alias(kept)
}
