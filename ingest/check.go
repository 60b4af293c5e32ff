package ingest

import (
	"fmt"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// checkRows removes the rows that break a limit of their own; they are counted in b.Rejected. Nearly always nothing is
// removed, which costs one pass over the columns.
func (in *Ingester) checkRows(p seamark.Principal, b *seamark.Batch, now time.Time) {
	l := in.limits(p)
	w := window{lo: now.Add(-l.MaxAge), hi: now.Add(l.MaxFuture), now: now, limits: &l}
	if rows, dropped := w.checkLogs(b, logNoun(b.Source.Protocol)); dropped {
		b.Logs.Select(rows)
	}
	times := func(noun string, times []int64) (keep []int, dropped bool) {
		return w.checkTimes(&b.Rejected, noun, times)
	}
	if rows, dropped := times(sampleNoun, b.Samples.TimeMilli); dropped {
		b.Samples.Select(rows)
	}
	if rows, dropped := times(histogramNoun, b.Histograms.TimeMilli); dropped {
		b.Histograms.Select(rows)
	}
	w.checkExemplars(b)
	w.checkEvents(b)
	w.checkSpans(b)
}

// window is the span of times that is taken at one moment.
type window struct {
	lo, hi, now time.Time
	limits      *seamark.Limits
}

// Reasons for refusing a row, of whatever signal.
const (
	timeWindowID = "seamark-time-window"
	lineBytesID  = "seamark-line-bytes"
)

// What a refused row is called at the beginning of the sentence about it.
const (
	lineNoun      = "A line"
	auditNoun     = "An audit event"
	eventNoun     = "An event"
	sampleNoun    = "A sample"
	histogramNoun = "A histogram"
	spanNoun      = "A span"
)

// logNoun is what senders of a protocol call a log row.
func logNoun(protocol string) string {
	if protocol == auditProtocol {
		return auditNoun
	}
	return lineNoun
}

// checkLogs returns the rows to keep, when not all.
func (w *window) checkLogs(b *seamark.Batch, noun string) (keep []int, dropped bool) {
	l, lo, hi := &b.Logs, w.lo.UnixNano(), w.hi.UnixNano()
	for i, t := range l.TimeNano {
		late, long := t < lo || t > hi, len(l.Body[i]) > w.limits.MaxLineBytes
		if !late && !long {
			if dropped {
				keep = append(keep, i)
			}
			continue
		}
		if !dropped {
			dropped, keep = true, upTo(i, l.Len())
		}
		if late {
			b.Rejected.AddLog(i, timeWindowID, w.text(noun, time.Unix(0, t)))
		} else {
			b.Rejected.AddLog(i, lineBytesID,
				fmt.Sprintf("%s has %d bytes; the limit is %d (--ingest.max-line-bytes).", noun, len(l.Body[i]), w.limits.MaxLineBytes))
		}
	}
	return keep, dropped
}

// checkTimes returns the rows of samples or histograms to keep, when not all.
func (w *window) checkTimes(rejected *seamark.Rejections, noun string, times []int64) (keep []int, dropped bool) {
	lo, hi := w.lo.UnixMilli(), w.hi.UnixMilli()
	for i, t := range times {
		if t >= lo && t <= hi {
			if dropped {
				keep = append(keep, i)
			}
			continue
		}
		if !dropped {
			dropped, keep = true, upTo(i, len(times))
		}
		w.refuse(rejected, seamark.Metrics, noun, time.UnixMilli(t))
	}
	return keep, dropped
}

// checkExemplars drops those outside the window without a word: they decorate samples, whose refusal is told.
func (w *window) checkExemplars(b *seamark.Batch) {
	lo, hi := w.lo.UnixMilli(), w.hi.UnixMilli()
	b.Exemplars = slices.DeleteFunc(b.Exemplars, func(e seamark.Exemplar) bool { return e.TimeMilli < lo || e.TimeMilli > hi })
}

func (w *window) checkSpans(b *seamark.Batch) {
	lo, hi := w.lo.UnixNano(), w.hi.UnixNano()
	b.Spans = slices.DeleteFunc(b.Spans, func(s seamark.Span) bool {
		late := s.TimeNano < lo || s.TimeNano > hi
		if late {
			w.refuse(&b.Rejected, seamark.Traces, spanNoun, time.Unix(0, s.TimeNano))
		}
		return late
	})
}

func (w *window) checkEvents(b *seamark.Batch) {
	kept := b.Events[:0]
	for i := range b.Events {
		ev := &b.Events[i]
		// An event that goes on for months is taken: only its last time counts.
		if ev.Last.Before(w.lo) || ev.Last.After(w.hi) || ev.First.After(w.hi) {
			outside := ev.Last
			if ev.First.After(w.hi) {
				outside = ev.First
			}
			w.refuse(&b.Rejected, seamark.Events, eventNoun, outside)
			continue
		}
		kept = append(kept, *ev)
	}
	clear(b.Events[len(kept):])
	b.Events = kept
}

// upTo returns the numbers below n, with room for all rows.
func upTo(n, rows int) []int {
	list := make([]int, n, rows)
	for i := range list {
		list[i] = i
	}
	return list
}

// refuse counts a row outside the window; noun is what its sender calls it.
func (w *window) refuse(rejected *seamark.Rejections, signal seamark.Signal, noun string, at time.Time) {
	rejected.Add(signal, 1, timeWindowID, w.text(noun, at))
}

// text is the sentence for a row outside the window; noun stands at its beginning.
func (w *window) text(noun string, at time.Time) string {
	return fmt.Sprintf("%s of %s lies outside the window from %s behind to %s ahead of the server's clock, which says %s (--ingest.max-age, --ingest.max-future).",
		noun, at.UTC().Format(time.RFC3339), w.limits.MaxAge, w.limits.MaxFuture, w.now.UTC().Format(time.RFC3339))
}
