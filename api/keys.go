package api

import (
	"context"
	"net/http"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Key is an API key without its secret.
type Key struct {
	ID          string               `json:"id"`
	Name        string               `json:"name"`
	Description string               `json:"description"`
	Owner       string               `json:"owner"` // login of the person whose key it is; "" of a machine's
	Role        string               `json:"role"`  // "" where it has permissions instead
	Permissions []string             `json:"permissions"`
	Restriction *seamark.Restriction `json:"restriction"` // null: the whole tenant
	CreatedBy   string               `json:"created_by"`
	Created     time.Time            `json:"created_at"`
	Expires     *time.Time           `json:"expires_at"`
	Revoked     *time.Time           `json:"revoked_at"`
	Rotated     *time.Time           `json:"rotated_at"`
	OldUntil    *time.Time           `json:"old_until"`
	LastUsed    *CredentialUse       `json:"last_used"`
}

// lasting implements partlyTagged: a key is used all the time.
func (k Key) lasting() any {
	k.LastUsed = nil
	return k
}

// KeySpec is what a new API key is made from.
type KeySpec struct {
	Name        string               `json:"name"`
	Description string               `json:"description,omitempty"`
	Personal    bool                 `json:"personal,omitempty"`
	Role        string               `json:"role,omitempty"`
	Permissions []string             `json:"permissions,omitempty"`
	Restriction *seamark.Restriction `json:"restriction,omitempty"`
	Expires     *time.Time           `json:"expires_at,omitempty"`
}

// Keys is what the routes for API keys need of the directory. They see what the actor may see: its own keys, or all.
type Keys interface {
	ListKeys(ctx context.Context, actor seamark.Principal) ([]Key, error)
	FindKey(ctx context.Context, actor seamark.Principal, id string) (Key, error)
	CreateKey(ctx context.Context, actor seamark.Principal, spec KeySpec) (k Key, secret string, err error)
	RotateKey(ctx context.Context, actor seamark.Principal, id string, overlap time.Duration) (k Key, secret string, err error)
	// RevokeKey ends a key. check sees it first, within the compare-and-set; its error ends the change.
	RevokeKey(ctx context.Context, actor seamark.Principal, id string, check func(Key) error) error
}

type keyHandlers struct{ keys Keys }

// KeyRoutes returns the routes for API keys. They name the permission for one's own keys; the directory asks for more where
// a key is somebody else's.
func KeyRoutes(keys Keys) []httpx.Route {
	h := keyHandlers{keys}
	const all, one, own = "/api/v1/keys", "/api/v1/keys/:id", "keys:own"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: own, HonoursScope: true, Handler: h.list},
		{Method: http.MethodPost, Path: all, Permission: own, HonoursScope: true, Creates: true, Handler: h.create},
		{Method: http.MethodGet, Path: one, Permission: own, HonoursScope: true, Handler: h.find},
		{Method: http.MethodDelete, Path: one, Permission: own, HonoursScope: true, Handler: h.delete},
		{Method: http.MethodPost, Path: one + "/rotate", Permission: own, HonoursScope: true, Action: "key.rotate", Creates: true, Handler: h.rotate},
	}
}

func (h keyHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := h.keys.ListKeys(r.Context(), r.Principal)
	if err != nil {
		return err
	}
	return writePage(w, r, list, func(k *Key) string { return sortableTime(k.Created) + k.ID })
}

func (h keyHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	key, err := h.keys.FindKey(r.Context(), r.Principal, r.Param("id"))
	if err != nil {
		return err
	}
	return writeTagged(w, r, http.StatusOK, key)
}

// createdKey is the one answer that has the secret.
type createdKey struct {
	Key
	Secret string `json:"secret"`
}

func (h keyHandlers) create(w http.ResponseWriter, r *httpx.Request) error {
	var in KeySpec
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	key, secret, err := h.keys.CreateKey(r.Context(), r.Principal, in)
	if err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "key/"+key.ID, key
	return httpx.WriteJSON(w, http.StatusCreated, createdKey{key, secret})
}

func (h keyHandlers) rotate(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "key/" + r.Param("id")
	overlap, err := readRotation(r)
	if err != nil {
		return err
	}
	key, secret, err := h.keys.RotateKey(r.Context(), r.Principal, r.Param("id"), overlap)
	if err != nil {
		return err
	}
	r.Change.After = key
	return httpx.WriteJSON(w, http.StatusOK, createdKey{key, secret})
}

func (h keyHandlers) delete(w http.ResponseWriter, r *httpx.Request) error {
	r.Change.Object = "key/" + r.Param("id")
	if err := h.keys.RevokeKey(r.Context(), r.Principal, r.Param("id"), checkChange[Key](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
