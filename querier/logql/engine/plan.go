package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/lineformat"
)

// plan is a log query cut in two: what the storage does, and the stages that run over the rows it returns.
type plan struct {
	streams []store.LogStream // those that can have lines in the result
	filters []store.LogFilter
	stages  []stage
	rows    bool // a stage needs the rows themselves, so the storage cannot count them
	body    bool // a stage reads or makes the line
	drops   bool // a stage may drop lines, so the storage cannot count or limit them
	hints   []hint
	looks   looks
}

// looks are the labels whose values decide something.
type looks struct {
	names names // never nil
	all   bool
}

// labelState says what a label's value is at a place of a pipeline.
type labelState uint8

const (
	labelsStored  labelState = iota // the stream's or the metadata's
	labelsParsed                    // or, if these have none, one that a parser found
	labelsChanged                   // anything
	labelsUnknown                   // of no interest: nothing is pushed down
)

// newPlan cuts q. The storage does the line filters up to the first stage that changes lines, as far as it can, and the
// label filters up to the first stage that changes labels, as far as they look at streams' labels or metadata alone. A
// filter that was left to the stages does not end this: storage and stages ask for both.
// wanted are the labels that the result needs, nil for all; lines says that it needs the lines.
func (q *query) newPlan(log *logql.LogQuery, streams []store.LogStream, wanted names, lines bool) (*plan, error) {
	p := &plan{streams: streams, looks: looks{names: names{}}}
	stages := log.Stages
	if !lines && !q.engine.opts.NoPushdown {
		stages = withoutIdle(stages)
	}
	wanted, err := wantedBy(stages, wanted)
	if err != nil {
		return nil, err
	}
	labels, line := labelsStored, true // line: it is still that of the row
	if q.engine.opts.NoPushdown {
		labels, line = labelsUnknown, false
	}
	source := valueSource{stored: true}
	for i, s := range stages {
		done := false
		switch s := s.(type) {
		case *logql.LineFilter:
			done = labels != labelsUnknown && takesAll(s) || line && p.pushLine(s)
		case *logql.LabelFilter:
			if done, err = p.pushLabels(s.Predicate, labels); err != nil {
				return nil, err
			}
		case *logql.Drop:
			done = dropsErrorsOnly(s) && labels != labelsUnknown && len(p.stages) == 0 // nothing has failed yet
		}
		if done {
			continue
		}
		if f, ok := s.(*logql.LabelFilter); ok && labels == labelsParsed && source.stored {
			p.hints = append(p.hints, p.hintsOf(f.Predicate, source.escapes)...)
			if source.json && (source.faultless || dropsFaults(stages[i:])) {
				p.hints = append(p.hints, p.numberHintsOf(f.Predicate)...)
			}
		}
		source.follow(s, line)
		if err := p.keep(s, wanted, q.now); err != nil {
			return nil, err
		}
		labels = max(labels, stateAfter(s))
		line = line && !changesLine(s)
	}
	return p, nil
}

// withoutIdle leaves out stages that make lines which nothing reads, as far as they cannot fail: Grafana counts the lines
// of a log query with the whole of its pipeline.
func withoutIdle(stages []logql.Stage) []logql.Stage {
	var busy []logql.Stage
	read := false // by a stage that follows
	for _, s := range slices.Backward(stages) {
		if !read && makesLineOnly(s) {
			continue
		}
		read = read || readsLine(s)
		busy = append(busy, s)
	}
	slices.Reverse(busy)
	return busy
}

// makesLineOnly reports whether a stage does no more than change lines.
func makesLineOnly(s logql.Stage) bool {
	switch s := s.(type) {
	case *logql.Decolorize:
		return true
	case *logql.LineFormat:
		t, err := lineformat.Parse(s.Template)
		return err == nil && t.NeverFails()
	}
	return false
}

// readsLine reports whether what a stage does depends on the line.
func readsLine(s logql.Stage) bool {
	switch s := s.(type) {
	case *logql.LabelFilter, *logql.Drop, *logql.Keep:
		return false
	case *logql.LabelFormat:
		return slices.ContainsFunc(s.Formats, readsRow)
	}
	return true
}

// readsRow reports whether a label is made of more than other labels.
func readsRow(f logql.LabelFormatting) bool {
	if f.Source != "" {
		return false
	}
	t, err := lineformat.Parse(f.Template)
	return err != nil || t.ReadsRow()
}

// stateAfter returns what a stage makes of labels.
func stateAfter(s logql.Stage) labelState {
	switch s := s.(type) {
	case *logql.JSON, *logql.Logfmt, *logql.Regexp, *logql.Pattern, *logql.Unpack:
		return labelsParsed
	case *logql.LineFilter, *logql.LabelFilter, *logql.LineFormat, *logql.Decolorize:
		return labelsStored
	case *logql.Drop:
		if dropsErrorsOnly(s) {
			return labelsStored
		}
	}
	return labelsChanged
}

// keep makes s a stage.
func (p *plan) keep(s logql.Stage, wanted names, now func() time.Time) error {
	switch s := s.(type) {
	case *logql.LineFilter:
		p.rows, p.body, p.drops = true, true, true
	case *logql.LabelFilter:
		p.drops = true
	case *logql.JSON, *logql.Logfmt, *logql.Regexp, *logql.Pattern, *logql.Unpack:
		p.rows, p.body = true, true
		// Metadata decides what a label is called that a parser finds.
		p.looks.all = p.looks.all || wanted == nil
	case *logql.LineFormat, *logql.Decolorize:
		p.rows, p.body = true, true
	case *logql.LabelFormat:
		reads := slices.ContainsFunc(s.Formats, readsRow)
		p.rows, p.body = p.rows || reads, p.body || reads
	}
	if err := p.looks.stage(s); err != nil {
		return err
	}
	p.rows = p.rows || p.looks.all // there are no counts by all metadata
	compiled, err := compileStage(s, wanted, now)
	p.stages = append(p.stages, compiled)
	return err
}

// wantedBy adds to wanted what stages look at.
func wantedBy(stages []logql.Stage, wanted names) (names, error) {
	if wanted == nil {
		return nil, nil
	}
	l := looks{names: wanted}
	for _, s := range stages {
		if err := l.stage(s); err != nil {
			return nil, err
		}
	}
	if l.all {
		return nil, nil
	}
	return wanted, nil
}

// pushLine makes a line filter part of what the storage does, and reports whether that is all of it.
func (p *plan) pushLine(f *logql.LineFilter) bool {
	filters, exact := lineFiltersOf(f)
	p.filters = append(p.filters, filters...)
	return exact
}

func changesLine(s logql.Stage) bool {
	switch s.(type) {
	case *logql.LineFormat, *logql.Unpack, *logql.Decolorize:
		return true
	}
	return false
}

func dropsErrorsOnly(d *logql.Drop) bool {
	for _, c := range d.Labels {
		if c.Name != errorLabel && c.Name != errorDetailsLabel {
			return false
		}
	}
	return true
}

// stage adds the labels whose values the stage looks at.
func (l *looks) stage(s logql.Stage) error {
	switch s := s.(type) {
	case *logql.LabelFilter:
		l.predicate(s.Predicate)
	case *logql.Drop:
		for _, c := range s.Labels {
			l.names.add(c.Name)
		}
	case *logql.Keep:
		for _, c := range s.Labels {
			l.names.add(c.Name)
		}
	case *logql.LineFormat:
		return l.template(s.Template)
	case *logql.LabelFormat:
		for _, f := range s.Formats {
			if f.Source != "" {
				l.names.add(f.Source)
			} else if err := l.template(f.Template); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *looks) template(text string) error {
	t, err := lineformat.Parse(text)
	if err != nil {
		return err
	}
	list, all := t.Labels()
	l.names.add(list...)
	l.all = l.all || all
	return nil
}

func (l *looks) predicate(p logql.Predicate) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		l.names.add(p.Matcher.Name)
	case *logql.QuantityPredicate:
		l.names.add(p.Name)
	case *logql.IPPredicate:
		l.names.add(p.Name)
	case *logql.Logical:
		l.predicate(p.Left)
		l.predicate(p.Right)
	}
}

// pushLabels makes a predicate part of what the storage does, as far as the state of labels allows, and reports whether
// that is all of it.
func (p *plan) pushLabels(predicate logql.Predicate, state labelState) (bool, error) {
	if state >= labelsChanged {
		return false, nil
	}
	if l, ok := predicate.(*logql.Logical); ok && !l.Or {
		// Half a conjunction may be pushed although the other half is not: lines must satisfy both.
		left, err := p.pushLabels(l.Left, state)
		if err != nil {
			return false, err
		}
		right, err := p.pushLabels(l.Right, state)
		return left && right, err
	}
	l := looks{names: names{}}
	l.predicate(predicate)
	looked := l.names
	if quantities(predicate) {
		return false, nil // they may fail, which must show, and do not look at lines that did
	}
	inAll, inNone := p.occurrence(looked)
	switch {
	case inAll:
		return true, p.keepStreams(predicate)
	case inNone:
		filter, ok := metadataFilter(predicate)
		if ok && state == labelsParsed {
			// A parser may have found the label where the metadata has none.
			if filter, ok = orAbsent(filter); ok {
				p.filters = append(p.filters, filter)
			}
			return false, nil
		}
		if ok {
			p.filters = append(p.filters, filter)
		}
		return ok, nil
	}
	return false, nil
}

// orAbsent makes a filter on a column of metadata take the rows without it too. Attributes are left out: most rows have
// none of the name, so the filter would cost more than it saves.
func orAbsent(f store.LogFilter) (store.LogFilter, bool) {
	if f.Field == store.LogAttr {
		return f, false
	}
	absent := slices.ContainsFunc(f.Texts, func(text string) bool {
		if f.Op == store.LogEquals {
			return text == ""
		}
		re, err := wholeMatch(text)
		return err != nil || re.MatchString("")
	})
	if f.Not {
		return f, !absent
	}
	if !absent {
		f.Texts = append(slices.Clone(f.Texts), "")
	}
	return f, true
}

func quantities(p logql.Predicate) bool {
	switch p := p.(type) {
	case *logql.QuantityPredicate, *logql.IPPredicate:
		return true
	case *logql.Logical:
		return quantities(p.Left) || quantities(p.Right)
	}
	return false
}

// occurrence reports whether every stream has all the names as labels, and whether no stream has any of them.
func (p *plan) occurrence(looked names) (inAll, inNone bool) {
	inAll, inNone = true, true
	for i := range p.streams {
		found := 0
		for _, label := range p.streams[i].Labels {
			if _, ok := looked[label.Name]; ok {
				found++
			}
		}
		inAll = inAll && found == len(looked)
		inNone = inNone && found == 0
	}
	return inAll, inNone
}

// keepStreams drops the streams whose labels do not satisfy the predicate.
func (p *plan) keepStreams(predicate logql.Predicate) error {
	holds, err := compilePredicate(predicate)
	if err != nil {
		return err
	}
	var labels lineLabels
	var kept []store.LogStream
	for _, s := range p.streams {
		labels.reset(&streamLabels{stored: s.Labels})
		if holds(&labels) {
			kept = append(kept, s)
		}
	}
	p.streams = kept
	return nil
}

// metadataFilter turns a predicate on metadata into a filter: a comparison, or alternatives for one label.
func metadataFilter(p logql.Predicate) (store.LogFilter, bool) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		field, attr, ok := metadataField(p.Matcher.Name)
		f := store.LogFilter{Field: field, Attr: attr, Op: store.LogEquals, Texts: []string{p.Matcher.Value}}
		if p.Matcher.Op.Regexp() {
			f.Op = store.LogMatches
		}
		f.Not = p.Matcher.Op.Negative()
		return f, ok
	case *logql.Logical:
		left, leftOK := metadataFilter(p.Left)
		right, rightOK := metadataFilter(p.Right)
		same := left.Field == right.Field && left.Attr == right.Attr && left.Op == right.Op && !left.Not && !right.Not
		left.Texts = slices.Concat(left.Texts, right.Texts)
		return left, p.Or && leftOK && rightOK && same
	}
	return store.LogFilter{}, false
}

// metadataField returns where the metadata of a name is stored. Names that only a clash makes are not stored anywhere, nor
// are the pipeline's own.
func metadataField(name string) (field store.LogField, attr string, ok bool) {
	switch name {
	case levelLabel:
		return store.LogLevel, "", true
	case traceLabel:
		return store.LogTraceID, "", true
	case spanLabel:
		return store.LogSpanID, "", true
	case errorLabel, errorDetailsLabel:
		return 0, "", false
	}
	return store.LogAttr, name, !strings.HasSuffix(name, extractedSuffix)
}

// columnsFor returns the metadata columns that a query which looks at these labels must read.
func columnsFor(looked looks) store.LogColumns {
	if looked.all {
		return store.LogColumns{Level: true, Trace: true, Attrs: true}
	}
	var c store.LogColumns
	for name := range looked.names {
		switch strings.TrimSuffix(name, extractedSuffix) {
		case levelLabel:
			c.Level = true
		case traceLabel, spanLabel:
			c.Trace = true
		case errorLabel, errorDetailsLabel:
			continue
		}
		c.Attrs = c.Attrs || name != levelLabel && name != traceLabel && name != spanLabel
	}
	return c
}
