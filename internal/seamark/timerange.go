package seamark

import "time"

// TimeRange is the half-open interval [Start, End).
type TimeRange struct{ Start, End time.Time }

// Validate refuses a range that is empty or runs backwards.
func (r TimeRange) Validate() error {
	if !r.End.After(r.Start) {
		return Errorf(Invalid, "seamark-range-backwards", "The end %s must lie after the start %s.",
			r.End.UTC().Format(time.RFC3339Nano), r.Start.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// Duration returns the range's length.
func (r TimeRange) Duration() time.Duration { return r.End.Sub(r.Start) }
