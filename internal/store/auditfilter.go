package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// AuditField is a field of an audit record (package ingest/audit) that conditions and groups name.
type AuditField uint8

// The fields. Cluster, namespace and verb are labels of the record's stream, the others attributes of its line.
const (
	AuditCluster AuditField = iota
	AuditNamespace
	AuditVerb
	AuditUser
	AuditImpersonated
	AuditSourceIP
	AuditUserAgent
	AuditResource
	AuditAPIGroup
	AuditSubresource
	AuditName
	AuditCode
	AuditDecision
	auditFieldCount
)

// auditFieldNames are as queries spell the fields, which is also how they are stored.
var auditFieldNames = [auditFieldCount]string{
	"cluster", "namespace", "verb", "user", "impersonated_user", "source_ip", "user_agent", "resource", "api_group", "subresource", "name", "code", "decision",
}

// String returns the field's name.
func (f AuditField) String() string {
	if f >= auditFieldCount {
		return "unknown"
	}
	return auditFieldNames[f]
}

// AuditFields lists all fields.
func AuditFields() []AuditField {
	list := make([]AuditField, 0, auditFieldCount)
	for f := range auditFieldCount {
		list = append(list, f)
	}
	return list
}

// label says whether the field is a label of the stream.
func (f AuditField) label() bool { return f <= AuditVerb }

// AuditCondition holds when the field is one of Values, or with Not none of them. An absent field is the empty text.
type AuditCondition struct {
	Field  AuditField
	Not    bool
	Values []string
}

// AuditClass is a kind of request that people look for.
type AuditClass uint8

// The classes.
const (
	AuditAny     AuditClass = iota
	AuditDenied             // answered with 401 or 403, or forbidden by the authorizer
	AuditFailed             // answered with 500 or above, or ended in a panic
	AuditExec               // exec, attach and port-forward into pods
	AuditSecrets            // secrets that were read: get, list, watch
	AuditWrites             // create, update, patch, delete, deletecollection
	auditClassCount
)

var auditClassNames = [auditClassCount]string{"", "denied", "failed", "exec", "secrets", "writes"}

// String returns the class's name, "" for AuditAny.
func (c AuditClass) String() string {
	if c >= auditClassCount {
		return "unknown"
	}
	return auditClassNames[c]
}

// AuditClasses lists all classes but AuditAny.
func AuditClasses() []AuditClass {
	list := make([]AuditClass, 0, auditClassCount-1)
	for c := AuditDenied; c < auditClassCount; c++ {
		list = append(list, c)
	}
	return list
}

// AuditFilter selects audit records of a time range.
type AuditFilter struct {
	Range      seamark.TimeRange
	Class      AuditClass
	Conditions []AuditCondition
}

// auditWriteVerbs are the verbs of AuditWrites.
var auditWriteVerbs = []string{"create", "update", "patch", "delete", "deletecollection"}

// auditFrom selects the rows of the streams whose labels match. done leaves the one record of a request that tells its
// result; without it a request has a record for each stage that its API server's policy keeps.
func (b *logSQL) auditFrom(f *AuditFilter, done bool) {
	b.WriteString("FROM logs\nWHERE ts >= " + b.eventTime(f.Range.Start) + " AND ts < " + b.eventTime(f.Range.End) + "\n  AND grp IN (SELECT name FROM series ")
	b.auditSeries(f)
	b.WriteString(")\n  AND fp IN (SELECT fp FROM series ")
	b.auditSeries(f)
	b.WriteString(")")
	switch f.Class {
	case AuditDenied: // the level says so without a look at the attributes
		b.WriteString("\n  AND level = 'warn'")
	case AuditFailed:
		b.WriteString("\n  AND level IN ('error', 'critical')")
	case AuditExec:
		b.WriteString("\n  AND attrs['resource'] = 'pods' AND attrs['subresource'] IN ('exec', 'attach', 'portforward')")
	case AuditSecrets:
		b.WriteString("\n  AND attrs['resource'] = 'secrets'")
	case AuditAny, AuditWrites:
	}
	if done {
		b.WriteString("\n  AND attrs['stage'] IN ('ResponseComplete', 'Panic')")
	}
	for i := range f.Conditions {
		if c := &f.Conditions[i]; !c.Field.label() {
			b.WriteString("\n  AND " + b.auditCondition("attrs", c))
		}
	}
}

// auditSeries writes the conditions on the streams.
func (b *logSQL) auditSeries(f *AuditFilter) {
	b.whereSeries(&LogStreamsQuery{
		Matchers: []LogMatcher{{Name: "signal", Op: LogEquals, Value: "audit"}}, Start: clampNano(f.Range.Start), End: clampNano(f.Range.End),
	})
	switch f.Class {
	case AuditSecrets:
		b.WriteString("\n  AND labels['verb'] IN ('get', 'list', 'watch')")
	case AuditWrites:
		b.WriteString("\n  AND labels['verb'] IN " + b.strings(auditWriteVerbs))
	case AuditAny, AuditDenied, AuditFailed, AuditExec:
	}
	for i := range f.Conditions {
		if c := &f.Conditions[i]; c.Field.label() {
			b.WriteString("\n  AND " + b.auditCondition("labels", c))
		}
	}
}

func (b *logSQL) auditCondition(of string, c *AuditCondition) string {
	operator := " IN "
	if c.Not {
		operator = " NOT IN "
	}
	return of + "['" + c.Field.String() + "']" + operator + b.strings(c.Values)
}

// auditJoin writes the join that gives rows of `rows` their streams' labels, one column for each that is asked for: the map
// itself would be copied for each row.
func (b *logSQL) auditJoin(f *AuditFilter, fields []AuditField) {
	b.WriteString("\nINNER JOIN (SELECT fp")
	for i, field := range fields {
		if field.label() {
			b.WriteString(", labels['" + field.String() + "'] AS a" + strconv.Itoa(i))
		}
	}
	b.WriteString(" FROM series ")
	b.auditSeries(f)
	b.WriteString("\nLIMIT 1 BY fp) AS streams USING fp")
}

// auditColumns names the fields' values a0, a1, ... and returns what makes those of the attributes out of a row.
func auditColumns(fields []AuditField) (attributes, names []string) {
	for i, f := range fields {
		name := "a" + strconv.Itoa(i)
		names = append(names, name)
		if !f.label() {
			attributes = append(attributes, "attrs['"+f.String()+"'] AS "+name)
		}
	}
	return attributes, names
}

// withComma returns the list as the rest of a list that has something before it.
func withComma(list []string) string {
	return strings.Join(slices.Insert(slices.Clone(list), 0, ""), ", ")
}
