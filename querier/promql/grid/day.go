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
