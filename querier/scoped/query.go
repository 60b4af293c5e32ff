package scoped

import (
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
)

// LogQuery returns a log query with the restriction among the conditions of its selector, for what reads lines from
// elsewhere than a storage that can be narrowed: tails, which read the bus, and exports. The error is of kind Invalid for
// what is no log query.
func LogQuery(query string, only *seamark.Restriction) (string, error) {
	if !only.Narrows() {
		return query, nil
	}
	parsed, err := logql.ParseLogQuery(query)
	if err != nil {
		return "", err
	}
	for _, c := range []struct {
		label string
		names []string
	}{{seamark.ClusterLabel, only.Clusters}, {seamark.NamespaceLabel, only.Namespaces}} {
		if len(c.names) > 0 {
			parsed.Matchers = append(parsed.Matchers, logql.Matcher{Name: c.label, Op: logql.MatchRegexp, Value: anyOf(c.names)})
		}
	}
	return parsed.String(), nil
}
