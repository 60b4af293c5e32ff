package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures the pipelines of a node. Every field has a default.
type Options struct {
	// Limits are those that ingest holds records to; what a step makes of a record must keep them too.
	Limits seamark.Limits
	// Budget bounds the time that OTTL may take of one batch, 250 ms unless told. Without it one tenant's statements hold
	// the node. What is left over passes with an error; removing and redacting by simple conditions goes on.
	Budget time.Duration
	Now    func() time.Time // time.Now unless told
}

func (o *Options) setDefaults() {
	if o.Limits == (seamark.Limits{}) {
		o.Limits = seamark.DefaultLimits()
	}
	if o.Budget == 0 {
		o.Budget = 250 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// Pipeline is the compiled form of a tenant's definitions. It is safe for concurrent use.
type Pipeline struct {
	opts  Options
	steps []*step
	runs  sync.Pool // *run
}

// step is one compiled step.
type step struct {
	pipeline string
	index    int    // in its pipeline
	name     string // never empty
	kind     Kind
	match    match
	action   action
	counters *counters
}

// action is what a step does with a record that it takes.
type action interface {
	// apply works on row i and reports whether the record changed. After an error the record is as it was.
	apply(w *run, i int) (changed bool, err error)
}

// Compile checks definitions and makes the enabled ones ready to run, in their order. The error is a *seamark.Error of kind
// Invalid whose cause is Faults: all mistakes with their positions.
func Compile(o Options, definitions ...Definition) (*Pipeline, error) {
	o.setDefaults()
	lang, err := newLanguage()
	if err != nil {
		return nil, err
	}
	p := &Pipeline{opts: o}
	p.runs.New = func() any { return newRun() }
	c := &compiler{lang: lang, limits: &o.Limits}
	if !c.checkSize(definitions) {
		return nil, c.faults.invalid()
	}
	names := map[string]bool{}
	for i := range definitions {
		d := &definitions[i]
		c.place, c.pipeline, c.step, c.stepName = i, d.Name, -1, ""
		c.checkName("name", d.Name)
		if names[d.Name] {
			c.fault("name", -1, 0, errors.New("another pipeline has the same name"))
		}
		names[d.Name] = true
		steps := c.compileSteps(d)
		if d.Enabled {
			p.steps = append(p.steps, steps...)
		}
	}
	if len(p.steps) > MaxSteps {
		c.place, c.pipeline, c.step, c.stepName = 0, definitions[0].Name, -1, ""
		c.fault("steps", -1, 0, fmt.Errorf("the enabled pipelines have %d steps together; the limit is %d", len(p.steps), MaxSteps))
	}
	if err := c.faults.invalid(); err != nil {
		return nil, err
	}
	for i, s := range p.steps {
		if sampler, ok := s.action.(*sampleAction); ok {
			sampler.seed = uint64(i) + 1
		}
	}
	return p, nil
}

// Steps returns how many steps run on each batch.
func (p *Pipeline) Steps() int { return len(p.steps) }

// compiler gathers the faults of definitions.
type compiler struct {
	lang     *language
	limits   *seamark.Limits
	faults   Faults
	place    int
	pipeline string
	step     int
	stepName string
}

// checkSize refuses definitions whose compilation would take too long, before it begins.
func (c *compiler) checkSize(definitions []Definition) bool {
	c.place, c.step = -1, -1
	if len(definitions) > maxPipelines {
		c.fault("", -1, 0, fmt.Errorf("there are %d pipelines; the limit is %d", len(definitions), maxPipelines))
		return false
	}
	texts := 0
	for i := range definitions {
		for k := range definitions[i].Steps {
			s := &definitions[i].Steps[k]
			texts += len(s.Statements) + len(s.Match) + len(s.Expressions)
			if s.Metric != nil {
				texts += 1 + len(s.Metric.Labels)
			}
		}
		if texts > maxTexts {
			c.place, c.pipeline = i, definitions[i].Name
			c.fault("steps", -1, 0, fmt.Errorf("the pipelines have more than %d statements, conditions and expressions together", maxTexts))
			return false
		}
	}
	return true
}

func (c *compiler) fault(field string, index, column int, err error) {
	c.faults = append(c.faults, Fault{
		Pipeline: c.pipeline, Step: c.step, StepName: c.stepName, Field: field, Index: index, Column: column, Message: err.Error(), place: c.place,
	})
}

// checkName checks a name for people.
func (c *compiler) checkName(field, name string) {
	switch {
	case strings.TrimSpace(name) == "":
		c.fault(field, -1, 0, errors.New("there is no name"))
	case len(name) > maxNameBytes:
		c.fault(field, -1, 0, fmt.Errorf("the name has %d bytes; the limit is %d", len(name), maxNameBytes))
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		c.fault(field, -1, 0, errors.New("the name has control characters or is not UTF-8"))
	}
}

func (c *compiler) compileSteps(d *Definition) []*step {
	if len(d.Steps) > MaxSteps {
		c.fault("steps", -1, 0, fmt.Errorf("there are %d steps; the limit is %d", len(d.Steps), MaxSteps))
		return nil
	}
	names := map[string]bool{}
	var steps []*step
	for i := range d.Steps {
		s := &d.Steps[i]
		c.step, c.stepName = i, s.Name
		c.checkName("name", s.Name)
		if names[s.Name] {
			c.fault("name", -1, 0, errors.New("another step of the pipeline has the same name"))
		}
		names[s.Name] = true
		if compiled := c.compileStep(s); compiled != nil {
			compiled.pipeline, compiled.index = d.Name, i
			steps = append(steps, compiled)
		}
	}
	return steps
}

// compileStep compiles one step; nil when its kind is unknown.
func (c *compiler) compileStep(s *Step) *step {
	compile, ok := map[Kind]func(*Step) action{
		Transform: c.compileTransform, Drop: c.compileDrop, Sample: c.compileSample, Redact: c.compileRedact,
		Route: c.compileRoute, Extract: c.compileExtract,
	}[s.Kind]
	if !ok {
		c.fault("kind", -1, 0, fmt.Errorf("the kind %.40q is unknown; use transform, drop, sample, redact, route or metric", s.Kind))
		return nil
	}
	c.refuseForeign(s)
	return &step{name: s.Name, kind: s.Kind, match: c.compileMatch(s.Match), action: compile(s), counters: &counters{}}
}

// refuseForeign refuses fields that belong to another kind: a ratio on a drop is a mistake that would lose data.
func (c *compiler) refuseForeign(s *Step) {
	for _, f := range []struct {
		field string
		set   bool
		kind  Kind
	}{
		{"statements", s.Statements != nil, Transform}, {"ratio", s.Ratio != nil, Sample}, {"by", s.By != "", Sample},
		{"patterns", s.Patterns != nil, Redact}, {"expressions", s.Expressions != nil, Redact},
		{"stream", s.Stream != nil, Route}, {"metric", s.Metric != nil, Extract},
	} {
		if f.set && s.Kind != f.kind {
			c.fault(f.field, -1, 0, fmt.Errorf("the field belongs to steps of kind %s; this one is of kind %s", f.kind, s.Kind))
		}
	}
}

// expression compiles an OTTL value expression.
func (c *compiler) expression(field, text string) *expression {
	compiled, column, err := c.lang.expression(text)
	if err != nil {
		c.fault(field, -1, column, err)
		return nil
	}
	return &expression{compiled, partsOf(text)}
}

// sortedKeys returns a map's keys in order, so that faults and metrics come in the same order every time.
func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
