package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// CardinalityBy says what the entries of a Cardinality are.
type CardinalityBy uint8

// What entries can be. The metric's name is a label, too: __name__.
const (
	ByMetric     CardinalityBy = iota
	ByLabel                    // names of labels
	ByPair                     // labels with their values
	ByLabelValue               // values of one label
)

// CardinalityOrder says which entries of a Cardinality come first.
type CardinalityOrder uint8

// The orders, the largest first. Of equal entries the one with more series comes first, then the one whose name does.
const (
	OrderSeries  CardinalityOrder = iota // series in the period
	OrderSamples                         // samples in the period
	OrderGrowth                          // series in the period less those before
	OrderChurn                           // series that appeared or vanished
	OrderValues                          // distinct values of a label; of ByLabel alone
	OrderBytes                           // of the values of a label, in all series; of ByLabel alone
)

// CardinalityQuery asks what the series of some days are made of, beside as many days before.
type CardinalityQuery struct {
	FirstDay, LastDay int32             // of the period, in days since 1970, both included
	Sets              [][]MetricMatcher // series that match all of one of the sets are counted; all series when there is no set
	By                CardinalityBy
	Label             string // of ByLabelValue
	Order             CardinalityOrder
	Limit             int  // entries, 1 to MaxCardinalityEntries
	Samples           bool // whether samples are counted, for which the store looks at the rows of all of them
}

// The limits of a CardinalityQuery.
const (
	// MaxCardinalityEntries bounds an answer. Without it one is as large as the index of all labels.
	MaxCardinalityEntries = 10_000
	// MaxCardinalityDays bounds the period. With a longer one the days before it are older than what is kept.
	MaxCardinalityDays = 15
)

// Validate says what about a query cannot be answered, as an error of kind Invalid.
func (q *CardinalityQuery) Validate() error {
	days := int(q.LastDay) - int(q.FirstDay) + 1
	switch {
	case q.Limit < 1 || q.Limit > MaxCardinalityEntries:
		return seamark.Errorf(seamark.Invalid, "seamark-cardinality-limit", "The limit is %d; it must be between 1 and %d.", q.Limit, MaxCardinalityEntries)
	case days < 1 || days > MaxCardinalityDays:
		return seamark.Errorf(seamark.Invalid, "seamark-cardinality-days",
			"The period has %d days (UTC); it may have 1 to %d, because it is compared with as many days before. Ask for a shorter one.", days, MaxCardinalityDays)
	case q.FirstDay < 0 || int64(q.LastDay) > maxMilli/dayMillis:
		return seamark.Errorf(seamark.Invalid, "seamark-cardinality-days", "The period must lie between 1970 and 2149.")
	case q.Order >= OrderValues && q.By != ByLabel:
		return seamark.Errorf(seamark.Invalid, "seamark-cardinality-order", "The orders values and bytes are those of labels alone (by=label).")
	case q.Order == OrderSamples && !q.Samples:
		return seamark.Errorf(seamark.Invalid, "seamark-cardinality-order", "The order of samples needs them to be counted (samples=true).")
	case (q.Label == "") != (q.By != ByLabelValue):
		return seamark.Errorf(seamark.Invalid, "seamark-cardinality-label", "The label says whose values are listed: by=value needs one, and nothing else takes one.")
	}
	return nil
}

// BeforeDay returns the first of the days that the period is compared with.
func (q *CardinalityQuery) BeforeDay() int32 { return max(2*q.FirstDay-q.LastDay-1, 0) }

// CardinalityCount is how many series and samples there are.
type CardinalityCount struct {
	Series, Before     uint64 // in the period, and in the days before it
	Appeared, Vanished uint64 // series of the period alone, and of the days before alone
	Samples            uint64 // in the period; those that are stored twice count twice
}

// Growth returns how many series more there are than before.
func (c *CardinalityCount) Growth() int64 { return int64(c.Series) - int64(c.Before) }

// Churn returns how many series came or went.
func (c *CardinalityCount) Churn() uint64 { return c.Appeared + c.Vanished }

// CardinalityEntry counts the series of a metric, or those that have a label.
type CardinalityEntry struct {
	Name  string // the metric, or the label
	Value string // of ByPair and ByLabelValue
	CardinalityCount
	// Values are the label's distinct values in the period, ValueBytes their bytes in all series; of ByLabel alone.
	Values, ValueBytes uint64
}

// Cardinality says what series are made of.
type Cardinality struct {
	Total   CardinalityCount // of all series that match
	Entries int              // how many there are; the list may be cut at the limit
	Values  uint64           // of all labels together; of ByLabel alone
	List    []CardinalityEntry
}

// CountCardinality counts series by what they have in common. Errors are of kind Invalid for a query that cannot be, or
// what the server says of its limits.
func (s *Store) CountCardinality(ctx context.Context, tenant seamark.TenantID, q CardinalityQuery) (*Cardinality, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	c := &Cardinality{}
	err := s.withHistograms(tenant, func(histograms bool) error {
		b := cardinalitySQL(&q, histograms)
		*c = Cardinality{}
		_, err := s.logQuery(ctx, tenant, b.String(), b.params, c.read)
		return err
	})
	return c, err
}

// read takes the entries, the total first: it is the one without a name.
func (c *Cardinality) read(rows driver.Rows) error {
	for rows.Next() {
		var e CardinalityEntry
		var entries uint64
		if err := rows.Scan(&e.Name, &e.Value, &e.Series, &e.Before, &e.Appeared, &e.Vanished, &e.Samples, &e.Values, &e.ValueBytes, &entries, &c.Values); err != nil {
			return err
		}
		if e.Name == "" {
			c.Total, c.Entries = e.CardinalityCount, int(entries)-1
			continue
		}
		c.List = append(c.List, e)
	}
	return rows.Err()
}

// ScanSeriesSamples calls fn for each series with samples in the query's period, once or, when it has both, once for its
// floats and once for its histograms. Of the query's matchers those of the metric's name hold.
func (s *Store) ScanSeriesSamples(ctx context.Context, tenant seamark.TenantID, q CardinalityQuery, fn func(fp, samples uint64)) error {
	return s.withHistograms(tenant, func(histograms bool) error {
		b := newLogSQL()
		b.seriesSamples(&q, histograms)
		b.WriteString("\nSETTINGS optimize_aggregation_in_order = 1")
		_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
			var fp, n uint64
			for rows.Next() {
				if err := rows.Scan(&fp, &n); err != nil {
					return err
				}
				fn(fp, n)
			}
			return rows.Err()
		})
		return err
	})
}

// withHistograms runs a query with native histograms and, where the tenant has none yet, without them. The server tells of
// a missing table before it sends a row.
func (s *Store) withHistograms(tenant seamark.TenantID, run func(histograms bool) error) error {
	if s.absent(tenant, TableHistograms) {
		return run(false)
	}
	err := run(true)
	if missingTable(err) {
		s.noteAbsent(tenant, TableHistograms)
		return run(false)
	}
	return err
}
