package store

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// dropStatements returns every statement of the drop ledger's queries, with text wherever a text can stand.
func dropStatements(text string) map[string]*logSQL {
	day := time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)
	r := seamark.TimeRange{Start: day, End: day.Add(time.Hour)}
	text += "x" // an empty text selects everything
	filtered := &DropsQuery{Range: r, Cluster: text, Token: text, Protocol: text, Signal: text, Reason: text, Limit: 5}
	return map[string]*logSQL{
		"reasons":           dropReasonsSQL(&DropsQuery{Range: r, Limit: 1}),
		"reasons, filtered": dropReasonsSQL(filtered),
		"samples, filtered": dropSamplesSQL(filtered, []string{text, "b"}),
	}
}

func TestDropSQLGolden(t *testing.T) { golden(t, "dropquery.golden.sql", dropStatements("it's")) }

// FuzzDropSQL checks that no text changes a statement.
func FuzzDropSQL(f *testing.F) {
	for _, seed := range []string{"", "'", "{p0:String}", "\\", "`", "\x00\n\t", "*/ --"} {
		f.Add(seed)
	}
	plain := dropStatements("plain")
	f.Fuzz(func(t *testing.T, text string) {
		for name, b := range dropStatements(text) {
			if got, want := b.String(), plain[name].String(); got != want {
				t.Errorf("%s with %q:\n got %s\nwant %s", name, text, got, want)
			}
		}
	})
}
