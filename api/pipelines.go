package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Pipelines are a tenant's log pipelines, in the order in which they run.
type Pipelines struct {
	Revision  uint64          `json:"revision"`   // what the next change must name; 0 before the first one
	Updated   *time.Time      `json:"updated_at"` // null before the first change
	Pipelines json.RawMessage `json:"pipelines"`  // docs/pipelines.md
}

// PipelineStep is what one step of a pipeline has done so far, on all nodes together.
type PipelineStep struct {
	Pipeline string `json:"pipeline"`
	Step     string `json:"step"`
	Kind     string `json:"kind"`
	In       uint64 `json:"in"`
	Changed  uint64 `json:"changed"`
	Dropped  uint64 `json:"dropped"`
	Errors   uint64 `json:"errors"`
	Nanos    uint64 `json:"nanoseconds"`
}

// PipelineNode is how far one ingest node has followed the pipelines.
type PipelineNode struct {
	Node     string    `json:"node"`
	Revision uint64    `json:"revision"`
	Updated  time.Time `json:"updated_at"`
	Fault    string    `json:"fault"` // why it goes on with an earlier revision; empty when it does not
}

// PipelineStats are the counters of a tenant's pipelines.
type PipelineStats struct {
	Steps []PipelineStep `json:"steps"`
	Nodes []PipelineNode `json:"nodes"`
}

// PipelineStore keeps and tries the tenants' log pipelines.
type PipelineStore interface {
	// FindPipelines returns the tenant's pipelines; an empty list when it has none.
	FindPipelines(ctx context.Context, tenant seamark.TenantID) (Pipelines, error)
	// SavePipelines checks definitions, a JSON array, and replaces the tenant's pipelines with them. Invalid names the
	// position of each fault; Conflict says that their revision is not the given one any more.
	SavePipelines(ctx context.Context, tenant seamark.TenantID, definitions []byte, revision uint64) (Pipelines, error)
	// TryPipeline runs the dry run that body describes, on records that go nowhere, and returns its report as JSON.
	TryPipeline(ctx context.Context, tenant seamark.TenantID, body []byte) (json.RawMessage, error)
	// PipelineStats returns the counters of all nodes.
	PipelineStats(ctx context.Context, tenant seamark.TenantID) (PipelineStats, error)
}

// PipelineRoutes returns the routes for log pipelines. A dry run needs the permission to write: it runs the caller's
// statements on an ingest node.
func PipelineRoutes(store PipelineStore) []httpx.Route {
	const path, read, write = "/api/v1/pipelines", "pipelines:read", "pipelines:write"
	h := pipelineHandlers{store}
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: path, Permission: write, Handler: h.save},
		{Method: http.MethodPost, Path: path + "/dry-run", Permission: write, Action: httpx.NoChange, Handler: h.try},
		{Method: http.MethodGet, Path: path + "/stats", Permission: read, Handler: h.stats},
	}
}

type pipelineHandlers struct{ store PipelineStore }

func (h pipelineHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.store.FindPipelines(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, httpx.RevisionTag(list.Revision), list)
}

func (h pipelineHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	var in struct {
		Revision  *uint64         `json:"revision"`
		Pipelines json.RawMessage `json:"pipelines"`
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	condition := r.Precondition()
	revision, err := h.expected(w, r, &condition, in.Revision)
	if err != nil {
		return err
	}
	if len(in.Pipelines) == 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-pipeline-body", "The body needs the field pipelines.")
	}
	r.Change.Object = "pipelines/" + string(r.Tenant())
	if now, ferr := h.store.FindPipelines(r.Context(), r.Tenant()); ferr == nil && now.Revision == revision {
		r.Change.Before = pipelineChange{now.Pipelines}
	}
	list, err := h.store.SavePipelines(r.Context(), r.Tenant(), in.Pipelines, revision)
	if err != nil {
		if now, ferr := h.store.FindPipelines(r.Context(), r.Tenant()); ferr == nil && condition.Given() {
			w.Header().Set("ETag", string(httpx.RevisionTag(now.Revision)))
		}
		return condition.Lost(err)
	}
	r.Change.After = pipelineChange{list.Pipelines}
	return httpx.WriteDocument(w, r, httpx.RevisionTag(list.Revision), list)
}

// pipelineChange is what the log of changes compares.
type pipelineChange struct {
	Pipelines json.RawMessage `json:"pipelines"`
}

// expected returns the revision that a change replaces: the one that the request's condition names, else the body's.
func (h pipelineHandlers) expected(w http.ResponseWriter, r *httpx.Request, condition *httpx.Precondition, inBody *uint64) (uint64, error) {
	if revision, ok := condition.Revision(); ok {
		return revision, nil
	}
	if condition.Given() {
		now, err := h.store.FindPipelines(r.Context(), r.Tenant())
		if err != nil {
			return 0, err
		}
		return now.Revision, condition.Check(w, httpx.RevisionTag(now.Revision))
	}
	if inBody == nil {
		return 0, seamark.Errorf(seamark.Invalid, "seamark-pipeline-body",
			"The change needs the header If-Match with the ETag that was read (If-None-Match: * when there are no pipelines yet), or the revision in the body.")
	}
	return *inBody, nil
}

func (h pipelineHandlers) try(w http.ResponseWriter, r *httpx.Request) error {
	body, err := httpx.ReadBody(r)
	if err != nil {
		return err
	}
	report, err := h.store.TryPipeline(r.Context(), r.Tenant(), body)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, report)
}

func (h pipelineHandlers) stats(w http.ResponseWriter, r *httpx.Request) error {
	stats, err := h.store.PipelineStats(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, stats)
}
