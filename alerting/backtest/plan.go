package backtest

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/seamarkhq/seamark/alerting/overlay"
)

// manner is how a rule's expression is evaluated.
type manner uint8

const (
	stored  manner = iota // by one range query over what is stored
	layered               // by one range query over that and what earlier rules of the group recorded
	single                // by a query for each evaluation
)

// plan decides how each rule is evaluated. A range query gives what instant queries at its steps would, but for expressions that
// ask for the bounds of their range, and but for what the group records at or after the moment that is asked for.
func (x *run) plan() error {
	made := map[string]int{} // metric: the last rule that records it
	for i, r := range x.Group.Rules {
		if r.Record != "" {
			made[r.Record] = i
		} else {
			made["ALERTS"], made["ALERTS_FOR_STATE"] = i, i
		}
	}
	x.group = newGroupSamples(x)
	for i := range x.Group.Rules {
		r := &x.Group.Rules[i]
		how := stored
		if x.Language != "logql" {
			expr, err := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr(r.Expr)
			if err != nil {
				return fmt.Errorf("plan rule %q: %w", r.Alert+r.Record, err)
			}
			how = mannerOf(expr, i, made)
		}
		x.rules = append(x.rules, newTestedRule(x, r, how))
	}
	if x.stepwise() {
		for _, rule := range x.rules {
			if rule.how == layered {
				rule.how = single
			}
		}
	}
	for i, r := range x.rules {
		x.group.kept = x.group.kept || asksMore(&x.Group.Rules[i])
		x.group.kept = x.group.kept || r.how != stored
	}
	return nil
}

// stepwise reports whether the group has a rule that reads what is recorded after it.
func (x *run) stepwise() bool {
	for _, r := range x.rules {
		if r.how == single {
			return true
		}
	}
	return false
}

// asksMore reports whether a rule's templates may make queries.
func asksMore(r *rulefmt.Rule) bool {
	for _, texts := range []map[string]string{r.Labels, r.Annotations} {
		for _, text := range texts {
			if strings.Contains(text, "query") {
				return true
			}
		}
	}
	return false
}

func mannerOf(e parser.Expr, rule int, made map[string]int) manner {
	own, later := false, false
	overlay.Selects(e, func(name *labels.Matcher) bool {
		for metric, last := range made {
			if name == nil || name.Matches(metric) {
				own, later = true, later || last >= rule
			}
		}
		return false
	})
	bounds, ahead := asksBounds(e)
	switch {
	case bounds || own && (later || ahead):
		return single
	case own:
		return layered
	}
	return stored
}

// asksBounds reports whether an expression has start() or end(), which are other moments in a range query, and whether it may look
// ahead of the moment that it is evaluated for.
func asksBounds(e parser.Expr) (bounds, ahead bool) {
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			bounds = bounds || n.StartOrEnd != 0
			ahead = ahead || n.Timestamp != nil || n.OriginalOffset < 0 || n.OriginalOffsetExpr != nil
		case *parser.SubqueryExpr:
			bounds = bounds || n.StartOrEnd != 0
			ahead = ahead || n.Timestamp != nil || n.OriginalOffset < 0 || n.OriginalOffsetExpr != nil
		}
		return nil
	})
	return bounds, ahead
}

// queryText is an expression that nobody looks into: a rule asks its query function with the text, and the plan was made before.
// It implements parser.Expr.
type queryText string

// String implements parser.Node.
func (q queryText) String() string { return string(q) }

// Pretty implements parser.Node.
func (q queryText) Pretty(int) string { return string(q) }

// PositionRange implements parser.Node.
func (q queryText) PositionRange() posrange.PositionRange {
	return posrange.PositionRange{End: posrange.Pos(len(q))}
}

// Type implements parser.Expr.
func (queryText) Type() parser.ValueType { return parser.ValueTypeVector }

// PromQLExpr implements parser.Expr.
func (queryText) PromQLExpr() {}
