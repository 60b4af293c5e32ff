package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// accessRoutes returns the routes for who may do what in a tenant.
func (a *App) accessRoutes() []httpx.Route {
	d := accessAPI{a.directory}
	var permissions []api.Permission
	for _, p := range tenant.ListPermissions() {
		permissions = append(permissions, api.Permission{Name: p.Name, Description: p.Description, Assignable: p.Assignable, Least: string(p.Least)})
	}
	routes := api.RoleRoutes(d, permissions)
	routes = append(routes, api.MemberRoutes(d)...)
	routes = append(routes, api.InvitationRoutes(d, d)...)
	routes = append(routes, api.KeyRoutes(d)...)
	return append(routes, api.TokenRoutes(d)...)
}

// accessAPI shows the part of the directory that is about access in the API's words.
type accessAPI struct{ directory *tenant.Directory }

// ListRoles implements api.Roles.
func (a accessAPI) ListRoles(ctx context.Context, id seamark.TenantID) ([]api.Role, error) {
	var list []api.Role
	for _, r := range a.directory.ListRoles(ctx, id) {
		list = append(list, roleOf(r))
	}
	return list, nil
}

func roleOf(r tenant.Role) api.Role {
	out := api.Role{
		Name: string(r.Name), Description: r.Description, Permissions: r.Permissions, BuiltIn: r.BuiltIn,
		Created: timeOrNull(r.Created), Updated: timeOrNull(r.Updated),
	}
	if out.Permissions == nil {
		out.Permissions = []string{}
	}
	return out
}

// timeOrNull returns nil for the zero time.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// FindRole implements api.Roles.
func (a accessAPI) FindRole(ctx context.Context, id seamark.TenantID, name string) (api.Role, error) {
	r, err := a.directory.FindRole(ctx, id, seamark.Role(name))
	return roleOf(r), err
}

// CreateRole implements api.Roles.
func (a accessAPI) CreateRole(ctx context.Context, actor seamark.Principal, c api.RoleChange) (api.Role, error) {
	r, err := a.directory.CreateRole(ctx, actor, roleSpecOf(c))
	return roleOf(r), err
}

func roleSpecOf(c api.RoleChange) tenant.RoleSpec {
	spec := tenant.RoleSpec{Name: seamark.Role(c.Name), Description: c.Description, Permissions: c.Permissions}
	if c.Check != nil {
		spec.Check = func(old tenant.Role) error { return c.Check(roleOf(old)) }
	}
	return spec
}

// UpdateRole implements api.Roles.
func (a accessAPI) UpdateRole(ctx context.Context, actor seamark.Principal, c api.RoleChange) (api.Role, error) {
	r, err := a.directory.UpdateRole(ctx, actor, roleSpecOf(c))
	return roleOf(r), err
}

// DeleteRole implements api.Roles.
func (a accessAPI) DeleteRole(ctx context.Context, actor seamark.Principal, name string, check func(api.Role) error) error {
	return a.directory.DeleteRole(ctx, actor, seamark.Role(name), func(old tenant.Role) error { return check(roleOf(old)) })
}

// ListMembers implements api.Members.
func (a accessAPI) ListMembers(ctx context.Context, id seamark.TenantID) ([]api.Member, error) {
	var list []api.Member
	for _, m := range a.directory.ListMembers(ctx, id) {
		list = append(list, memberOf(m))
	}
	return list, nil
}

func memberOf(m tenant.Member) api.Member {
	return api.Member{ID: string(m.User), Login: m.Login, Role: string(m.Role), Restriction: m.Only}
}

// FindMember implements api.Members.
func (a accessAPI) FindMember(ctx context.Context, id seamark.TenantID, user string) (api.Member, error) {
	m, err := a.directory.FindMember(ctx, id, tenant.UserID(user))
	return memberOf(m), err
}

// SetMember implements api.Members.
func (a accessAPI) SetMember(ctx context.Context, actor seamark.Principal, user string, c api.MemberChange) (api.Member, error) {
	spec := tenant.MemberSpec{Role: seamark.Role(c.Role), Only: narrowing(c.Restriction)}
	if c.Check != nil {
		spec.Check = func(old tenant.Member) error { return c.Check(memberOf(old)) }
	}
	m, err := a.directory.SetMember(ctx, actor, actor.Tenant, tenant.UserID(user), spec)
	return memberOf(m), err
}

// narrowing turns a restriction to everything into none.
func narrowing(r *seamark.Restriction) *seamark.Restriction {
	if !r.Narrows() {
		return nil
	}
	return r
}

// RemoveMember implements api.Members.
func (a accessAPI) RemoveMember(ctx context.Context, actor seamark.Principal, user string, check func(api.Member) error) error {
	return a.directory.RemoveMember(ctx, actor, actor.Tenant, tenant.UserID(user), func(old tenant.Member) error { return check(memberOf(old)) })
}

// ListInvitations implements api.Invitations.
func (a accessAPI) ListInvitations(ctx context.Context, id seamark.TenantID) ([]api.Invitation, error) {
	var list []api.Invitation
	for _, i := range a.directory.ListInvitations(ctx, id) {
		list = append(list, invitationOf(i))
	}
	return list, nil
}

func invitationOf(i tenant.Invitation) api.Invitation {
	return api.Invitation{
		ID: i.ID, Email: i.Email, Role: string(i.Role), Restriction: i.Only, InvitedBy: i.InvitedBy, Created: i.Created, Expires: i.Expires,
		Accepted: timeOrNull(i.Accepted), AcceptedBy: i.AcceptedBy, Revoked: timeOrNull(i.Revoked),
	}
}

// CreateInvitation implements api.Invitations.
func (a accessAPI) CreateInvitation(ctx context.Context, actor seamark.Principal, id seamark.TenantID, spec api.InvitationSpec) (api.Invitation, string, error) {
	i, token, err := a.directory.CreateInvitation(ctx, actor, id, tenant.InvitationSpec{
		Email: spec.Email, Role: seamark.Role(spec.Role), Only: narrowing(spec.Restriction), Expire: time.Duration(spec.ExpiresSeconds) * time.Second,
	})
	return invitationOf(i), token, err
}

// ResendInvitation implements api.Invitations.
func (a accessAPI) ResendInvitation(ctx context.Context, actor seamark.Principal, invitation string) (api.Invitation, string, error) {
	i, token, err := a.directory.ResendInvitation(ctx, actor, actor.Tenant, invitation)
	return invitationOf(i), token, err
}

// RevokeInvitation implements api.Invitations.
func (a accessAPI) RevokeInvitation(ctx context.Context, id seamark.TenantID, invitation string) error {
	return a.directory.RevokeInvitation(ctx, id, invitation)
}

// FindOffer implements api.Acceptor.
func (a accessAPI) FindOffer(ctx context.Context, token, clientIP string) (api.Offer, error) {
	offer, err := a.directory.FindOffer(ctx, token, clientIP)
	if err != nil {
		return api.Offer{}, err
	}
	t, err := a.directory.FindTenant(ctx, offer.Tenant)
	return api.Offer{Tenant: t.Name, Email: offer.Email, Role: string(offer.Role), Known: offer.Known, Expires: offer.Expires}, err
}

// AcceptInvitation implements api.Acceptor.
func (a accessAPI) AcceptInvitation(ctx context.Context, c api.Acceptance) (string, seamark.TenantID, error) {
	m, err := a.directory.AcceptInvitation(ctx, tenant.Acceptance(c))
	return m.Login, m.Tenant, err
}
