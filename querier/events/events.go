// Package events searches the Kubernetes events of one tenant: lists, facets, occurrences over time and beside an earlier
// time, and the timeline of an object with its owners. It checks what is asked for and leaves the search to the store;
// package app hands it to the HTTP API.
package events

import (
	"context"
	"errors"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// DefaultLimit is how many events are listed when the caller does not say.
const DefaultLimit = 200

// Store is what the search reads from. It runs as the tenant's own database user; what it returns belongs to the caller.
type Store interface {
	ListEvents(ctx context.Context, tenant seamark.TenantID, q store.EventsQuery) ([]seamark.Event, error)
	EventFacets(ctx context.Context, tenant seamark.TenantID, q store.EventFacetsQuery) (*store.EventFacets, error)
	EventSeries(ctx context.Context, tenant seamark.TenantID, q store.EventSeriesQuery) (*store.EventSeriesList, error)
	EventTrend(ctx context.Context, tenant seamark.TenantID, q store.EventTrendQuery) (*store.EventTrend, error)
	EventOwners(ctx context.Context, tenant seamark.TenantID, q store.EventOwnersQuery) ([]store.EventOwner, error)
}

// Options configures a Searcher.
type Options struct {
	Store Store
	// MaxEvents bounds one list. Without it a page of a busy tenant holds all of its events in memory.
	MaxEvents int
	// MaxValues bounds the values of a facet, and those of a series or trend. Without it the names of all pods are one answer.
	MaxValues int
	// MaxPoints bounds the buckets of a series. Without it a small step over a long time fills the memory with zeros.
	MaxPoints int
	// MaxHistory bounds how much time a series or a trend counts. Without it one request parses every update that is kept.
	MaxHistory time.Duration
}

// DefaultOptions returns the limits that hold unless something else is set.
func DefaultOptions() Options {
	return Options{MaxEvents: 5000, MaxValues: 1000, MaxPoints: 11_000, MaxHistory: 31 * 24 * time.Hour}
}

func (o *Options) validate() error {
	switch {
	case o.Store == nil:
		return errors.New("events: Store is required")
	case o.MaxEvents < 1 || o.MaxValues < 1 || o.MaxPoints < 1 || o.MaxHistory <= 0:
		return errors.New("events: all limits must be positive")
	}
	return nil
}

// Searcher finds events. It is safe for concurrent use.
type Searcher struct{ opts Options }

// New returns a searcher.
func New(o Options) (*Searcher, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Searcher{opts: o}, nil
}

// checkLimit puts the default in the place of no limit and refuses what is out of bounds.
func checkLimit(limit *int, standard, most int, of string) error {
	if *limit == 0 {
		*limit = min(standard, most)
	}
	if *limit < 1 || *limit > most {
		return seamark.Errorf(seamark.Invalid, "seamark-events-limit", "The limit %d of %s is not between 1 and %d.", *limit, of, most)
	}
	return nil
}

// List returns the events that happened last inside the filter's range and match, as they were told last, newest first,
// and whether there are more than the limit, of which 0 is the default. Errors are of kind Invalid for a filter out of
// bounds, or what the store says.
func (s *Searcher) List(ctx context.Context, tenant seamark.TenantID, f Filter, limit int) (list []seamark.Event, truncated bool, err error) {
	filter, err := f.compile()
	if err != nil {
		return nil, false, err
	}
	if err := checkLimit(&limit, DefaultLimit, s.opts.MaxEvents, "events"); err != nil {
		return nil, false, err
	}
	list, err = s.opts.Store.ListEvents(ctx, tenant, store.EventsQuery{EventFilter: filter, Limit: limit + 1})
	if err != nil {
		return nil, false, err
	}
	if len(list) > limit {
		return list[:limit], true, nil
	}
	return list, false, nil
}

// defaultFacetValues is how many values of a field are counted when the caller does not say.
const defaultFacetValues = 20

// Facets counts the events that List would find by the values of each field; a field's own conditions do not hold for its
// own counts, so that they say what another choice would give. Errors are List's.
func (s *Searcher) Facets(ctx context.Context, tenant seamark.TenantID, f Filter, limit int) (*store.EventFacets, error) {
	filter, err := f.compile()
	if err != nil {
		return nil, err
	}
	if err := checkLimit(&limit, defaultFacetValues, s.opts.MaxValues, "values"); err != nil {
		return nil, err
	}
	return s.opts.Store.EventFacets(ctx, tenant, store.EventFacetsQuery{EventFilter: filter, Limit: limit})
}
