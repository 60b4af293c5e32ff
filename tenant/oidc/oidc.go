package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Client.
type Options struct {
	Providers []Provider
	// CallbackURL is where a provider sends people back to, with %s for its id.
	CallbackURL string
	// HTTP reaches the providers: through the guard, without redirects, and with bounds on time and size.
	HTTP   *http.Client
	Now    func() time.Time
	Logger *slog.Logger
}

func (o *Options) validate() error {
	if o.HTTP == nil || o.Now == nil || o.Logger == nil || strings.Count(o.CallbackURL, "%s") != 1 {
		return errors.New("oidc: HTTP, Now, Logger and a CallbackURL with %s are required")
	}
	return nil
}

// Client signs people in at the configured providers. It is safe for concurrent use.
type Client struct {
	opts      Options
	providers map[string]*source
	order     []Listed
	slots     chan struct{}
}

// Listed is a provider as the sign-in page shows it.
type Listed struct{ ID, Name string }

// maxExchanges bounds the sign-ins that wait for a provider at once. Without it a provider that hangs takes a connection and a
// request of ours for each click.
const maxExchanges = 32

// New makes a client. It asks no provider: one that is away must not keep the server from starting.
func New(o Options) (*Client, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &Client{opts: o, providers: map[string]*source{}, slots: make(chan struct{}, maxExchanges)}
	for _, p := range o.Providers {
		c.providers[p.ID] = &source{Provider: p, http: o.HTTP, now: o.Now}
		c.order = append(c.order, Listed{p.ID, p.Name})
	}
	return c, nil
}

// List returns the providers in the order of the configuration.
func (c *Client) List() []Listed { return slices.Clone(c.order) }

// Flow is what must come back with a person from their provider. It stays with the browser.
type Flow struct {
	State    string // in the address that the provider sends people to
	Nonce    string // in the ID token
	Verifier string // PKCE's (RFC 7636): only who began can redeem the code
}

// Start returns where to send a person, and what they must come back with. The error is of kind NotFound for an unknown
// provider and Unavailable when the provider does not answer.
func (c *Client) Start(ctx context.Context, id string) (address string, f Flow, err error) {
	p, err := c.find(id)
	if err != nil {
		return "", Flow{}, err
	}
	m, err := p.document(ctx)
	if err != nil {
		return "", Flow{}, c.away(ctx, p, err)
	}
	f = Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	config := c.config(p, m, "")
	return config.AuthCodeURL(f.State, oauth2.SetAuthURLParam("nonce", f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

// Return is what a provider sent back, the parameters of the callback.
type Return struct {
	State, Code, Issuer string
	Error               string // the provider's own, such as access_denied
}

// Finish redeems a code and returns whom the provider has proven. Errors are of kind Unauthenticated or Forbidden when the
// person is not to be let in, and Unavailable when the provider does not answer; each says it so that a person understands.
func (c *Client) Finish(ctx context.Context, id string, f Flow, r Return) (Person, error) {
	p, err := c.find(id)
	if err != nil {
		return Person{}, err
	}
	if f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(r.State)) != 1 {
		return Person{}, seamark.Errorf(seamark.Unauthenticated, "seamark-signin-expired", "This sign-in was begun in another tab or browser. Begin again.")
	}
	if r.Error != "" || r.Code == "" {
		return Person{}, seamark.Wrap(fmt.Errorf("%s answered error %.80q", id, r.Error), seamark.Unauthenticated, "seamark-signin-declined",
			"%s did not sign you in: you declined, or may not use Seamark there.", p.Name)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default:
		return Person{}, seamark.Errorf(seamark.RateLimited, "seamark-signin-busy", "Too many people are signing in at once; try again in a few seconds.")
	}
	m, err := p.document(ctx)
	if err != nil {
		return Person{}, c.away(ctx, p, err)
	}
	if r.Issuer != p.Issuer && (r.Issuer != "" || m.NamesIssuer) { // RFC 9207: another provider's answer
		return Person{}, c.untrusted(ctx, p, fmt.Errorf("the answer is of issuer %.80q", r.Issuer))
	}
	raw, err := c.redeem(ctx, p, m, f, r.Code)
	if err != nil {
		return Person{}, err
	}
	return c.prove(ctx, p, m, f, raw)
}

// redeem changes a code for an ID token.
func (c *Client) redeem(ctx context.Context, p *source, m *metadata, f Flow, code string) (string, error) {
	secret := ""
	if p.ClientSecretFile != "" {
		text, err := os.ReadFile(p.ClientSecretFile)
		if err != nil {
			return "", fmt.Errorf("read the client secret of provider %s: %w", p.ID, err)
		}
		secret = strings.TrimSpace(string(text))
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, c.opts.HTTP)
	token, err := c.config(p, m, secret).Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < http.StatusInternalServerError {
		c.opts.Logger.WarnContext(ctx, "a provider refused a code", slog.String("provider", p.ID), slog.String("error", clip(refused.ErrorCode)))
		return "", seamark.Wrap(err, seamark.Unauthenticated, "seamark-signin-refused-by-provider",
			"%s did not confirm the sign-in: it was finished already, or took too long. Begin again.", p.Name)
	}
	if err != nil {
		return "", c.away(ctx, p, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return "", c.untrusted(ctx, p, errors.New("the answer has no ID token"))
	}
	return raw, nil
}

func (c *Client) find(id string) (*source, error) {
	if p := c.providers[id]; p != nil {
		return p, nil
	}
	return nil, seamark.Errorf(seamark.NotFound, "seamark-provider-unknown", "There is no sign-in provider %.32q.", id)
}

func (c *Client) config(p *source, m *metadata, secret string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: secret, Endpoint: m.endpoint(secret), RedirectURL: fmt.Sprintf(c.opts.CallbackURL, p.ID), Scopes: p.Scopes,
	}
}

// away says that a provider does not answer as one should. What it answered is for our log.
func (c *Client) away(ctx context.Context, p *source, err error) error {
	c.opts.Logger.WarnContext(ctx, "a sign-in provider does not answer", slog.String("provider", p.ID), slog.String("error", clip(err.Error())))
	return seamark.Wrap(err, seamark.Unavailable, "seamark-signin-provider-away", "%s cannot be reached at the moment. Try again in a minute, or sign in another way.", p.Name)
}

// untrusted says that what a provider sent proves nobody. It is a fault of the provider or an attack, so it is logged.
func (c *Client) untrusted(ctx context.Context, p *source, err error) error {
	c.opts.Logger.WarnContext(ctx, "a sign-in provider's token was refused", slog.String("provider", p.ID), slog.String("error", clip(err.Error())))
	return seamark.Wrap(err, seamark.Unauthenticated, "seamark-signin-untrusted",
		"What %s sent does not prove who you are. Begin again; tell the operator if it happens twice.", p.Name)
}

// clip bounds what a provider chose and our log keeps.
func clip(s string) string {
	const most = 300
	return strings.ToValidUTF8(s[:min(len(s), most)], "?")
}
