package pipeline_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/pipeline"
)

// TestDocumentedExamples runs each example of docs/pipelines.md and compares what comes out with the block under it.
func TestDocumentedExamples(t *testing.T) {
	document, err := os.ReadFile("../../docs/pipelines.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```json\n(.*?)```\n\n```text\n(.*?)```").FindAllSubmatch(document, -1)
	if len(examples) < 8 {
		t.Fatalf("%d examples, want one for each processor", len(examples))
	}
	kinds := map[pipeline.Kind]bool{}
	for _, example := range examples {
		report, err := try(t, string(example[1]))
		if err != nil {
			t.Fatalf("%s: %v", example[1], err)
		}
		for _, record := range report.Records {
			for _, step := range record.Steps {
				kinds[step.Kind] = true
			}
		}
		if got := describe(report); got != string(example[2]) {
			t.Errorf("%s\ngives:\n%s\ninstead of:\n%s", example[1], got, example[2])
		}
	}
	if len(kinds) != 6 {
		t.Errorf("the examples show steps of %d kinds, want 6", len(kinds))
	}
}

// describe writes a report as the document does.
func describe(report pipeline.DryReport) string {
	var t strings.Builder
	for _, record := range report.Records {
		r := record.Result
		if r == nil {
			continue
		}
		if r.Level == "" {
			r.Level = "-"
		}
		if cause, ok := r.Attrs[pipeline.ErrorAttribute]; ok {
			r.Attrs[pipeline.ErrorAttribute] = strings.Join(strings.SplitN(cause, ": ", 3)[:2], ": ") + ": ..."
		}
		fmt.Fprintf(&t, "%s %s {%s} [%s]\n", r.Level, r.Body, list(r.Labels), list(r.Attrs))
	}
	var lines []string
	for _, s := range report.Metrics {
		name := s.Labels["__name__"]
		delete(s.Labels, "__name__")
		delete(s.Labels, "__part__")
		lines = append(lines, fmt.Sprintf("%s{%s} %v\n", name, list(s.Labels), s.Value))
	}
	slices.Sort(lines)
	return t.String() + strings.Join(lines, "")
}

func list(m map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, name+"="+m[name])
	}
	return strings.Join(parts, ",")
}
