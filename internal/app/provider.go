package app

import (
	"context"
	"net/url"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
	"github.com/seamarkhq/seamark/tenant/oidc"
)

var _ httpx.Continuer = verifier{} // else tails would end with the token that they began with

// providerAPI signs people in at providers: oidc proves who they are there, the directory says whom that makes them here. It
// implements api.Providers.
type providerAPI struct {
	directory *tenant.Directory
	client    *oidc.Client
}

// ListProviders implements api.Providers.
func (p providerAPI) ListProviders() []api.Provider {
	list := []api.Provider{}
	for _, one := range p.client.List() {
		list = append(list, api.Provider{ID: one.ID, Name: one.Name})
	}
	return list
}

// BeginSignIn implements api.Providers.
func (p providerAPI) BeginSignIn(ctx context.Context, b api.Begin) (api.Begun, error) {
	address, flow, err := p.client.Start(ctx, b.Provider)
	if err != nil {
		return api.Begun{}, err
	}
	const maxSlug = 63
	state := tenant.SignInState{
		Provider: b.Provider, State: flow.State, Nonce: flow.Nonce, Verifier: flow.Verifier, Return: b.Return,
		Tenant: b.Tenant[:min(len(b.Tenant), maxSlug)], Session: b.Session, Invitation: b.Invitation,
	}
	text, expires, err := p.directory.SealSignIn(ctx, state)
	if err != nil {
		return api.Begun{}, err
	}
	return api.Begun{URL: address, State: text, Expires: expires}, nil
}

// EndSignIn implements api.Providers.
func (p providerAPI) EndSignIn(ctx context.Context, provider, text string, back url.Values, from api.Client) (api.Ended, error) {
	state, err := p.directory.OpenSignIn(ctx, text)
	if err != nil {
		return api.Ended{Return: "/"}, err
	}
	ended := api.Ended{Return: state.Return}
	if state.Provider != provider { // its answer must not pass for another's
		return ended, seamark.Errorf(seamark.Unauthenticated, "seamark-signin-expired", "This sign-in was begun at another provider. Begin again.")
	}
	person, err := p.client.Finish(ctx, provider, oidc.Flow{State: state.State, Nonce: state.Nonce, Verifier: state.Verifier}, oidc.Return{
		State: back.Get("state"), Code: back.Get("code"), Issuer: back.Get("iss"), Error: back.Get("error"),
	})
	if err != nil {
		return ended, err
	}
	external := tenant.External{
		Provider: person.Provider, Issuer: person.Issuer, Subject: person.Subject, Email: person.Email,
		OperatorRealm: person.OperatorRealm, Operator: person.Operator, Roles: person.Roles, Invitation: state.Invitation,
	}
	if state.Session != "" {
		return ended, p.directory.LinkIdentity(ctx, state.Session, external)
	}
	ended.Grant, err = grantOf(p.directory.SignInExternal(ctx, external, state.Tenant, deviceOf(from)))
	return ended, err
}

// ListIdentities implements api.Providers.
func (p providerAPI) ListIdentities(ctx context.Context, login string) []api.Identity {
	names := map[string]string{}
	for _, one := range p.client.List() {
		names[one.ID] = one.Name
	}
	list := []api.Identity{}
	for _, i := range p.directory.ListIdentities(ctx, login) {
		list = append(list, api.Identity{ID: i.ID, Provider: i.Provider, Name: names[i.Provider], Subject: i.Subject, Email: i.Email, Linked: i.Linked})
	}
	return list
}

// UnlinkIdentity implements api.Providers.
func (p providerAPI) UnlinkIdentity(ctx context.Context, login, id string) error {
	return p.directory.UnlinkIdentity(ctx, login, id)
}
