package datadog

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options says how one request is decoded.
type Options struct {
	// Now is the time of what carries none.
	Now time.Time
	// MaxAttrs bounds the attributes of a log row, see record.Options; zero means its default.
	MaxAttrs int
}

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	scratch sync.Pool // *state
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{scratch: sync.Pool{New: func() any {
		return &state{described: make(map[string]struct{}), record: record.New(record.Options{})}
	}}}
}

// state is what one call works with.
type state struct {
	body  []byte
	cat   seamark.Catalog
	batch *seamark.Batch
	now   time.Time

	labels    labelSet
	identity  gathered            // the bytes that name the current series
	described map[string]struct{} // metrics whose metadata the batch has
	sketch    sketch
	record    *record.Builder
	fields    []*easyproto.FieldContext
	arena     []byte // memory for the batch's histograms; what is cut from it belongs to the batch
}

// maxScratch bounds what scratch memory outlives a request, in elements. Without it one request with a huge series makes
// every later one pay for its memory.
const maxScratch = 4096

func (d *Decoder) take(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) *state {
	s := d.scratch.Get().(*state)
	s.body, s.cat, s.batch, s.now = body, cat, b, o.Now
	s.record.Begin(record.Options{Now: o.Now, MaxAttrs: o.MaxAttrs})
	return s
}

// give returns s to the pool without anything of the request.
func (d *Decoder) give(s *state) {
	if len(s.described) > maxScratch || cap(s.identity.scratch) > 16*maxScratch || s.sketch.large() {
		return
	}
	s.labels.release()
	s.record.Release()
	clear(s.described)
	*s = state{
		labels: s.labels, identity: gathered{scratch: s.identity.scratch[:0]}, described: s.described, sketch: s.sketch,
		record: s.record, fields: s.fields,
	}
	d.scratch.Put(s)
}

// gathered is a run of fields of a message. Fields side by side, the only order that real senders write, are taken as one
// piece of the body without copying.
type gathered struct {
	run     []byte
	scratch []byte
	apart   bool // run lies in scratch
}

func (g *gathered) reset() { *g = gathered{scratch: g.scratch[:0]} }

// add takes in the field that lies between before and after, both of which end where the body ends.
func (g *gathered) add(before, after []byte) {
	n := len(before) - len(after)
	switch {
	case g.run == nil:
		g.run = before[:n]
	case !g.apart && cap(g.run)-len(g.run) == cap(before):
		g.run = g.run[:len(g.run)+n]
	default:
		if !g.apart {
			g.apart = true
			g.scratch = append(g.scratch[:0], g.run...)
		}
		g.scratch = append(g.scratch, before[:n]...)
		g.run = g.scratch
	}
}

// key is the catalogue's key of the series that the bytes name.
func (g *gathered) key(space uint64) uint64 { return xxhash.Sum64(g.run) ^ space }

// The key spaces set the catalogue keys of the forms apart from each other's and from other protocols' keys of the same
// bytes. They were drawn at random.
const (
	protoKeySpace  = 0x8d1f60a37b4ce295
	sketchKeySpace = 0x47e2b90c5da8361f
	jsonKeySpace   = 0xf30a7c5e18d6924b
	checkKeySpace  = 0x1b94e6d27f05a83c
)

// maxSeconds is the last second of the year 9999. A larger number is a time in another unit.
const maxSeconds = 253402300799

// Reasons for refusing points.
const (
	badTimeID  = "seamark-point-timestamp"
	badPointID = "seamark-point-shape"
)

// milli turns a point's time into milliseconds; zero, which is also what is not there, is now.
func (s *state) milli(seconds int64) (int64, bool) {
	switch {
	case seconds == 0:
		return s.now.UnixMilli(), true
	case seconds < 0 || seconds > maxSeconds:
		return 0, false
	}
	return seconds * 1000, true
}

// rejectTime counts a point whose time is none.
func (s *state) rejectTime(metric string, seconds float64) {
	s.reject(badTimeID, func() string {
		return fmt.Sprintf("A point of metric %.100q has the timestamp %g. Send seconds since 1970 that are positive and before the year 10000.", metric, seconds)
	})
}

// reject counts one refused point. The sentence is made only for the first of its reason: a body full of bad points must
// not cost more than one full of good ones.
func (s *state) reject(reason string, detail func() string) {
	s.rejectRows(seamark.Metrics, reason, detail)
}

func (s *state) rejectRows(signal seamark.Signal, reason string, detail func() string) {
	text := ""
	if !s.refusedBefore(reason) {
		text = detail()
	}
	s.batch.Rejected.Add(signal, 1, reason, text)
}

func (s *state) refusedBefore(reason string) bool {
	for i := range s.batch.Rejected.Reasons {
		if s.batch.Rejected.Reasons[i].Reason == reason {
			return true
		}
	}
	return false
}

// refuse counts n rows whose labels were refused. An error that is not the sender's fault, or that ends the request, is
// returned.
func (s *state) refuse(signal seamark.Signal, n int, err error) error {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID == protobufID {
		return err
	}
	s.batch.Rejected.Add(signal, n, e.ID, e.Message)
	return nil
}

// Metric types of the series API.
const (
	typeGauge = iota
	typeCount
	typeRate
)

// describe adds the metadata of a metric once per request. All three types are gauges in Prometheus' words, because no
// value is a running total; the help says what the difference means for queries.
func (s *state) describe(series *seamark.Series, metricType int, unit string) error {
	if _, done := s.described[series.Name]; done {
		return nil
	}
	if err := s.batch.Reserve(seamark.MetadataBytes); err != nil {
		return err
	}
	s.described[series.Name] = struct{}{}
	m := seamark.MetricMetadata{Metric: series.Name, Type: "gauge", Unit: strings.ToValidUTF8(unit, "\uFFFD")}
	switch metricType {
	case typeCount:
		m.Help = "Datadog count: the increase within each interval. sum_over_time() gives the increase of a range."
	case typeRate:
		m.Help = "Datadog rate: per second, averaged over each interval. avg_over_time() gives the rate of a range."
	}
	s.batch.Metadata = append(s.batch.Metadata, m)
	return nil
}

// alias returns b as a string without copying it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
