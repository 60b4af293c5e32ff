package api

import (
	"context"
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Member is a person in a tenant.
type Member struct {
	ID          string               `json:"id"`
	Login       string               `json:"login"`
	Role        string               `json:"role"`
	Restriction *seamark.Restriction `json:"restriction"` // null: the whole tenant
}

// MemberChange is what a membership is changed to.
type MemberChange struct {
	Role        string
	Restriction *seamark.Restriction
	// Check, when set, sees the member that is changed, within the compare-and-set; its error ends the change.
	Check func(Member) error
}

// Members is what the member routes need of the directory.
type Members interface {
	ListMembers(ctx context.Context, tenant seamark.TenantID) ([]Member, error)
	FindMember(ctx context.Context, tenant seamark.TenantID, id string) (Member, error)
	SetMember(ctx context.Context, actor seamark.Principal, id string, c MemberChange) (Member, error)
	// RemoveMember ends a membership; check is as in a MemberChange.
	RemoveMember(ctx context.Context, actor seamark.Principal, id string, check func(Member) error) error
}

type memberHandlers struct{ members Members }

// MemberRoutes returns the routes for members.
func MemberRoutes(members Members) []httpx.Route {
	h := memberHandlers{members}
	const all, one = "/api/v1/members", "/api/v1/members/:id"
	const read, write = "members:read", "members:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, Handler: h.list},
		{Method: http.MethodGet, Path: one, Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: one, Permission: write, Handler: h.update},
		{Method: http.MethodDelete, Path: one, Permission: write, Handler: h.delete},
	}
}

func (h memberHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	list, err := h.members.ListMembers(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return writePage(w, r, list, func(m *Member) string { return m.Login })
}

func (h memberHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	m, err := h.members.FindMember(r.Context(), r.Tenant(), r.Param("id"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, m)
}

type memberBody struct {
	Role        string               `json:"role"`
	Restriction *seamark.Restriction `json:"restriction,omitempty"`
}

func (h memberHandlers) update(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "member/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	var in memberBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	m, err := h.members.SetMember(r.Context(), r.Principal, r.Param("id"), MemberChange{
		Role: in.Role, Restriction: in.Restriction, Check: checkChange[Member](w, r),
	})
	if err != nil {
		return err
	}
	r.Change.After = m
	return writeTagged(w, r, http.StatusOK, m)
}

func (h memberHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "member/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	if err := h.members.RemoveMember(r.Context(), r.Principal, r.Param("id"), checkChange[Member](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
