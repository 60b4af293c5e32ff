package quota

import "github.com/seamarkhq/seamark/internal/seamark"

// AdmitSeries notes the series and streams of b as active, and moves the rows of those that are new and over a limit to
// b.Rejected; their neighbours stay. Numbers of refused log rows are those of the batch as it was decoded, so earlier
// refusals must be in b.Rejected already.
func (l *Limiter) AdmitSeries(p seamark.Principal, b *seamark.Batch) {
	if len(b.Samples.Series) == 0 && len(b.Logs.Streams) == 0 {
		return
	}
	s, cluster := l.of(p)
	if cluster != nil {
		s = cluster
	}
	epoch := l.epoch.Load()
	if refused, by := s.admitActive(series, b.Samples.Series, epoch); refused != nil {
		first := b.Samples.Series[least(refused)]
		n := rejectSamples(b, refused)
		b.Rejected.Add(seamark.Metrics, n, "seamark-series-limit", by.activeDetail(series, first))
		l.metrics.series.WithLabelValues(by.noun()).Add(float64(len(refused)))
	}
	if refused, by := s.admitActive(streams, b.Logs.Streams, epoch); refused != nil {
		detail := by.activeDetail(streams, b.Logs.Streams[least(refused)])
		rejectLogs(b, refused, detail)
		l.metrics.streams.WithLabelValues(by.noun()).Add(float64(len(refused)))
	}
}

// least returns the smallest index, the first offender.
func least(refused map[int]bool) int {
	first := -1
	for i := range refused {
		if first < 0 || i < first {
			first = i
		}
	}
	return first
}

// rejectSamples removes the rows of refused series and returns how many samples and histograms those were. Their exemplars
// go without a word: they decorate samples.
func rejectSamples(b *seamark.Batch, refused map[int]bool) int {
	keep, n := kept(b.Samples.SeriesRef, refused)
	b.Samples.Select(keep)
	keep, histograms := kept(b.Histograms.SeriesRef, refused)
	b.Histograms.Select(keep)
	exemplars := b.Exemplars[:0]
	for i := range b.Exemplars {
		if !refused[int(b.Exemplars[i].Series)] {
			exemplars = append(exemplars, b.Exemplars[i])
		}
	}
	clear(b.Exemplars[len(exemplars):])
	b.Exemplars = exemplars
	return n + histograms
}

// kept returns the numbers of the rows to keep, and how many the others are.
func kept(refs []uint32, refused map[int]bool) (keep []int, gone int) {
	keep = make([]int, 0, len(refs))
	for i, ref := range refs {
		if !refused[int(ref)] {
			keep = append(keep, i)
		}
	}
	return keep, len(refs) - len(keep)
}

func rejectLogs(b *seamark.Batch, refused map[int]bool, detail string) {
	const reason = "seamark-streams-limit"
	keep, gone := kept(b.Logs.Stream, refused)
	if !b.Rejected.Track {
		b.Rejected.Add(seamark.Logs, gone, reason, detail)
		b.Logs.Select(keep)
		return
	}
	earlier := make(map[int]bool, len(b.Rejected.LogRows))
	for _, r := range b.Rejected.LogRows {
		earlier[r.Row] = true
	}
	number := -1 // of the row in the batch as it was decoded
	for _, ref := range b.Logs.Stream {
		number++
		for earlier[number] {
			number++
		}
		if refused[int(ref)] {
			b.Rejected.AddLog(number, reason, detail)
		}
	}
	b.Logs.Select(keep)
}
