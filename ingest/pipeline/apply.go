package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Apply runs the steps on b's log records, in place, and appends the metrics that they make. Streams and series are
// interned in cat. What fails on a record lets that record pass with ErrorAttribute; an error means that there is no
// memory for the batch, and that the request must be refused and tried again.
func (p *Pipeline) Apply(ctx context.Context, cat seamark.Catalog, b *seamark.Batch) error {
	return p.apply(ctx, cat, b, nil)
}

// observer sees a batch between the steps, for dry runs.
type observer interface {
	// before is called when all rows stand as step s will see them, after when it has done its work.
	before(w *run, s *step)
	after(w *run, s *step)
	// failed is told of a row that the step failed on.
	failed(i int, err error)
}

func (p *Pipeline) apply(ctx context.Context, cat seamark.Catalog, b *seamark.Batch, o observer) error {
	if len(p.steps) == 0 || b.Logs.Len() == 0 {
		return nil
	}
	w, _ := p.runs.Get().(*run)
	w.begin(ctx, p, cat, b)
	w.observer = o
	at := w.started
	for n, s := range p.steps {
		w.current = n
		if o != nil {
			o.before(w, s)
		}
		w.step(s)
		if o != nil {
			o.after(w, s)
		}
		now := p.opts.Now()
		w.tally[n].nanos, at = uint64(max(0, now.Sub(at))), now
		if w.failed != nil {
			break
		}
	}
	if w.failed == nil {
		w.metrics.emit(w)
	}
	w.settle()
	for n, s := range p.steps {
		s.counters.add(&w.tally[n])
	}
	err := w.failed
	w.end()
	p.runs.Put(w)
	return err
}

// step runs one step on every row that is left.
func (w *run) step(s *step) {
	t := &w.tally[w.current]
	for i := range w.batch.Logs.TimeNano {
		if w.dropped(i) {
			continue
		}
		t.in++
		w.tick(len(w.batch.Logs.Body[i]))
		removed := w.removed
		changed, err := w.row(s, i)
		if err != nil {
			if w.failed != nil {
				return
			}
			t.errors++
			w.fail(i, s, err)
			if w.observer != nil {
				w.observer.failed(i, err)
			}
		}
		if changed {
			t.changed++
		}
		if w.removed != removed {
			t.dropped++
		}
	}
}

// row runs one step on one row. A panic in a statement costs the row its step, not the node its life.
func (w *run) row(s *step, i int) (changed bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			changed, err = false, fmt.Errorf("panic: %v", r)
		}
	}()
	var taken bool
	if err = w.over; err == nil {
		taken, err = s.match.eval(w, i)
	}
	if err != nil && s.kind == Redact {
		// Whether this record was meant cannot be told, and a secret that is stored is worse than one masked too many.
		changed, redactErr := s.action.apply(w, i)
		return changed, errors.Join(err, redactErr)
	}
	if err != nil || !taken {
		return false, err
	}
	return s.action.apply(w, i)
}

// affordable fails when the batch has used up its time for OTTL.
func (w *run) affordable() error {
	if !w.spent && w.p.opts.Now().Sub(w.started) > w.p.opts.Budget {
		w.spent = true
	}
	if w.spent {
		return fmt.Errorf("the batch needed more than %s. Simplify the patterns, match fewer records, or send smaller batches", w.p.opts.Budget)
	}
	return nil
}

const (
	// hardBudgets is how many time budgets a batch may take of everything but OTTL: conditions and expressions of simple form
	// cannot be stopped while they run, but after them.
	hardBudgets = 8
	// tickBytes is how much text is worked on between two looks at the clock.
	tickBytes = 256 << 10
	rowCost   = 256 // bytes that a record counts for beside its body
)

// tick notes that a step has come to a record. It sets w.over when the batch has used up all its time.
func (w *run) tick(bodyBytes int) {
	if w.work += bodyBytes + rowCost; w.work < tickBytes || w.over != nil {
		return
	}
	w.work = 0
	if most := hardBudgets * w.p.opts.Budget; w.p.opts.Now().Sub(w.started) > most {
		w.over = fmt.Errorf("the batch needed more than %s. Simplify the patterns, or send smaller batches", most)
	}
}

// indexOf returns the number of a step.
func (p *Pipeline) indexOf(s *step) int {
	for n := range p.steps {
		if p.steps[n] == s {
			return n
		}
	}
	return 0
}
