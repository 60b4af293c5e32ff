package tenant

import (
	"cmp"
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

const (
	// sessionType is the typ header, so that no other JWT of ours can ever pass for a session (RFC 8725 3.11).
	sessionType = "seamark-session+jwt"
	// maxSessionBytes bounds a JWT before it is parsed. Ours have about 400 bytes.
	maxSessionBytes = 1024
	// maxSessions bounds the live sessions of one user; the oldest ends. Without it one person with a script fills the
	// bucket and nobody can sign in.
	maxSessions = 20
)

// Credentials is what a person signs in with.
type Credentials struct {
	Login, Password string
	ClientIP        string // for the brute-force limits; the edge takes it from the connection, not from a header
	TenantSlug      string // the tenant to act for; empty: the first by slug, or none for an operator
}

// SessionToken is a fresh session.
type SessionToken struct {
	Text    string // the JWT; whoever has it is the person
	ID      string // the sid, for SignOut
	Expires time.Time
}

// sessionDoc is stored under the sid. A session lives while its document does and is not ended.
type sessionDoc struct {
	Version int              `json:"v"`
	ID      string           `json:"id"`
	User    UserID           `json:"user"`
	Tenant  seamark.TenantID `json:"tenant,omitempty"` // empty: an operator's
	Epoch   uint64           `json:"epoch"`
	Created time.Time        `json:"created"`
	Expires time.Time        `json:"expires"`
	Ended   time.Time        `json:"ended,omitzero"`
}

func (s *sessionDoc) validate(key string) error {
	if s.ID != key || key == "" {
		return fmt.Errorf("session %.40q stands under the key of another", s.ID)
	}
	if s.User == "" || s.Expires.IsZero() {
		return errors.New("session has no user or no end")
	}
	if s.Tenant == "" {
		return nil
	}
	_, err := seamark.ParseTenantID(string(s.Tenant))
	return err
}

// sessionClaims are the claims of the JWT. They only name the session; what it may do is read from the directory at each
// use, so a changed role counts at once.
type sessionClaims struct {
	jwt.RegisteredClaims
	SID string `json:"sid"`
}

// SignIn checks a password and opens a session. The error is of kind Unauthenticated when login or password is wrong,
// RateLimited after too many tries, and Forbidden when the person has no such tenant.
func (d *Directory) SignIn(ctx context.Context, c Credentials) (SessionToken, error) {
	c.Login = normalLogin(c.Login)
	if err := d.limits.admit(c.Login, c.ClientIP, d.now()); err != nil {
		return SessionToken{}, err
	}
	user, err := d.checkCredentials(ctx, c)
	if err != nil {
		return SessionToken{}, err
	}
	d.limits.forgive(c.Login, c.ClientIP)
	tenant, err := d.chooseTenant(user, c.TenantSlug)
	if err != nil {
		return SessionToken{}, err
	}
	key, err := d.signingKey(ctx)
	if err != nil {
		return SessionToken{}, err
	}
	session, err := d.openSession(ctx, user, tenant)
	if err != nil {
		return SessionToken{}, err
	}
	text, err := d.signSession(key, session)
	if err != nil {
		return SessionToken{}, err
	}
	return SessionToken{Text: text, ID: session.ID, Expires: session.Expires}, nil
}

// checkCredentials returns the user whose password it is. All refusals look alike and take alike.
func (d *Directory) checkCredentials(ctx context.Context, c Credentials) (*userDoc, error) {
	refused := seamark.Errorf(seamark.Unauthenticated, "seamark-signin-refused",
		"The login or the password is wrong. Check both; an owner of your tenant or the operator can set a new password.")
	if len(c.Password) > maxPasswordBytes {
		return nil, refused
	}
	user, _ := d.users.find(loginKey(c.Login))
	stored := ""
	if user != nil {
		stored = user.Password
	}
	ok, outdated, err := d.hashing.verify(ctx, stored, c.Password)
	if err != nil {
		return nil, err
	}
	if !ok || user == nil {
		return nil, refused
	}
	if outdated {
		d.rehash(ctx, user, c.Password)
	}
	return user, nil
}

// chooseTenant returns the tenant that a new session acts for; empty for an operator who named none.
func (d *Directory) chooseTenant(user *userDoc, slug string) (seamark.TenantID, error) {
	if slug == "" && user.Operator {
		return "", nil
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var mine []*tenantDoc
	for id := range user.Memberships {
		if t := d.liveTenantLocked(id); t != nil && (slug == "" || t.Slug == slug) {
			mine = append(mine, t)
		}
	}
	if len(mine) == 0 {
		if slug == "" {
			return "", seamark.Errorf(seamark.Forbidden, "seamark-member-nowhere",
				"You are not a member of any tenant. Ask an owner of the tenant to add you.")
		}
		return "", seamark.Errorf(seamark.Forbidden, "seamark-member-absent",
			"You are not a member of a tenant named %.63q. Check its slug, or ask one of its owners to add you.", slug)
	}
	first := slices.MinFunc(mine, func(a, b *tenantDoc) int {
		if byState := cmp.Compare(stateRank(a.State), stateRank(b.State)); byState != 0 {
			return byState
		}
		return cmp.Compare(a.Slug, b.Slug)
	})
	return first.ID, checkOwner(first)
}

// stateRank sorts tenants that can be used before those that cannot.
func stateRank(s State) int {
	if s == Active {
		return 0
	}
	return 1
}

// openSession stores a new session, and ends the user's oldest ones when there are too many.
func (d *Directory) openSession(ctx context.Context, user *userDoc, tenant seamark.TenantID) (*sessionDoc, error) {
	id, err := d.newID()
	if err != nil {
		return nil, err
	}
	now := d.now().UTC().Truncate(time.Second) // a JWT counts whole seconds
	session := &sessionDoc{
		Version: docVersion, ID: id, User: user.ID, Tenant: tenant, Epoch: user.SessionEpoch,
		Created: now, Expires: now.Add(d.opts.SessionLifetime),
	}
	live := slices.DeleteFunc(d.sessions.list(string(user.ID)), func(s *sessionDoc) bool {
		return !s.Ended.IsZero() || !now.Before(s.Expires)
	})
	slices.SortFunc(live, func(a, b *sessionDoc) int { return cmp.Compare(a.ID, b.ID) })
	for len(live) >= maxSessions {
		if err := d.SignOut(ctx, live[0].ID); err != nil {
			return nil, err
		}
		live = live[1:]
	}
	if err := d.sessions.create(ctx, id, session); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	return session, nil
}

func (d *Directory) signSession(key *keyDoc, session *sessionDoc) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, sessionClaims{
		SID: session.ID,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: d.opts.Issuer, Audience: jwt.ClaimStrings{d.opts.Issuer}, Subject: string(session.User),
			IssuedAt: jwt.NewNumericDate(session.Created), ExpiresAt: jwt.NewNumericDate(session.Expires),
		},
	})
	token.Header["kid"] = key.KID
	token.Header["typ"] = sessionType
	text, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("sign session: %w", err)
	}
	return text, nil
}

// VerifySession proves whom a session belongs to, from memory alone. The error is of kind Unauthenticated when the
// session is malformed, forged, over or ended, Forbidden when the tenant is suspended or deleted or the person is no
// member any more, and Unavailable when this node's knowledge is too old to tell.
func (d *Directory) VerifySession(ctx context.Context, text string) (seamark.Principal, error) {
	claims, err := d.parseSession(text)
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
	if session == nil || user == nil || !session.Ended.IsZero() || !now.Before(session.Expires) ||
		session.Epoch != user.SessionEpoch || claims.Subject != string(session.User) {
		if session == nil && known > unknownGrace {
			return seamark.Principal{}, stale(known)
		}
		return seamark.Principal{}, sessionOver()
	}
	p, err := sessionPrincipal(session, user, owner)
	if err != nil {
		return seamark.Principal{}, err
	}
	if known > d.opts.WriterStaleness && (p.Operator || p.Role != seamark.RoleViewer) {
		return seamark.Principal{}, stale(known)
	}
	return p, nil
}

// sessionPrincipal says who acts in a session that is valid, as the directory knows the person now.
func sessionPrincipal(session *sessionDoc, user *userDoc, owner *tenantDoc) (seamark.Principal, error) {
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
	p.Tenant, p.Role = session.Tenant, role
	return p, nil
}

func sessionOver() error {
	return seamark.Errorf(seamark.Unauthenticated, "seamark-session-over", "The session is not valid or is over. Sign in again.")
}

// parseSession checks everything about a JWT that needs no directory but the key ring. Only our algorithm, our type and
// our ring count; jku, jwk and x5u headers are never looked at (RFC 8725).
func (d *Directory) parseSession(text string) (*sessionClaims, error) {
	if len(text) > maxSessionBytes {
		return nil, fmt.Errorf("session has %d bytes, limit %d", len(text), maxSessionBytes)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding(), jwt.WithTimeFunc(d.now),
		jwt.WithIssuer(d.opts.Issuer), jwt.WithAudience(d.opts.Issuer), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
	)
	claims := &sessionClaims{}
	_, err := parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != sessionType {
			return nil, errors.New("typ is not that of a session")
		}
		kid, _ := t.Header["kid"].(string)
		key, _ := d.keys.find(kid)
		if key == nil {
			return nil, errors.New("kid is not in the ring")
		}
		return ed25519.PublicKey(key.Public), nil
	})
	if err != nil {
		return nil, err
	}
	if claims.SID == "" || claims.IssuedAt == nil {
		return nil, errors.New("sid or iat is missing")
	}
	return claims, nil
}

// SignOut ends a session on every node. Ending one that is over or unknown is no error.
func (d *Directory) SignOut(ctx context.Context, sid string) error {
	if _, err := seamark.ParseTenantID(sid); err != nil { // a sid is a ULID, too
		return nil
	}
	_, err := d.sessions.mutate(ctx, sid, func(s *sessionDoc) error {
		if s.Ended.IsZero() {
			s.Ended = d.now().UTC()
		}
		return nil
	})
	if err != nil && !errors.Is(err, errAbsent) {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}
