package quota

import (
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Limits is what one tenant or one cluster may send. In what was set for one tenant a zero field stands for the default;
// in the defaults, and in what was set for a cluster, it stands for no limit.
type Limits struct {
	BytesPerSecond int64 // of inflated bodies, over all signals
	BytesBurst     int64 // what may come at once after a quiet time; at least one second's worth
	RowsPerSecond  int64 // lines, samples, events and spans together
	RowsBurst      int64
	DailyBytes     int64 // of inflated bodies, per day of UTC
	ActiveSeries   int64 // metric series with a sample within the last hour
	ActiveStreams  int64 // log streams with a line within the last hour

	// The limits of one request, see seamark.Limits.
	MaxLabels, MaxLabelNameBytes, MaxLabelValueBytes, MaxLineBytes, MaxAttrs int64
	MaxAgeSeconds, MaxFutureSeconds                                          int64
}

// DefaultLimits returns what a tenant may send unless it was set otherwise. The rates are those that Mimir starts a tenant
// with; without them one tenant takes the disk, the memory and the time of all.
func DefaultLimits() Limits {
	return Limits{
		BytesPerSecond: 8 << 20, BytesBurst: 64 << 20, RowsPerSecond: 10_000, RowsBurst: 200_000,
		ActiveSeries: 150_000, ActiveStreams: 10_000,
	}
}

// fields lists the fields in one order, for what treats them alike.
func (l *Limits) fields() [14]*int64 {
	return [...]*int64{
		&l.BytesPerSecond, &l.BytesBurst, &l.RowsPerSecond, &l.RowsBurst, &l.DailyBytes, &l.ActiveSeries, &l.ActiveStreams,
		&l.MaxLabels, &l.MaxLabelNameBytes, &l.MaxLabelValueBytes, &l.MaxLineBytes, &l.MaxAttrs, &l.MaxAgeSeconds, &l.MaxFutureSeconds,
	}
}

// Or returns l with the zero fields taken from defaults, and bursts of at least a second's worth: a smaller one would hold
// the sender below its rate.
func (l Limits) Or(defaults Limits) Limits {
	from := defaults.fields()
	for i, field := range l.fields() {
		if *field == 0 {
			*field = *from[i]
		}
	}
	l.BytesBurst = max(l.BytesBurst, l.BytesPerSecond)
	l.RowsBurst = max(l.RowsBurst, l.RowsPerSecond)
	return l
}

// narrow applies what was set for one request's limits to base. A cluster can only narrow what its tenant has.
func (l *Limits) narrow(base seamark.Limits, cluster bool) seamark.Limits {
	set := func(to *int, value int64) {
		if value > 0 && (!cluster || int(value) < *to) {
			*to = int(value)
		}
	}
	set(&base.MaxLabels, l.MaxLabels)
	set(&base.MaxLabelNameBytes, l.MaxLabelNameBytes)
	set(&base.MaxLabelValueBytes, l.MaxLabelValueBytes)
	set(&base.MaxLineBytes, l.MaxLineBytes)
	set(&base.MaxAttrs, l.MaxAttrs)
	span := func(to *time.Duration, seconds int64) {
		if value := time.Duration(seconds) * time.Second; value > 0 && (!cluster || value < *to) {
			*to = value
		}
	}
	span(&base.MaxAge, l.MaxAgeSeconds)
	span(&base.MaxFuture, l.MaxFutureSeconds)
	return base
}
