package tenant

import (
	"context"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	signInType = "seamark-signin+jwt"
	// signInLifetime is how long a person may take at their provider.
	signInLifetime = 10 * time.Minute
	// maxSignInBytes bounds the cookie before it is parsed; browsers keep 4096.
	maxSignInBytes = 4096
)

// SignInState is what a browser carries through a sign-in at a provider. It stands in a cookie that we signed, so that any
// node can go on with what another began, and none has to remember it.
type SignInState struct {
	Provider string `json:"provider"`
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // PKCE's; worth nothing without the code and the client's secret
	Return   string `json:"return,omitempty"`
	Tenant   string `json:"tenant,omitempty"` // slug to sign in to
	// Session is the sid of the signed-in person who asked to link the provider's identity to their own; "" signs in.
	Session string `json:"session,omitempty"`
	// Invitation is the token of an invitation that the person accepts by signing in.
	Invitation string `json:"invitation,omitempty"`
}

type signInClaims struct {
	jwt.RegisteredClaims
	SignInState
}

// SealSignIn signs a state and says when it ends.
func (d *Directory) SealSignIn(ctx context.Context, s SignInState) (text string, expires time.Time, err error) {
	key, err := d.signingKey(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	now := d.now().UTC().Truncate(time.Second)
	expires = now.Add(signInLifetime)
	text, err = signJWT(jwt.NewWithClaims(jwt.SigningMethodEdDSA, signInClaims{SignInState: s, RegisteredClaims: jwt.RegisteredClaims{
		Issuer: d.opts.Issuer, Audience: jwt.ClaimStrings{d.opts.Issuer + "/signin"}, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
	}}), key, signInType)
	if err == nil && len(text) > maxSignInBytes {
		err = fmt.Errorf("sign-in state has %d bytes, limit %d", len(text), maxSignInBytes)
	}
	return text, expires, err
}

// OpenSignIn reads a state that SealSignIn made. The error is of kind Unauthenticated when it is not ours or too old.
func (d *Directory) OpenSignIn(_ context.Context, text string) (SignInState, error) {
	expired := seamark.Errorf(seamark.Unauthenticated, "seamark-signin-expired",
		"This sign-in was begun in another browser or more than %s ago. Begin again.", signInLifetime)
	var claims signInClaims
	if len(text) > maxSignInBytes {
		return SignInState{}, expired
	}
	if err := d.parseJWT(text, signInType, &claims, 0); err != nil {
		expired.Err = err
		return SignInState{}, expired
	}
	return claims.SignInState, nil
}
