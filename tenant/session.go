package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// sessionType is the typ header, so that no other JWT of ours can ever pass for a session (RFC 8725 3.11).
	sessionType = "seamark-session+jwt"
	// maxSessionBytes bounds a JWT before it is parsed. Ours have about 400 bytes.
	maxSessionBytes = 1024
	// MaxSessionLifetime bounds Options.SessionLifetime: the sessions' bucket forgets what is older. It is no option, because
	// the command line opens the bucket, too, and must not change it.
	MaxSessionLifetime = 30 * 24 * time.Hour
	// deadSessionKeep is how long a session that is over stays in the store. By then every node has heard of its end, and
	// without its record it is refused all the same.
	deadSessionKeep = time.Hour
	// maxSessionsSwept bounds the writes of one sweep.
	maxSessionsSwept = 5000
	// maxSessions bounds the live sessions of one user; the oldest ends. Without it one person with a script fills the
	// bucket and nobody can sign in.
	maxSessions = 20
)

// Device is where a session is used, as people see it in the list of their sessions.
type Device struct {
	ClientIP string // for the brute-force limits, too; the edge takes it from the connection, or from a trusted proxy's header
	Agent    string // the User-Agent, cut
}

// maxAgentBytes bounds what a client says of itself. Without it 20 sessions a person fill the bucket.
const maxAgentBytes = 200

func (v Device) cut() Device {
	v.Agent = strings.ToValidUTF8(v.Agent[:min(len(v.Agent), maxAgentBytes)], "")
	v.ClientIP = v.ClientIP[:min(len(v.ClientIP), 64)]
	return v
}

// Credentials is what a person signs in with.
type Credentials struct {
	Login, Password string
	ClientIP, Agent string // as in Device
	TenantSlug      string // the tenant to act for; empty: the first by slug, or none for an operator
}

// SessionToken is what a person holds of a session.
type SessionToken struct {
	Text    string    // the JWT; whoever has it is the person until Expires
	ID      string    // the sid, for SignOut
	Expires time.Time // of Text
	// Refresh gets the next Text, once; see RefreshSession. Ends is when it stops to do so.
	Refresh string
	Ends    time.Time
}

// passwordWay is how a session was opened that no provider vouched for.
const passwordWay = "password"

// sessionDoc is stored under the sid. A session lives while its document does and is not ended.
type sessionDoc struct {
	Version int              `json:"v"`
	ID      string           `json:"id"`
	User    UserID           `json:"user"`
	Tenant  seamark.TenantID `json:"tenant,omitempty"` // empty: an operator's
	Epoch   uint64           `json:"epoch"`
	// TenantEpoch is the person's epoch in the tenant, see userDoc.
	TenantEpoch uint64    `json:"tenant_epoch,omitempty"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"`       // whatever happens
	Idle        time.Time `json:"idle,omitzero"` // unless it is refreshed before
	Ended       time.Time `json:"ended,omitzero"`
	// Generation counts the refresh secrets; Key signed the newest, at Used. Neither is a secret: see refreshText.
	Generation uint64    `json:"generation,omitempty"`
	Key        string    `json:"key,omitempty"`
	Used       time.Time `json:"used,omitzero"`
	Reused     bool      `json:"reused,omitempty"` // ended because an old refresh secret came back
	Way        string    `json:"way,omitempty"`    // passwordWay, or the provider's id
	ClientIP   string    `json:"client_ip,omitempty"`
	Agent      string    `json:"agent,omitempty"`
}

// ends is when the session is over unless it is refreshed.
func (s *sessionDoc) ends() time.Time {
	if !s.Idle.IsZero() && s.Idle.Before(s.Expires) {
		return s.Idle
	}
	return s.Expires
}

// current reports whether no epoch of the person has ended the session.
func (s *sessionDoc) current(user *userDoc) bool {
	return s.Epoch == user.SessionEpoch && s.TenantEpoch == user.TenantEpochs[s.Tenant]
}

// over reports whether the document itself says that the session is over.
func (s *sessionDoc) over(now time.Time) bool { return !s.Ended.IsZero() || !now.Before(s.ends()) }

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
	known := d.knows(c.Login, c.ClientIP)
	if err := d.limits.admit(c.Login, c.ClientIP, known, d.now()); err != nil {
		return SessionToken{}, err
	}
	user, err := d.checkCredentials(ctx, c)
	if err != nil {
		return SessionToken{}, err
	}
	d.limits.forgive(c.Login, c.ClientIP, known)
	tenant, err := d.chooseTenant(user, c.TenantSlug)
	if err != nil {
		return SessionToken{}, err
	}
	return d.openSession(ctx, user, tenant, passwordWay, Device{c.ClientIP, c.Agent})
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
func (d *Directory) openSession(ctx context.Context, user *userDoc, tenant seamark.TenantID, way string, on Device) (SessionToken, error) {
	key, err := d.signingKey(ctx)
	if err != nil {
		return SessionToken{}, err
	}
	id, err := d.newID()
	if err != nil {
		return SessionToken{}, err
	}
	on = on.cut()
	now := d.now().UTC().Truncate(time.Second) // a JWT counts whole seconds
	session := &sessionDoc{
		Version: docVersion, ID: id, User: user.ID, Tenant: tenant, Epoch: user.SessionEpoch, TenantEpoch: user.TenantEpochs[tenant],
		Created: now, Expires: now.Add(d.opts.SessionLifetime), Idle: now.Add(d.opts.IdleLifetime),
		Generation: 1, Key: key.KID, Used: now, Way: way, ClientIP: on.ClientIP, Agent: on.Agent,
	}
	live := d.liveSessions(user.ID)
	for len(live) >= maxSessions {
		if err := d.SignOut(ctx, live[0].ID); err != nil {
			return SessionToken{}, err
		}
		live = live[1:]
	}
	if err := d.sessions.create(ctx, id, session); err != nil {
		return SessionToken{}, fmt.Errorf("open session: %w", err)
	}
	return d.grant(key, session)
}

// liveSessions returns a person's sessions that are not over, the oldest first.
func (d *Directory) liveSessions(id UserID) []*sessionDoc {
	now := d.now()
	live := slices.DeleteFunc(d.sessions.list(string(id)), func(s *sessionDoc) bool { return s.over(now) })
	slices.SortFunc(live, func(a, b *sessionDoc) int { return cmp.Compare(a.ID, b.ID) })
	return live
}

// grant makes what the person holds of a session: a JWT from now on, and the refresh secret of the session's generation.
func (d *Directory) grant(key *keyDoc, session *sessionDoc) (SessionToken, error) {
	now := d.now().UTC().Truncate(time.Second)
	out := SessionToken{ID: session.ID, Expires: now.Add(d.opts.TokenLifetime), Ends: session.ends()}
	if out.Ends.Before(out.Expires) {
		out.Expires = out.Ends
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, sessionClaims{
		SID: session.ID,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: d.opts.Issuer, Audience: jwt.ClaimStrings{d.audience(session)}, Subject: string(session.User),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(out.Expires),
		},
	})
	var err error
	if out.Text, err = signJWT(token, key, sessionType); err != nil {
		return SessionToken{}, err
	}
	if made, _ := d.keys.find(session.Key); made != nil && made.private != nil {
		if out.Refresh, err = refreshText(made, session.ID, session.Generation); err != nil {
			return SessionToken{}, err
		}
	}
	return out, nil
}

// audience is the aud of a session's tokens. Operators are a realm of their own: a token of one realm is nothing in the other.
func (d *Directory) audience(session *sessionDoc) string {
	if session.Tenant == "" {
		return d.opts.Issuer + "/operators"
	}
	return d.opts.Issuer
}

// signJWT signs a token with our key. typ keeps tokens of one use from passing for another's.
func signJWT(token *jwt.Token, key *keyDoc, typ string) (string, error) {
	token.Header["kid"] = key.KID
	token.Header["typ"] = typ
	text, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return text, nil
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
