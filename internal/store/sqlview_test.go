package store

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestSQLViewDefinitions compares what stands for each view with the file that shows it: for a reader of everything with and without
// the columns that need a join, for one who is narrowed, and while the table is not there.
func TestSQLViewDefinitions(t *testing.T) {
	statements := map[string]*logSQL{}
	only := &seamark.Restriction{Clusters: []string{"prod"}, Namespaces: []string{"shop"}}
	for _, v := range SQLViews() {
		for name, s := range map[string]sqlScope{
			"all columns": {mentions: func(string) bool { return true }},
			"timestamp":   {mentions: func(column string) bool { return column == "timestamp" }},
			"narrowed":    {mentions: func(column string) bool { return column == "timestamp" }, only: only},
			"absent":      {absent: true},
		} {
			s.db = "t0001"
			b := newLogSQL()
			b.WriteString(v.define(&s))
			statements[v.Name+", "+name] = b
		}
	}
	golden(t, "sqlviews.golden.sql", statements)
}
