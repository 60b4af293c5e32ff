package store

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// auditStatements returns every statement of the audit queries, with text wherever a text can stand.
func auditStatements(text string) map[string]*logSQL {
	day := time.Date(2026, 5, 17, 0, 0, 0, 0, time.UTC)
	f := AuditFilter{Range: seamark.TimeRange{Start: day, End: day.Add(time.Hour)}}
	full := f
	for _, field := range AuditFields() {
		full.Conditions = append(full.Conditions, AuditCondition{Field: field, Values: []string{text, "b"}}, AuditCondition{Field: field, Not: true, Values: []string{text}})
	}
	list := map[string]*logSQL{
		"clients":           auditClientsSQL(&AuditClientsQuery{AuditFilter: f, By: []AuditField{AuditVerb}, Limit: 1}),
		"clients, filtered": auditClientsSQL(&AuditClientsQuery{AuditFilter: full, By: []AuditField{AuditUser, AuditVerb, AuditResource}, Order: AuditByDenied, Limit: 5}),
		"records":           auditListSQL(&AuditQuery{AuditFilter: f, Limit: 1}),
		"records, filtered": auditListSQL(&AuditQuery{AuditFilter: full, Limit: 5}),
		"records, next":     auditListSQL(&AuditQuery{AuditFilter: f, After: &AuditPlace{Time: day}, Limit: 5}),
		"records, tied":     auditTiedSQL(&AuditQuery{AuditFilter: f, After: &AuditPlace{day, "of " + text}, Limit: 5}, day),
		"records, shown":    auditShownSQL(&AuditQuery{AuditFilter: full, After: &AuditPlace{day.Add(time.Minute), "of " + text}, Limit: 5}, []string{text, "b"}),
		"lists":             auditListsSQL(&AuditListsQuery{AuditFilter: full, Order: AuditListsByLarge, Limit: 5}),
		"writes":            auditWritesSQL(&AuditWritesQuery{AuditFilter: full, Limit: 5}),
	}
	for _, c := range AuditClasses() {
		of := f
		of.Class = c
		list["records, "+c.String()] = auditListSQL(&AuditQuery{AuditFilter: of, Limit: 1})
	}
	return list
}

func TestAuditSQLGolden(t *testing.T) { golden(t, "auditquery.golden.sql", auditStatements("it's")) }
