// Package events searches the Kubernetes events of one tenant. It checks what is asked for and leaves the search to the
// store; package app hands it to the HTTP API.
package events

import (
	"context"
	"errors"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// DefaultLimit is how many events are listed when the caller does not say.
	DefaultLimit = 200
	// MaxLimit bounds one list. Without it a page of a busy tenant holds all of its events in memory.
	MaxLimit = 5000
	// maxTextBytes bounds a search text. Without it one request makes the store compare megabytes with every row.
	maxTextBytes = 1024
)

// Store is what the search reads from. It runs as the tenant's own database user; the returned slice belongs to the caller.
type Store interface {
	ListEvents(ctx context.Context, tenant seamark.TenantID, q store.EventsQuery) ([]seamark.Event, error)
}

// Options configures a Searcher.
type Options struct{ Store Store }

func (o *Options) validate() error {
	if o.Store == nil {
		return errors.New("events: Store is required")
	}
	return nil
}

// Searcher finds events. It is safe for concurrent use.
type Searcher struct{ store Store }

// New returns a searcher.
func New(o Options) (*Searcher, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Searcher{store: o.Store}, nil
}

// Filter selects events that happened last inside Range. Empty fields select everything; Text must stand in the message,
// the object or the reason, in any case of letters; the others must be equal.
type Filter struct {
	Range                                          seamark.TimeRange
	Cluster, Namespace, Kind, Object, Reason, Type string
	Text                                           string
	Limit                                          int // 0 means DefaultLimit
}

func (f *Filter) validate() error {
	if err := f.Range.Validate(); err != nil {
		return err
	}
	if f.Limit < 0 || f.Limit > MaxLimit {
		return seamark.Errorf(seamark.Invalid, "seamark-events-limit", "The limit %d is not between 1 and %d.", f.Limit, MaxLimit)
	}
	for _, field := range []struct{ name, text string }{
		{"cluster", f.Cluster},
		{"namespace", f.Namespace},
		{"kind", f.Kind},
		{"object", f.Object},
		{"reason", f.Reason},
		{"type", f.Type},
		{"text", f.Text},
	} {
		if len(field.text) > maxTextBytes {
			return seamark.Errorf(seamark.Invalid, "seamark-events-text", "The %s has %d bytes; the limit is %d.", field.name, len(field.text), maxTextBytes)
		}
	}
	return nil
}

// List returns the events that match as they were told last, newest first, and whether there are more than the limit.
// Errors are of kind Invalid for a filter out of bounds, or what the store says.
func (s *Searcher) List(ctx context.Context, tenant seamark.TenantID, f Filter) (list []seamark.Event, truncated bool, err error) {
	if err := f.validate(); err != nil {
		return nil, false, err
	}
	if f.Limit == 0 {
		f.Limit = DefaultLimit
	}
	list, err = s.store.ListEvents(ctx, tenant, store.EventsQuery{
		Range: f.Range, Cluster: f.Cluster, Namespace: f.Namespace, Kind: f.Kind, Object: f.Object, Reason: f.Reason, Type: f.Type,
		Text: f.Text, Limit: f.Limit + 1,
	})
	if err != nil {
		return nil, false, err
	}
	if len(list) > f.Limit {
		return list[:f.Limit], true, nil
	}
	return list, false, nil
}
