package engine

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// plan is a log query cut in two: what the storage does, and the stages that run over the rows it returns.
type plan struct {
	streams []store.LogStream // those that can have lines in the result
	filters []store.LogFilter
	stages  []stage
	parses  bool // a stage reads the line
	drops   bool // a stage may drop lines, so the storage cannot count or limit them
	refers  names
}

// newPlan cuts q. No stage changes a line, so the storage does all line filters, wherever they stand. It does label
// filters up to the first stage that changes labels, as far as they look at streams' labels or metadata alone. wanted are
// the labels that the result needs, nil for all; the plan adds those that its filters look at.
func newPlan(q *logql.LogQuery, streams []store.LogStream, wanted names) (*plan, error) {
	p := &plan{streams: streams, refers: names{}}
	if wanted != nil {
		for _, s := range q.Stages {
			addNames(s, wanted)
		}
	}
	intact := true // labels are still those of the stream and the metadata
	for _, s := range q.Stages {
		switch s := s.(type) {
		case *logql.LineFilter:
			p.filters = append(p.filters, lineFilterOf(s))
			continue
		case *logql.LabelFilter:
			if intact {
				pushed, err := p.push(s.Predicate)
				if err != nil {
					return nil, err
				}
				if pushed {
					continue
				}
			}
			p.drops = true
		case *logql.Drop:
			if intact && dropsErrorsOnly(s) {
				continue // nothing has failed yet
			}
		case *logql.JSON, *logql.Logfmt, *logql.Regexp:
			p.parses = true
		}
		intact = false
		addNames(s, p.refers)
		compiled, err := compileStage(s, wanted)
		if err != nil {
			return nil, err
		}
		p.stages = append(p.stages, compiled)
	}
	return p, nil
}

func lineFilterOf(f *logql.LineFilter) store.LogFilter {
	op := store.LogContains
	if f.Op.Regexp() {
		op = store.LogSearch
	}
	return store.LogFilter{Field: store.LogBody, Op: op, Not: f.Op.Negative(), Texts: f.Texts}
}

func dropsErrorsOnly(d *logql.Drop) bool {
	for _, c := range d.Labels {
		if c.Name != errorLabel && c.Name != errorDetailsLabel {
			return false
		}
	}
	return true
}

// addNames adds the labels whose values the stage looks at.
func addNames(s logql.Stage, to names) {
	switch s := s.(type) {
	case *logql.LabelFilter:
		addPredicateNames(s.Predicate, to)
	case *logql.Drop:
		for _, c := range s.Labels {
			to.add(c.Name)
		}
	case *logql.Keep:
		for _, c := range s.Labels {
			to.add(c.Name)
		}
	}
}

func addPredicateNames(p logql.Predicate, to names) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		to.add(p.Matcher.Name)
	case *logql.QuantityPredicate:
		to.add(p.Name)
	case *logql.Logical:
		addPredicateNames(p.Left, to)
		addPredicateNames(p.Right, to)
	}
}

// push makes a predicate part of what the storage does, and reports whether it could.
func (p *plan) push(predicate logql.Predicate) (bool, error) {
	if l, ok := predicate.(*logql.Logical); ok && !l.Or {
		// Half a conjunction may be pushed although the other half is not: lines must satisfy both.
		left, err := p.push(l.Left)
		if err != nil {
			return false, err
		}
		right, err := p.push(l.Right)
		return left && right, err
	}
	looked := names{}
	addPredicateNames(predicate, looked)
	if quantities(predicate) {
		return false, nil // they may fail, and a failure must show
	}
	inAll, inNone := p.occurrence(looked)
	switch {
	case inAll:
		return true, p.keepStreams(predicate)
	case inNone:
		filter, ok := metadataFilter(predicate)
		if ok {
			p.filters = append(p.filters, filter)
		}
		return ok, nil
	}
	return false, nil
}

func quantities(p logql.Predicate) bool {
	switch p := p.(type) {
	case *logql.QuantityPredicate:
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
		labels.reset(s.Labels)
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

// columnsFor returns the metadata columns that a query which looks at these names must read.
func columnsFor(looked names) store.LogColumns {
	var c store.LogColumns
	for name := range looked {
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
