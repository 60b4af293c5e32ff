package grid

// DayMilli is the length of a day.
const DayMilli = 24 * 3600 * 1000

// DayStart returns the 00:00 UTC with which the day of a time begins, in milliseconds. Midnight itself ends a day: what is stored
// there came about before it.
func DayStart(milli int64) int64 {
	day := (milli - 1) / DayMilli
	if (milli-1)%DayMilli < 0 {
		day--
	}
	return day * DayMilli
}

// startsAnew reports whether a running sum of the day was reset between two samples, as Prometheus' engine tells it by start
// timestamps, of which 0 is none.
func startsAnew(before, t int64) bool {
	a, b := DayStart(before), DayStart(t)
	return a != b && b != 0 && (b > before || a != 0)
}
