package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// CredentialUse is when, from where and by what a credential was last used.
type CredentialUse struct {
	At       time.Time `json:"at"`
	ClientIP string    `json:"ip"`
	Agent    string    `json:"agent"`
}

// Token is a token of a cluster, or one that queries or administers, without its secret.
type Token struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"` // ingest, query or admin
	Name     string         `json:"name"`
	Cluster  string         `json:"cluster_id"` // "" of tokens that do not push
	Signals  []string       `json:"signals"`
	Created  time.Time      `json:"created_at"`
	Expires  *time.Time     `json:"expires_at"` // null: never
	Revoked  *time.Time     `json:"revoked_at"` // null: not revoked
	Rotated  *time.Time     `json:"rotated_at"` // null: never
	OldUntil *time.Time     `json:"old_until"`  // until when the secret before the rotation is good, too
	LastUsed *CredentialUse `json:"last_used"`  // null: not within the last 90 days
}

// lasting implements partlyTagged: a token is used all the time.
func (t Token) lasting() any {
	t.LastUsed = nil
	return t
}

// TokenSpec is what a new token is made from.
type TokenSpec struct {
	Kind    string     `json:"kind"`
	Name    string     `json:"name,omitempty"`
	Cluster string     `json:"cluster_id,omitempty"`
	Signals []string   `json:"signals,omitempty"`
	Expires *time.Time `json:"expires_at,omitempty"`
}

// Tokens is what the token routes need of the directory. The secret texts are shown once and never stored.
type Tokens interface {
	ListTokens(ctx context.Context, tenant seamark.TenantID) ([]Token, error)
	// FindToken returns one of the tenant's tokens, also one that is over. The error is of kind NotFound, for API keys too.
	FindToken(ctx context.Context, tenant seamark.TenantID, id string) (Token, error)
	CreateToken(ctx context.Context, actor seamark.Principal, spec TokenSpec) (t Token, secret string, err error)
	RotateToken(ctx context.Context, actor seamark.Principal, id string, overlap time.Duration) (t Token, secret string, err error)
	// RevokeToken ends a token. check sees it first, within the compare-and-set; its error ends the change.
	RevokeToken(ctx context.Context, tenant seamark.TenantID, id string, check func(Token) error) error
}

type tokenHandlers struct{ tokens Tokens }

// TokenRoutes returns the routes for tokens.
func TokenRoutes(tokens Tokens) []httpx.Route {
	h := tokenHandlers{tokens}
	const all, one = "/api/v1/tokens", "/api/v1/tokens/:id"
	const read, write = "tokens:read", "tokens:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: write, Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: read, Handler: h.find},
		{Method: http.MethodDelete, Path: one, Permission: write, Handler: h.delete},
		{Method: http.MethodPost, Path: one + "/rotate", Permission: write, Action: "token.rotate", Creates: true, Handler: h.rotate},
	}
}

// ofTenant refuses operators, who hold some permissions on the platform and not in a tenant.
func ofTenant(r *httpx.Request) error {
	if r.Principal.Tenant != "" {
		return nil
	}
	return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing",
		"This belongs to a tenant, and operators belong to none. Use `seamark admin`, or invite an owner: POST /api/v1/tenants/{id}/invitations.")
}

func (h tokenHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	list, err := h.tokens.ListTokens(r.Context(), r.Tenant())
	if err != nil {
		return err
	}
	return writePage(w, r, list, func(t *Token) string { return sortableTime(t.Created) + t.ID })
}

func (h tokenHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	if err := ofTenant(r); err != nil {
		return err
	}
	token, err := h.tokens.FindToken(r.Context(), r.Tenant(), r.Param("id"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, token)
}

// sortableTime sorts as text like the time does.
func sortableTime(t time.Time) string { return t.UTC().Format("20060102150405.000000000 ") }

// writePage answers the page of a sorted list that the request asks for.
func writePage[T any](w http.ResponseWriter, r *httpx.Request, sorted []T, key func(*T) string) error {
	page, err := httpx.Paginate(r, sorted, key)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, page)
}

// createdToken is the one answer that has the secret.
type createdToken struct {
	Token
	Secret string `json:"secret"`
}

func (h tokenHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	var in TokenSpec
	if err := ofTenant(r); err != nil {
		return err
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	token, secret, err := h.tokens.CreateToken(r.Context(), r.Principal, in)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "token/"+token.ID, token
	return httpx.WriteJSON(w, http.StatusCreated, createdToken{token, secret})
}

// rotation is the body of every rotation.
type rotation struct {
	OverlapSeconds int64 `json:"overlap_seconds"`
}

// readRotation reads how long the old secret lives; an empty body ends it at once.
func readRotation(r *httpx.Request) (time.Duration, error) {
	var in rotation
	if r.ContentLength == 0 {
		return 0, nil
	}
	if err := httpx.ReadJSON(r, &in); err != nil {
		return 0, err
	}
	const most = 366 * 24 * 3600 // keeps the product from overflowing; the directory has the real limit
	if in.OverlapSeconds < 0 || in.OverlapSeconds > most {
		return 0, seamark.Errorf(seamark.Invalid, "seamark-token-overlap", "The overlap of %d seconds is not possible.", in.OverlapSeconds)
	}
	return time.Duration(in.OverlapSeconds) * time.Second, nil
}

func (h tokenHandlers) rotate(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "token/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	overlap, err := readRotation(r)
	if err != nil {
		return err
	}
	token, secret, err := h.tokens.RotateToken(r.Context(), r.Principal, r.Param("id"), overlap)
	if err != nil {
		return err
	}
	r.Change.After = token
	return httpx.WriteJSON(w, http.StatusOK, createdToken{token, secret})
}

func (h tokenHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "token/" + r.Param("id")
	if err := ofTenant(r); err != nil {
		return err
	}
	if err := h.tokens.RevokeToken(r.Context(), r.Tenant(), r.Param("id"), checkChange[Token](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
