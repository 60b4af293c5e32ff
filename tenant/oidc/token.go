package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxTokenBytes bounds an ID token before it is parsed. Those with many groups have some ten thousand.
const maxTokenBytes = 128 << 10

// maxSkew is how far a provider's clock may be from ours.
const maxSkew = time.Minute

// algorithms are the signatures that an ID token may have: all are made with a key that only the provider has. `none` and the
// HMACs, whose key we would hold too, are not among them.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// errKeyUnknown says that a token names a key that the provider has not published, as far as we know.
var errKeyUnknown = errors.New("the token's key is not among the provider's")

// claims are what is read of an ID token.
type claims struct {
	jwt.RegisteredClaims
	Nonce           string `json:"nonce"`
	AuthorizedParty string `json:"azp"`
	Email           string `json:"email"`
	EmailVerified   any    `json:"email_verified"` // some providers send it as a text
}

// parse checks a token's signature and the registered claims against one state of the provider's keys.
func (c *Client) parse(p *source, m *metadata, raw string) (*claims, error) {
	if len(raw) > maxTokenBytes {
		return nil, fmt.Errorf("ID token has %d bytes, limit %d", len(raw), maxTokenBytes)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(algorithms()), jwt.WithIssuer(p.Issuer), jwt.WithAudience(p.ClientID), jwt.WithExpirationRequired(),
		jwt.WithLeeway(maxSkew), jwt.WithIssuedAt(), jwt.WithTimeFunc(c.opts.Now),
	)
	found := &claims{}
	_, err := parser.ParseWithClaims(raw, found, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		keys := jwt.VerificationKeySet{}
		for _, k := range m.keys.find(id) {
			keys.Keys = append(keys.Keys, k)
		}
		if len(keys.Keys) == 0 {
			return nil, errKeyUnknown
		}
		return keys, nil
	})
	return found, err
}

// prove checks an ID token (OpenID Connect Core 3.1.3.7) and reads whom it names.
func (c *Client) prove(ctx context.Context, p *source, m *metadata, f Flow, raw string) (Person, error) {
	token, err := c.parse(p, m, raw)
	if errors.Is(err, errKeyUnknown) || errors.Is(err, jwt.ErrTokenSignatureInvalid) { // the provider may have changed its keys since
		if m, err = p.renewed(ctx, m); err != nil {
			return Person{}, c.away(ctx, p, err)
		}
		token, err = c.parse(p, m, raw)
	}
	if err == nil {
		err = checkClaims(p, f, token)
	}
	if err != nil {
		return Person{}, c.untrusted(ctx, p, err)
	}
	person := Person{Provider: p.ID, Issuer: p.Issuer, Subject: token.Subject, Email: token.verifiedEmail()}
	if !p.admits(person.Email) {
		return Person{}, seamark.Errorf(seamark.Forbidden, "seamark-signin-domain",
			"Only people with a verified address at %s may sign in with %s.", strings.Join(p.AllowedDomains, ", "), p.Name)
	}
	all := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(raw, all); err != nil { // its signature was checked above
		return Person{}, c.untrusted(ctx, p, err)
	}
	p.grant(&person, all)
	return person, nil
}

// checkClaims checks what the parser does not.
func checkClaims(p *source, f Flow, token *claims) error {
	switch {
	case f.Nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(f.Nonce)) != 1:
		return errors.New("the nonce is not ours")
	case token.AuthorizedParty != "" && token.AuthorizedParty != p.ClientID, len(token.Audience) > 1 && token.AuthorizedParty == "":
		return errors.New("the token was made for another client")
	case token.Subject == "" || len(token.Subject) > 255: // Core 2 allows 255
		return errors.New("the subject is empty or too long")
	case token.IssuedAt == nil:
		return errors.New("the token does not say when it was made")
	}
	return nil
}

// verifiedEmail returns the address that the provider vouches for, in lower case.
func (c *claims) verifiedEmail() string {
	if c.EmailVerified != true && c.EmailVerified != "true" {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(c.Email))
}
