package samplecache

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// WaitFor has queries wait so long for a refresh before they ask the store.
func WaitFor(c *Cache, d time.Duration) { c.maxWait = d }

// ShareRows has refreshes read about so many rows with a statement.
func ShareRows(c *Cache, rows int64) { c.share = rows }

// Bypasses returns how many reads went to the store for the reason.
func Bypasses(c *Cache, reason string) int {
	return int(testutil.ToFloat64(c.metrics.bypasses.WithLabelValues(reason)))
}

// Loads, Hits and the others return the metrics of the same names.
func Loads(c *Cache) int       { return count(c.metrics.loads) }
func Hits(c *Cache) int        { return count(c.metrics.hits) }
func Misses(c *Cache) int      { return count(c.metrics.misses) }
func Evictions(c *Cache) int   { return count(c.metrics.evictions) }
func Resets(c *Cache) int      { return count(c.metrics.resets) }
func Refreshes(c *Cache) int   { return count(c.metrics.refreshes) }
func RefreshRows(c *Cache) int { return count(c.metrics.rows) }
func Bytes(c *Cache) int       { return count(c.metrics.bytes) }

func count(c prometheus.Collector) int { return int(testutil.ToFloat64(c)) }

// Recount adds up what the tenant's windows take, to compare with what was noted.
func Recount(c *Cache, id seamark.TenantID) (bytes int64) {
	c.mu.Lock()
	t := c.tenants[id]
	c.mu.Unlock()
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	for _, s := range t.series {
		bytes += s.bytes()
		for i := range s.windows {
			bytes += s.windows[i].data.bytes()
		}
	}
	return bytes
}
