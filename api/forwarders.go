package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Forwarder is a tenant's forwarder, without the values of its secrets.
type Forwarder struct {
	Name     string
	Revision uint64
	Document json.RawMessage // docs/forwarders.md
}

// MarshalJSON returns the document.
func (f Forwarder) MarshalJSON() ([]byte, error) { return f.Document, nil }

// ForwarderStore keeps and tries the tenants' forwarders.
type ForwarderStore interface {
	// ListForwarders returns the tenant's forwarders by name.
	ListForwarders(ctx context.Context, tenant seamark.TenantID) ([]Forwarder, error)
	// FindForwarder returns one; NotFound when there is none.
	FindForwarder(ctx context.Context, tenant seamark.TenantID, name string) (Forwarder, error)
	// SaveForwarder creates or replaces one. Where revision is told, it must be that of the stored one, 0 for none: else the
	// error is of kind Conflict.
	SaveForwarder(ctx context.Context, tenant seamark.TenantID, name string, document []byte, revision *uint64) (Forwarder, error)
	// DeleteForwarder removes one for good; revision is as of SaveForwarder.
	DeleteForwarder(ctx context.Context, tenant seamark.TenantID, name string, revision *uint64) error
	// ForwarderReports tells of one at work.
	ForwarderReports
}

// ForwarderReports tells of forwarders at work, as JSON.
type ForwarderReports interface {
	// TestForwarder sends one made-up row and returns when the target has it; Unprocessable with what the target said.
	TestForwarder(ctx context.Context, tenant seamark.TenantID, name string) (json.RawMessage, error)
	// ForwarderStatus returns lag, counters and the last error.
	ForwarderStatus(ctx context.Context, tenant seamark.TenantID, name string) (json.RawMessage, error)
}

// ForwarderRoutes returns the routes for forwarders. A test needs the permission to write: it sends something.
func ForwarderRoutes(store ForwarderStore) []httpx.Route {
	const path, read, write = "/api/v1/forwarders", "forwarders:read", "forwarders:write"
	h := forwarderHandlers{store}
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, Handler: h.list},
		{Method: http.MethodGet, Path: path + "/:name", Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: path + "/:name", Permission: write, Handler: h.save},
		{Method: http.MethodDelete, Path: path + "/:name", Permission: write, Handler: h.remove},
		{Method: http.MethodPost, Path: path + "/:name/test", Permission: write, Action: httpx.NoChange, Handler: h.test},
		{Method: http.MethodGet, Path: path + "/:name/status", Permission: read, Handler: h.status},
	}
}

type forwarderHandlers struct{ store ForwarderStore }

func (h forwarderHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	all, err := h.store.ListForwarders(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	page, err := httpx.Paginate(r, all, func(f *Forwarder) string { return f.Name })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

func (h forwarderHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	f, err := h.store.FindForwarder(r.Context(), r.Tenant(), r.Param("name"))
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, httpx.RevisionTag(f.Revision), f)
}

func (h forwarderHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	body, err := httpx.ReadBody(r)
	if err != nil {
		return err
	}
	condition := r.Precondition()
	revision, err := h.expected(w, r, &condition)
	if err != nil {
		return err
	}
	if now, ferr := h.store.FindForwarder(r.Context(), r.Tenant(), r.Param("name")); ferr == nil {
		r.Change.Before = now
	}
	f, err := h.store.SaveForwarder(r.Context(), r.Tenant(), r.Param("name"), body, revision)
	if err != nil {
		return condition.Lost(err)
	}
	r.Change.After = f
	return httpx.WriteDocument(w, r, httpx.RevisionTag(f.Revision), f)
}

// expected returns the revision that the request's condition asks for, nil when it has none.
func (h forwarderHandlers) expected(w http.ResponseWriter, r *httpx.Request, condition *httpx.Precondition) (*uint64, error) {
	if revision, ok := condition.Revision(); ok {
		return &revision, nil
	}
	if !condition.Given() {
		return nil, nil //nolint:nilnil // no condition is the normal case
	}
	f, err := h.store.FindForwarder(r.Context(), r.Tenant(), r.Param("name"))
	if err != nil && seamark.KindOf(err) != seamark.NotFound {
		return nil, err
	}
	return &f.Revision, condition.Check(w, httpx.RevisionTag(f.Revision))
}

func (h forwarderHandlers) remove(w http.ResponseWriter, r *httpx.Request) error {
	condition := r.Precondition()
	revision, err := h.expected(w, r, &condition)
	if err != nil {
		return err
	}
	if now, ferr := h.store.FindForwarder(r.Context(), r.Tenant(), r.Param("name")); ferr == nil {
		r.Change.Before = now
	}
	if err := h.store.DeleteForwarder(r.Context(), r.Tenant(), r.Param("name"), revision); err != nil {
		return condition.Lost(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (h forwarderHandlers) test(w http.ResponseWriter, r *httpx.Request) error {
	return answer(w, r, h.store.TestForwarder)
}

func (h forwarderHandlers) status(w http.ResponseWriter, r *httpx.Request) error {
	return answer(w, r, h.store.ForwarderStatus)
}

// answer writes what ask tells of the forwarder that the path names.
func answer(w http.ResponseWriter, r *httpx.Request, ask func(context.Context, seamark.TenantID, string) (json.RawMessage, error)) error {
	report, err := ask(r.Context(), r.Tenant(), r.Param("name"))
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, report)
}
