package quota

import (
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Limits is what one tenant or one cluster may send. In what was set for one tenant a zero field stands for the default;
// in the defaults, and in what was set for a cluster, it stands for no limit.
type Limits = seamark.Quota

// DefaultLimits returns what a tenant may send, and its queries take, unless it was set otherwise. The rates are those that Mimir starts a tenant
// with; without them one tenant takes the disk, the memory and the time of all.
func DefaultLimits() Limits {
	return Limits{
		BytesPerSecond: 8 << 20, BytesBurst: 64 << 20, RowsPerSecond: 10_000, RowsBurst: 200_000,
		ActiveSeries: 150_000, ActiveStreams: 10_000,
		QueryWeight: 100, QueryMaxBytes: 256 << 30, QueryMaxResultBytes: 256 << 20,
	}
}

// narrow applies what was set for one request's limits to base. A cluster can only narrow what its tenant has.
func narrow(l *Limits, base seamark.Limits, cluster bool) seamark.Limits {
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
