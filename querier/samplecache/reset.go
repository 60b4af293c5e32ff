package samplecache

import (
	"github.com/seamarkhq/seamark/internal/store"
)

// reset compares a listing with the last one, and lets go of the days that rows have left.
func (t *tenant) reset(byDay map[int32][]store.SamplePart, newest int64) {
	r := &t.reader
	for day, known := range r.parts {
		if !lost(known, byDay[day], true) && !r.changed(byDay[day]) {
			continue
		}
		t.cache.metrics.resets.Inc()
		t.clear(day, day)
		// The server numbers inserts from the newest that it has when it starts: what had the newest number of all may have
		// shared it with another insert by now.
		for _, p := range known {
			if p.MaxBlock == r.mark && !covered(&p, byDay[day], false) {
				t.startOver()
			}
		}
	}
	for day, parts := range byDay {
		if _, ok := r.parts[day]; !ok && r.changed(parts) {
			t.clear(day, day)
		}
	}
	if newest < r.mark {
		t.startOver()
	}
}

// startOver lets go of everything, since numbers of inserts no longer tell what was read.
func (t *tenant) startOver() {
	t.clear(0, maxMilli/dayMilli)
	t.reader.mark, t.reader.newest, t.reader.opened = -1, nil, 0
}

const dayMilli = windowsPerDay * windowMilli

// clear lets go of the windows of some days, those that are being loaded too: their loads find nothing to fill.
func (t *tenant) clear(firstDay, lastDay int32) {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	for fp, s := range t.series {
		t.removeLocked(fp, s, func(w *window) bool {
			day := w.number / windowsPerDay
			return day >= firstDay && day <= lastDay
		})
	}
}

// lost reports whether one of a day's known parts is gone, or was changed, or another stands in its place.
func lost(known, parts []store.SamplePart, mutations bool) bool {
	for i := range known {
		if !covered(&known[i], parts, mutations) {
			return true
		}
	}
	return false
}

// covered reports whether a part stands in the list, or one that it was merged into.
func covered(known *store.SamplePart, parts []store.SamplePart, mutations bool) bool {
	for i := range parts {
		p := &parts[i]
		switch {
		case p.Day != known.Day || p.MinBlock > known.MinBlock || p.MaxBlock < known.MaxBlock:
			continue
		case p.Rows < known.Rows, p.FirstMilli > known.FirstMilli, p.LastMilli < known.LastMilli:
			return false
		case p.MinBlock == known.MinBlock && p.MaxBlock == known.MaxBlock && p.Rows != known.Rows:
			return false
		}
		// An insert is not touched by mutations with smaller numbers, though it may be merged with parts that were.
		return !mutations || p.Mutation <= max(known.Mutation, known.MinBlock)
	}
	return false
}

// changed reports whether a part with rows that were not read went through a mutation that no listing has shown: loads may
// have read rows that are gone. A mutation that was shown is older than those rows.
func (r *reader) changed(parts []store.SamplePart) bool {
	for i := range parts {
		if parts[i].MaxBlock > r.mark && parts[i].Mutation > max(r.mark, r.mutation) {
			return true
		}
	}
	return false
}
