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
	"github.com/seamarkhq/seamark/querier/bound"
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
	Limits
}

// Limits bounds one request.
type Limits struct {
	// MaxEvents bounds one list. Without it a page of a busy tenant holds all of its events in memory.
	MaxEvents int
	// MaxValues bounds the values of a facet, and those of a series or trend. Without it the names of all pods are one answer.
	MaxValues int
	// MaxPoints bounds the buckets of a series. Without it a small step over a long time fills the memory with zeros.
	MaxPoints int
	// MaxHistory bounds how much time a series or a trend counts. Without it one request parses every update that is kept.
	MaxHistory time.Duration
}

// DefaultLimits returns the limits that hold unless something else is set.
func DefaultLimits() Limits {
	return Limits{MaxEvents: 5000, MaxValues: 1000, MaxPoints: 11_000, MaxHistory: 31 * 24 * time.Hour}
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

func (s *Searcher) checkEvents(limit *int) error {
	return bound.Check(limit, "seamark-events-limit", bound.Count{Of: "events", Standard: DefaultLimit, Most: s.opts.MaxEvents, Flag: "query.max-events"})
}

func (s *Searcher) checkValues(limit *int, standard int) error {
	return bound.Check(limit, "seamark-events-limit", bound.Count{Of: "values", Standard: standard, Most: s.opts.MaxValues, Flag: "query.max-event-values"})
}

// List returns the events that happened last inside the filter's range and match, as they were told last, newest first,
// and whether there are more than the limit, of which 0 is the default. Errors are of kind Invalid for a filter out of
// bounds, or what the store says.
func (s *Searcher) List(ctx context.Context, tenant seamark.TenantID, f Filter, limit int) (list []seamark.Event, truncated bool, err error) {
	filter, err := f.compile()
	if err != nil {
		return nil, false, err
	}
	if err := s.checkEvents(&limit); err != nil {
		return nil, false, err
	}
	if list, err = s.opts.Store.ListEvents(ctx, tenant, store.EventsQuery{EventFilter: filter, After: f.After, Limit: limit + 1}); err != nil {
		return nil, false, err
	}
	list, truncated = bound.Cut(list, limit)
	return list, truncated, nil
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
	if err := s.checkValues(&limit, defaultFacetValues); err != nil {
		return nil, err
	}
	return s.opts.Store.EventFacets(ctx, tenant, store.EventFacetsQuery{EventFilter: filter, Limit: limit})
}
