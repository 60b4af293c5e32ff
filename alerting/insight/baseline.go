package insight

import (
	"math"
	"slices"
	"time"
)

// Season is what a slot of a baseline is told apart by.
type Season uint8

// The seasons, from the one that needs least history.
const (
	NoSeason   Season = iota
	HourOfDay         // 24 slots
	DayKind           // 48 slots: the hours of working days, and those of Saturday and Sunday
	HourOfWeek        // 168 slots
)

// String returns the season's name as it stands in the API.
func (s Season) String() string {
	return [...]string{"none", "hour_of_day", "day_kind", "hour_of_week"}[s]
}

const (
	weekHours = 7 * 24
	// minSpan and minPoints are the least history that says anything: with less every load test of a new workload is an anomaly.
	minSpan   = 4 * time.Hour
	minPoints = 40
	// slotDays is on how many days a slot must have been seen to be its own. With two days one of them an incident would be
	// half of what is usual; hours of the week are asked for one more, because hours of day kinds know more days already.
	slotDays, weekSlotDays = 3, 4
	// levelSpan is the time that the level is taken from: after half of it what has come to stay is usual.
	levelSpan = 24 * time.Hour
	// tailShare is the share of history that the widest band leaves out. It is what forgives a series its bursts.
	tailShare = 0.01
	// maxWiden is how much wider than asked a band may become by bursts: without it a day of incidents would hide the next.
	maxWiden = 3
	// leastShare is the least scale as a share of what is usual, for series that hardly ever move.
	leastShare = 0.02
	// leastOf keeps a series that never moved at all from having no scale.
	leastOf = 1e-9
)

// Baseline is what one series usually is at each hour of a week. It does not change after Learn.
type Baseline struct {
	Season  Season
	Weeks   float64 // of history that it was learned from
	Learned time.Time
	slots   [weekHours]slot
	offset  float64 // of the newest level from the slots
	up      float64 // standard deviations that one value in a hundred lies above, and below
	down    float64
	least   float64 // scale
	floor   float64 // lowest and highest value of the history
	ceiling float64
	trend   float64 // per hour, of all of the history
}

type slot struct {
	mid, scale float64
	low, high  float64 // medians of the days' lowest and highest values
	days       int
}

// Band is what is usual at one time. Values outside of Low and High are anomalous for the sensitivity it was asked for.
type Band struct{ Low, Mid, High, Scale float64 }

// slotOf returns the hour of the week, Monday 00:00 UTC the first, and how much of the hour is over.
func slotOf(t time.Time) (hour int, part float64) {
	t = t.UTC()
	day := (int(t.Weekday()) + 6) % 7
	return day*24 + t.Hour(), (float64(t.Minute()) + float64(t.Second())/60) / 60
}

// Learn makes the baseline of a series from its history, nil when there is too little of it.
func Learn(g Grid) *Baseline {
	span := g.span()
	if g.Present() < minPoints || span < minSpan {
		return nil
	}
	b := &Baseline{Weeks: span.Hours() / weekHours, Learned: g.Time(len(g.Values) - 1)}
	b.learnBounds(&g)
	b.slots = b.learnSlots(&g)
	b.smooth()
	b.learnTails(&g)
	b.learnOffset(&g)
	b.learnTrend(&g)
	return b
}

// hours collects the values of each hour of the week by the day that they are of.
type hours [weekHours]map[int64][]float64

func collect(g *Grid) *hours {
	var h hours
	for i, v := range g.Values {
		if math.IsNaN(v) {
			continue
		}
		at := g.Time(i)
		hour, _ := slotOf(at)
		if h[hour] == nil {
			h[hour] = map[int64][]float64{}
		}
		day := at.Unix() / (24 * 3600)
		h[hour][day] = append(h[hour][day], v)
	}
	return &h
}

// learnSlots gives each hour of the week what the finest season knows that has seen it often enough.
func (b *Baseline) learnSlots(g *Grid) [weekHours]slot {
	h := collect(g)
	var slots [weekHours]slot
	var found [HourOfWeek + 1]map[int]slot
	for season := range found {
		found[season] = map[int]slot{}
	}
	for hour := range slots {
		for season := HourOfWeek; ; season-- {
			key := season.key(hour)
			s, known := found[season][key]
			if !known {
				s = learnSlot(h, season, key)
				found[season][key] = s
			}
			if s.days >= season.needs() || season == NoSeason {
				slots[hour] = s
				b.Season = max(b.Season, season)
				break
			}
		}
	}
	return slots
}

func (s Season) needs() int {
	if s == HourOfWeek {
		return weekSlotDays
	}
	return slotDays
}

// key returns the slot of a season that an hour of the week is in.
func (s Season) key(hour int) int {
	switch s {
	case HourOfWeek:
		return hour
	case DayKind:
		if hour >= 5*24 {
			return 24 + hour%24
		}
		return hour % 24
	case HourOfDay:
		return hour % 24
	case NoSeason:
	}
	return 0
}

func learnSlot(h *hours, season Season, key int) slot {
	var all, lows, highs []float64
	for hour := range h {
		if season.key(hour) != key {
			continue
		}
		for _, values := range h[hour] {
			all = append(all, values...)
			lows, highs = append(lows, slices.Min(values)), append(highs, slices.Max(values))
		}
	}
	s := slot{days: len(lows), low: median(lows), high: median(highs)}
	s.mid, s.scale = spread(all)
	return s
}

// smooth lends each hour a part of its neighbours' scales: an hour of few values may by chance look calmer than it is.
func (b *Baseline) smooth() {
	var scales [weekHours]float64
	for i := range b.slots {
		before, after := &b.slots[(i+weekHours-1)%weekHours], &b.slots[(i+1)%weekHours]
		s := b.slots[i].scale
		scales[i] = math.Sqrt((before.scale*before.scale + 2*s*s + after.scale*after.scale) / 4)
	}
	for i := range b.slots {
		b.slots[i].scale = scales[i]
	}
}

// learnBounds learns the lowest and the highest value.
func (b *Baseline) learnBounds(g *Grid) {
	b.floor, b.ceiling = math.Inf(1), math.Inf(-1)
	for _, v := range g.Values {
		if !math.IsNaN(v) {
			b.floor, b.ceiling = min(b.floor, v), max(b.ceiling, v)
		}
	}
}

// learnTails learns how far the series wanders beside what its hours tell.
func (b *Baseline) learnTails(g *Grid) {
	var away []float64
	for i, v := range g.Values {
		if !math.IsNaN(v) {
			mid, _ := b.usual(g.Time(i))
			away = append(away, v-mid)
		}
	}
	_, all := spread(slices.Clone(away))
	const calmest = 0.3 // the share of the whole scale that the calmest hour has at least
	b.least = calmest * all
	n := 0
	for i, v := range g.Values {
		if !math.IsNaN(v) {
			mid, scale := b.usual(g.Time(i))
			away[n] = (v - mid) / scale
			n++
		}
	}
	slices.Sort(away)
	b.up, b.down = quantile(away, 1-tailShare), -quantile(away, tailShare)
}

// learnOffset learns how far the newest level is from what the slots say.
func (b *Baseline) learnOffset(g *Grid) {
	recent := g.Between(b.Learned.Add(-levelSpan), b.Learned)
	var away []float64
	for i, v := range recent.Values {
		if !math.IsNaN(v) {
			mid, _ := b.usual(recent.Time(i))
			away = append(away, v-mid)
		}
	}
	if len(away) >= len(recent.Values)/2 && recent.span() > levelSpan/2 {
		b.offset = median(away)
	}
}

// learnTrend learns where the history as a whole goes, by the medians of its days.
func (b *Baseline) learnTrend(g *Grid) {
	const day = 24 * time.Hour
	var days []float64
	for at := g.Start; !at.Add(day).After(b.Learned.Add(g.Step)); at = at.Add(day) {
		part := g.Between(at, at.Add(day-g.Step))
		var present []float64
		for _, v := range part.Values {
			if !math.IsNaN(v) {
				present = append(present, v)
			}
		}
		days = append(days, median(present))
	}
	if l, ok := fit(days); ok {
		b.trend = l.slope / day.Hours()
	}
}

// usual returns the middle and the scale of a time: between the middles of two hours both count.
func (b *Baseline) usual(t time.Time) (mid, scale float64) {
	hour, part := slotOf(t)
	other := (hour + 1) % weekHours
	weight := part - 0.5
	if weight < 0 {
		other, weight = (hour+weekHours-1)%weekHours, -weight
	}
	s, o := &b.slots[hour], &b.slots[other]
	mid = s.mid + (o.mid-s.mid)*weight + b.offset
	scale = s.scale + (o.scale-s.scale)*weight
	return mid, max(scale, b.least, leastShare*math.Abs(mid), leastOf*max(b.ceiling, -b.floor), leastOf)
}

// Band returns the band of values that are away from what is usual by at most the given number of standard deviations. It is wider
// where the series has its bursts: every day at this hour, or in one hundredth of its time.
func (b *Baseline) Band(t time.Time, deviations float64) Band {
	mid, scale := b.usual(t)
	hour, _ := slotOf(t)
	s := &b.slots[hour]
	const beyond = 1.3 // how far past its bursts a series must go
	up := min(max(deviations, beyond*b.up), maxWiden*deviations)
	down := min(max(deviations, beyond*b.down), maxWiden*deviations)
	band := Band{Low: mid - down*scale, Mid: mid, High: mid + up*scale, Scale: scale}
	if s.days >= slotDays {
		band.High = max(band.High, s.high+b.offset+scale*deviations/2)
		band.Low = min(band.Low, s.low+b.offset-scale*deviations/2)
	}
	if b.floor >= 0 {
		// What was never negative does not become so; and where noise is wide, half of the least that ever was is a fall to nothing.
		band.Low = max(band.Low, b.floor/2)
	}
	return band
}

// Usual returns the narrow band that values are in most of the time, for words.
func (b *Baseline) Usual(t time.Time) Band {
	const most = 2 // of normal values 95 in a hundred
	mid, scale := b.usual(t)
	band := Band{Low: mid - most*scale, Mid: mid, High: mid + most*scale, Scale: scale}
	if b.floor >= 0 {
		band.Low = max(band.Low, 0)
	}
	return band
}

// Within reports whether a value lies in the range of all of the history.
func (b *Baseline) Within(v float64) bool { return v >= b.floor && v <= b.ceiling }
