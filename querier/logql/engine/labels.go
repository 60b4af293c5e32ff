package engine

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// The labels that the engine makes itself.
const (
	errorLabel        = logql.ErrorLabel
	errorDetailsLabel = logql.ErrorDetailsLabel
	levelLabel        = "detected_level"
	traceLabel        = "trace_id"
	spanLabel         = "span_id"
)

// The values of __error__, as Loki documents them.
const (
	errorJSON     = "JSONParserErr"
	errorLogfmt   = "LogfmtParserErr"
	errorFilter   = "LabelFilterErr"
	errorSample   = "SampleExtractionErr"
	errorTemplate = "TemplateFormatErr"
)

// origin says where a label of a line comes from.
type origin uint8

const (
	fromStream origin = iota
	fromMetadata
	fromLine  // found by a parser
	fromStage // made by a stage
)

type lineLabel struct {
	name, value string
	origin      origin
}

// lineLabels are the labels of one line on its way through the stages. They are few, so they are a list; it is reused
// from line to line.
type lineLabels struct {
	list   []lineLabel
	stream *streamLabels
	time   int64           // of the line, in nanoseconds since 1970
	failed bool            // __error__ is set
	key    []byte          // scratch of appendKey
	alias  []byte          // scratch of unsortedKey
	sorted []seamark.Label // scratch of the series' labels
}

// streamLabels are the labels of a stream as stored, and as every line of it begins.
type streamLabels struct {
	stored []seamark.Label
	list   []lineLabel // made for the first line: most streams of a large selector have none in the result
}

// reset begins a line of a stream.
func (l *lineLabels) reset(stream *streamLabels) {
	if stream.list == nil {
		stream.list = make([]lineLabel, len(stream.stored))
		for i, s := range stream.stored {
			stream.list[i] = lineLabel{s.Name, s.Value, fromStream}
		}
	}
	l.stream, l.failed, l.list = stream, false, append(l.list[:0], stream.list...)
}

// addMetadata adds a line's structured metadata. A name that the stream has gets the suffix that parsers give, too.
func (l *lineLabels) addMetadata(name, value string) {
	if value == "" {
		return
	}
	if l.inStream(name) {
		name += extractedSuffix
	}
	l.list = append(l.list, lineLabel{name, value, fromMetadata})
}

// addRow adds the metadata of row i of a block. The names of columns belong to the columns; an attribute of such a name
// that says something else is kept beside it.
func (l *lineLabels) addRow(b *store.LogBlock, i int, ids *idCache) {
	l.time = b.Time[i]
	level, trace, span := "", "", ""
	if len(b.Level) > 0 && b.Level[i] != seamark.LevelUnknown {
		level = b.Level[i].String()
		l.addMetadata(levelLabel, level)
	}
	if len(b.TraceID) > 0 {
		trace, span = ids.text(b.TraceID[i][:]), ids.text(b.SpanID[i][:])
		l.addMetadata(traceLabel, trace)
		l.addMetadata(spanLabel, span)
	}
	for _, a := range b.AttrsOf(i) {
		column := ""
		switch a.Name {
		case levelLabel:
			column = level
		case traceLabel:
			column = trace
		case spanLabel:
			column = span
		default:
			l.addMetadata(a.Name, a.Value)
			continue
		}
		if a.Value != column {
			l.addMetadata(a.Name+extractedSuffix, a.Value)
		}
	}
}

// extractedSuffix tells a parsed label from one that the stream has under the same name.
const extractedSuffix = "_extracted"

func (l *lineLabels) inStream(name string) bool {
	for i := range l.stream.stored {
		if l.stream.stored[i].Name == name {
			return true
		}
	}
	return false
}

// get returns the value of a label, "" when the line has none.
func (l *lineLabels) get(name string) string {
	value, _ := l.find(name)
	return value
}

func (l *lineLabels) find(name string) (string, bool) {
	if at := l.index(name); at >= 0 {
		return l.list[at].value, true
	}
	return "", false
}

// index returns where a label stands in the list, -1 for nowhere.
func (l *lineLabels) index(name string) int {
	for i := range l.list {
		if l.list[i].name == name {
			return i
		}
	}
	return -1
}

// extract adds a label that a parser found. A name that the stream has, or the line's metadata, gets a suffix. Of two
// values that parsers find for a name the first is kept.
func (l *lineLabels) extract(name, value string) {
	at := l.index(name)
	suffixed := name == errorLabel || name == errorDetailsLabel || l.inStream(name) || at >= 0 && l.list[at].origin == fromMetadata
	if suffixed { // a line cannot claim an error of the pipeline
		name += extractedSuffix
		at = l.index(name)
	}
	switch {
	case at < 0:
		l.list = append(l.list, lineLabel{name, value, fromLine})
	case l.list[at].origin == fromStream || l.list[at].origin == fromStage:
		l.list[at].value, l.list[at].origin = value, fromLine
	}
}

// set gives a label a value that the pipeline made.
func (l *lineLabels) set(name, value string) {
	if at := l.index(name); at >= 0 {
		l.list[at].value, l.list[at].origin = value, fromStage
		return
	}
	l.list = append(l.list, lineLabel{name, value, fromStage})
}

// rename gives a label another name, under which it takes the place of any other. A label of the stream stays one;
// metadata becomes a label that the query names.
func (l *lineLabels) rename(from, to string) {
	if from == to {
		return
	}
	at := l.index(from)
	if at < 0 {
		return
	}
	renamed := lineLabel{to, l.list[at].value, l.list[at].origin}
	if renamed.origin == fromMetadata {
		renamed.origin = fromStage
	}
	l.remove(func(label *lineLabel) bool { return label.name == from || label.name == to })
	l.list = append(l.list, renamed)
}

// Value implements lineformat.Labels.
func (l *lineLabels) Value(name string) string { return l.get(name) }

// Each implements lineformat.Labels.
func (l *lineLabels) Each(fn func(name, value string)) {
	for i := range l.list {
		fn(l.list[i].name, l.list[i].value)
	}
}

// fail sets __error__; the first error of a line is kept.
func (l *lineLabels) fail(kind, details string) {
	if l.failed {
		return
	}
	l.failed = true
	l.list = append(l.list, lineLabel{errorLabel, kind, fromStage})
	if details != "" {
		l.list = append(l.list, lineLabel{errorDetailsLabel, details, fromStage})
	}
}

// remove drops the labels for which drop returns true.
func (l *lineLabels) remove(drop func(*lineLabel) bool) {
	kept := 0
	for i := range l.list { // by hand: slices.DeleteFunc would put every label on the heap
		if drop(&l.list[i]) {
			continue
		}
		if kept != i {
			l.list[kept] = l.list[i]
		}
		kept++
	}
	l.list = l.list[:kept]
	if l.failed {
		_, l.failed = l.find(errorLabel)
	}
}

// appendKey appends a key that two label sets share exactly if they are equal. Labels are sorted and not empty.
func appendKey(key []byte, labels []seamark.Label) []byte {
	for i := range labels {
		key = append(key, labels[i].Name...)
		key = append(key, 0xff)
		key = append(key, labels[i].Value...)
		key = append(key, 0xff)
	}
	return key
}

// unsortedKey returns a key of the labels that keep says, as they stand in the list. It is valid until the next call.
func (l *lineLabels) unsortedKey(keep func(*lineLabel) bool) []byte {
	l.alias = l.alias[:0]
	for i := range l.list {
		if keep(&l.list[i]) {
			l.alias = append(append(l.alias, l.list[i].name...), 0xff)
			l.alias = append(append(l.alias, l.list[i].value...), 0xff)
		}
	}
	return l.alias
}

// group returns the sorted labels that keep says, and their key. Both are valid until the next call.
func (l *lineLabels) group(keep func(*lineLabel) bool) ([]seamark.Label, []byte) {
	l.sorted = l.sorted[:0]
	for i := range l.list {
		if keep(&l.list[i]) {
			l.sorted = append(l.sorted, seamark.Label{Name: l.list[i].name, Value: l.list[i].value})
		}
	}
	seamark.SortLabels(l.sorted)
	l.key = appendKey(l.key[:0], l.sorted)
	return l.sorted, l.key
}

// compareLabels orders label sets as results list them.
func compareLabels(a, b []seamark.Label) int {
	return slices.CompareFunc(a, b, func(x, y seamark.Label) int {
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return strings.Compare(x.Value, y.Value)
	})
}

// formatLabels prints a label set for a message.
func formatLabels(labels []seamark.Label) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, l := range labels {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(l.Name + `="` + l.Value + `"`)
	}
	b.WriteByte('}')
	return b.String()
}
