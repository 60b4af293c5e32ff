package logcontext

import (
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// check refuses what cannot be asked, and fills in the span.
func (r *Reader) check(tenant seamark.TenantID, q *Query) error {
	if q.Span == 0 {
		q.Span = DefaultSpan
	}
	for _, n := range []int{q.Before, q.After} {
		if n < 0 {
			return r.errLines(n)
		}
		if err := r.checkPage(tenant, max(n, 1)); err != nil {
			return err
		}
	}
	if err := checkTime(q.Time); err != nil {
		return err
	}
	return checkSpan(q.Span)
}

func (r *Reader) checkPage(tenant seamark.TenantID, limit int) error {
	if err := tenant.Validate(); err != nil {
		return err
	}
	if limit < 1 || limit > r.opts.MaxLines {
		return r.errLines(limit)
	}
	return nil
}

func (r *Reader) errLines(n int) error {
	return seamark.Errorf(seamark.Invalid, "seamark-context-lines", "%d lines on a side are not between 0 and the limit of %d (--query.max-context-lines). Ask for fewer, and go on with the cursors of the answer.", n, r.opts.MaxLines)
}

// checkTime refuses times from which a span could leave what nanoseconds in 64 bits tell.
func checkTime(nanos int64) error {
	const first, last = 1900, 2100
	if year := time.Unix(0, nanos).UTC().Year(); year < first || year >= last {
		return seamark.Errorf(seamark.Invalid, "seamark-context-time", "The time is not between the years %d and %d; it is nanoseconds since 1970.", first, last)
	}
	return nil
}

func checkSpan(span time.Duration) error {
	if span < time.Second || span > MaxSpan || span%time.Second != 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-context-span", "The span of %s is not a whole number of seconds between 1s and %s.", span, MaxSpan)
	}
	return nil
}
