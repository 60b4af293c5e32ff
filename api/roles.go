package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Permission is one entry of the closed list of what may be allowed.
type Permission struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Assignable  bool   `json:"assignable"` // whether a custom role or an API key may hold it
	Least       string `json:"least_role"` // the least built-in role that holds it; "" where none does
}

// Role is a named set of permissions.
type Role struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Permissions []string   `json:"permissions"`
	BuiltIn     bool       `json:"built_in"`
	Created     *time.Time `json:"created_at"` // null of built-in roles
	Updated     *time.Time `json:"updated_at"`
}

// RoleChange is what a custom role is made from or changed to.
type RoleChange struct {
	Name        string
	Description string
	Permissions []string
	// Check, when set, sees the role that is replaced, within the compare-and-set; its error ends the change.
	Check func(Role) error
}

// Roles is what the role routes need of the directory.
type Roles interface {
	ListRoles(ctx context.Context, tenant seamark.TenantID) ([]Role, error)
	FindRole(ctx context.Context, tenant seamark.TenantID, name string) (Role, error)
	CreateRole(ctx context.Context, actor seamark.Principal, c RoleChange) (Role, error)
	UpdateRole(ctx context.Context, actor seamark.Principal, c RoleChange) (Role, error)
	// DeleteRole removes a role; check is as in a RoleChange.
	DeleteRole(ctx context.Context, actor seamark.Principal, name string, check func(Role) error) error
}

type roleHandlers struct {
	roles       Roles
	permissions []Permission
}

// RoleRoutes returns the routes for roles and the list of permissions that they are made of.
func RoleRoutes(roles Roles, permissions []Permission) []httpx.Route {
	h := roleHandlers{roles, permissions}
	const all, one = "/api/v1/roles", "/api/v1/roles/:name"
	const read, write = "roles:read", "roles:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: "/api/v1/permissions", Permission: read, HonoursScope: true, Handler: h.listPermissions},
		{Method: http.MethodGet, Path: all, Permission: read, HonoursScope: true, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: write, Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, HonoursScope: true, Handler: h.find},
		{Method: http.MethodPut, Path: one, Permission: write, Handler: h.update},
		{Method: http.MethodDelete, Path: one, Permission: write, Handler: h.delete},
	}
}

func (h roleHandlers) listPermissions(w http.ResponseWriter, _ *httpx.Request) error {
	return httpx.WriteJSON(w, http.StatusOK, httpx.List[Permission]{Items: h.permissions})
}

// list answers with the built-in roles first; there are at most 54 in all.
func (h roleHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.roles.ListRoles(r.Context(), r.Principal.Tenant)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, httpx.List[Role]{Items: list})
}

func (h roleHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	role, err := h.roles.FindRole(r.Context(), r.Principal.Tenant, pathName(r, "name"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, role)
}

type roleBody struct {
	Name        string   `json:"name,omitempty"`
	Description string   `json:"description,omitempty"`
	Permissions []string `json:"permissions"`
}

func (h roleHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	var in roleBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Object = "role/" + in.Name
	role, err := h.roles.CreateRole(r.Context(), r.Principal, RoleChange{Name: in.Name, Description: in.Description, Permissions: in.Permissions})
	if err != nil {
		return err
	}
	r.Change.After = role
	return writeTagged(w, r, http.StatusCreated, role)
}

func (h roleHandlers) update(w http.ResponseWriter, r *httpx.Request) error {
	var in roleBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	name := pathName(r, "name")
	r.Change.Object = "role/" + name
	if in.Name != "" && in.Name != name {
		return seamark.Errorf(seamark.Invalid, "seamark-role-invalid", "A role cannot be renamed: the path says %q, the body %q.", name, in.Name)
	}
	role, err := h.roles.UpdateRole(r.Context(), r.Principal, RoleChange{
		Name: name, Description: in.Description, Permissions: in.Permissions, Check: checkChange[Role](w, r),
	})
	if err != nil {
		return err
	}
	r.Change.After = role
	return writeTagged(w, r, http.StatusOK, role)
}

func (h roleHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	name := pathName(r, "name")
	r.Change.Object = "role/" + name
	if err := h.roles.DeleteRole(r.Context(), r.Principal, name, checkChange[Role](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
