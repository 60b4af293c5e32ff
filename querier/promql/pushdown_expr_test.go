package promql_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// exprs makes random PromQL.
type exprs struct{ *rand.Rand }

func (g exprs) pick(list ...string) string { return list[g.IntN(len(list))] }

// selector returns an instant selector; each metric has its own share of series with and without values.
func (g exprs) selector() string {
	name := g.pick("requests_total", "errors_total", "temperature", "up", "work", "level", "latency_bucket", `{__name__=~"requests_total|errors_total"}`, "nothing", "typed")
	if g.IntN(25) == 0 {
		name = g.pick("native", "mixed")
	}
	matchers := ""
	if g.IntN(3) == 0 {
		matchers = g.pick(`{job="j0"}`, `{instance!="i1"}`, `{code=~"2.."}`, `{instance=~"i[123]"}`, `{job!~"j1|j7"}`)
		if strings.HasPrefix(name, "{") {
			matchers = ""
		}
	}
	return name + matchers
}

func (g exprs) modifier() string {
	switch g.IntN(10) {
	case 0:
		return " offset " + g.pick("1m", "17s", "5m", "-2m", "1h")
	case 1:
		return fmt.Sprintf(" @ %d.5", dataStart/1000+g.IntN(dataSpan/1000))
	case 2:
		return " @ " + g.pick("start()", "end()") + g.pick("", " offset 3m")
	}
	return ""
}

func (g exprs) window() string {
	return g.pick("1m", "5m", "30s", "47s", "10m", "2m30s", "1h", "100ms")
}

func (g exprs) overTime() string {
	return g.pick("sum", "avg", "min", "max", "count", "last", "first", "present", "stddev", "stdvar", "mad", "absent") + "_over_time"
}

// function returns a function of a range.
func (g exprs) function(of string) string {
	switch g.IntN(12) {
	case 0:
		return fmt.Sprintf("quantile_over_time(%s, %s)", g.pick("0.5", "0.99", "-1", "2"), of)
	case 1:
		return fmt.Sprintf("predict_linear(%s, 60)", of)
	case 2, 3, 4:
		return fmt.Sprintf("%s(%s)", g.overTime(), of)
	}
	return fmt.Sprintf("%s(%s)", g.pick("rate", "rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes"), of)
}

func (g exprs) leaf() string {
	if g.IntN(4) == 0 {
		return g.selector() + g.modifier()
	}
	return g.function(fmt.Sprintf("%s[%s]%s", g.selector(), g.window(), g.modifier()))
}

func (g exprs) grouping() string {
	return g.pick("", "", " by (job)", " by (instance, job)", " by (code)", " by (__name__)", " by (le)", " without (instance)", " without (job, code)", " by ()", " without ()")
}

// chosen returns an aggregation that keeps some of the series.
func (g exprs) chosen(of string) string {
	most := g.pick("1", "1", "2", "3", "4", "7", "2.9", "100", "0", "-1", "0.5", "NaN", "1e30", "scalar(count(up)) - 3", "2 + 1")
	return fmt.Sprintf("%s%s(%s, %s)", g.pick("topk", "topk", "bottomk", "bottomk", "limitk"), g.grouping(), most, of)
}

// aggregation returns an aggregation, mostly one that is folded.
func (g exprs) aggregation(of string) string {
	by := g.grouping()
	switch g.IntN(12) {
	case 0:
		return g.chosen(of)
	case 1:
		return fmt.Sprintf("quantile%s(0.7, %s)", by, of)
	case 2:
		return fmt.Sprintf("%s%s(%s)", g.pick("stddev", "stdvar"), by, of)
	case 3:
		return fmt.Sprintf(`count_values%s("v", %s)`, by, of)
	}
	return fmt.Sprintf("%s%s(%s)", g.pick("sum", "sum", "avg", "min", "max", "count", "group"), by, of)
}

func (g exprs) binary(depth int) string {
	left, right := g.vector(depth-1), g.vector(depth-1)
	switch g.IntN(4) {
	case 0:
		right = g.pick("2", "0", "-1.5", "scalar("+right+")", "time()")
		return fmt.Sprintf("(%s) %s %s", left, g.pick("+", "-", "*", "/", "%", "^", ">", "<= bool", "=="), right)
	case 1:
		return fmt.Sprintf("(%s) %s (%s)", left, g.pick("and", "or", "unless")+g.pick("", " on (job)", " ignoring (code)"), right)
	}
	matching := g.pick("", " on (instance, job)", " ignoring (code)", " on (job) group_left", " on (job) group_right (code)")
	return fmt.Sprintf("(%s) %s%s (%s)", left, g.pick("+", "-", "*", "/", ">", "== bool", "atan2"), matching, right)
}

// vector returns an expression of an instant vector that is nested at most depth deep.
func (g exprs) vector(depth int) string {
	if depth == 0 {
		return g.leaf()
	}
	switch g.IntN(14) {
	case 0, 1, 2, 3, 4:
		return g.aggregation(g.vector(depth - 1))
	case 5, 6:
		return g.binary(depth)
	case 7:
		return g.function(fmt.Sprintf("(%s)[%s:%s]%s", g.vector(depth-1), g.pick("5m", "2m", "10m"), g.pick("30s", "1m", ""), g.modifier()))
	case 8:
		return fmt.Sprintf("histogram_quantile(0.9, sum by (le) (rate(latency_bucket[%s])))", g.window())
	case 9:
		return fmt.Sprintf("%s(%s)", g.pick("abs", "-", "ceil", "sort", "sort_desc", "absent", "timestamp", "sgn"), g.vector(depth-1))
	case 10:
		return fmt.Sprintf(`label_replace(%s, "job", "$1", "instance", "(.*)")`, g.vector(depth-1))
	case 11:
		return fmt.Sprintf("clamp(%s, -10, scalar(%s))", g.vector(depth-1), g.vector(depth-1))
	}
	return g.leaf()
}
