package api

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/stats"
)

// Prometheus shows at most so many warnings and so many infos of an answer.
const maxNotes = 10

// writePrometheus answers with data in Prometheus' envelope.
func writePrometheus(w http.ResponseWriter, data any, warnings annotations.Annotations) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	j := newJSONWriter(w)
	j.raw(`{"status":"success","data":`)
	j.buf = append(j.buf, body...)
	return j.finish("", warnings)
}

// promStats are Prometheus' statistics of a query, with what it has cost the store.
type promStats struct {
	stats.BuiltinStats
	Cost *QueryCost `json:"cost,omitempty"`
}

// newPromStats has the wait for the query's place stand where Prometheus has the wait for its engine.
func newPromStats(q promql.Query, cost *QueryCost) promStats {
	s := promStats{stats.NewQueryStats(q.Stats()).Builtin(), cost}
	if cost != nil {
		s.Timings.ExecQueueTime += cost.Waited.Seconds()
		s.Timings.ExecTotalTime += cost.Waited.Seconds()
	}
	return s
}

// answer writes the result of a query. cost may be nil.
func (p *queryParams) answer(w http.ResponseWriter, q promql.Query, result *promql.Result, cost *QueryCost) error {
	value, warnings := result.Value, result.Warnings
	if p.limit > 0 {
		var truncated bool
		if value, truncated = truncate(value, p.limit); truncated {
			warnings = warnings.Add(errors.New("results truncated due to limit"))
		}
	}
	if warning := p.statsWarning(); warning != nil {
		warnings = warnings.Add(warning)
	}
	j := newJSONWriter(w)
	j.raw(`{"status":"success","data":{"resultType":"` + string(value.Type()) + `","result":`)
	if err := j.value(value); err != nil {
		return err
	}
	if p.form.Get("stats") != "" {
		body, err := json.Marshal(newPromStats(q, cost))
		if err != nil {
			return err
		}
		j.raw(`,"stats":`)
		j.buf = append(j.buf, body...)
	}
	j.raw(`}`)
	return j.finish(p.query, warnings)
}

// truncate cuts vectors and matrices; scalars and strings have no length.
func truncate(value parser.Value, limit int) (parser.Value, bool) {
	switch v := value.(type) {
	case promql.Matrix:
		if len(v) > limit {
			return v[:limit], true
		}
	case promql.Vector:
		if len(v) > limit {
			return v[:limit], true
		}
	}
	return value, false
}

// jsonWriter writes an answer in pieces, so that a large result is not held twice. The first error sticks.
type jsonWriter struct {
	w   http.ResponseWriter
	buf []byte
	err error
}

// flushBytes is how much is gathered before it is written: large enough for few writes, small against a result.
const flushBytes = 64 << 10

func newJSONWriter(w http.ResponseWriter) *jsonWriter {
	w.Header().Set("Content-Type", "application/json")
	return &jsonWriter{w: w, buf: make([]byte, 0, 4<<10)}
}

func (j *jsonWriter) raw(s string) { j.buf = append(j.buf, s...) }

func (j *jsonWriter) comma(i int) {
	if i > 0 {
		j.buf = append(j.buf, ',')
	}
}

// flush writes what is gathered when there is enough of it.
func (j *jsonWriter) flush() {
	if len(j.buf) < flushBytes || j.err != nil {
		return
	}
	_, j.err = j.w.Write(j.buf)
	j.buf = j.buf[:0]
}

// finish closes the envelope with the notes of the answer, whose positions point into query.
func (j *jsonWriter) finish(query string, notes annotations.Annotations) error {
	warnings, infos := notes.AsStrings(query, maxNotes, maxNotes)
	for _, list := range []struct {
		name  string
		texts []string
	}{{"warnings", warnings}, {"infos", infos}} {
		if len(list.texts) == 0 {
			continue
		}
		body, err := json.Marshal(list.texts)
		if err != nil {
			return err
		}
		j.raw(`,"` + list.name + `":`)
		j.buf = append(j.buf, body...)
	}
	j.raw(`}`)
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	return j.err
}

func (j *jsonWriter) value(value parser.Value) error {
	switch v := value.(type) {
	case promql.Vector:
		j.raw(`[`)
		for i := range v {
			j.comma(i)
			j.raw(`{"metric":`)
			j.labels(v[i].Metric)
			if v[i].H != nil {
				j.raw(`,"histogram":`)
				j.histogramPoint(v[i].T, v[i].H)
			} else {
				j.raw(`,"value":`)
				j.point(v[i].T, v[i].F)
			}
			j.raw(`}`)
		}
		j.raw(`]`)
	case promql.Matrix:
		j.matrix(v)
	default: // scalars and strings encode themselves
		body, err := json.Marshal(v)
		if err != nil {
			return err
		}
		j.buf = append(j.buf, body...)
	}
	return j.err
}

func (j *jsonWriter) matrix(m promql.Matrix) {
	j.raw(`[`)
	for i := range m {
		j.comma(i)
		j.raw(`{"metric":`)
		j.labels(m[i].Metric)
		if len(m[i].Floats) > 0 {
			j.raw(`,"values":[`)
			for k, p := range m[i].Floats {
				j.comma(k)
				j.point(p.T, p.F)
			}
			j.raw(`]`)
		}
		if len(m[i].Histograms) > 0 {
			j.raw(`,"histograms":[`)
			for k, p := range m[i].Histograms {
				j.comma(k)
				j.histogramPoint(p.T, p.H)
			}
			j.raw(`]`)
		}
		j.raw(`}`)
	}
	j.raw(`]`)
}

func (j *jsonWriter) labels(ls labels.Labels) {
	j.raw(`{`)
	i := 0
	ls.Range(func(l labels.Label) {
		j.comma(i)
		i++
		j.string(l.Name)
		j.raw(`:`)
		j.string(l.Value)
	})
	j.raw(`}`)
	j.flush()
}

// point writes [seconds,"value"], milliseconds as a fraction without trailing precision of floats.
func (j *jsonWriter) point(milli int64, v float64) {
	j.raw(`[`)
	j.seconds(milli)
	j.raw(`,`)
	j.float(v)
	j.raw(`]`)
	j.flush()
}

// seconds writes a time.
func (j *jsonWriter) seconds(milli int64) {
	b := j.buf
	if milli < 0 {
		b = append(b, '-')
		milli = -milli
	}
	b = strconv.AppendInt(b, milli/1000, 10)
	if rest := milli % 1000; rest != 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	j.buf = b
}

// float writes a value as text.
func (j *jsonWriter) float(v float64) {
	format := byte('f')
	// The bounds at which JSON numbers switch to exponents; Inf is above the upper one and has a word of its own.
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	j.buf = append(j.buf, '"')
	j.buf = strconv.AppendFloat(j.buf, v, format, -1, 64)
	j.buf = append(j.buf, '"')
}

// Which of a bucket's bounds belong to it, in Prometheus' numbers.
const (
	boundsUpper = iota
	boundsLower
	boundsNeither
	boundsBoth
)

// histogramPoint writes [seconds,{"count","sum","buckets":[[bounds,"lower","upper","count"],...]}]; empty buckets are left out.
func (j *jsonWriter) histogramPoint(milli int64, h *histogram.FloatHistogram) {
	j.raw(`[`)
	j.seconds(milli)
	j.raw(`,{"count":`)
	j.float(h.Count)
	j.raw(`,"sum":`)
	j.float(h.Sum)
	buckets := 0
	for it := h.AllBucketIterator(); it.Next(); {
		bucket := it.At()
		if bucket.Count == 0 {
			continue
		}
		if buckets == 0 {
			j.raw(`,"buckets":[`)
		}
		j.comma(buckets)
		buckets++
		bounds := boundsNeither
		switch {
		case bucket.LowerInclusive && bucket.UpperInclusive:
			bounds = boundsBoth
		case bucket.LowerInclusive:
			bounds = boundsLower
		case bucket.UpperInclusive:
			bounds = boundsUpper
		}
		j.raw(`[` + strconv.Itoa(bounds) + `,`)
		j.float(bucket.Lower)
		j.raw(`,`)
		j.float(bucket.Upper)
		j.raw(`,`)
		j.float(bucket.Count)
		j.raw(`]`)
	}
	if buckets > 0 {
		j.raw(`]`)
	}
	j.raw(`}]`)
	j.flush()
}

// string writes a JSON string with the escapes that Prometheus writes in labels: no more than JSON demands. Text that needs
// none, nearly all of it, is copied.
func (j *jsonWriter) string(s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd") // JSON readers refuse a whole answer over one bad byte
	}
	j.buf = append(j.buf, '"')
	b, from := j.buf, 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
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
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	j.buf = append(append(b, s[from:]...), '"')
}
