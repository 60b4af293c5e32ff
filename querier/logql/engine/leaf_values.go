package engine

import (
	"strconv"

	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// keepsErrors reports whether a filter of the pipeline asks for lines with an error, so that such lines are counted, in
// series that say so, and do not fail the query.
func keepsErrors(a *logql.RangeAggregation) bool {
	for _, s := range a.Query.Stages {
		if f, ok := s.(*logql.LabelFilter); ok && asksForErrors(f.Predicate) {
			return true
		}
	}
	if a.Unwrap == nil {
		return false
	}
	for _, f := range a.Unwrap.Filters {
		if asksForErrors(f.Predicate) {
			return true
		}
	}
	return false
}

// asksForErrors reports whether some error satisfies a part of the predicate that is about errors.
func asksForErrors(p logql.Predicate) bool {
	switch p := p.(type) {
	case *logql.StringPredicate:
		if p.Matcher.Name != errorLabel {
			return false
		}
		holds, err := compileMatcher(p.Matcher)
		return err == nil && (holds(errorJSON) || holds(errorLogfmt) || holds(errorFilter) || holds(errorSample) || holds(errorTemplate))
	case *logql.Logical:
		return asksForErrors(p.Left) || asksForErrors(p.Right)
	}
	return false
}

// valueReader takes a line's value from the label that unwrap names.
type valueReader struct {
	label   string
	convert func(string) (float64, error)
	filters []predicate
	fold    fold
}

func newValueReader(a *logql.RangeAggregation) (*valueReader, error) {
	r := &valueReader{label: a.Unwrap.Label, fold: foldOf(a)}
	switch a.Unwrap.Conversion {
	case logql.ConvertDuration:
		r.convert = func(s string) (float64, error) {
			d, err := quantity.ParseDuration(s)
			return d.Seconds(), err
		}
	case logql.ConvertBytes:
		r.convert = func(s string) (float64, error) {
			n, err := quantity.ParseBytes(s)
			return float64(n), err
		}
	case logql.ConvertNumber:
		r.convert = func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
	}
	for _, f := range a.Unwrap.Filters {
		p, err := compilePredicate(f.Predicate)
		if err != nil {
			return nil, err
		}
		r.filters = append(r.filters, p)
	}
	return r, nil
}

// read returns the line's value; ok is false when the line has none or a filter drops it. A value that does not convert is
// an error of the pipeline, which a filter may drop; where one keeps it the value is 0.
func (r *valueReader) read(labels *lineLabels) (v float64, ok bool) {
	text := labels.get(r.label)
	if text == "" {
		return 0, false
	}
	v, err := r.convert(text)
	if err != nil {
		v = 0
		labels.fail(errorSample, "the label "+r.label+" does not convert: "+strconv.Quote(text))
	}
	for _, holds := range r.filters {
		if !holds(labels) {
			return 0, false
		}
	}
	return v, true
}
