package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Invitation is an offer to become a member, without its token.
type Invitation struct {
	ID          string               `json:"id"`
	Email       string               `json:"email"` // "": whoever has the link
	Role        string               `json:"role"`
	Restriction *seamark.Restriction `json:"restriction"`
	InvitedBy   string               `json:"invited_by"`
	Created     time.Time            `json:"created_at"`
	Expires     time.Time            `json:"expires_at"`
	Accepted    *time.Time           `json:"accepted_at"`
	AcceptedBy  string               `json:"accepted_by"`
	Revoked     *time.Time           `json:"revoked_at"`
}

// InvitationSpec is what an invitation is made from.
type InvitationSpec struct {
	Email          string               `json:"email,omitempty"`
	Role           string               `json:"role"`
	Restriction    *seamark.Restriction `json:"restriction,omitempty"`
	ExpiresSeconds int64                `json:"expires_seconds,omitempty"` // 0: 7 days
}

// Offer is what an invitation's token tells.
type Offer struct {
	Tenant  string    `json:"tenant"`
	Email   string    `json:"email"`
	Role    string    `json:"role"`
	Known   bool      `json:"known"` // the invited address has a user, whose password accepts
	Expires time.Time `json:"expires_at"`
}

// Acceptance is the answer to an offer.
type Acceptance struct {
	Token, Login, Password, ClientIP string
	// Member is the person who is signed in, if one is.
	Member seamark.Principal
}

// Invitations is what the routes for invitations need of the directory. Tokens are shown once and never stored.
type Invitations interface {
	ListInvitations(ctx context.Context, tenant seamark.TenantID) ([]Invitation, error)
	CreateInvitation(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, spec InvitationSpec) (i Invitation, token string, err error)
	ResendInvitation(ctx context.Context, actor seamark.Principal, id string) (i Invitation, token string, err error)
	RevokeInvitation(ctx context.Context, tenant seamark.TenantID, id string) error
}

// Acceptor answers those who have an invitation's token. Its limits hold for the client's address.
type Acceptor interface {
	FindOffer(ctx context.Context, token, clientIP string) (Offer, error)
	// AcceptInvitation returns the login that became a member, and of which tenant.
	AcceptInvitation(ctx context.Context, a Acceptance) (login string, tenant seamark.TenantID, err error)
}

type invitationHandlers struct {
	invitations Invitations
	acceptor    Acceptor
}

// InvitationRoutes returns the routes for invitations.
func InvitationRoutes(invitations Invitations, acceptor Acceptor) []httpx.Route {
	h := invitationHandlers{invitations, acceptor}
	const all, one, write = "/api/v1/invitations", "/api/v1/invitations/:id", "members:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: write, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: write, Action: "invitation.create", Creates: true, Handler: h.create},
		{Method: http.MethodDelete, Path: one, Permission: write, Action: "invitation.delete", Handler: h.delete},
		{Method: http.MethodPost, Path: one + "/resend", Permission: write, Action: "invitation.resend", Creates: true, Handler: h.resend},
		{Method: http.MethodPost, Path: "/api/v1/tenants/:id/invitations", Permission: "tenants:write", Action: "invitation.create", Creates: true, Handler: h.createFor},
		{Method: http.MethodPost, Path: all + "/offer", Permission: httpx.Anonymous, Action: httpx.NoChange, Handler: h.offer},
		{Method: http.MethodPost, Path: all + "/accept", Permission: httpx.Anonymous, Action: "invitation.accept", Handler: h.accept},
		{Method: http.MethodPost, Path: all + "/join", Permission: "session:read", HonoursScope: true, Action: "invitation.accept", Handler: h.join},
	}
}

func (h invitationHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	list, err := h.invitations.ListInvitations(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return writePage(w, r, list, func(i *Invitation) string { return sortableTime(i.Created) + i.ID })
}

// createdInvitation is the one answer that has the token.
type createdInvitation struct {
	Invitation
	Token string `json:"token"`
}

func (h invitationHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	return h.invite(w, r, r.Tenant())
}

// createFor is how an operator invites a tenant's first owner.
func (h invitationHandlers) createFor(w http.ResponseWriter, r *httpx.Request) error {
	tenant, err := tenantParam(r)
	if err != nil {
		return err
	}
	r.Change.Tenant = tenant
	return h.invite(w, r, tenant)
}

func (h invitationHandlers) invite(w http.ResponseWriter, r *httpx.Request, tenant seamark.TenantID) error {
	var in InvitationSpec
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	invitation, token, err := h.invitations.CreateInvitation(r.Context(), r.Principal, tenant, in)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "invitation/"+invitation.ID, invitation
	return httpx.WriteJSON(w, http.StatusCreated, createdInvitation{invitation, token})
}

func (h invitationHandlers) resend(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "invitation/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	invitation, token, err := h.invitations.ResendInvitation(r.Context(), r.Principal, r.Param("id"))
	if err != nil {
		return err
	}
	r.Change.After = invitation
	return httpx.WriteJSON(w, http.StatusOK, createdInvitation{invitation, token})
}

func (h invitationHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "invitation/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	if err := h.invitations.RevokeInvitation(r.Context(), r.Tenant(), r.Param("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type acceptBody struct {
	Token    string `json:"token"`
	Login    string `json:"login,omitempty"`
	Password string `json:"password,omitempty"`
}

// offer is a POST, because what stands in a URL ends up in logs.
func (h invitationHandlers) offer(w http.ResponseWriter, r *httpx.Request) error {
	var in struct {
		Token string `json:"token"`
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	offer, err := h.acceptor.FindOffer(r.Context(), in.Token, r.ClientIP())
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, offer)
}

// joined tells whom the invitation made a member; they sign in next.
type joined struct {
	Login string `json:"login"`
}

func (h invitationHandlers) accept(w http.ResponseWriter, r *httpx.Request) error {
	var in acceptBody
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Login = in.Login
	return h.answer(w, r, Acceptance{Token: in.Token, Login: in.Login, Password: in.Password, ClientIP: r.ClientIP()})
}

// join is accept for who is signed in: a person, for a machine cannot be a member.
func (h invitationHandlers) join(w http.ResponseWriter, r *httpx.Request) error {
	if r.Principal.Kind != seamark.Session || r.Principal.Operator {
		return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing", "Only a person of a tenant who is signed in accepts an invitation this way.")
	}
	var in struct {
		Token string `json:"token"`
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	return h.answer(w, r, Acceptance{Token: in.Token, ClientIP: r.ClientIP(), Member: r.Principal})
}

func (h invitationHandlers) answer(w http.ResponseWriter, r *httpx.Request, a Acceptance) error {
	login, tenant, err := h.acceptor.AcceptInvitation(r.Context(), a)
	if err != nil {
		return err
	}
	r.Change.Tenant, r.Change.Object = tenant, "member/"+login
	return httpx.WriteJSON(w, http.StatusOK, joined{login})
}
