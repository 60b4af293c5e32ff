package promcompat_test

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/querier/promql"
)

// queryFile is testdata/queries.yml, whose head explains it.
type queryFile struct {
	Variants map[string][]string `yaml:"variants"`
	Groups   map[string][]string `yaml:"groups"`
	Fails    map[string][]string `yaml:"fails"` // by error type
}

// expectation is one query with how it should end.
type expectation struct {
	group     string
	query     string
	errorType string // "" for success
}

// queries reads the file and writes out all variants.
func queries(t *testing.T) []expectation {
	t.Helper()
	text, err := os.ReadFile("testdata/queries.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file queryFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
	var list []expectation
	for _, group := range slices.Sorted(maps.Keys(file.Groups)) {
		for _, template := range file.Groups[group] {
			for _, query := range file.expand(t, template) {
				list = append(list, expectation{group: group, query: query})
			}
		}
	}
	for _, errorType := range slices.Sorted(maps.Keys(file.Fails)) {
		for _, query := range file.Fails[errorType] {
			list = append(list, expectation{group: "fails", query: query, errorType: errorType})
		}
	}
	return list
}

// word finds the first word of a template that stands for variants.
var word = regexp.MustCompile(`\{\{\.(\w+)\}\}`)

// expand returns a template with its words replaced by each combination of their variants.
func (f *queryFile) expand(t *testing.T, template string) []string {
	t.Helper()
	found := word.FindStringSubmatch(template)
	if found == nil {
		return []string{template}
	}
	variants := f.Variants[found[1]]
	if len(variants) == 0 {
		t.Fatalf("%s: %q has no variants", template, found[1])
	}
	var list []string
	for _, v := range variants {
		list = append(list, f.expand(t, strings.ReplaceAll(template, found[0], v))...)
	}
	return list
}

// TestQueriesCoverTheLanguage wants every function, aggregation and binary operator of the pinned parser in some query
// that is expected to succeed, so that a release that adds one fails here until it has its query.
func TestQueriesCoverTheLanguage(t *testing.T) {
	seen := map[string]bool{}
	parse := promql.NewParser()
	for _, e := range queries(t) {
		if e.errorType != "" {
			continue
		}
		expr, err := parse.ParseExpr(e.query)
		if err != nil {
			t.Errorf("%s: %v", e.query, err)
			continue
		}
		parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
			switch n := node.(type) {
			case *parser.Call:
				seen[n.Func.Name] = true
			case *parser.AggregateExpr:
				seen[n.Op.String()] = true
			case *parser.BinaryExpr:
				seen[n.Op.String()] = true
			}
			return nil
		})
	}
	var missing []string
	for name := range parser.Functions {
		if !seen[name] {
			missing = append(missing, name)
		}
	}
	for item := range parser.ItemTypeStr {
		binary := item.IsOperator() && item != parser.EQL_REGEX && item != parser.NEQ_REGEX && item != parser.AT
		if (binary || item.IsAggregator()) && !seen[item.String()] {
			missing = append(missing, item.String())
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("no query has %v", missing)
	}
}
