// Package ruletest runs unit tests of rules in the format of `promtool test rules`, over Prometheus' own rules manager and engine.
// Beside input_series a test may have input_streams, lines of logs, for rules in LogQL, whose evaluation is handed in. It is for
// tests only.
package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// File is one file of tests.
type File struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"`
	FuzzyCompare       bool           `yaml:"fuzzy_compare"`
	Tests              []Case         `yaml:"tests"`
}

// Case is one test: what came in, and what must be seen when.
type Case struct {
	Name         string         `yaml:"name,omitempty"`
	Interval     model.Duration `yaml:"interval"`
	InputSeries  []Series       `yaml:"input_series,omitempty"`
	InputStreams []Stream       `yaml:"input_streams,omitempty"`
	Alerts       []AlertCheck   `yaml:"alert_rule_test,omitempty"`
	Exprs        []ExprCheck    `yaml:"promql_expr_test,omitempty"`
}

// Series is a series with its values in promqltest's notation.
type Series struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

// Stream is a log stream with its lines.
type Stream struct {
	Stream string `yaml:"stream"` // a selector of equalities
	Lines  []Line `yaml:"lines"`
}

// Line is a line that comes at a time, and again repeat-1 times every so often.
type Line struct {
	At       model.Duration    `yaml:"at"`
	Every    model.Duration    `yaml:"every,omitempty"`
	Repeat   int               `yaml:"repeat,omitempty"`
	Line     string            `yaml:"line"`
	Metadata map[string]string `yaml:"metadata,omitempty"`
}

// AlertCheck says which alerts of a name must fire at a time.
type AlertCheck struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	AlertName string         `yaml:"alertname"`
	Alerts    []Alert        `yaml:"exp_alerts"`
}

// Alert is a firing alert, without its name.
type Alert struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations,omitempty"`
}

// ExprCheck says what an expression must give at a time.
type ExprCheck struct {
	Expr     string         `yaml:"expr"`
	EvalTime model.Duration `yaml:"eval_time"`
	Samples  []Sample       `yaml:"exp_samples"`
}

// Sample is a sample with its labels in PromQL's notation.
type Sample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

// Parse reads a file of tests. Unknown fields are refused, as promtool does.
func Parse(text []byte) (*File, error) {
	f := &File{EvaluationInterval: model.Duration(time.Minute)}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("tests of rules: %w", err)
	}
	for i := range f.Tests {
		if f.Tests[i].Interval == 0 {
			f.Tests[i].Interval = f.EvaluationInterval
		}
	}
	return f, nil
}
