package pipeline

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// extractAction turns records into a metric. It adds up what one batch holds of each label set; see metricTally.
type extractAction struct {
	metric  Metric
	value   *operand // nil counts records
	labels  []metricLabel
	needAny parts // of the operands that need OTTL
	ottl    bool  // whether any does
	most    int   // bytes of a label's value
}

type metricLabel struct {
	name    string
	operand *operand
}

// expression is a compiled OTTL value expression.
type expression struct {
	compiled *ottl.ValueExpression[tctx]
	need     parts
}

// operand is a value of a record: quick for a field or a constant, else an OTTL expression.
type operand struct {
	quick getter
	slow  *expression
}

func (c *compiler) compileExtract(s *Step) action {
	a := &extractAction{most: min(maxLabelOfMetric, c.limits.MaxLabelValueBytes)}
	if s.Metric == nil {
		c.fault("metric", -1, 0, errors.New("a metric step needs a metric"))
		return a
	}
	a.metric = *s.Metric
	m := &a.metric
	if !isMetricName(m.Name) {
		c.fault("metric.name", -1, 0, errors.New("the name must match [a-zA-Z_:][a-zA-Z0-9_:]*"))
	}
	switch m.Type {
	case Counter:
	case Gauge, Histogram:
		if m.Value == "" {
			c.fault("metric.value", -1, 0, fmt.Errorf("a %s needs a value", m.Type))
		}
	default:
		c.fault("metric.type", -1, 0, fmt.Errorf("the type %.40q is unknown; use counter, gauge or histogram", m.Type))
	}
	if m.Value != "" {
		a.value = c.operand(a, "metric.value", m.Value)
	}
	if len(m.Labels) > maxMetricLabels {
		c.fault("metric.labels", -1, 0, fmt.Errorf("there are %d labels; the limit is %d", len(m.Labels), maxMetricLabels))
		return a
	}
	for _, name := range sortedKeys(m.Labels) {
		if !isIdentifier(name) || strings.HasPrefix(name, "__") || name == "le" && m.Type == Histogram {
			c.fault("metric.labels."+name, -1, 0, errors.New("the label name must match [a-zA-Z_][a-zA-Z0-9_]*, without __ in front, and le is the histogram's own"))
			continue
		}
		a.labels = append(a.labels, metricLabel{name, c.operand(a, "metric.labels."+name, m.Labels[name])})
	}
	c.checkBuckets(m)
	return a
}

func (c *compiler) checkBuckets(m *Metric) {
	if m.Type != Histogram {
		if m.Buckets != nil {
			c.fault("metric.buckets", -1, 0, errors.New("only a histogram has buckets"))
		}
		return
	}
	if len(m.Buckets) == 0 || len(m.Buckets) > maxBuckets {
		c.fault("metric.buckets", -1, 0, fmt.Errorf("a histogram has 1 to %d upper bounds; this one has %d", maxBuckets, len(m.Buckets)))
	}
	for i, b := range m.Buckets {
		if math.IsNaN(b) || math.IsInf(b, 0) || i > 0 && b <= m.Buckets[i-1] {
			c.fault("metric.buckets", i, 0, errors.New("the bounds must be finite and rise; +Inf is added"))
		}
	}
}

func isMetricName(s string) bool {
	return len(s) <= 200 && isIdentifier(strings.ReplaceAll(s, ":", "_"))
}

// operand compiles a value. Everything goes through OTTL first, so that what is refused does not depend on what is quick.
func (c *compiler) operand(a *extractAction, field, text string) *operand {
	e := c.expression(field, text)
	if e == nil {
		return nil
	}
	if g := quickGetter(text); g != nil {
		return &operand{quick: g}
	}
	a.ottl = true
	a.needAny |= e.need
	return &operand{slow: e}
}

// quickGetter returns the getter of a field or a constant text, nil for everything else.
func quickGetter(text string) getter {
	p := conditionParser{tokens: tokenise(text)}
	if len(p.tokens) == 1 && p.tokens[0].quoted {
		constant := p.tokens[0].text
		return func(*run, int) (string, bool) { return constant, true }
	}
	g := p.field()
	if p.bad || p.next < len(p.tokens) {
		return nil
	}
	return g
}

// apply implements action.
func (a *extractAction) apply(w *run, i int) (bool, error) {
	if a.ottl {
		if err := w.affordable(); err != nil {
			return false, err
		}
		if err := w.record.load(w, i, a.needAny); err != nil {
			return false, err
		}
	}
	value := 1.0
	if a.value != nil {
		var err error
		if value, err = a.value.number(w, i); err != nil {
			return false, fmt.Errorf("metric.value: %w", err)
		}
		if a.metric.Type == Counter && (value < 0 || math.IsInf(value, 0)) {
			return false, fmt.Errorf("metric.value: a counter cannot take %v", value)
		}
	}
	t := &w.metrics
	t.values = t.values[:0]
	for k := range a.labels {
		text, err := a.labels[k].operand.text(w, i)
		if err != nil {
			return false, fmt.Errorf("metric.labels.%s: %w", a.labels[k].name, err)
		}
		if len(text) > a.most {
			return false, fmt.Errorf("metric.labels.%s: the value has %d bytes; the limit is %d", a.labels[k].name, len(text), a.most)
		}
		t.values = append(t.values, text)
	}
	return false, t.add(w, a, i, value)
}

// text returns the operand as text, "" for nothing.
func (o *operand) text(w *run, i int) (string, error) {
	if o.quick != nil {
		text, _ := o.quick(w, i)
		return text, nil
	}
	v, err := o.slow.compiled.Eval(w.ctx, w.record.ctx)
	if err != nil {
		return "", err
	}
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case pcommon.Value:
		return textOf(v), nil
	case int64, float64, bool:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("%T is no text", v)
}

// number returns the operand as a number; text is read as one.
func (o *operand) number(w *run, i int) (float64, error) {
	if o.quick != nil {
		text, ok := o.quick(w, i)
		if !ok {
			return 0, errNoNumber
		}
		return parseNumber(text)
	}
	v, err := o.slow.compiled.Eval(w.ctx, w.record.ctx)
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64:
		return finite(v)
	case string:
		return parseNumber(v)
	case pcommon.Value:
		return parseNumber(textOf(v))
	case nil:
		return 0, errNoNumber
	}
	return 0, fmt.Errorf("%T is no number", v)
}

var errNoNumber = errors.New("the record has no such value")

func parseNumber(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no number", s)
	}
	return finite(v)
}

func finite(v float64) (float64, error) {
	if math.IsNaN(v) {
		return 0, errors.New("the value is NaN")
	}
	return v, nil
}

// labelsOf returns the labels of a metric's series without its name, in scratch memory.
func (a *extractAction) labelsOf(values []string, scratch []seamark.Label) []seamark.Label {
	scratch = scratch[:0]
	for k := range a.labels {
		scratch = append(scratch, seamark.Label{Name: a.labels[k].name, Value: values[k]})
	}
	return scratch
}
