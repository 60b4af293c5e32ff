package app_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/promql"
)

// TestConsoleQueries reads everything that the console's built-in dashboards and Kubernetes pages ask with the parsers that answer
// it. The file is kept true by the console's own test, console/src/dashboards/queries.test.ts.
func TestConsoleQueries(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "console", "src", "dashboards", "testdata", "queries.json"))
	if err != nil {
		t.Fatal(err)
	}
	var asked []struct{ Where, Language, Query string }
	if err := json.Unmarshal(text, &asked); err != nil {
		t.Fatal(err)
	}
	if len(asked) < 100 {
		t.Fatalf("the file has %d queries; the built-in dashboards alone have more than 100", len(asked))
	}
	prometheus := promql.NewParser()
	for _, one := range asked {
		var err error
		switch one.Language {
		case "promql":
			_, err = prometheus.ParseExpr(one.Query)
		case "selector":
			_, err = prometheus.ParseMetricSelector(one.Query)
		case "logql":
			_, err = logql.Parse(one.Query)
		default:
			t.Errorf("%s: got the language %q, want promql, selector or logql", one.Where, one.Language)
		}
		if err != nil {
			t.Errorf("%s: the server refuses %s: %v", one.Where, one.Query, err)
		}
	}
}
