package pipeline

import (
	"errors"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
)

// transformAction runs OTTL statements.
type transformAction struct {
	statements []*ottl.Statement[tctx]
	need       parts
}

func (c *compiler) compileTransform(s *Step) action {
	t := &transformAction{}
	switch {
	case len(s.Statements) == 0:
		c.fault("statements", -1, 0, errors.New("a transform step needs a statement"))
	case len(s.Statements) > maxStatements:
		c.fault("statements", -1, 0, fmt.Errorf("there are %d statements; the limit is %d", len(s.Statements), maxStatements))
		return t
	}
	for i, text := range s.Statements {
		statement, column, err := c.lang.statement(text)
		if err != nil {
			c.fault("statements", i, column, err)
			continue
		}
		t.statements = append(t.statements, statement)
		t.need |= partsOf(text)
	}
	return t
}

// apply implements action.
func (t *transformAction) apply(w *run, i int) (bool, error) {
	if err := w.affordable(); err != nil {
		return false, err
	}
	r := w.record
	if err := r.load(w, i, t.need); err != nil {
		return false, err
	}
	if t.need&resourcePart != 0 {
		r.stream = nil // statements may change the labels that stand there
	}
	ran := false
	for n, s := range t.statements {
		_, matched, err := s.Execute(w.ctx, r.ctx)
		if err != nil {
			return false, fmt.Errorf("statements[%d]: %w", n, err)
		}
		if !matched {
			continue
		}
		if ran = true; r.size() > maxGrownBytes {
			return false, fmt.Errorf("statements[%d]: %w", n, errGrown)
		}
	}
	if !ran {
		return false, nil
	}
	return r.store(w, i, t.need)
}
