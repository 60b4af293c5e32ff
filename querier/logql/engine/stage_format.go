package engine

import (
	"time"

	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/lineformat"
)

func newExecutor(text string, now func() time.Time) (*lineformat.Executor, error) {
	t, err := lineformat.Parse(text)
	if err != nil {
		return nil, err
	}
	return t.NewExecutor(now)
}

// lineFormatStage makes lines from a template. A line for which it fails stays as it was.
type lineFormatStage struct{ executor *lineformat.Executor }

func newLineFormatStage(f *logql.LineFormat, now func() time.Time) (stage, error) {
	executor, err := newExecutor(f.Template, now)
	return &lineFormatStage{executor}, err
}

// process implements stage.
func (s *lineFormatStage) process(line string, labels *lineLabels) (string, bool) {
	text, err := s.executor.Execute(line, labels.time, labels)
	if err != nil {
		labels.fail(errorTemplate, err.Error())
		return line, true
	}
	return text, true
}

// labelFormatStage renames and makes labels. Its templates see the labels as they are before the first of them: after the
// renaming that stands before it, and without what the stage makes.
type labelFormatStage struct {
	formats   []logql.LabelFormatting
	executors []*lineformat.Executor // by format; nil for those that rename
	first     int                    // of the templates
	texts     []string               // by format: scratch
	failed    []bool                 // by format: scratch
}

func newLabelFormatStage(f *logql.LabelFormat, now func() time.Time) (stage, error) {
	n := len(f.Formats)
	s := &labelFormatStage{formats: f.Formats, first: -1, executors: make([]*lineformat.Executor, n), texts: make([]string, n), failed: make([]bool, n)}
	for i, x := range f.Formats {
		if x.Source != "" {
			continue
		}
		if s.first < 0 {
			s.first = i
		}
		var err error
		if s.executors[i], err = newExecutor(x.Template, now); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// process implements stage.
func (s *labelFormatStage) process(line string, labels *lineLabels) (string, bool) {
	for i, x := range s.formats {
		if i == s.first {
			s.execute(line, labels)
		}
		switch {
		case s.executors[i] == nil:
			labels.rename(x.Source, x.Label)
		case !s.failed[i]:
			labels.set(x.Label, s.texts[i])
		}
	}
	return line, true
}

// execute runs all templates.
func (s *labelFormatStage) execute(line string, labels *lineLabels) {
	for i, executor := range s.executors {
		if executor == nil {
			continue
		}
		text, err := executor.Execute(line, labels.time, labels)
		s.texts[i], s.failed[i] = text, err != nil
		if err != nil {
			labels.fail(errorTemplate, err.Error())
		}
	}
}
