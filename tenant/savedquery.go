package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// maxSavedQueries bounds a tenant's saved queries, maxOwnSavedQueries those of one person or machine. Without them a script
	// that saves in a loop fills the bucket of all tenants. Nodes that save in the same moment can pass them by one each.
	maxSavedQueries, maxOwnSavedQueries = 500, 200
	// maxSavedQueriesBytes bounds the texts of all of a tenant's queries together, for the same reason: every API node holds them.
	maxSavedQueriesBytes = 1 << 20
	// maxSavedQueryBytes bounds one query's text; what is longer was made by a program, which can keep it.
	maxSavedQueryBytes = 16 << 10
	// maxSavedQueryName, maxSavedQueryDescription, maxTags and maxTagChars keep lists readable. The first, second and last count characters.
	maxSavedQueryName, maxSavedQueryDescription, maxTags, maxTagChars = 120, 1000, 20, 40
	// maxSavedQueryRange is beyond what anything is kept for, and far below what a time.Duration holds.
	maxSavedQueryRange = 10 * 366 * 24 * time.Hour
)

// QueryLanguage is what a saved query is written in.
type QueryLanguage string

// The languages. Queries of events and audit records are those parameters of their list routes that filter, as in a URL.
const (
	PromQL      QueryLanguage = "promql"
	LogQL       QueryLanguage = "logql"
	EventsQuery QueryLanguage = "events"
	AuditQuery  QueryLanguage = "audit"
	SQL         QueryLanguage = "sql"
)

// QueryLanguages lists the languages.
func QueryLanguages() []QueryLanguage {
	return []QueryLanguage{PromQL, LogQL, EventsQuery, AuditQuery, SQL}
}

// Visibility is who sees a saved query.
type Visibility string

// The visibilities: the owner alone, or whoever may read the tenant's saved queries and is not restricted to a part of it.
const (
	PrivateQuery Visibility = "private"
	TenantQuery  Visibility = "tenant"
)

// QueryOwner is who made a saved query.
type QueryOwner struct {
	Kind  string `json:"kind"` // `member`, `key` for a machine's API key, `token` for an admin token
	ID    string `json:"id"`   // the user's, or the credential's
	Login string `json:"-"`    // of a member; "" once it is none any more
}

// SavedQuery is a query that somebody keeps.
type SavedQuery struct {
	ID string // a ULID
	SavedQueryFields
	Owner   QueryOwner
	Created time.Time
	Updated time.Time
}

// SavedQueryFields are what the owner decides about a saved query.
type SavedQueryFields struct {
	Name        string
	Description string
	Language    QueryLanguage
	Query       string
	Range       time.Duration // how far back to ask; 0: not said
	Step        time.Duration // between two values; 0: not said
	Tags        []string      // sorted, each once
	Visibility  Visibility
}

// SavedQuerySpec is what a saved query is made from or changed to.
type SavedQuerySpec struct {
	SavedQueryFields
	// Check, when set, sees the query that an update or deletion is about, within the compare-and-set; its error ends it.
	Check func(SavedQuery) error
}

// savedQueryDoc is stored under `<tenant>.<id>`.
type savedQueryDoc struct {
	Version     int              `json:"v"`
	Tenant      seamark.TenantID `json:"tenant"`
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Language    QueryLanguage    `json:"language"`
	Query       string           `json:"query"`
	Range       time.Duration    `json:"range,omitempty"` // nanoseconds
	Step        time.Duration    `json:"step,omitempty"`  // nanoseconds
	Tags        []string         `json:"tags,omitempty"`
	Visibility  Visibility       `json:"visibility"`
	Owner       QueryOwner       `json:"owned_by"`
	Created     time.Time        `json:"created"`
	Updated     time.Time        `json:"updated"`
}

func savedQueryKey(tenant seamark.TenantID, id string) string { return string(tenant) + "." + id }

// validate checks everything but the query's grammar: a stored query must outlive a change of its language.
func (q *savedQueryDoc) validate(key string) error {
	if err := q.Tenant.Validate(); err != nil {
		return err
	}
	if _, err := ulid.ParseStrict(q.ID); err != nil {
		return fmt.Errorf("saved query %.40q has a bad id: %w", q.ID, err)
	}
	if savedQueryKey(q.Tenant, q.ID) != key {
		return fmt.Errorf("saved query %.40q of %.40q stands under the key of another", q.ID, q.Tenant)
	}
	if q.Owner.ID == "" || !slices.Contains([]string{ownerMember, ownerKey, ownerToken}, q.Owner.Kind) {
		return fmt.Errorf("saved query %s has no owner", q.ID)
	}
	fields := q.fields()
	var faults []error
	for _, f := range fields.faults() {
		faults = append(faults, fmt.Errorf("%s: %s", f.Pointer, f.Detail))
	}
	return errors.Join(faults...)
}

func (q *savedQueryDoc) fields() SavedQueryFields {
	return SavedQueryFields{
		Name: q.Name, Description: q.Description, Language: q.Language, Query: q.Query, Range: q.Range, Step: q.Step,
		Tags: q.Tags, Visibility: q.Visibility,
	}
}

func (q *savedQueryDoc) set(f *SavedQueryFields) {
	q.Name, q.Description, q.Language, q.Query, q.Range, q.Step = f.Name, f.Description, f.Language, f.Query, f.Range, f.Step
	q.Tags, q.Visibility = f.Tags, f.Visibility
}

// bytes is what the query counts towards maxSavedQueriesBytes.
func (q *savedQueryDoc) bytes() int {
	n := len(q.Name) + len(q.Description) + len(q.Query)
	for _, tag := range q.Tags {
		n += len(tag)
	}
	return n
}

// normalise brings the fields into the form in which they are stored.
func (f *SavedQueryFields) normalise() {
	f.Tags = slices.Compact(slices.Sorted(slices.Values(f.Tags)))
}

// faults returns what is wrong with the fields, the query's grammar left out.
func (f *SavedQueryFields) faults() []seamark.FieldFault {
	var list []seamark.FieldFault
	add := func(pointer, format string, args ...any) {
		list = append(list, seamark.FieldFault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	if n := utf8.RuneCountInString(f.Name); strings.TrimSpace(f.Name) == "" || n > maxSavedQueryName || !isLine(f.Name) {
		add("/name", "The name has %d characters; it needs 1 to %d on one line, one of them visible.", n, maxSavedQueryName)
	}
	if n := utf8.RuneCountInString(f.Description); n > maxSavedQueryDescription || !utf8.ValidString(f.Description) {
		add("/description", "The description has %d characters; at most %d of UTF-8 fit.", n, maxSavedQueryDescription)
	}
	if !slices.Contains(QueryLanguages(), f.Language) {
		add("/language", "The language is %.40q; use promql, logql, events, audit or sql.", f.Language)
	}
	mayBeEmpty := f.Language == EventsQuery || f.Language == AuditQuery // everything
	if n := len(f.Query); n > maxSavedQueryBytes || !mayBeEmpty && strings.TrimSpace(f.Query) == "" || !utf8.ValidString(f.Query) {
		add("/query", "The query has %d bytes; it needs 1 to %d of UTF-8. A query of events or audit records may be empty.", n, maxSavedQueryBytes)
	}
	if f.Range < 0 || f.Range > maxSavedQueryRange {
		add("/range_seconds", "The range is %s; use nothing, or up to %s.", f.Range, maxSavedQueryRange)
	}
	if f.Step < 0 || f.Step > maxSavedQueryRange || f.Range > 0 && f.Step > f.Range {
		add("/step_seconds", "The step is %s; use nothing, or up to the range.", f.Step)
	}
	if len(f.Tags) > maxTags {
		add("/tags", "There are %d tags; at most %d fit.", len(f.Tags), maxTags)
	}
	for i, tag := range f.Tags {
		if n := utf8.RuneCountInString(tag); strings.TrimSpace(tag) != tag || n == 0 || n > maxTagChars || !isLine(tag) {
			add(fmt.Sprintf("/tags/%d", i), "The tag %.60q needs 1 to %d characters on one line, without spaces around them.", tag, maxTagChars)
		}
	}
	if f.Visibility != PrivateQuery && f.Visibility != TenantQuery {
		add("/visibility", "The visibility is %.40q; use private or tenant.", f.Visibility)
	}
	return list
}

func isLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// savedQueryInvalid returns the error for faults, nil when there is none.
func savedQueryInvalid(faults []seamark.FieldFault) error {
	if len(faults) == 0 {
		return nil
	}
	e := seamark.Errorf(seamark.Invalid, "seamark-saved-query-invalid", "The saved query has a fault at %s: %s", faults[0].Pointer, faults[0].Detail)
	e.Fields = faults
	return e
}

func savedQueryUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-saved-query-unknown", "There is no such saved query, or it is somebody else's private one.")
}
