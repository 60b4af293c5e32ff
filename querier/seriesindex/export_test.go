package seriesindex

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Source is what an index reads, for the store's twin.
type Source = source

// WaitFor has queries wait so long for the index before they ask the store.
func WaitFor(x *Index, d time.Duration) { x.maxWait = d }

// WithSource has the index read from a twin of the store.
func WithSource(x *Index, s Source) *Index {
	x.source = s
	return x
}

// Fallthroughs returns how many look-ups went to the store for the reason.
func Fallthroughs(x *Index, reason string) int {
	return int(testutil.ToFloat64(x.metrics.fallthroughs.WithLabelValues(reason)))
}

// Loads, Evictions, Refreshes and Bytes return the metrics of the same names.
func Loads(x *Index) int     { return count(x.metrics.loads) }
func Evictions(x *Index) int { return count(x.metrics.evictions) }
func Refreshes(x *Index) int { return count(x.metrics.refreshes) }
func Bytes(x *Index) int     { return count(x.metrics.bytes) }

func count(c prometheus.Collector) int { return int(testutil.ToFloat64(c)) }

// Segments returns how many segments the tenant's index has.
func Segments(x *Index, tenant seamark.TenantID) int {
	s, _ := x.snapshot(context.Background(), key{tenant, seamark.MetricSeries}, dayRange{0, maxDay})
	return len(s.segments)
}
