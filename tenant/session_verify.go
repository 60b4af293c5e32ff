package tenant

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// VerifySession proves whom a session belongs to, from memory alone. The error is of kind Unauthenticated when the
// session is malformed, forged, over or ended, Forbidden when the tenant is suspended or deleted or the person is no
// member any more, and Unavailable when this node's knowledge is too old to tell.
func (d *Directory) VerifySession(ctx context.Context, text string) (seamark.Principal, error) {
	return d.verifySession(ctx, text, 0)
}

// ContinueSession is VerifySession for a request that goes on for longer than its token lives: the token's own end does not
// count, that of the session does.
func (d *Directory) ContinueSession(ctx context.Context, text string) (seamark.Principal, error) {
	return d.verifySession(ctx, text, d.opts.SessionLifetime)
}

// verifySession takes a token up to late after its end.
func (d *Directory) verifySession(ctx context.Context, text string, late time.Duration) (seamark.Principal, error) {
	claims, err := d.parseSession(text, late)
	if err != nil {
		d.log.DebugContext(ctx, "session refused", slog.Any("error", err))
		return seamark.Principal{}, sessionOver()
	}
	now := d.now()
	d.mu.RLock()
	session := d.sessions.findLocked(claims.SID)
	var user *userDoc
	var owner *tenantDoc
	if session != nil {
		user = d.users.aliasLocked(string(session.User))
		owner = d.tenants.findLocked(string(session.Tenant))
	}
	d.mu.RUnlock()

	known := age(now, d.sessionBeat.Load())
	if known > d.opts.ReaderStaleness {
		return seamark.Principal{}, stale(known)
	}
	if session == nil || claims.Subject != string(session.User) || !slices.Contains(claims.Audience, d.audience(session)) {
		if session == nil && known > unknownGrace {
			return seamark.Principal{}, stale(known)
		}
		return seamark.Principal{}, sessionOver()
	}
	p, err := sessionPrincipal(session, user, owner, now)
	if err != nil {
		return seamark.Principal{}, err
	}
	if known > d.opts.WriterStaleness && (p.Operator || p.Role != seamark.RoleViewer) {
		return seamark.Principal{}, stale(known)
	}
	return p, nil
}

// sessionPrincipal says who acts in a session, as the directory knows the person now.
func sessionPrincipal(session *sessionDoc, user *userDoc, owner *tenantDoc, now time.Time) (seamark.Principal, error) {
	if user == nil || session.over(now) || !session.current(user) {
		return seamark.Principal{}, sessionOver()
	}
	p := seamark.Principal{Kind: seamark.Session, CredentialID: session.ID, Login: user.Login}
	if session.Tenant == "" {
		if !user.Operator {
			return seamark.Principal{}, sessionOver()
		}
		p.Operator = true
		return p, nil
	}
	role, member := user.Memberships[session.Tenant]
	if !member || owner == nil {
		return seamark.Principal{}, seamark.Errorf(seamark.Forbidden, "seamark-member-removed",
			"You are no longer a member of this tenant. Sign in again for another one.")
	}
	if err := checkOwner(owner); err != nil {
		return seamark.Principal{}, err
	}
	p.Tenant, p.Role, p.Only = session.Tenant, role, user.narrowed(session.Tenant, nil)
	return p, nil
}

func sessionOver() error {
	return seamark.Errorf(seamark.Unauthenticated, "seamark-session-over", "The session is not valid or is over. Sign in again.")
}

// parseSession checks everything about a JWT that needs no directory but the key ring. Only our algorithm, our type and
// our ring count; jku, jwk and x5u headers are never looked at (RFC 8725).
func (d *Directory) parseSession(text string, late time.Duration) (*sessionClaims, error) {
	if len(text) > maxSessionBytes {
		return nil, fmt.Errorf("session has %d bytes, limit %d", len(text), maxSessionBytes)
	}
	claims := &sessionClaims{}
	if err := d.parseJWT(text, sessionType, claims, late); err != nil {
		return nil, err
	}
	if claims.SID == "" || claims.IssuedAt == nil {
		return nil, errors.New("sid or iat is missing")
	}
	if claims.IssuedAt.After(d.now().Add(maxClockSkew)) {
		return nil, errors.New("iat is in the future")
	}
	return claims, nil
}

// maxClockSkew is how far the clocks of two nodes may be apart. Without it a token that one has just made is refused by another.
const maxClockSkew = time.Minute

// parseJWT fills claims from a token that one of our keys signed for the given use. The caller has bounded its length.
func (d *Directory) parseJWT(text, typ string, claims jwt.Claims, late time.Duration) error {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding(), jwt.WithTimeFunc(d.now),
		jwt.WithIssuer(d.opts.Issuer), jwt.WithExpirationRequired(), jwt.WithLeeway(late),
	)
	_, err := parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != typ {
			return nil, fmt.Errorf("typ is not %s", typ)
		}
		kid, _ := t.Header["kid"].(string)
		key, _ := d.keys.find(kid)
		if key == nil {
			return nil, errors.New("kid is not in the ring")
		}
		return ed25519.PublicKey(key.Public), nil
	})
	return err
}
