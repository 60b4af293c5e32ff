package promql

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/store"
)

// scrapeInterval is what is taken for the time between two samples where series are divided into parts.
const scrapeInterval = 15 * time.Second

// part is some series, and what is read of them at once.
type part struct {
	found   []store.MetricSeries
	query   store.MetricSamplesQuery
	changes bool // deltas are seen as they are, with start timestamps, instead of their sums
}

// whole is everything that a selector reads of the series that were found.
func (q *querier) whole(hints *storage.SelectHints, matchers []*labels.Matcher, found []store.MetricSeries) *part {
	p := &part{found: found, query: samplesOf(found), changes: countsChanges(hints)}
	p.query.StartMilli, p.query.EndMilli, p.query.Last = hints.Start, hints.End, q.lastOnly(hints)
	p.query.Whole = onlyNames(matchers) && hints.Limit == 0
	return p
}

// samplesOf selects the samples of the series.
func samplesOf(found []store.MetricSeries) store.MetricSamplesQuery {
	read := store.MetricSamplesQuery{FPs: make([]uint64, len(found))}
	for i := range found {
		read.FPs[i] = found[i].FP
		if i == 0 || found[i].Metric != found[i-1].Metric { // labels begin with the name, nearly always
			read.Metrics = append(read.Metrics, found[i].Metric)
		}
	}
	slices.Sort(read.Metrics)
	read.Metrics = slices.Compact(read.Metrics)
	return read
}

// narrowed is the same of some of the series.
func (p *part) narrowed(found []store.MetricSeries) *part {
	one := *p
	if one.found = found; len(found) < len(p.found) {
		one.query = samplesOf(found)
		one.query.StartMilli, one.query.EndMilli, one.query.Last = p.query.StartMilli, p.query.EndMilli, p.query.Last
	}
	return &one
}

// seriesPerPart returns of how many series a part means to read the samples.
func (p *part) seriesPerPart(chunkSamples int) int {
	perSeries := max(1, int((p.query.EndMilli-p.query.StartMilli)/scrapeInterval.Milliseconds()))
	return max(1, chunkSamples/perSeries)
}

// divide cuts the series into parts in their own order, which is not that of the table's sort key: a granule of the table may be
// read for several parts. Parts are many only where the range is long, and there a series fills a granule nearly alone.
func (p *part) divide(size int) []part {
	if len(p.found) <= size {
		return []part{*p}
	}
	var parts []part
	for some := range slices.Chunk(p.found, size) {
		parts = append(parts, *p.narrowed(some))
	}
	return parts
}
