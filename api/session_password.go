package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// PasswordReset is a link that sets a password, told once.
type PasswordReset struct {
	Login   string
	Token   string
	Expires time.Time
}

// Passwords is what the routes for passwords need of the directory.
type Passwords interface {
	// ChangePassword ends all the person's sessions and opens a new one.
	ChangePassword(ctx context.Context, sessionID, from, to string, client Client) (SessionGrant, error)
	// CreatePasswordReset makes the secret of a link; Forbidden for a person who is not the actor's alone.
	CreatePasswordReset(ctx context.Context, actor seamark.Principal, userID string) (PasswordReset, error)
	// ResetPassword uses it up and returns the login.
	ResetPassword(ctx context.Context, token, password, clientIP string) (login string, err error)
}

func (s *sessions) passwordRoutes() []httpx.Route {
	const path = "/api/v1/session/password"
	return []httpx.Route{
		{Method: http.MethodPut, Path: path, Permission: "session:read", HonoursScope: true, Action: "password.update", Handler: s.changePassword},
		{Method: http.MethodPost, Path: path + "/reset", Permission: httpx.Anonymous, Action: "password.reset", Handler: s.resetPassword},
		{Method: http.MethodPost, Path: "/api/v1/members/:id/password-reset", Permission: "owners:write", Action: "password.create-reset", Handler: s.createReset},
	}
}

type passwordRequest struct {
	OldPassword string `json:"old_password"`
	NewPassword string `json:"new_password"`
}

func (s *sessions) changePassword(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofPerson(r); err != nil {
		return err
	}
	var in passwordRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Object = "user/" + r.Principal.Login
	grant, err := s.Passwords.ChangePassword(r.Context(), r.Principal.CredentialID, in.OldPassword, in.NewPassword, clientOf(r))
	if err != nil {
		return err
	}
	return s.answer(w, r, grant, s.byCookie(r))
}

type resetRequest struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

type resetAnswer struct {
	Login string `json:"login"`
}

func (s *sessions) resetPassword(w http.ResponseWriter, r *httpx.Request) error {
	var in resetRequest
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Object = "user"
	login, err := s.Passwords.ResetPassword(r.Context(), in.Token, in.Password, r.ClientIP())
	if err != nil {
		return err
	}
	r.Change.Login, r.Change.Object = login, "user/"+login
	return httpx.WriteJSON(w, http.StatusOK, resetAnswer{login})
}

type resetLink struct {
	Login   string    `json:"login"`
	Token   string    `json:"token"`
	URL     string    `json:"url"`
	Expires time.Time `json:"expires_at"`
}

func (s *sessions) createReset(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "member/" + r.Param("id")
	if !r.Principal.Operator {
		if err := ofPerson(r); err != nil { // whoever has the link becomes the person: a machine must not make one
			return err
		}
	}
	reset, err := s.Passwords.CreatePasswordReset(r.Context(), r.Principal, r.Param("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	// The token stands behind #, so that browsers send it to nobody and no log has it.
	url := strings.TrimSuffix(s.ExternalURL, "/") + "/reset-password#" + reset.Token
	return httpx.WriteJSON(w, http.StatusCreated, resetLink{reset.Login, reset.Token, url, reset.Expires})
}
