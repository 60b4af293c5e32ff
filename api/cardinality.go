package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// CardinalityBy says what the entries of a Cardinality are.
type CardinalityBy uint8

// What entries can be. The metric's name is a label, too: __name__.
const (
	ByMetric CardinalityBy = iota
	ByLabel
	ByPair       // labels with their values
	ByLabelValue // values of one label
)

// CardinalityOrder says which entries of a Cardinality come first.
type CardinalityOrder uint8

// The orders, the largest first.
const (
	OrderSeries CardinalityOrder = iota
	OrderSamples
	OrderGrowth
	OrderChurn
	OrderValues // of ByLabel alone
	OrderBytes  // of ByLabel alone
)

// The names of what entries are and of the orders, in the order of the constants.
var (
	cardinalityBys    = [...]string{"metric", "label", "pair", "value"}
	cardinalityOrders = [...]string{"series", "samples", "growth", "churn", "values", "bytes"}
)

// CardinalityQuery asks what the series of some days are made of, beside as many days before.
type CardinalityQuery struct {
	FirstDay, LastDay int32 // of the period, in days since 1970 (UTC), both included
	Sets              [][]*labels.Matcher
	By                CardinalityBy
	Label             string // of ByLabelValue
	Order             CardinalityOrder
	Limit             int
	Samples           bool // whether samples are counted
}

// CardinalityCounter counts series by what they have in common. The error is of kind Invalid for a query whose limit or
// period is out of bounds or whose parts do not fit together.
type CardinalityCounter interface {
	CountCardinality(ctx context.Context, scope seamark.Scope, q CardinalityQuery) (*Cardinality, error)
}

// CardinalityCount is how many series and samples there are.
type CardinalityCount struct {
	Series, Before     uint64 // in the period, and in the days before it
	Appeared, Vanished uint64 // series of the period alone, and of the days before alone
	Samples            uint64 // in the period
}

// CardinalityEntry counts the series of a metric, or those that have a label.
type CardinalityEntry struct {
	Name  string // the metric, or the label
	Value string // of ByPair and ByLabelValue
	CardinalityCount
	Values, ValueBytes uint64 // the label's distinct values in the period, and their bytes in all series; of ByLabel alone
}

// Cardinality says what series are made of, the largest entries first.
type Cardinality struct {
	Total   CardinalityCount // of all series that match
	Entries int              // how many there are; the list may be cut at the limit
	Values  uint64           // of all labels together; of ByLabel alone
	List    []CardinalityEntry
}

// defaultCardinalityLimit is how many entries are shown unless the caller says.
const defaultCardinalityLimit = 10

type (
	cardinalityAnswer struct {
		Period    dayPeriod         `json:"period"`
		Preceding dayPeriod         `json:"preceding"`
		Total     cardinalityCount  `json:"total"`
		Entries   int               `json:"entries"`
		Items     []cardinalityItem `json:"items"`
	}
	// dayPeriod is some whole days: from midnight to midnight, UTC.
	dayPeriod struct {
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	}
	cardinalityCount struct {
		Series          uint64   `json:"series"`
		PrecedingSeries uint64   `json:"preceding_series"`
		Growth          int64    `json:"growth"`
		GrowthRatio     *float64 `json:"growth_ratio"` // null where there was nothing to grow from
		New             uint64   `json:"new"`
		Gone            uint64   `json:"gone"`
		Churn           uint64   `json:"churn"`
		Samples         *uint64  `json:"samples"` // null where they were not counted
	}
	cardinalityItem struct {
		Name  string  `json:"name"`
		Value *string `json:"value,omitempty"`
		cardinalityCount
		Values     *uint64 `json:"values,omitempty"`
		ValueBytes *uint64 `json:"value_bytes,omitempty"`
	}
)

// cardinality answers which metrics, labels and values a tenant's series come from.
func (a *prometheusAPI) cardinality(w http.ResponseWriter, r *httpx.Request) error {
	q, err := a.parseCardinality(r.URL.Query())
	if err != nil {
		return err
	}
	c, err := a.Cardinality.CountCardinality(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	days := q.LastDay - q.FirstDay + 1
	answer := cardinalityAnswer{
		Period: dayPeriod{dayTime(q.FirstDay), dayTime(q.LastDay + 1)}, Preceding: dayPeriod{dayTime(q.FirstDay - days), dayTime(q.FirstDay)},
		Total: cardinalityCountOf(&c.Total, q.Samples), Entries: c.Entries, Items: make([]cardinalityItem, len(c.List)),
	}
	for i := range c.List {
		e, item := &c.List[i], &answer.Items[i]
		item.Name, item.cardinalityCount = e.Name, cardinalityCountOf(&e.CardinalityCount, q.Samples)
		switch q.By {
		case ByPair, ByLabelValue:
			item.Value = &e.Value
		case ByLabel:
			item.Values, item.ValueBytes = &e.Values, &e.ValueBytes
		case ByMetric:
		}
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

func cardinalityCountOf(c *CardinalityCount, samples bool) cardinalityCount {
	out := cardinalityCount{
		Series: c.Series, PrecedingSeries: c.Before, Growth: int64(c.Series) - int64(c.Before), New: c.Appeared, Gone: c.Vanished, Churn: c.Appeared + c.Vanished,
	}
	if c.Before > 0 {
		ratio := float64(out.Growth) / float64(c.Before)
		out.GrowthRatio = &ratio
	}
	if samples {
		out.Samples = &c.Samples
	}
	return out
}

const day = 24 * time.Hour

func dayTime(n int32) time.Time { return time.Unix(int64(n)*int64(day/time.Second), 0).UTC() }

// dayOf returns the day of a time, the first or the last that there is for one beyond them.
func dayOf(t time.Time) int32 {
	const lastDay = 65535 // 2149-06-06: the store's dates end there
	return int32(min(max(t.Unix(), 0)/int64(day/time.Second), lastDay))
}

func (a *prometheusAPI) parseCardinality(form url.Values) (CardinalityQuery, error) {
	q := CardinalityQuery{Label: form.Get("label"), Limit: defaultCardinalityLimit, Samples: true}
	if q.Label != "" {
		q.By = ByLabelValue
	}
	err := oneOf(form, "by", cardinalityBys[:], &q.By)
	if err == nil {
		err = oneOf(form, "order", cardinalityOrders[:], &q.Order)
	}
	if err == nil {
		err = q.parsePeriod(form, a.Now())
	}
	if err != nil {
		return q, err
	}
	if text := form.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil {
			return q, invalidParameter("limit", errors.New("it is not a number"))
		}
	}
	if text := form.Get("samples"); text != "" {
		if q.Samples, err = strconv.ParseBool(text); err != nil {
			return q, invalidParameter("samples", errors.New("it is neither true nor false"))
		}
	}
	if q.Sets, err = a.Parser.ParseMetricSelectors(form["match[]"]); err != nil {
		return q, invalidParameter("match[]", err)
	}
	return q, nil
}

// oneOf reads a parameter that is one of some names into the place of the name among them.
func oneOf[T ~uint8](form url.Values, name string, names []string, into *T) error {
	text := form.Get(name)
	if text == "" {
		return nil
	}
	at := slices.Index(names, text)
	if at < 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-parameter-invalid", "The parameter %q is %q; it must be one of %s.", name, clipText(text), strings.Join(names, ", "))
	}
	*into = T(at)
	return nil
}

// clipText shortens what a message repeats of a request.
func clipText(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// parsePeriod reads the days: those that a time range touches, or so many up to its end; the day of the end unless told.
func (q *CardinalityQuery) parsePeriod(form url.Values, now time.Time) error {
	end, err := timeParameter(form, "end", now)
	if err != nil {
		return err
	}
	q.LastDay = dayOf(end.Add(-time.Millisecond))
	q.FirstDay = q.LastDay
	switch start, period := form.Get("start"), form.Get("period"); {
	case start != "" && period != "":
		return invalidParameter("period", errors.New("it stands beside a start; give one of them"))
	case start != "":
		from, err := timeParameter(form, "start", now)
		if err != nil {
			return err
		}
		if err := (seamark.TimeRange{Start: from, End: end}).Validate(); err != nil {
			return err
		}
		q.FirstDay = dayOf(from)
	case period != "":
		span, err := parseDuration(period)
		if err == nil && span <= 0 {
			err = errors.New("it is not positive")
		}
		if err != nil {
			return invalidParameter("period", err)
		}
		q.FirstDay = dayOf(dayTime(q.LastDay).Add(day - min(span, maxPeriod)))
	}
	return nil
}

// maxPeriod keeps reckoning with days in bounds; what may be asked for is the counter's to say.
const maxPeriod = 100 * 366 * day
