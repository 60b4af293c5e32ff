package influx

import (
	"bytes"
	"math/bits"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// keySpace sets this protocol's catalogue keys apart from other protocols' keys of the same bytes. It and keySeed were
// drawn at random.
const (
	keySpace = 0x9c41e7a05bd2638f
	keySeed  = 0x35fb0ce91872ad47
)

// point reads the point that begins at start, appends its samples and returns the offset behind it.
func (s *state) point(start int) (next int, err error) {
	end := s.lineEnd(start)
	space := unescaped(s.body[start:end], ' ')
	if space < 0 {
		return 0, &fault{syntaxID, "A point needs a measurement, a space and at least one field; the space is missing", end}
	}
	s.head, s.parsed = s.body[start:start+space], false
	hash := xxhash.Sum64(s.head) ^ keySpace
	i := s.skipBlanks(start + space)
	first := s.batch.Samples.Len()
	for {
		if i, err = s.field(i, hash); err != nil {
			return 0, err
		}
		if i >= len(s.body) || s.body[i] != ',' {
			break
		}
		i++
	}
	milli := s.now
	i = s.skipBlanks(i)
	if !s.atEnd(i) {
		if milli, i, err = s.timestamp(i); err != nil {
			return 0, err
		}
	}
	for k := range s.batch.Samples.TimeMilli[first:] {
		s.batch.Samples.TimeMilli[first+k] = milli
	}
	return i, nil
}

// unescaped returns the index of the first c that no backslash stands before, or -1. A backslash before anything but a
// separator is text, also before another backslash, as InfluxDB has it.
func unescaped(text []byte, c byte) int {
	for from := 0; ; {
		n := bytes.IndexByte(text[from:], c)
		if n < 0 {
			return -1
		}
		if from+n == 0 || text[from+n-1] != '\\' {
			return from + n
		}
		from += n + 1
	}
}

func (s *state) skipBlanks(i int) int {
	for i < len(s.body) && (s.body[i] == ' ' || s.body[i] == '\t') {
		i++
	}
	return i
}

// atEnd reports whether the line ends at i.
func (s *state) atEnd(i int) bool {
	return i >= len(s.body) || s.body[i] == '\n' || s.body[i] == '\r' && (i+1 == len(s.body) || s.body[i+1] == '\n')
}

// field reads one field and returns the offset behind its value, where a comma, a blank or the line's end stands.
func (s *state) field(start int, head uint64) (int, error) {
	i, body := start, s.body
	for ; ; i++ {
		if i >= len(body) {
			return 0, &fault{syntaxID, "A field without a value", start}
		}
		c := body[i]
		if c > '=' { // fast path: letters and underscores
			continue
		}
		if c == '\n' {
			return 0, &fault{syntaxID, "A field without a value", start}
		}
		if (c == '=' || c == ',' || c == ' ') && (i == start || body[i-1] != '\\') {
			break
		}
	}
	switch {
	case body[i] != '=':
		return 0, &fault{syntaxID, "A field without a value", start}
	case i == start:
		return 0, &fault{syntaxID, "A field without a name", start}
	}
	key := body[start:i]
	value, next, kind := s.value(i + 1)
	switch {
	case kind == badValue || next < len(body) && body[next] != ',' && body[next] != ' ' && body[next] != '\t' && !s.atEnd(next):
		return 0, &fault{valueID, "A value that is neither a number, a boolean nor a quoted string", i + 1}
	case kind == stringValue:
		s.strings++
		return next, nil
	}
	if err := s.batch.Reserve(seamark.SeriesBytes + seamark.SampleBytes); err != nil {
		return 0, err
	}
	hi, lo := bits.Mul64(head, xxhash.Sum64(key)^keySeed)
	series := s.cat.Find(hi ^ lo)
	if series == nil {
		var err error
		if series, err = s.create(hi^lo, key); err != nil {
			return 0, err
		}
	}
	s.batch.Samples.Append(s.batch.Samples.AddSeries(series), 0, value)
	return next, nil
}

// timestamp reads the time of a point and what may stand behind it.
func (s *state) timestamp(start int) (milli int64, next int, err error) {
	i := start
	negative := s.body[i] == '-'
	if negative {
		i++
	}
	digits, n := uint64(0), 0
	for ; i < len(s.body) && s.body[i]-'0' <= 9 && n < 20; i, n = i+1, n+1 {
		digits = digits*10 + uint64(s.body[i]-'0')
	}
	next = s.skipBlanks(i)
	if n == 0 || n > 19 || digits >= 1<<63 || !s.atEnd(next) {
		return 0, 0, &fault{timeID, "A timestamp that is no 64-bit integer", start}
	}
	t := int64(digits)
	if negative {
		t = -t
	}
	milli, ok := s.options.Precision.milli(t)
	if !ok {
		return 0, 0, &fault{timeID, "A timestamp that is too large for its precision", start}
	}
	return milli, next, nil
}
