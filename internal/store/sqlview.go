package store

import (
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SQLView is a table as customers' SQL sees it. Its name, its columns and their types are part of the API. It is no view on the
// server: its definition becomes part of each statement that names it (decision 0024), with the reader's restriction in it.
type SQLView struct {
	Name, Comment string
	Columns       []SQLColumn
	Examples      []string

	table Table
	// from is what the columns are read from, of the table and its aliases. {db} is the database.
	from string
	// labels joins the labels of a row's series or stream; it stands there when a column needs it.
	labels string
	// texts does the same for the templates of patterns.
	texts string
	// where holds for every row. {only} is the restriction, or true.
	where string
	// cluster and namespace are what the restriction of rows looks at.
	cluster, namespace string
}

// SQLColumn is a column of a view.
type SQLColumn struct {
	Name, Type, Comment string

	expr string
	join sqlJoin
}

// sqlJoin says what a column's expression needs beside the table.
type sqlJoin uint8

const (
	joinNothing sqlJoin = iota
	joinLabels
	joinTexts
)

// Signals returns what the view's rows are of.
func (v *SQLView) Signals() []seamark.Signal {
	switch v.table {
	case TableSamples:
		return []seamark.Signal{seamark.Metrics}
	case TableEvents:
		return []seamark.Signal{seamark.Events}
	case TableSpans:
		return []seamark.Signal{seamark.Traces}
	case TableSeries:
		return []seamark.Signal{seamark.Logs, seamark.Metrics}
	}
	return []seamark.Signal{seamark.Logs}
}

// sqlScope is where a view's rows are read from, and which of them.
type sqlScope struct {
	db string
	// only is what the reader is narrowed to, as values of the parameters onlyClusters and onlyNamespaces.
	only     *seamark.Restriction
	mentions func(column string) bool
	// absent is set while the view's table has not been made.
	absent bool
}

// The parameters that carry a restriction. A customer's begin with a letter.
const (
	onlyClusters   = "_clusters"
	onlyNamespaces = "_namespaces"
)

// define returns the query that stands for a view.
func (v *SQLView) define(s *sqlScope) string {
	if s.absent {
		return v.nothing(s.db)
	}
	needs := [joinTexts + 1]bool{joinNothing: true}
	for i := range v.Columns {
		if c := &v.Columns[i]; s.mentions(c.Name) {
			needs[c.join] = true
		}
	}
	var columns []string
	for _, c := range v.Columns {
		if needs[c.join] {
			columns = append(columns, c.expr+" AS "+c.Name)
		}
	}
	parts := []string{"SELECT " + strings.Join(columns, ", "), "FROM " + v.from}
	if needs[joinLabels] {
		parts = append(parts, v.labels)
	}
	if needs[joinTexts] {
		parts = append(parts, v.texts)
	}
	parts = append(parts, "WHERE "+v.rows(s.only))
	return strings.ReplaceAll(strings.Join(parts, " "), "{db}", s.db)
}

// nothing returns a query with the view's columns and no rows.
func (v *SQLView) nothing(db string) string {
	columns := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		columns[i] = "defaultValueOfTypeName('" + strings.ReplaceAll(c.Type, "'", `\'`) + "') AS " + c.Name
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + db + "." + tableSpecs[TableLogs].name + " WHERE false"
}

// rows returns the condition of the rows that a reader may see.
func (v *SQLView) rows(only *seamark.Restriction) string {
	inside := "true"
	if only.Narrows() {
		var terms []string
		if len(only.Clusters) > 0 {
			terms = append(terms, v.cluster+" IN {"+onlyClusters+":Array(String)}")
		}
		if len(only.Namespaces) > 0 {
			terms = append(terms, v.namespace+" IN {"+onlyNamespaces+":Array(String)}")
		}
		inside = strings.Join(terms, " AND ")
	}
	where := v.where
	if only.Narrows() && v.labels != "" && v.Name != "audit" {
		outer := logOnly
		if v.table == TableSamples {
			outer = metricOnly
		}
		where = strings.ReplaceAll(where, "{only}", outer)
	}
	return strings.ReplaceAll(where, "{only}", inside)
}
