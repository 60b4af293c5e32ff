// Package audit answers who did what to which object, from where and with which result, from the API servers' audit logs
// of one tenant. It checks what is asked for and leaves the search to the store; package app hands it to the HTTP API.
package audit

import (
	"context"
	"errors"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/bound"
)

const (
	// DefaultLimit is how many requests, or clients, are listed when the caller does not say.
	DefaultLimit = 100
	// maxValues bounds the values that all conditions name, maxTextBytes one of them. Without them one request makes the
	// store run thousands of comparisons with every record.
	maxValues    = 100
	maxTextBytes = 1024
	// maxBy bounds the fields that requests are counted by: with all of them each request is a group of its own.
	maxBy = 5
)

// Store is what the search reads from. It runs as the tenant's own database user; what it returns belongs to the caller.
type Store interface {
	ListAudit(ctx context.Context, tenant seamark.TenantID, q store.AuditQuery) (store.AuditPage, error)
	AuditClients(ctx context.Context, tenant seamark.TenantID, q store.AuditClientsQuery) (*store.AuditClients, error)
	AuditLists(ctx context.Context, tenant seamark.TenantID, q store.AuditListsQuery) ([]store.AuditList, uint64, error)
	AuditWrites(ctx context.Context, tenant seamark.TenantID, q store.AuditWritesQuery) ([]store.AuditWrite, bool, error)
}

// Options configures a Searcher.
type Options struct {
	Store Store
	Limits
}

// Limits bounds one request.
type Limits struct {
	// MaxRecords bounds a list of requests. Without it a page of a busy API server holds all of its requests in memory.
	MaxRecords int
	// MaxClients bounds a list of clients. Without it every request's address can be one entry of an answer.
	MaxClients int
	// MaxWrites and MaxWriteBytes bound the writes of an object that are compared, and their records together. Without them
	// an object that a controller writes each second is a hundred thousand states in memory.
	MaxWrites, MaxWriteBytes int
}

// DefaultLimits returns the limits that hold unless something else is set.
func DefaultLimits() Limits {
	return Limits{MaxRecords: 1000, MaxClients: 1000, MaxWrites: 200, MaxWriteBytes: 32 << 20}
}

func (o *Options) validate() error {
	switch {
	case o.Store == nil:
		return errors.New("audit: Store is required")
	case o.MaxRecords < 1 || o.MaxClients < 1 || o.MaxWrites < 1 || o.MaxWriteBytes < 1:
		return errors.New("audit: all limits must be positive")
	}
	return nil
}

// Searcher reads audit logs. It is safe for concurrent use.
type Searcher struct{ opts Options }

// New returns a searcher.
func New(o Options) (*Searcher, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Searcher{opts: o}, nil
}

// Filter selects requests. Is and Not are keyed by field (store.AuditFields): of a field in Is one of the values must be
// the request's, of a field in Not none. Class is one of store.AuditClasses, or "".
type Filter struct {
	Range   seamark.TimeRange
	Class   string
	Is, Not map[string][]string
}

// compile checks f and brings it into the store's form. Errors are of kind Invalid.
func (f *Filter) compile() (store.AuditFilter, error) {
	out := store.AuditFilter{Range: f.Range}
	if err := f.Range.Validate(); err != nil {
		return out, err
	}
	var ok bool
	var names string
	if out.Class, ok, names = find(f.Class, append([]store.AuditClass{store.AuditAny}, store.AuditClasses()...)); !ok {
		return out, seamark.Errorf(seamark.Invalid, "seamark-audit-class", "There is no class %.40q of requests; use one of %s.", f.Class, names)
	}
	values := 0
	for _, side := range []struct {
		not    bool
		fields map[string][]string
	}{{false, f.Is}, {true, f.Not}} {
		for name := range side.fields {
			if _, err := parseField(name); err != nil {
				return out, err
			}
		}
		for _, field := range store.AuditFields() {
			list := side.fields[field.String()]
			if len(list) == 0 {
				continue
			}
			for _, text := range list {
				if len(text) > maxTextBytes {
					return out, seamark.Errorf(seamark.Invalid, "seamark-audit-text", "The %s has %d bytes; the limit is %d.", field, len(text), maxTextBytes)
				}
			}
			values += len(list)
			out.Conditions = append(out.Conditions, store.AuditCondition{Field: field, Not: side.not, Values: list})
		}
	}
	if values > maxValues {
		return out, seamark.Errorf(seamark.Invalid, "seamark-audit-values", "The filter names %d values; the limit is %d. Name fewer.", values, maxValues)
	}
	return out, nil
}

// find returns the one of all that text names, and the names of all.
func find[T interface{ String() string }](text string, all []T) (found T, ok bool, names string) {
	var list []string
	for _, one := range all {
		if one.String() == text {
			return one, true, ""
		}
		if one.String() != "" {
			list = append(list, one.String())
		}
	}
	return found, false, strings.Join(list, ", ")
}

func parseField(text string) (store.AuditField, error) {
	field, ok, names := find(text, store.AuditFields())
	if !ok {
		return 0, seamark.Errorf(seamark.Invalid, "seamark-audit-field", "Audit records have no field %.40q here; use one of %s.", text, names)
	}
	return field, nil
}

func parseOrder[T interface{ String() string }](text string, all []T) (T, error) {
	if text == "" {
		return all[0], nil
	}
	order, ok, names := find(text, all)
	if !ok {
		return order, seamark.Errorf(seamark.Invalid, "seamark-audit-order", "There is no order %.40q here; use one of %s.", text, names)
	}
	return order, nil
}

func (s *Searcher) checkClients(limit *int) error {
	return bound.Check(limit, "seamark-audit-limit", bound.Count{Of: "clients", Standard: DefaultLimit, Most: s.opts.MaxClients, Flag: "query.max-audit-clients"})
}

// ListQuery asks for requests.
type ListQuery struct {
	Filter Filter
	After  *store.AuditPlace // the Next of the page before; nil begins
	Limit  int               // 0 is the default
}

// List returns the requests that match, each once as its last record inside the range tells it, newest first, and where the
// list goes on. Errors are of kind Invalid for a filter out of bounds, or what the store says.
func (s *Searcher) List(ctx context.Context, tenant seamark.TenantID, ask ListQuery) (store.AuditPage, error) {
	filter, err := ask.Filter.compile()
	if err != nil {
		return store.AuditPage{}, err
	}
	q := store.AuditQuery{AuditFilter: filter, After: ask.After, Limit: ask.Limit}
	err = bound.Check(&q.Limit, "seamark-audit-limit", bound.Count{Of: "requests", Standard: DefaultLimit, Most: s.opts.MaxRecords, Flag: "query.max-audit-records"})
	if err != nil {
		return store.AuditPage{}, err
	}
	return s.opts.Store.ListAudit(ctx, tenant, q)
}

// ClientsQuery asks who sends the most requests.
type ClientsQuery struct {
	Filter Filter
	By     []string // up to 5 fields; user, verb and resource when there are none
	Order  string   // requests, which is the default, denied or failed
	Limit  int      // 0 is the default
}

// Clients counts requests that are over by the fields they have in common. Errors are List's.
func (s *Searcher) Clients(ctx context.Context, tenant seamark.TenantID, ask ClientsQuery) (*store.AuditClients, error) {
	filter, err := ask.Filter.compile()
	if err != nil {
		return nil, err
	}
	q := store.AuditClientsQuery{AuditFilter: filter, Limit: ask.Limit}
	if len(ask.By) == 0 {
		q.By = []store.AuditField{store.AuditUser, store.AuditVerb, store.AuditResource}
	}
	if len(ask.By) > maxBy {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-audit-by", "Requests would be counted by %d fields; the limit is %d.", len(ask.By), maxBy)
	}
	for _, name := range ask.By {
		field, err := parseField(name)
		if err != nil {
			return nil, err
		}
		q.By = append(q.By, field)
	}
	if q.Order, err = parseOrder(ask.Order, []store.AuditOrder{store.AuditByRequests, store.AuditByDenied, store.AuditByFailed}); err != nil {
		return nil, err
	}
	if err := s.checkClients(&q.Limit); err != nil {
		return nil, err
	}
	return s.opts.Store.AuditClients(ctx, tenant, q)
}

// Lists returns the LISTs of each client by resource and namespace, ordered by time, slowest, large or count, and how many
// such combinations there are. Errors are List's.
func (s *Searcher) Lists(ctx context.Context, tenant seamark.TenantID, f Filter, order string, limit int) ([]store.AuditList, uint64, error) {
	filter, err := f.compile()
	if err != nil {
		return nil, 0, err
	}
	q := store.AuditListsQuery{AuditFilter: filter, Limit: limit}
	all := []store.AuditListsOrder{store.AuditListsByTime, store.AuditListsBySlowest, store.AuditListsByLarge, store.AuditListsByCount}
	if q.Order, err = parseOrder(order, all); err != nil {
		return nil, 0, err
	}
	if err := s.checkClients(&q.Limit); err != nil {
		return nil, 0, err
	}
	return s.opts.Store.AuditLists(ctx, tenant, q)
}

// Object names one object of a cluster. Namespace and APIGroup are "" where an object has none.
type Object struct{ Cluster, Namespace, APIGroup, Resource, Name string }

// Write is one write of an object, and what it changed.
type Write struct {
	store.AuditRecord
	Change
}

// Writes returns the newest writes of an object, newest first, with the differences between the states that their records
// tell, and whether older ones were left out. Errors are List's.
func (s *Searcher) Writes(ctx context.Context, tenant seamark.TenantID, r seamark.TimeRange, o Object, limit int) ([]Write, bool, error) {
	if o.Resource == "" || o.Name == "" || o.Cluster == "" {
		return nil, false, seamark.Errorf(seamark.Invalid, "seamark-audit-object", "The writes of an object need its cluster, its resource, such as deployments, and its name.")
	}
	f := Filter{Range: r, Class: store.AuditWrites.String(), Is: map[string][]string{
		"cluster": {o.Cluster}, "namespace": {o.Namespace}, "api_group": {o.APIGroup}, "resource": {o.Resource}, "name": {o.Name},
	}}
	filter, err := f.compile()
	if err != nil {
		return nil, false, err
	}
	err = bound.Check(&limit, "seamark-audit-limit", bound.Count{Of: "writes", Standard: DefaultLimit, Most: s.opts.MaxWrites, Flag: "query.max-audit-writes"})
	if err != nil {
		return nil, false, err
	}
	found, truncated, err := s.opts.Store.AuditWrites(ctx, tenant, store.AuditWritesQuery{AuditFilter: filter, Limit: limit, MaxBytes: s.opts.MaxWriteBytes})
	if err != nil {
		return nil, false, err
	}
	return changes(found), truncated, nil
}
