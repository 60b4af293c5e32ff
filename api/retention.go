package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// RetentionSet is how long a tenant has its data stay.
type RetentionSet struct {
	Signals map[string]int    `json:"signals"` // days by signal; what is absent is the installation's own
	Streams []StreamRetention `json:"streams"`
}

// StreamRetention ends streams or series earlier than the rest of their signal.
type StreamRetention struct {
	Signal   string `json:"signal"`
	Selector string `json:"selector"`
	Days     int    `json:"days"`
}

// SignalRetention is what the store does for one signal.
type SignalRetention struct {
	Signal string `json:"signal"`
	Days   int    `json:"days"` // that hold
	Set    bool   `json:"set"`  // by the tenant; else the installation's own
	// Enforced is what the tables say now, 0 while the tenant has none; another number than Days until the next round.
	Enforced int `json:"enforced_days"`
	// Partition is how many days go together: a row is gone when its whole partition is old enough, so at most as many days
	// later than Days says, and Lag later for the round that does it.
	Partition int        `json:"partition_days"`
	Lag       int        `json:"lag_seconds"`
	Oldest    *time.Time `json:"oldest_at"`    // time of the oldest row there is; null without rows
	OldestOut *time.Time `json:"oldest_until"` // when that row goes at the latest
}

// StreamRetentionState is a rule with what it has done.
type StreamRetentionState struct {
	StreamRetention
	Rows uint64     `json:"deleted_rows"` // since the rule was set
	Ran  *time.Time `json:"ran_at"`       // the last round; null before the first
	// Fault is why the last round did not do it; empty when it did.
	Fault string `json:"fault"`
}

// Retention is how long a tenant's data stays.
type Retention struct {
	MaxDays int                    `json:"max_days"`
	Set     RetentionSet           `json:"set"`
	Signals []SignalRetention      `json:"signals"`
	Streams []StreamRetentionState `json:"streams"`
}

// Retentions keeps how long tenants' data stays.
type Retentions interface {
	FindRetention(ctx context.Context, tenant seamark.TenantID) (Retention, error)
	// SaveRetention replaces what was set, unless accept refuses what it replaces, which is compare-and-set. Invalid names what
	// is wrong; nothing is changed then.
	SaveRetention(ctx context.Context, tenant seamark.TenantID, set RetentionSet, accept func(now RetentionSet) error) error
}

// RetentionRoutes returns the routes for retention.
func RetentionRoutes(retentions Retentions) []httpx.Route {
	h := retentionHandlers{retentions}
	const path = "/api/v1/retention"
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: "retention:read", Handler: h.find},
		{Method: http.MethodPut, Path: path, Permission: "retention:write", Handler: h.save},
	}
}

type retentionHandlers struct{ retentions Retentions }

func (h retentionHandlers) find(w http.ResponseWriter, r *httpx.Request) error { return h.show(w, r) }

// show answers with the retention. Its ETag is that of what was set: what there is changes all the time.
func (h retentionHandlers) show(w http.ResponseWriter, r *httpx.Request) error {
	found, err := h.retentions.FindRetention(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	tag, err := httpx.ContentTag(found.Set)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", string(tag))
	return httpx.WriteJSON(w, http.StatusOK, found)
}

func (h retentionHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	var set RetentionSet
	if err := httpx.ReadJSON(r, &set); err != nil {
		return err
	}
	condition := r.Precondition()
	r.Change.Object, r.Change.After = "retention/"+string(r.Tenant()), set
	err := h.retentions.SaveRetention(r.Context(), r.Tenant(), set, func(now RetentionSet) error {
		r.Change.Before = now
		tag, err := httpx.ContentTag(now)
		if err != nil {
			return err
		}
		return condition.Check(w, tag)
	})
	if err != nil {
		return err
	}
	return h.show(w, r)
}
