// Package loki writes results of package engine as Loki's HTTP API has them, byte by byte into one buffer: a range of
// 5,000 lines or a million points is no tree of small values first. It knows nothing of HTTP.
package loki

import (
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// flushBytes is how much is buffered before it is written.
const flushBytes = 64 << 10

// Write writes the success envelope of r: status, resultType, result and the statistics that Grafana shows.
func Write(w io.Writer, r *engine.Result) error {
	e := &encoder{w: w, buf: make([]byte, 0, flushBytes+flushBytes/4)}
	e.text(`{"status":"success","data":{"resultType":"`)
	e.text(resultTypes[r.Kind])
	e.text(`",`)
	if r.Categorized {
		e.text(`"encodingFlags":["categorize-labels"],`)
	}
	e.text(`"result":`)
	switch r.Kind {
	case engine.Streams:
		e.streams(r)
	case engine.Matrix, engine.Vector:
		e.series(r)
	case engine.Scalar:
		e.point(r.Series[0].Points[0])
	}
	e.stats(&r.Stats)
	e.text("}}\n")
	e.flush()
	return e.err
}

var resultTypes = [...]string{engine.Streams: "streams", engine.Matrix: "matrix", engine.Vector: "vector", engine.Scalar: "scalar"}

// encoder appends to a buffer and writes it out as it fills; after the first error it does nothing.
type encoder struct {
	w   io.Writer
	buf []byte
	err error
}

func (e *encoder) text(s string) { e.buf = append(e.buf, s...) }

func (e *encoder) string(s string) { e.buf = appendString(e.buf, s) }

// spill writes the buffer out when it is full.
func (e *encoder) spill() {
	if len(e.buf) >= flushBytes {
		e.flush()
	}
}

func (e *encoder) flush() {
	if e.err == nil {
		_, e.err = e.w.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

// comma separates list elements.
func (e *encoder) comma(i int) {
	if i > 0 {
		e.buf = append(e.buf, ',')
	}
}

func (e *encoder) streams(r *engine.Result) {
	e.text("[")
	for i := range r.Streams {
		s := &r.Streams[i]
		e.comma(i)
		e.text(`{"stream":`)
		e.labels(s.Labels)
		e.text(`,"values":[`)
		for j := range s.Entries {
			e.comma(j)
			e.entry(&s.Entries[j], r.Categorized)
			e.spill()
		}
		e.text("]}")
	}
	e.text("]")
}

// entry writes a line as [time, line], and with its own labels as a third element where they are categorized.
func (e *encoder) entry(entry *engine.Entry, categorized bool) {
	e.text(`["`)
	e.buf = strconv.AppendInt(e.buf, entry.Time, 10)
	e.text(`",`)
	e.string(entry.Line)
	if categorized {
		e.text(",{")
		if len(entry.Metadata) > 0 {
			e.text(`"structuredMetadata":`)
			e.labels(entry.Metadata)
		}
		if len(entry.Parsed) > 0 {
			if len(entry.Metadata) > 0 {
				e.text(",")
			}
			e.text(`"parsed":`)
			e.labels(entry.Parsed)
		}
		e.text("}")
	}
	e.text("]")
}

func (e *encoder) series(r *engine.Result) {
	e.text("[")
	for i := range r.Series {
		s := &r.Series[i]
		e.comma(i)
		e.text(`{"metric":`)
		e.labels(s.Labels)
		if r.Kind == engine.Vector {
			e.text(`,"value":`)
			e.point(s.Points[0])
		} else {
			e.text(`,"values":[`)
			for j := range s.Points {
				e.comma(j)
				e.point(s.Points[j])
				e.spill()
			}
			e.text("]")
		}
		e.text("}")
		e.spill()
	}
	e.text("]")
}

// point writes [seconds, "value"]. Seconds have up to three decimals, as many as Grafana reads.
func (e *encoder) point(p engine.Point) {
	e.text("[")
	milli := p.Time / int64(time.Millisecond)
	e.buf = strconv.AppendInt(e.buf, milli/1000, 10)
	if rest := milli % 1000; rest != 0 {
		e.buf = append(e.buf, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	e.text(`,"`)
	e.buf = strconv.AppendFloat(e.buf, p.Value, 'f', -1, 64) // NaN, +Inf and -Inf too are spelt as Loki does
	e.text(`"]`)
}

func (e *encoder) labels(labels []seamark.Label) {
	e.text("{")
	for i, l := range labels {
		e.comma(i)
		e.string(l.Name)
		e.text(":")
		e.string(l.Value)
	}
	e.text("}")
}

// stats writes the summary of Loki's statistics, whose bytes, lines and times Grafana shows with the answer, and the whole cost in the
// words of our header.
func (e *encoder) stats(s *engine.Stats) {
	perSecond := func(n uint64) uint64 {
		if s.Seconds <= 0 {
			return 0
		}
		return uint64(float64(n) / s.Seconds)
	}
	e.text(`,"stats":{"summary":{`)
	for _, f := range []struct {
		name  string
		value uint64
	}{
		{"bytesProcessedPerSecond", perSecond(s.Bytes)}, {"linesProcessedPerSecond", perSecond(s.Lines)},
		{"totalBytesProcessed", s.Bytes}, {"totalLinesProcessed", s.Lines}, {"totalEntriesReturned", uint64(s.Entries)},
		{"shards", 1}, {"splits", 1}, {"subqueries", 0},
	} {
		e.text(`"` + f.name + `":`)
		e.buf = strconv.AppendUint(e.buf, f.value, 10)
		e.text(",")
	}
	e.text(`"queueTime":`)
	e.buf = strconv.AppendFloat(e.buf, s.Queued.Seconds(), 'f', 9, 64)
	e.text(`,"execTime":`)
	e.buf = strconv.AppendFloat(e.buf, s.Seconds, 'f', 9, 64)
	e.text(`},"cost":{"rows":`)
	e.buf = strconv.AppendUint(e.buf, s.Lines, 10)
	for _, f := range []struct {
		name  string
		value uint64
	}{{"bytes", s.Bytes}, {"cpu_ms", s.CPUMillis}, {"queued_ms", uint64(s.Queued.Milliseconds())}, {"cache_bytes", s.CacheBytes}} {
		e.text(`,"` + f.name + `":`)
		e.buf = strconv.AppendUint(e.buf, f.value, 10)
	}
	e.text("}}")
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259). Bytes that are not UTF-8 become U+FFFD: a log line may hold anything.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
