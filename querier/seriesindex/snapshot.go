package seriesindex

import (
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const (
	dayMilli = 24 * 3600 * 1000
	maxDay   = 65535 // of the store's dates
	weekDays = 7
)

// snapshot is one state of a tenant's index. It never changes: what is added later goes behind the lengths that it knows,
// and what changes is copied.
type snapshot struct {
	pairs    []seamark.Label // every distinct label once
	fps      []uint64        // per series
	refs     []uint32        // all series' labels, as numbers of pairs
	ends     []uint32        // per series: the end of its labels in refs
	groups   []uint32        // per log stream: its group, as a number of a pair
	segments []*segment      // of consecutive series
	weeks    map[int32][]uint8
	present  []int32 // the weeks that the store has
	bytes    int64
}

// refsOf returns the labels of a series as numbers of pairs, in the order of the label names.
func (s *snapshot) refsOf(series uint32) []uint32 {
	start := uint32(0)
	if series > 0 {
		start = s.ends[series-1]
	}
	return s.refs[start:s.ends[series]]
}

// dayRange is an interval of days since 1970, both ends included.
type dayRange struct{ first, last int32 }

// daysOf returns the days that a query looks at, as the store reckons them.
func daysOf(startMilli, endMilli int64) dayRange {
	day := func(milli int64) int32 { return int32(min(max(milli, 0), maxDay*dayMilli) / dayMilli) }
	return dayRange{day(startMilli), day(endMilli)}
}

// holds reports whether a week has days of the range.
func (d dayRange) holds(week int32) bool { return week+weekDays > d.first && week <= d.last }

// covers reports whether the snapshot has every week of the range that the store has.
func (s *snapshot) covers(days dayRange) bool {
	for _, week := range s.present {
		if _, loaded := s.weeks[week]; !loaded && days.holds(week) {
			return false
		}
	}
	return true
}

// mask is some days of one week, and the days of all series in that week.
type mask struct {
	days []uint8 // per series; those beyond its end have none
	want uint8
}

// scope is what a query looks at: some days of a snapshot.
type scope struct {
	*snapshot
	masks []mask
}

func (s *snapshot) scope(days dayRange) *scope {
	sc := &scope{snapshot: s}
	for week, list := range s.weeks {
		if !days.holds(week) {
			continue
		}
		m := mask{days: list}
		for i := range int32(weekDays) {
			if day := week + i; day >= days.first && day <= days.last {
				m.want |= 1 << i
			}
		}
		sc.masks = append(sc.masks, m)
	}
	return sc
}

// visible reports whether the series has samples on one of the days.
func (sc *scope) visible(series uint32) bool {
	for i := range sc.masks {
		if m := &sc.masks[i]; int(series) < len(m.days) && m.days[series]&m.want != 0 {
			return true
		}
	}
	return false
}

// materialize writes series out. Their labels stand in one piece of memory, which is the caller's.
func materialize[T any](s *snapshot, numbers []uint32, row func(number uint32, labels []seamark.Label) T) []T {
	if len(numbers) == 0 {
		return nil
	}
	total := 0
	for _, n := range numbers {
		total += len(s.refsOf(n))
	}
	all, list := make([]seamark.Label, 0, total), make([]T, len(numbers))
	for i, n := range numbers {
		start := len(all)
		for _, ref := range s.refsOf(n) {
			all = append(all, s.pairs[ref])
		}
		list[i] = row(n, all[start:len(all):len(all)])
	}
	return list
}

func (s *snapshot) metrics(numbers []uint32) []store.MetricSeries {
	return materialize(s, numbers, func(n uint32, labels []seamark.Label) store.MetricSeries {
		return store.MetricSeries{FP: s.fps[n], Metric: labelOf(labels, seamark.MetricNameLabel), Labels: labels}
	})
}

func (s *snapshot) streams(numbers []uint32) []store.LogStream {
	return materialize(s, numbers, func(n uint32, labels []seamark.Label) store.LogStream {
		return store.LogStream{FP: s.fps[n], Group: s.pairs[s.groups[n]].Value, Labels: labels}
	})
}
