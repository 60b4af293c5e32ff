package promql

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// storeMatchers translates matchers. A regular expression that is a list of texts becomes that list, which the store
// looks up by its key; those that match everything or anything but the empty text cost nothing.
func storeMatchers(matchers []*labels.Matcher) []store.MetricMatcher {
	list := make([]store.MetricMatcher, 0, len(matchers))
	for _, m := range matchers {
		one := store.MetricMatcher{Name: m.Name, Value: m.Value}
		switch m.Type {
		case labels.MatchEqual:
			one.Op = store.MetricEquals
		case labels.MatchNotEqual:
			one.Op = store.MetricNotEquals
		case labels.MatchRegexp, labels.MatchNotRegexp:
			if m.Type == labels.MatchRegexp && m.Value == ".*" {
				continue
			}
			one = regexpMatcher(m)
		}
		list = append(list, one)
	}
	return list
}

func regexpMatcher(m *labels.Matcher) store.MetricMatcher {
	one := store.MetricMatcher{Name: m.Name, Op: store.MetricMatches, Value: m.Value}
	texts := m.SetMatches()
	switch {
	case m.Value == ".+":
		one.Op, one.Value = store.MetricNotEquals, ""
	case len(texts) > 0:
		one.Op, one.Value, one.Values = store.MetricIn, "", texts
	}
	if m.Type == labels.MatchNotRegexp {
		one.Op = inverse(one.Op)
	}
	return one
}

func inverse(op store.MetricOp) store.MetricOp {
	switch op {
	case store.MetricEquals:
		return store.MetricNotEquals
	case store.MetricNotEquals:
		return store.MetricEquals
	case store.MetricMatches:
		return store.MetricNotMatches
	case store.MetricNotMatches:
		return store.MetricMatches
	case store.MetricIn:
		return store.MetricNotIn
	case store.MetricNotIn:
	}
	return store.MetricIn
}

// onlyNames reports whether the matchers look at the metric's name alone, so that they select every series of the metrics
// they match.
func onlyNames(matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name != seamark.MetricNameLabel })
}

func matchersText(matchers []*labels.Matcher) string {
	texts := make([]string, len(matchers))
	for i, m := range matchers {
		texts[i] = m.String()
	}
	return "{" + strings.Join(texts, ",") + "}"
}
