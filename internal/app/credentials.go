package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// ListKeys implements api.Keys.
func (a accessAPI) ListKeys(ctx context.Context, actor seamark.Principal) ([]api.Key, error) {
	var list []api.Key
	for _, k := range a.directory.ListKeys(ctx, actor) {
		list = append(list, keyOf(k))
	}
	return list, nil
}

func keyOf(k tenant.Key) api.Key {
	out := api.Key{
		ID: k.KeyID, Name: k.Name, Description: k.Description, Owner: k.Owner, Role: string(k.Role), Permissions: k.Permissions, Restriction: k.Only,
		CreatedBy: k.CreatedBy, Created: k.Created, Expires: timeOrNull(k.Expires), Revoked: timeOrNull(k.Revoked), Rotated: timeOrNull(k.Rotated),
		OldUntil: timeOrNull(k.OldUntil), LastUsed: useOf(k.Used),
	}
	if out.Permissions == nil {
		out.Permissions = []string{}
	}
	return out
}

func useOf(u tenant.Use) *api.CredentialUse {
	if u.At.IsZero() {
		return nil
	}
	return &api.CredentialUse{At: u.At, ClientIP: u.ClientIP, Agent: u.Agent}
}

// FindKey implements api.Keys.
func (a accessAPI) FindKey(ctx context.Context, actor seamark.Principal, id string) (api.Key, error) {
	k, err := a.directory.FindKey(ctx, actor, id)
	return keyOf(k), err
}

// CreateKey implements api.Keys.
func (a accessAPI) CreateKey(ctx context.Context, actor seamark.Principal, spec api.KeySpec) (api.Key, string, error) {
	k, secret, err := a.directory.CreateKey(ctx, actor, tenant.KeySpec{
		Name: spec.Name, Description: spec.Description, Personal: spec.Personal, Role: seamark.Role(spec.Role), Permissions: spec.Permissions,
		Only: narrowing(spec.Restriction), Expires: timeOrZero(spec.Expires),
	})
	return keyOf(k), secret, err
}

// timeOrZero is the inverse of timeOrNull.
func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// RotateKey implements api.Keys.
func (a accessAPI) RotateKey(ctx context.Context, actor seamark.Principal, id string, overlap time.Duration) (api.Key, string, error) {
	k, secret, err := a.directory.RotateKey(ctx, actor, id, overlap)
	return keyOf(k), secret, err
}

// RevokeKey implements api.Keys.
func (a accessAPI) RevokeKey(ctx context.Context, actor seamark.Principal, id string, check func(api.Key) error) error {
	return a.directory.RevokeKey(ctx, actor, id, func(old tenant.Key) error { return check(keyOf(old)) })
}

// ListTokens implements api.Tokens.
func (a accessAPI) ListTokens(ctx context.Context, id seamark.TenantID) ([]api.Token, error) {
	var list []api.Token
	for _, t := range a.directory.ListTokens(ctx, id) {
		list = append(list, tokenOf(t))
	}
	return list, nil
}

// FindToken implements api.Tokens.
func (a accessAPI) FindToken(ctx context.Context, id seamark.TenantID, token string) (api.Token, error) {
	t, err := a.directory.FindToken(ctx, id, token)
	return tokenOf(t), err
}

func tokenOf(t tenant.Token) api.Token {
	out := api.Token{
		ID: t.KeyID, Kind: t.Kind.String(), Name: t.Name, Cluster: string(t.Cluster), Signals: []string{}, Created: t.Created,
		Expires: timeOrNull(t.Expires), Revoked: timeOrNull(t.Revoked), Rotated: timeOrNull(t.Rotated), OldUntil: timeOrNull(t.OldUntil),
		LastUsed: useOf(t.Used),
	}
	for _, signal := range t.Signals.List() {
		out.Signals = append(out.Signals, signal.String())
	}
	return out
}

// CreateToken implements api.Tokens.
func (a accessAPI) CreateToken(ctx context.Context, actor seamark.Principal, spec api.TokenSpec) (api.Token, string, error) {
	kind, err := seamark.ParseTokenKind(spec.Kind)
	if err != nil {
		return api.Token{}, "", err
	}
	if err := a.directory.MayHandOut(actor, kind); err != nil {
		return api.Token{}, "", err
	}
	made := tenant.TokenSpec{Kind: kind, Name: spec.Name, Cluster: seamark.ClusterID(spec.Cluster), Expires: timeOrZero(spec.Expires)}
	for _, name := range spec.Signals {
		signal, err := seamark.ParseSignal(name)
		if err != nil {
			return api.Token{}, "", err
		}
		made.Signals |= seamark.NewSignalSet(signal)
	}
	t, secret, err := a.directory.CreateToken(ctx, actor.Tenant, made)
	return tokenOf(t), secret, err
}

// RotateToken implements api.Tokens.
func (a accessAPI) RotateToken(ctx context.Context, actor seamark.Principal, id string, overlap time.Duration) (api.Token, string, error) {
	t, err := a.directory.FindToken(ctx, actor.Tenant, id)
	if err != nil {
		return api.Token{}, "", err
	}
	if err := a.directory.MayHandOut(actor, t.Kind); err != nil {
		return api.Token{}, "", err
	}
	t, secret, err := a.directory.RotateToken(ctx, actor.Tenant, id, overlap)
	return tokenOf(t), secret, err
}

// RevokeToken implements api.Tokens.
func (a accessAPI) RevokeToken(ctx context.Context, id seamark.TenantID, token string, check func(api.Token) error) error {
	return a.directory.RevokeToken(ctx, id, token, func(old tenant.Token) error { return check(tokenOf(old)) })
}
