package seriesindex

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Order is what the lists of a Cardinality are sorted by, the largest first.
type Order uint8

// The orders.
const (
	BySeries Order = iota // series of the day
	ByGrowth              // series of the day less those of the earlier day
	ByChurn               // series that appeared and series that vanished
)

// CardinalityOptions says what to count.
type CardinalityOptions struct {
	Day     time.Time             // any time of the day, in UTC
	Against time.Time             // any time of the day to compare with; zero is the day before
	Match   []store.MetricMatcher // only series that match are counted
	Order   Order
	Limit   int // entries of each list, 1 to MaxCardinalityLimit
	// Samples asks the store for the metrics with the most samples, whatever Match says.
	Samples bool
}

// MaxCardinalityLimit bounds the lists of a Cardinality. Without it an answer is as large as the index.
const MaxCardinalityLimit = 1000

// Count is how many series there are on the day and on the earlier day.
type Count struct {
	Series, Earlier    int
	Appeared, Vanished int // series of one of the days alone
}

// Growth returns how many series more the day has than the earlier one.
func (c *Count) Growth() int { return c.Series - c.Earlier }

// Churn returns how many series one of the days has alone.
func (c *Count) Churn() int { return c.Appeared + c.Vanished }

func (c *Count) add(other *Count) {
	c.Series += other.Series
	c.Earlier += other.Earlier
	c.Appeared += other.Appeared
	c.Vanished += other.Vanished
}

// MetricCount counts the series of one metric.
type MetricCount struct {
	Metric string
	Count
}

// LabelCount counts the series that have a label, and its values.
type LabelCount struct {
	Name string
	Count
	Values        int // distinct ones on the day
	EarlierValues int // on the earlier day
}

// PairCount counts the series that have a label with one value.
type PairCount struct {
	Name, Value string
	Count
}

// Cardinality tells which metrics and labels a tenant's series come from.
type Cardinality struct {
	Total   Count
	Metrics []MetricCount
	Labels  []LabelCount // without the metric's name
	Pairs   []PairCount  // without the metric's name
	Samples []store.MetricSampleCount
}

// Cardinality counts series by metric, by label and by label value on one day and on an earlier one. Errors are of kind
// Invalid for a limit out of range, Unprocessable for a tenant whose index would be too large, Unavailable while the index
// is loaded, or what the store says.
func (x *Index) Cardinality(ctx context.Context, tenant seamark.TenantID, o CardinalityOptions) (*Cardinality, error) {
	if o.Limit < 1 || o.Limit > MaxCardinalityLimit {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-cardinality-limit", "The limit %d must be between 1 and %d.", o.Limit, MaxCardinalityLimit)
	}
	conditions, err := newConditions(o.Match)
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Invalid, "seamark-query-regexp", "A regular expression of the query is not valid RE2.")
	}
	if o.Against.IsZero() {
		o.Against = o.Day.AddDate(0, 0, -1)
	}
	today, earlier := dayOf(o.Day), dayOf(o.Against)
	// Both days at once: a state of the index that has one of them may lack the other.
	s, reason := x.snapshot(ctx, tenant, dayRange{min(today.first, earlier.first), max(today.last, earlier.last)})
	if s == nil {
		x.metrics.fallthroughs.WithLabelValues(reason).Inc()
		return nil, x.noCardinality(reason)
	}
	t := tally{snapshot: s, pairs: make([]Count, len(s.pairs))}
	t.run(conditions, s.scope(today), s.scope(earlier))
	c := &Cardinality{Total: t.total}
	t.lists(c, &o)
	if o.Samples {
		start := int64(today.first) * dayMilli
		c.Samples, err = x.CountMetricSamples(ctx, tenant, store.MetricSampleCountQuery{StartMilli: start, EndMilli: start + dayMilli - 1, Limit: o.Limit})
	}
	return c, err
}

func dayOf(at time.Time) dayRange { return daysOf(at.UnixMilli(), at.UnixMilli()) }

func (x *Index) noCardinality(reason string) error {
	if reason == "size" {
		return seamark.Errorf(seamark.Unprocessable, "seamark-cardinality-size",
			"Your series of these days take more than %d MiB of index, the most that one tenant may have here. Choose days of one week, or ask the operator to raise the limit.",
			x.opts.MaxBytes/tenantShare>>20)
	}
	return seamark.Errorf(seamark.Unavailable, "seamark-cardinality-loading", "Your series are being indexed. Retry in a few seconds.")
}

// tally counts series by label.
type tally struct {
	*snapshot
	pairs []Count // by label
	total Count
}

func (t *tally) run(conditions []condition, today, earlier *scope) {
	either := &scope{snapshot: t.snapshot, masks: slices.Concat(today.masks, earlier.masks)}
	for _, g := range t.segments {
		for _, n := range either.match(g, conditions, nil, math.MaxInt) {
			var one Count
			switch now, then := today.visible(n), earlier.visible(n); {
			case now && then:
				one = Count{Series: 1, Earlier: 1}
			case now:
				one = Count{Series: 1, Appeared: 1}
			default:
				one = Count{Earlier: 1, Vanished: 1}
			}
			t.total.add(&one)
			for _, ref := range t.refsOf(n) {
				t.pairs[ref].add(&one)
			}
		}
	}
}

// lists sorts what was counted into the lists of c.
func (t *tally) lists(c *Cardinality, o *CardinalityOptions) {
	metrics, pairs, byName := top[MetricCount]{}, top[PairCount]{}, map[string]*LabelCount{}
	for ref := range t.pairs {
		count, label := &t.pairs[ref], &t.snapshot.pairs[ref]
		switch {
		case *count == Count{}:
		case label.Name == seamark.MetricNameLabel:
			metrics.add(MetricCount{label.Value, *count}, o)
		default:
			pairs.add(PairCount{label.Name, label.Value, *count}, o)
			l := byName[label.Name]
			if l == nil {
				l = &LabelCount{Name: label.Name}
				byName[label.Name] = l
			}
			l.add(count)
			l.Values += min(count.Series, 1)
			l.EarlierValues += min(count.Earlier, 1)
		}
	}
	labels := top[LabelCount]{}
	for _, l := range byName {
		labels.add(*l, o)
	}
	c.Metrics, c.Pairs, c.Labels = metrics.sorted(o), pairs.sorted(o), labels.sorted(o)
}

// counted is an entry of a list.
type counted interface {
	key() string
	count() Count
}

func (m MetricCount) key() string { return m.Metric }
func (l LabelCount) key() string  { return l.Name }
func (p PairCount) key() string   { return p.Name + "\xff" + p.Value }

func (c Count) count() Count { return c }

// top keeps the largest entries of many: it sorts when it holds twice as many as are wanted.
type top[T counted] struct{ list []T }

func (t *top[T]) add(one T, o *CardinalityOptions) {
	if t.list = append(t.list, one); len(t.list) >= 2*o.Limit {
		t.list = t.sorted(o)
	}
}

func (t *top[T]) sorted(o *CardinalityOptions) []T {
	slices.SortFunc(t.list, func(a, b T) int {
		return cmp.Or(cmp.Compare(o.Order.weigh(b.count()), o.Order.weigh(a.count())), cmp.Compare(b.count().Series, a.count().Series), strings.Compare(a.key(), b.key()))
	})
	return t.list[:min(len(t.list), o.Limit)]
}

func (o Order) weigh(c Count) int {
	switch o {
	case ByGrowth:
		return c.Growth()
	case ByChurn:
		return c.Churn()
	case BySeries:
	}
	return c.Series
}
