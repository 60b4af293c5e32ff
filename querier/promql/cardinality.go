package promql

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Cardinality says how many series there are, and of what. The lists have the largest first, equal ones by name.
type Cardinality struct {
	Series, LabelPairs int
	SeriesByMetric     []index.Stat
	ValuesByLabel      []index.Stat // distinct values of each label
	BytesByLabel       []index.Stat // of the values of each label, in all series
	SeriesByPair       []index.Stat // "name=value"
}

// CountSeries counts the tenant's series on the days from start to end (milliseconds). Each list has at most limit
// entries. There may be more series than one selector may match: they are read metric by metric, and only a single metric
// of more series than that is an error, of kind Unprocessable.
func (e *Engine) CountSeries(ctx context.Context, tenant seamark.TenantID, start, end int64, limit int) (Cardinality, error) {
	ctx, cancel := context.WithTimeout(ctx, e.opts.Timeout)
	defer cancel()
	c := counter{engine: e, tenant: tenant, start: start, end: end, seen: map[uint64]struct{}{}, pairs: map[string]map[string]uint64{}}
	if err := c.count(ctx, nil); err != nil {
		return Cardinality{}, e.queryError(err)
	}
	return c.result(limit), nil
}

// counter counts series by their labels.
type counter struct {
	engine     *Engine
	tenant     seamark.TenantID
	start, end int64
	seen       map[uint64]struct{}          // fingerprints
	pairs      map[string]map[string]uint64 // label name, value: series
}

// count counts the series of the metrics, of all of them when there are none. When they are more than may be read at once
// it counts each half of the metrics.
func (c *counter) count(ctx context.Context, metrics []string) error {
	limit := c.engine.opts.MaxSeries
	q := store.MetricSeriesQuery{StartMilli: c.start, EndMilli: c.end, Limit: limit + 1}
	if metrics != nil {
		q.Matchers = []store.MetricMatcher{{Name: seamark.MetricNameLabel, Op: store.MetricIn, Values: metrics}}
	}
	list, err := c.engine.opts.Store.ListMetricSeries(ctx, c.tenant, q)
	if err != nil {
		return err
	}
	if len(list) <= limit {
		c.add(list)
		return nil
	}
	if len(metrics) == 1 {
		return tooManySeries(limit, metrics[0])
	}
	if metrics == nil {
		if metrics, err = c.engine.opts.Store.ListMetricLabelValues(ctx, c.tenant, seamark.MetricNameLabel, q); err != nil {
			return err
		}
		if len(metrics) > limit {
			return tooManyTexts(limit, "names of metrics")
		}
	}
	half := (len(metrics) + 1) / 2
	for part := range slices.Chunk(metrics, half) {
		if err := c.count(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (c *counter) add(list []store.MetricSeries) {
	for i := range list {
		if _, again := c.seen[list[i].FP]; again {
			continue
		}
		c.seen[list[i].FP] = struct{}{}
		for _, l := range list[i].Labels {
			values := c.pairs[l.Name]
			if values == nil {
				values = map[string]uint64{}
				c.pairs[l.Name] = values
			}
			n, known := values[l.Value]
			if !known {
				l.Value = strings.Clone(l.Value) // what was read holds the texts of the whole series
			}
			values[l.Value] = n + 1
		}
	}
}

func (c *counter) result(limit int) Cardinality {
	result := Cardinality{Series: len(c.seen)}
	for name, values := range c.pairs {
		result.LabelPairs += len(values)
		bytes := uint64(0)
		for text, n := range values {
			bytes += n * uint64(len(text))
			result.SeriesByPair = append(result.SeriesByPair, index.Stat{Name: name + "=" + text, Count: n})
			if name == seamark.MetricNameLabel {
				result.SeriesByMetric = append(result.SeriesByMetric, index.Stat{Name: text, Count: n})
			}
		}
		result.ValuesByLabel = append(result.ValuesByLabel, index.Stat{Name: name, Count: uint64(len(values))})
		result.BytesByLabel = append(result.BytesByLabel, index.Stat{Name: name, Count: bytes})
	}
	for _, list := range []*[]index.Stat{&result.SeriesByMetric, &result.ValuesByLabel, &result.BytesByLabel, &result.SeriesByPair} {
		slices.SortFunc(*list, func(a, b index.Stat) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
		*list = (*list)[:min(limit, len(*list))]
	}
	return result
}
