package remotewrite

import (
	"encoding/binary"
	"math"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// sampleStart is the start timestamp of a 2.0 Sample, the one field that 1.0 has not.
const sampleStart = 3

// zeroWindowMilli is how long after a counter's start its samples bring a zero sample at the start with them, in
// milliseconds. Without the zero, what a counter had when it was first scraped is missing in rate and increase. The
// decoder is stateless: it cannot know whether an earlier request brought the zero, so every request within the window
// repeats it. It depends on the request alone, so a retry makes the same rows, and the query merges samples that are
// equal in series, time and value. Two minutes are two scrapes of the longest usual interval; a longer window would
// repeat the zero more often, and only ever help senders that scrape less. Native histograms get no zero: of another
// resolution than its neighbours it would coarsen every rate that it has a part in.
const zeroWindowMilli = 2 * 60 * 1000

// staleBits is the NaN by which Prometheus marks the end of a series.
const staleBits = 0x7ff0000000000002

// zero is a sample of the value 0 that is to be added for a series.
type zero struct {
	series    uint32
	timeMilli int64
}

// Written says what of a batch the request's own rows are.
type Written struct {
	// Injected is how many zero samples DecodeV2 added at start timestamps.
	Injected int
	// firstInjected is the index of the batch's first series that only injected samples refer to.
	firstInjected uint32
}

// Counts returns how many of the request's rows stand in b, for the headers X-Prometheus-Remote-Write-Samples-Written,
// -Histograms-Written and -Exemplars-Written. Call it after the last check that removes rows.
func (w Written) Counts(b *seamark.Batch) (samples, histograms, exemplars int) {
	samples = b.Samples.Len()
	if w.Injected > 0 { // they stand at the end
		for samples > 0 && b.Samples.SeriesRef[samples-1] >= w.firstInjected {
			samples--
		}
	}
	return samples, b.Histograms.Len(), len(b.Exemplars)
}

// Counts is Written.Counts for a batch without injected samples, as Decode makes it.
func Counts(b *seamark.Batch) (samples, histograms, exemplars int) { return Written{}.Counts(b) }

// appendZeros adds the zero samples behind the request's own, each with an entry of its series, so that Counts finds them.
func (s *state) appendZeros() Written {
	rows := &s.batch.Samples
	w := Written{Injected: len(s.zeros), firstInjected: uint32(len(rows.Series))}
	for _, z := range s.zeros {
		rows.Append(rows.AddSeries(rows.Series[z.series]), z.timeMilli, 0)
	}
	return w
}

// The metric types that do not count from zero.
const (
	typeGauge          = 2
	typeGaugeHistogram = 4
	typeInfo           = 6
	typeStateset       = 7
)

// canStart tells whether a metric of the given type starts at zero. Senders that set no type are taken by their word.
func canStart(kind int64) bool {
	return kind != typeGauge && kind != typeGaugeHistogram && kind != typeInfo && kind != typeStateset
}

// samplesV2 appends a series' samples, and notes the zero samples that belong before them.
func (s *state) samplesV2(o *outline, ref uint32, canStart bool) error {
	var field easyproto.FieldContext
	started, before := int64(0), int64(math.MinInt64)
	for rest := o.rows; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "TimeSeries", err)
		}
		if field.FieldNum != seriesSamples {
			continue
		}
		message, _ := field.MessageData() // outlineOfV2 has checked the wire type
		value, time, start, err := s.sampleV2(message)
		if err != nil {
			return err
		}
		if start == 0 {
			start = o.created
		}
		// A start that differs from the last sample's is a counter that began anew.
		if start != started && canStart && zeroBelongs(before, start, time, value) {
			if err := s.batch.Reserve(seamark.SeriesBytes + seamark.SampleBytes); err != nil {
				return err
			}
			s.zeros = append(s.zeros, zero{ref, start})
		}
		started, before = start, time
		s.batch.Samples.Append(ref, time, value)
	}
	return nil
}

// zeroBelongs tells whether a zero sample at start belongs between the series' sample before and the one at time.
func zeroBelongs(before, start, time int64, value float64) bool {
	return start != 0 && before < start && start < time && uint64(time)-uint64(start) <= zeroWindowMilli &&
		math.Float64bits(value) != staleBits
}

// sampleV2 decodes a Sample message of 2.0.
func (s *state) sampleV2(message []byte) (value float64, time, start int64, err error) {
	// Fast path: the fields in their order, as every protobuf library writes them.
	const valueTag, timestampTag, startTag = sampleValue<<3 | 1, sampleTimestamp << 3, sampleStart << 3
	if len(message) > 10 && message[0] == valueTag && message[9] == timestampTag {
		t, n := binary.Uvarint(message[10:])
		number := math.Float64frombits(binary.LittleEndian.Uint64(message[1:]))
		if rest := message[10+max(n, 0):]; n > 0 && len(rest) == 0 {
			return number, int64(t), 0, nil
		} else if n > 0 && rest[0] == startTag {
			if st, m := binary.Uvarint(rest[1:]); m > 0 && m == len(rest)-1 {
				return number, int64(t), int64(st), nil
			}
		}
	}
	var field easyproto.FieldContext
	for len(message) > 0 {
		at := message
		if message, err = field.NextField(message); err != nil {
			return 0, 0, 0, s.malformed(at, "Sample", err)
		}
		ok := true
		switch field.FieldNum {
		case sampleValue:
			value, ok = field.Double()
		case sampleTimestamp:
			time, ok = field.Int64()
		case sampleStart:
			start, ok = field.Int64()
		}
		if !ok {
			return 0, 0, 0, s.malformed(at, "Sample", errWireType)
		}
	}
	return value, time, start, nil
}
