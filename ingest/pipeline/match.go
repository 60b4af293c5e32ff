package pipeline

import (
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

// match decides which records a step takes. Conditions of simple form are answered from the batch's columns; the others
// cost a conversion of the record. Both give the same answer.
type match struct {
	quick []predicate // all must hold
	slow  []slowCondition
	need  parts // of slow
}

type slowCondition struct {
	index     int
	condition *ottl.Condition[tctx]
}

// compileMatch compiles the conditions of a step. All go through OTTL, so that what is refused does not depend on what is
// quick.
func (c *compiler) compileMatch(conditions []string) match {
	var m match
	if len(conditions) > maxConditions {
		c.fault("match", -1, 0, fmt.Errorf("there are %d conditions; the limit is %d", len(conditions), maxConditions))
		return m
	}
	for i, text := range conditions {
		condition, column, err := c.lang.condition(text)
		if err != nil {
			c.fault("match", i, column, err)
			continue
		}
		if p := quickPredicate(text); p != nil {
			m.quick = append(m.quick, p)
			continue
		}
		m.slow = append(m.slow, slowCondition{i, condition})
		m.need |= partsOf(text)
	}
	return m
}

// eval reports whether the step takes row i. The quick conditions are asked first: they cannot fail, so the order does not
// show.
func (m *match) eval(w *run, i int) (bool, error) {
	for _, p := range m.quick {
		if !p(w, i) {
			return false, nil
		}
	}
	if len(m.slow) == 0 {
		return true, nil
	}
	if err := w.affordable(); err != nil {
		return false, err
	}
	if err := w.record.load(w, i, m.need); err != nil {
		return false, err
	}
	for _, c := range m.slow {
		ok, err := c.condition.Eval(w.ctx, w.record.ctx)
		if err != nil {
			return false, fmt.Errorf("match[%d]: %w", c.index, err)
		}
		if !ok {
			return false, nil
		}
	}
	return true, nil
}
