package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Definition is one pipeline as its tenant writes it. A tenant's pipelines run one after the other, in their order.
type Definition struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"` // a pipeline that is off is checked and does nothing
	Steps   []Step `json:"steps"`
}

// Kind says what a step does with the records that it matches.
type Kind string

// The kinds of step.
const (
	Transform Kind = "transform" // runs OTTL statements
	Drop      Kind = "drop"      // removes the record
	Sample    Kind = "sample"    // keeps a share of the records
	Redact    Kind = "redact"    // replaces secrets and personal data in body and attributes
	Route     Kind = "route"     // sets stream labels
	Extract   Kind = "metric"    // counts or measures records into a metric
)

// Step is one step of a pipeline. Name, Kind and Match belong to every kind, the other fields to the one they name.
type Step struct {
	Name string `json:"name"` // stands in _pipeline_error and in the statistics; unique in its pipeline
	Kind Kind   `json:"kind"`
	// Match lists OTTL conditions that must all hold; a step without any takes every record. A drop needs one.
	Match []string `json:"match,omitempty"`

	// Statements of a transform step run in order. When one fails, the record stays as it was before the step.
	Statements []string `json:"statements,omitempty"`

	// Ratio of a sample step is the share of records that are kept, from 0 to 1.
	Ratio *float64 `json:"ratio,omitempty"`
	// By of a sample step is what decides: "record" (the default), or "trace", which keeps or drops a trace's records together.
	By string `json:"by,omitempty"`

	// Patterns of a redact step are names of built-in patterns; see PatternNames.
	Patterns []string `json:"patterns,omitempty"`
	// Expressions of a redact step are the tenant's own patterns.
	Expressions []Expression `json:"expressions,omitempty"`

	// Stream of a route step are the stream labels to set; an empty value removes the label.
	Stream map[string]string `json:"stream,omitempty"`

	// Metric of a metric step is what it writes.
	Metric *Metric `json:"metric,omitempty"`
}

// Expression is a redact step's own pattern: what Regex (RE2) matches becomes [redacted:Name].
type Expression struct {
	Name  string `json:"name"`
	Regex string `json:"regex"`
}

// MetricType is what a metric step makes of the values.
type MetricType string

// The metric types.
const (
	Counter   MetricType = "counter"   // the sum of the values per request, as a delta
	Gauge     MetricType = "gauge"     // the latest value
	Histogram MetricType = "histogram" // a classic histogram per request, as deltas
)

// Metric says what a metric step writes. Labels and Value are OTTL value expressions, so a constant label is "\"text\"".
type Metric struct {
	Name    string            `json:"name"`
	Type    MetricType        `json:"type"`
	Value   string            `json:"value,omitempty"` // a counter without one counts records
	Labels  map[string]string `json:"labels,omitempty"`
	Buckets []float64         `json:"buckets,omitempty"` // a histogram's upper bounds, rising, without +Inf
}

// The limits of definitions. Without them one tenant's definitions take every ingest node's memory when they are compiled,
// and its time on each record.
const (
	MaxSteps         = 64   // of all of a tenant's enabled pipelines together
	maxPipelines     = 32   // of a tenant
	maxTexts         = 512  // statements, conditions and expressions of all of a tenant's pipelines together
	maxRegexes       = 128  // of all of a tenant's pipelines together: some 40 KiB each
	maxGroks         = 16   // of all of a tenant's pipelines together: up to 1 MiB and 10 ms each
	maxStatements    = 64   // of one step
	maxConditions    = 16   // of one step
	maxOTTLBytes     = 2048 // of one statement, condition or expression
	maxNesting       = 32   // of brackets in one text: the parser recurses
	maxRegexBytes    = 512
	maxRegexProgram  = 1000 // instructions after compilation; matching takes time by text length times this
	maxExpressions   = 8
	maxStreamLabels  = 16
	maxMetricLabels  = 8
	maxBuckets       = 32
	maxNameBytes     = 64
	maxReplacement   = 256
	maxFormatDigits  = 3 // of a width in Format: a wider field makes megabytes from nothing
	maxFaults        = 10
	maxLabelOfMetric = 256 // bytes of a metric label's value
)

// Fault is one mistake in a definition.
type Fault struct {
	Pipeline string `json:"pipeline"` // name of the pipeline
	Step     int    `json:"step"`     // index of the step, -1 for the pipeline itself
	Field    string `json:"field"`    // JSON name of the field, such as match, statements or metric.value
	Index    int    `json:"index"`    // index in the field's list, -1 when it is none
	Column   int    `json:"column"`   // in the OTTL text, from 1; 0 when the whole text is meant
	Message  string `json:"message"`  // what is wrong and the cure
	StepName string `json:"step_name,omitempty"`

	place int // of the pipeline among the others, -1 for all of them
}

// Pointer returns where the fault stands in a document whose pipelines are the list at /pipelines, as a JSON pointer.
func (f Fault) Pointer() string {
	if f.place < 0 {
		return "/pipelines"
	}
	at := "/pipelines/" + strconv.Itoa(f.place)
	if f.Step >= 0 {
		at += "/steps/" + strconv.Itoa(f.Step)
	}
	if f.Field != "" {
		at += "/" + strings.ReplaceAll(f.Field, ".", "/")
		if f.Index >= 0 {
			at += "/" + strconv.Itoa(f.Index)
		}
	}
	return at
}

// detail says what is wrong where the pointer says where.
func (f Fault) detail() string {
	text := strings.ToUpper(f.Message[:1]) + strings.TrimSuffix(f.Message[1:], ".") + "."
	if f.Column > 0 {
		return fmt.Sprintf("Column %d: %s", f.Column, text)
	}
	return text
}

// String returns the fault with its position.
func (f Fault) String() string {
	var t strings.Builder
	fmt.Fprintf(&t, "pipeline %q", f.Pipeline)
	if f.Step >= 0 {
		fmt.Fprintf(&t, ", step %d", f.Step)
		if f.StepName != "" {
			fmt.Fprintf(&t, " (%s)", f.StepName)
		}
	}
	if f.Field != "" {
		t.WriteString(", " + f.Field)
		if f.Index >= 0 {
			fmt.Fprintf(&t, "[%d]", f.Index)
		}
	}
	if f.Column > 0 {
		fmt.Fprintf(&t, ", column %d", f.Column)
	}
	return t.String() + ": " + f.Message
}

// Faults are the mistakes of a definition. They are the cause of the error that Compile returns.
type Faults []Fault

// Error implements error.
func (f Faults) Error() string {
	var t strings.Builder
	for i, fault := range f {
		if i == maxFaults {
			fmt.Fprintf(&t, " %d more faults follow.", len(f)-i)
			break
		}
		if i > 0 {
			t.WriteByte(' ')
		}
		t.WriteString(strings.TrimSuffix(fault.String(), ".") + ".")
	}
	return t.String()
}

// invalid turns faults into the error for the customer, nil when there are none.
func (f Faults) invalid() error {
	if len(f) == 0 {
		return nil
	}
	text := f.Error()
	e := &seamark.Error{Kind: seamark.Invalid, ID: "seamark-pipeline-invalid", Message: strings.ToUpper(text[:1]) + text[1:], Err: f}
	for _, fault := range f[:min(len(f), maxFaults)] {
		e.Fields = append(e.Fields, seamark.FieldFault{Pointer: fault.Pointer(), Detail: fault.detail()})
	}
	return e
}

// Parse reads a JSON array of definitions. Unknown fields are refused, so that a misspelt field is not lost. It checks the
// JSON alone; Compile checks the rest.
func Parse(body []byte) ([]Definition, error) {
	dec := strictDecoder(body)
	var list []Definition
	if err := dec.Decode(&list); err != nil {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-pipeline-json", "The pipelines are not the JSON array this takes, near byte %d: %s.",
			dec.InputOffset(), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-pipeline-json", "There is text after the pipelines, at byte %d.", dec.InputOffset())
	}
	return list, nil
}

// strictDecoder refuses unknown fields.
func strictDecoder(body []byte) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	return dec
}
