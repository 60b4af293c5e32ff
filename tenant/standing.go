package tenant

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Standing returns what a credential of an earlier request is now, for work that goes on without its sender: who holds it is
// not proven again, only that it was not revoked, did not expire, and belongs to the same tenant. Errors are those of
// Authenticate and VerifySession.
func (d *Directory) Standing(_ context.Context, tenant seamark.TenantID, kind seamark.CredentialKind, credential string) (seamark.Principal, error) {
	if kind == seamark.Session {
		return d.standingSession(tenant, credential)
	}
	now := d.now()
	known := age(now, d.tokenBeat.Load())
	if known > d.tokenStaleness(kind) {
		return seamark.Principal{}, stale(known)
	}
	d.mu.RLock()
	token := d.tokens.findLocked(credential)
	var owner *tenantDoc
	if token != nil {
		owner = token.owner
	}
	d.mu.RUnlock()
	if token == nil || token.kind != kind || token.Tenant != tenant || owner == nil {
		return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "The token %s is not known any more.", credential)
	}
	if kind == seamark.APIKey {
		return d.provenKey(token, owner, now)
	}
	return seamark.Principal{Tenant: token.Tenant, Kind: token.kind, CredentialID: token.KeyID}, d.checkToken(token, owner, nil, now)
}

func (d *Directory) standingSession(tenant seamark.TenantID, id string) (seamark.Principal, error) {
	now := d.now()
	known := age(now, d.sessionBeat.Load())
	if known > d.opts.ReaderStaleness {
		return seamark.Principal{}, stale(known)
	}
	d.mu.RLock()
	session := d.sessions.findLocked(id)
	var user *userDoc
	var owner *tenantDoc
	if session != nil {
		user = d.users.aliasLocked(string(session.User))
		owner = d.tenants.findLocked(string(session.Tenant))
	}
	d.mu.RUnlock()
	if session == nil || session.Tenant != tenant {
		return seamark.Principal{}, sessionOver()
	}
	return sessionPrincipal(session, user, owner, now)
}
