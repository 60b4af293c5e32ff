package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxKeys bounds the live API keys of a tenant. Without it a script that makes one per run fills the bucket, and a full
// bucket takes no revocation.
const maxKeys = 1000

// Key is an API key without its secret: a credential for the API and for queries, of a person or of a machine.
type Key struct {
	KeyID       string
	Tenant      seamark.TenantID
	Name        string
	Description string
	Owner       string               // login of the person whose key it is; "" for a machine's
	Role        seamark.Role         // "" where it has permissions instead
	Permissions []string             // sorted; nil where it has a role
	Only        *seamark.Restriction // nil: the whole tenant
	CreatedBy   string               // login, or the key id of the credential that made it
	Created     time.Time
	Expires     time.Time // zero: never
	Revoked     time.Time // zero: not revoked
	Rotated     time.Time // zero: never
	OldUntil    time.Time // see Token
	Used        Use
}

// KeySpec is what a new API key is made from.
type KeySpec struct {
	Name        string
	Description string
	Personal    bool         // the key of the actor, and ends with its membership; else a machine's
	Role        seamark.Role // either a role or permissions
	Permissions []string
	Only        *seamark.Restriction // nil: as far as the actor sees
	Expires     time.Time            // zero: never
}

// keyPart is what only an API key's document has.
type keyPart struct {
	Description string               `json:"description,omitempty"`
	Owner       UserID               `json:"owner,omitempty"`
	Role        seamark.Role         `json:"role,omitempty"`
	Permissions []string             `json:"permissions,omitempty"`
	Only        *seamark.Restriction `json:"only,omitempty"`
	CreatedBy   string               `json:"created_by,omitempty"`
}

// validateKey is the part of tokenDoc.validate for API keys. A lost field must not widen a key: one without a role has
// permissions.
func (t *tokenDoc) validateKey() error {
	if t.Key == nil || t.Cluster != "" || len(t.Signals) > 0 {
		return errors.New("API key has no part of its own, or that of a cluster's token")
	}
	if (t.Key.Role == "") == (len(t.Key.Permissions) == 0) {
		return errors.New("API key needs either a role or permissions")
	}
	t.kind = seamark.APIKey
	return errors.Join(t.Key.Only.Validate(), checkDescription("key", t.Key.Description))
}

// CreateKey makes an API key in the actor's tenant and returns it with its secret text, which is shown this once and
// never stored. The error is of kind Invalid for a bad spec, Forbidden for more than the actor holds itself, and Conflict
// when the tenant has 1000 live keys.
func (d *Directory) CreateKey(ctx context.Context, actor seamark.Principal, spec KeySpec) (Key, string, error) {
	if _, err := d.FindTenant(ctx, actor.Tenant); err != nil {
		return Key{}, "", err
	}
	part, err := d.newKeyPart(ctx, actor, spec)
	if err != nil {
		return Key{}, "", err
	}
	if d.liveKeys(actor.Tenant) >= maxKeys {
		return Key{}, "", seamark.Errorf(seamark.Conflict, "seamark-key-limit", "The tenant has %d live API keys, the limit. Revoke those that nobody uses.", maxKeys)
	}
	keyID, err := randomText(d.opts.Rand, keyIDLength)
	if err != nil {
		return Key{}, "", err
	}
	secret, hash, err := d.newSecret()
	if err != nil {
		return Key{}, "", err
	}
	doc := &tokenDoc{
		Version: docVersion, KeyID: keyID, Tenant: actor.Tenant, Kind: seamark.APIKey.String(), Name: spec.Name, SHA256: hash,
		Created: d.now().UTC(), Expires: spec.Expires.UTC(), Key: part,
	}
	if err := d.tokens.create(ctx, keyID, doc); err != nil {
		return Key{}, "", fmt.Errorf("create API key: %w", err)
	}
	created, _ := d.tokens.find(keyID)
	return d.keyOf(created), formatToken(seamark.APIKey, keyID, secret), nil
}

// newKeyPart checks a spec against what the actor may give away.
func (d *Directory) newKeyPart(ctx context.Context, actor seamark.Principal, spec KeySpec) (*keyPart, error) {
	permissions, err := spec.validate(d.now())
	if err != nil {
		return nil, invalid(err, "seamark-key-invalid")
	}
	part := &keyPart{Description: spec.Description, Role: spec.Role, Permissions: permissions, Only: spec.Only, CreatedBy: actor.CredentialID}
	if actor.Login != "" {
		part.CreatedBy = actor.Login
	}
	if part.Only == nil {
		part.Only = actor.Only
	}
	if spec.Personal {
		user, _ := d.users.find(loginKey(actor.Login))
		if actor.Login == "" || user == nil {
			return nil, seamark.Errorf(seamark.Invalid, "seamark-key-invalid", "Only people have personal keys; a machine's token makes keys for machines.")
		}
		part.Owner = user.ID
	} else if err := d.Permit(actor, "keys:write"); err != nil {
		return nil, err
	}
	if spec.Role != "" {
		err = d.mayGrantRole(ctx, actor, actor.Tenant, spec.Role)
	} else {
		err = d.mayGrant(actor, permissions)
	}
	if err != nil {
		return nil, err
	}
	return part, d.mayGrantPart(actor, actor.Tenant, part.Only)
}

func (s *KeySpec) validate(now time.Time) ([]string, error) {
	permissions, err := checkPermissions(s.Permissions)
	if err := errors.Join(err, checkName("key", s.Name), checkDescription("key", s.Description)); err != nil {
		return nil, err
	}
	if (s.Role == "") == (len(permissions) == 0) {
		return nil, errors.New("an API key needs either a role or permissions, and not both")
	}
	if !s.Expires.IsZero() && !s.Expires.After(now) {
		return nil, fmt.Errorf("the key's expiry %s is not in the future", s.Expires.UTC().Format(time.RFC3339))
	}
	return permissions, nil
}

func (d *Directory) liveKeys(tenant seamark.TenantID) int {
	count, now := 0, d.now()
	for _, t := range d.tokens.list(string(tenant)) {
		if t.kind == seamark.APIKey && t.live(now) {
			count++
		}
	}
	return count
}

func (d *Directory) keyOf(t *tokenDoc) Key {
	key := Key{
		KeyID: t.KeyID, Tenant: t.Tenant, Name: t.Name, Description: t.Key.Description, Role: t.Key.Role, Permissions: slices.Clone(t.Key.Permissions),
		Only: t.Key.Only, CreatedBy: t.Key.CreatedBy, Created: t.Created, Expires: t.Expires, Revoked: t.Revoked, Rotated: t.Rotated,
		Used: d.lastUse(t.KeyID),
	}
	if t.Old != nil {
		key.OldUntil = t.Old.Until
	}
	if t.Key.Owner != "" {
		if user := d.users.findAlias(string(t.Key.Owner)); user != nil {
			key.Owner = user.Login
		} else {
			key.Owner = string(t.Key.Owner)
		}
	}
	return key
}

// ListKeys returns the API keys of the actor's tenant, the dead ones too, oldest first: all of them for who may see them,
// else the actor's own.
func (d *Directory) ListKeys(_ context.Context, actor seamark.Principal) []Key {
	list := []Key{}
	for _, t := range d.tokens.list(string(actor.Tenant)) {
		if t.kind == seamark.APIKey && d.mayKey(actor, t, "keys:read") == nil {
			list = append(list, d.keyOf(t))
		}
	}
	slices.SortFunc(list, func(a, b Key) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.KeyID, b.KeyID)
	})
	return list
}

// FindKey returns one API key that the actor may see. The error is of kind NotFound.
func (d *Directory) FindKey(_ context.Context, actor seamark.Principal, keyID string) (Key, error) {
	t, _ := d.tokens.find(keyID)
	if t == nil || t.kind != seamark.APIKey {
		return Key{}, keyAbsent()
	}
	if err := d.mayKey(actor, t, "keys:read"); err != nil {
		return Key{}, err
	}
	return d.keyOf(t), nil
}

// RotateKey is RotateToken for an API key that is the actor's own, or any with the permission keys:write. Nobody rotates
// a key that may do more than themselves: the new secret would be theirs.
func (d *Directory) RotateKey(ctx context.Context, actor seamark.Principal, keyID string, overlap time.Duration) (Key, string, error) {
	doc, text, err := d.rotate(ctx, keyID, overlap, func(t *tokenDoc) error {
		if err := d.mayKey(actor, t, "keys:write"); err != nil {
			return err
		}
		return d.mayHoldKey(ctx, actor, t)
	})
	if err != nil {
		return Key{}, "", err
	}
	return d.keyOf(doc), text, nil
}

// RevokeKey ends an API key on every node, as RevokeToken does.
func (d *Directory) RevokeKey(ctx context.Context, actor seamark.Principal, keyID string, checks ...func(Key) error) error {
	return d.revoke(ctx, keyID, func(t *tokenDoc) error {
		if err := d.mayKey(actor, t, "keys:write"); err != nil {
			return err
		}
		return checkEach(d.keyOf(t), checks)
	})
}

// mayKey lets the owner, and who has the permission. Others' keys do not exist.
func (d *Directory) mayKey(actor seamark.Principal, t *tokenDoc, permission string) error {
	if t.kind != seamark.APIKey || t.Tenant != actor.Tenant {
		return keyAbsent()
	}
	if t.Key.Owner != "" && actor.Login != "" {
		if user, _ := d.users.find(loginKey(actor.Login)); user != nil && user.ID == t.Key.Owner {
			return nil
		}
	}
	if d.Permit(actor, permission) != nil {
		return keyAbsent()
	}
	return nil
}

// mayHoldKey refuses an actor that holds less than the key, or that would come by a person's key.
func (d *Directory) mayHoldKey(ctx context.Context, actor seamark.Principal, t *tokenDoc) error {
	if t.Key.Owner != "" {
		if user := d.users.findAlias(string(t.Key.Owner)); user == nil || user.Login != actor.Login {
			return seamark.Errorf(seamark.Forbidden, "seamark-key-personal", "Only its owner rotates a personal key. You can revoke it.")
		}
	}
	if err := d.mayGrantPart(actor, t.Tenant, t.Key.Only); err != nil {
		return err
	}
	if t.Key.Role != "" {
		return d.mayGrantRole(ctx, actor, t.Tenant, t.Key.Role)
	}
	return d.mayGrant(actor, t.Key.Permissions)
}

func keyAbsent() error {
	return seamark.Errorf(seamark.NotFound, "seamark-key-absent", "The tenant has no such API key, or it is not yours to see.")
}

// provenKey says who acts with an API key whose secret was right. A person's key is that person, narrowed to both: what
// the key was given and what the person may see now.
func (d *Directory) provenKey(t *tokenDoc, owner *tenantDoc, now time.Time) (seamark.Principal, error) {
	p := seamark.Principal{Tenant: t.Tenant, Kind: seamark.APIKey, CredentialID: t.KeyID, Role: t.Key.Role, Only: t.Key.Only}
	known := age(now, d.sessionBeat.Load()) // what a key may do stands in the bucket of people, too
	if known > d.opts.WriterStaleness {
		return seamark.Principal{}, stale(known)
	}
	if t.Key.Owner != "" {
		d.mu.RLock()
		user := d.users.aliasLocked(string(t.Key.Owner))
		d.mu.RUnlock()
		if user == nil || user.Memberships[t.Tenant] == "" {
			return p, seamark.Errorf(seamark.Unauthenticated, "seamark-key-orphaned",
				"API key %s ended with its owner's membership. Create one of your own, or a machine's.", t.KeyID)
		}
		p.Login, p.Only = user.Login, user.narrowed(t.Tenant, t.Key.Only)
	}
	return p, d.checkToken(t, owner, nil, now)
}

// keyAllows answers for an API key: what it was given, and of a person's no more than the person may do now.
func (d *Directory) keyAllows(who seamark.Principal, permission string) (bool, error) {
	d.mu.RLock()
	t := d.tokens.findLocked(who.CredentialID)
	var user *userDoc
	if t != nil && t.Key != nil {
		user = d.users.aliasLocked(string(t.Key.Owner))
	}
	d.mu.RUnlock()
	if t == nil || t.Key == nil || t.Tenant != who.Tenant {
		return false, nil
	}
	if t.Key.Role != "" {
		set, err := d.roleAllows(t.Tenant, t.Key.Role)
		if err != nil || !set[permission] {
			return false, err
		}
	} else if !slices.Contains(t.Key.Permissions, permission) && permission != everyRole {
		return false, nil
	}
	if t.Key.Owner == "" {
		return true, nil
	}
	if user == nil {
		return false, nil
	}
	set, err := d.roleAllows(t.Tenant, user.Memberships[t.Tenant])
	return set[permission], err
}
