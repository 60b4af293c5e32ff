package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Device is one of a person's sessions, as they see it.
type Device struct {
	ID       string           `json:"id"`
	Current  bool             `json:"current"` // whether the request was made in it
	Tenant   *sessionTenant   `json:"tenant"`
	Created  time.Time        `json:"created_at"`
	LastUsed time.Time        `json:"last_used_at"`
	Ends     time.Time        `json:"ends_at"`
	Way      string           `json:"way"`
	IP       string           `json:"ip"`
	Agent    string           `json:"agent"`
	TenantID seamark.TenantID `json:"-"`
}

// Devices is what the list of a person's sessions needs of the directory.
type Devices interface {
	ListSessions(ctx context.Context, login string) []Device
	// EndSession ends one session of a person; NotFound when it is not theirs.
	EndSession(ctx context.Context, login, sessionID string) error
	// EndSessions ends all sessions of a person.
	EndSessions(ctx context.Context, login string) error
	// EndMemberSessions ends a member's sessions for the actor's tenant.
	EndMemberSessions(ctx context.Context, actor seamark.Principal, userID string) error
}

func (s *sessions) deviceRoutes() []httpx.Route {
	const path, read = "/api/v1/sessions", "session:read"
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: read, HonoursScope: true, Handler: s.list},
		{Method: http.MethodDelete, Path: path, Permission: read, HonoursScope: true, Action: "session.end-all", Handler: s.endAll},
		{Method: http.MethodDelete, Path: path + "/:id", Permission: read, HonoursScope: true, Action: "session.end", Handler: s.endOne},
		{Method: http.MethodDelete, Path: "/api/v1/members/:id/sessions", Permission: "members:write", Action: "member.end-sessions", Handler: s.endMembers},
	}
}

func (s *sessions) list(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	list := s.Devices.ListSessions(r.Context(), r.Principal.Login)
	for i := range list {
		d := &list[i]
		d.Current = d.ID == r.Principal.CredentialID
		if d.TenantID == "" {
			continue
		}
		slug, name, err := s.Tenants.TenantName(r.Context(), d.TenantID)
		if seamark.KindOf(err) == seamark.NotFound && err != nil {
			continue // deleted since
		}
		if err != nil {
			return err
		}
		d.Tenant = &sessionTenant{ID: string(d.TenantID), Slug: slug, Name: name}
	}
	return httpx.WriteJSON(w, http.StatusOK, httpx.List[Device]{Items: list}) // the directory bounds them to 20
}

func (s *sessions) endAll(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	r.Change.Object = "session/all"
	if err := s.Devices.EndSessions(r.Context(), r.Principal.Login); err != nil {
		return err
	}
	s.clearCookies(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *sessions) endOne(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	if err := s.Devices.EndSession(r.Context(), r.Principal.Login, r.Param("id")); err != nil {
		return err
	}
	if r.Param("id") == r.Principal.CredentialID {
		s.clearCookies(w)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *sessions) endMembers(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "member/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	if err := s.Devices.EndMemberSessions(r.Context(), r.Principal, r.Param("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
