package samplecache

import (
	"sort"
	"sync/atomic"
	"time"
	"unsafe"
)

// windowMilli is the length of a window, which is loaded and let go as one. Windows begin at 1970 and so with every day.
const windowMilli = 2 * 3600_000

// windowsPerDay is how many windows a day has.
const windowsPerDay = 12

// window is what is held of one series in one window.
type window struct {
	number int32  // since 1970
	used   uint32 // when it was last asked for, in ticks, and whether before that too; written by readers, atomically
	// load reads it at the moment; nil when it has been read. Until then data has what refreshes have brought meanwhile.
	load *load
	data *block // nil: no samples
}

const (
	// usedAgain marks in a window's use that it was asked for at two times.
	usedAgain = 1 << 31
	// againAfter is how far apart two times are: the panels of a dashboard ask at one time.
	againAfter = uint32(2 * time.Second / tick)
	// keepFor is how long windows that were asked for at two times stay while there are others. Without the difference a query
	// that reads more than there is room for drops everything for what it asks for once.
	keepFor = uint32(time.Hour / tick)
)

// touch notes that the window is asked for.
func (w *window) touch(now uint32) {
	old := atomic.LoadUint32(&w.used)
	last := old &^ usedAgain
	if now <= last {
		return // a write takes the line from the other readers
	}
	again := old & usedAgain
	if now-last >= againAfter {
		again = usedAgain
	}
	atomic.StoreUint32(&w.used, now|again)
}

// lastUse returns when the window was last asked for.
func (w *window) lastUse() uint32 { return atomic.LoadUint32(&w.used) &^ usedAgain }

// rank orders windows by what goes first.
func (w *window) rank(now uint32) uint32 {
	used := atomic.LoadUint32(&w.used)
	if last := used &^ usedAgain; now > last+keepFor {
		return last
	}
	return used
}

// series is what is held of one series: windows in rising order. The tenant's lock guards it.
type series struct {
	windows []window
}

// seriesBytes is what a series takes beside its windows: itself and its place in the map.
const seriesBytes = int64(unsafe.Sizeof(series{})) + 28

func (s *series) bytes() int64 {
	return seriesBytes + int64(cap(s.windows))*int64(unsafe.Sizeof(window{}))
}

// index returns where the window stands, or would stand.
func (s *series) index(number int32) (int, bool) {
	if len(s.windows) == 0 {
		return 0, false
	}
	// Nearly always there are no gaps.
	if i := int(number - s.windows[0].number); i >= 0 && i < len(s.windows) && s.windows[i].number == number {
		return i, true
	}
	i := sort.Search(len(s.windows), func(i int) bool { return s.windows[i].number >= number })
	return i, i < len(s.windows) && s.windows[i].number == number
}

// missing returns the first and the last window that the query looks at and that is not held, and how many are not; first >
// last when all are. It calls wait for each that is being loaded.
func (s *series) missing(q *query, wait func(*load)) (lo, hi int32, count int) {
	lo, hi = q.last+1, q.first-1
	i := 0
	if s != nil {
		i, _ = s.index(q.first)
	}
	for n := q.first; n <= q.last; n++ {
		if s != nil && i < len(s.windows) && s.windows[i].number == n {
			l := s.windows[i].load
			i++
			if l == nil {
				continue
			}
			if !l.abandoned {
				wait(l)
				continue
			}
		} else if q.blank[n-q.first] {
			continue
		}
		lo, hi, count = min(lo, n), n, count+1
	}
	return lo, hi, count
}

// register has the load read the query's windows that are not held, or whose load was abandoned.
func (s *series) register(l *load, q *query) (added int) {
	at, _ := s.index(l.first)
	end, found := s.index(l.last)
	if found {
		end++
	}
	list := make([]window, 0, len(s.windows)-(end-at)+int(l.last-l.first)+1)
	list = append(list, s.windows[:at]...)
	for n := l.first; n <= l.last; n++ {
		w := window{number: n, used: q.now, load: l}
		switch {
		case at < end && s.windows[at].number == n:
			w = s.windows[at]
			at++
			if w.load != nil && w.load.abandoned {
				w.load = l
				added++
			}
		case q.blank[n-q.first]:
			continue
		default:
			added++
		}
		list = append(list, w)
	}
	s.windows = append(list, s.windows[end:]...)
	return added
}

// windowOf returns the window of a time.
func windowOf(milli int64) int32 {
	n := milli / windowMilli
	if milli%windowMilli < 0 {
		n--
	}
	return int32(n)
}

// startOf returns the time at which a window begins.
func startOf(number int32) int64 { return int64(number) * windowMilli }
