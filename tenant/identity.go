package tenant

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxIdentities bounds the identities of one person. Without it one person with a provider of their own fills the bucket.
const maxIdentities = 20

// Identity is a person at a provider that signs in one of ours. It is known by issuer and subject alone: an address of
// e-mail can be given to somebody else, and some providers let people write any into their profile.
type Identity struct {
	ID       string    `json:"id"` // of issuer and subject
	Provider string    `json:"provider"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Email    string    `json:"email,omitempty"` // as the provider said when it was linked; nothing is decided by it
	Linked   time.Time `json:"linked"`
}

// identityDoc is stored under the identity's id.
type identityDoc struct {
	Version int `json:"v"`
	Identity
	User UserID `json:"user"`
	// Granted are the memberships that the provider's mapping gave, so that what it gives no longer can be taken back.
	Granted map[seamark.TenantID]seamark.Role `json:"granted,omitempty"`
}

func (i *identityDoc) validate(key string) error {
	if i.ID != key || identityID(i.Issuer, i.Subject) != key {
		return fmt.Errorf("identity %.40q stands under the key of another", i.ID)
	}
	if i.Issuer == "" || i.Subject == "" || i.Provider == "" || i.User == "" {
		return errors.New("identity has no issuer, subject, provider or user")
	}
	return checkMemberships(i.Granted)
}

// identityID is what an identity is stored under. Issuers are configured and have no NUL, so no two pairs look alike.
func identityID(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return hex.EncodeToString(sum[:16])
}

// External is whom a provider has proven, and what its configuration makes of that.
type External struct {
	Provider, Issuer, Subject string
	Email                     string // verified by the provider, or empty
	// OperatorRealm says whose provider it is; Operator, whether this person is one. A realm's provider opens no session of
	// the other's.
	OperatorRealm, Operator bool
	// Roles are what the mapping gives, by the tenants' slugs.
	Roles map[string]seamark.Role
	// Invitation is the token of one that the person accepts by signing in; "" is none.
	Invitation string
}

// SignInExternal opens a session for whom a provider has proven, and makes the person where the mapping gives them anything.
// The error is of kind Forbidden: seamark-signin-unlinked when the login is taken by somebody who has not linked the identity,
// seamark-signin-unmapped when nobody gave them access, seamark-signin-realm for the other realm's person, or as of SignIn.
func (d *Directory) SignInExternal(ctx context.Context, p External, tenantSlug string, on Device) (SessionToken, error) {
	if p.OperatorRealm && !p.Operator {
		return SessionToken{}, unmapped()
	}
	if err := d.checkInvited(p); err != nil {
		return SessionToken{}, err
	}
	user, err := d.findExternal(ctx, p)
	if err != nil {
		return SessionToken{}, err
	}
	if user.Operator != p.OperatorRealm {
		return SessionToken{}, seamark.Errorf(seamark.Forbidden, "seamark-signin-realm", "This provider is not for people of your kind: operators and members of tenants sign in apart.")
	}
	if p.Invitation != "" {
		if user, tenantSlug, err = d.acceptExternal(ctx, user, p, on); err != nil {
			return SessionToken{}, err
		}
	}
	tenant, err := d.chooseTenant(user, tenantSlug)
	if err != nil {
		return SessionToken{}, err
	}
	return d.openSession(ctx, user, tenant, p.Provider, on)
}

// checkInvited refuses an invitation that is no good before a person is made for it.
func (d *Directory) checkInvited(p External) error {
	if p.Invitation == "" {
		return nil
	}
	if p.OperatorRealm {
		return seamark.Errorf(seamark.Forbidden, "seamark-signin-realm", "Operators cannot accept invitations of tenants.")
	}
	doc, err := d.invitationOf(p.Invitation)
	if err != nil {
		return err
	}
	if known, _ := d.persons.find(identityID(p.Issuer, p.Subject)); known != nil {
		return nil
	}
	return d.checkAcceptedBy(doc, externalLogin(p))
}

// acceptExternal accepts an invitation for the person of an identity, and says to which tenant it led.
func (d *Directory) acceptExternal(ctx context.Context, user *userDoc, p External, on Device) (*userDoc, string, error) {
	doc, err := d.invitationOf(p.Invitation)
	if err != nil {
		return nil, "", err
	}
	_, err = d.AcceptInvitation(ctx, Acceptance{
		Token: p.Invitation, ClientIP: on.ClientIP, Member: seamark.Principal{Kind: seamark.Session, Login: user.Login},
	})
	if err != nil {
		return nil, "", err
	}
	t, err := d.FindTenant(ctx, doc.Tenant)
	if err != nil {
		return nil, "", err
	}
	user, _ = d.users.find(loginKey(user.Login))
	return user, t.Slug, nil
}

// checkAcceptedBy refuses a login that is not whom an invitation names.
func (d *Directory) checkAcceptedBy(doc *invitationDoc, login string) error {
	if doc.Email == "" || doc.Email == login {
		return nil
	}
	return seamark.Errorf(seamark.Forbidden, "seamark-invitation-other",
		"The invitation is for another address than %.80q. Accept it as who it is for, or ask for one of your own.", login)
}

func unmapped() error {
	return seamark.Errorf(seamark.Forbidden, "seamark-signin-unmapped",
		"The provider knows you, but nobody has given you access here. Ask an owner of your tenant or the operator.")
}

// findExternal returns the person that an identity signs in, with what the mapping gives and takes, or makes them.
func (d *Directory) findExternal(ctx context.Context, p External) (*userDoc, error) {
	granted := d.grantedBy(ctx, p)
	known, _ := d.persons.find(identityID(p.Issuer, p.Subject))
	if known == nil {
		return d.provision(ctx, p, granted)
	}
	user := d.users.findAlias(string(known.User))
	if user == nil { // made by halves, see provision
		return d.createExternal(ctx, p, known.User, granted)
	}
	if user.Operator {
		return user, nil
	}
	if next := d.regrant(user, known.Granted, granted); !maps.Equal(next, user.Memberships) {
		var err error
		user, err = d.mutateUser(ctx, user.Login, func(u *userDoc) error {
			u.Memberships, u.Scopes = d.regrant(u, known.Granted, granted), maps.Clone(u.Scopes)
			maps.DeleteFunc(u.Scopes, func(id seamark.TenantID, _ *seamark.Restriction) bool { return u.Memberships[id] == "" })
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if maps.Equal(known.Granted, granted) {
		return user, nil
	}
	_, err := d.persons.mutate(ctx, known.ID, func(i *identityDoc) error {
		i.Granted = granted
		return nil
	})
	return user, err
}

// grantedBy turns the mapping's slugs into tenants. A tenant that is not there gives nothing.
func (d *Directory) grantedBy(ctx context.Context, p External) map[seamark.TenantID]seamark.Role {
	granted := map[seamark.TenantID]seamark.Role{}
	for slug, role := range p.Roles {
		t, err := d.FindTenantBySlug(ctx, slug)
		if err != nil {
			d.log.WarnContext(ctx, "a provider's mapping names a tenant that is not there", slog.String("provider", p.Provider), slog.String("tenant", slug))
			continue
		}
		granted[t.ID] = role
	}
	return granted
}

// regrant returns a person's memberships after the mapping changed from old to new. What somebody changed here by hand
// stays, and so does a tenant's last owner.
func (d *Directory) regrant(user *userDoc, before, after map[seamark.TenantID]seamark.Role) map[seamark.TenantID]seamark.Role {
	next := maps.Clone(user.Memberships)
	if next == nil {
		next = map[seamark.TenantID]seamark.Role{}
	}
	keep := func(id seamark.TenantID) bool {
		return next[id] != before[id] || next[id] == seamark.RoleOwner && !d.ownedBeside(id, user.ID)
	}
	for id := range before {
		if _, still := after[id]; !still && !keep(id) {
			delete(next, id)
		}
	}
	for id, role := range after {
		if _, member := next[id]; !member || !keep(id) {
			next[id] = role
		}
	}
	return next
}

// ownedBeside reports whether a tenant has an owner beside the given one.
func (d *Directory) ownedBeside(id seamark.TenantID, beside UserID) bool {
	return slices.ContainsFunc(d.users.all(), func(u *userDoc) bool { return u.ID != beside && u.Memberships[id] == seamark.RoleOwner })
}

// provision makes an identity and its person. The identity comes first: when the process dies in between, the next sign-in
// goes on, while a person without their identity would hold the login for ever.
func (d *Directory) provision(ctx context.Context, p External, granted map[seamark.TenantID]seamark.Role) (*userDoc, error) {
	if len(granted) == 0 && !p.Operator && p.Invitation == "" {
		return nil, unmapped()
	}
	if taken, _ := d.users.find(loginKey(externalLogin(p))); taken != nil {
		return nil, unlinked(taken.Login)
	}
	id, err := d.newID()
	if err != nil {
		return nil, err
	}
	err = d.storeIdentity(ctx, p, UserID(id), granted)
	if errors.Is(err, errTaken) { // the same person in another tab
		if err = d.persons.refresh(ctx, identityID(p.Issuer, p.Subject)); err == nil {
			return d.findExternal(ctx, p)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("store identity: %w", err)
	}
	return d.createExternal(ctx, p, UserID(id), granted)
}

func (d *Directory) storeIdentity(ctx context.Context, p External, user UserID, granted map[seamark.TenantID]seamark.Role) error {
	id := identityID(p.Issuer, p.Subject)
	return d.persons.create(ctx, id, &identityDoc{Version: docVersion, User: user, Granted: granted, Identity: Identity{
		ID: id, Provider: p.Provider, Issuer: p.Issuer, Subject: p.Subject, Email: p.Email, Linked: d.now().UTC(),
	}})
}

// createExternal makes the person of an identity, without a password.
func (d *Directory) createExternal(ctx context.Context, p External, id UserID, granted map[seamark.TenantID]seamark.Role) (*userDoc, error) {
	login := externalLogin(p)
	if p.Operator {
		granted = nil
	}
	doc := &userDoc{Version: docVersion, SessionEpoch: 1, User: User{ID: id, Login: login, Operator: p.Operator, Memberships: granted, Created: d.now().UTC()}}
	err := d.users.create(ctx, loginKey(login), doc)
	if !errors.Is(err, errTaken) {
		return doc, err
	}
	if err := d.users.refresh(ctx, loginKey(login)); err != nil {
		return nil, err
	}
	if user, _ := d.users.find(loginKey(login)); user != nil && user.ID == id {
		return user, nil // the same person in another tab
	}
	return nil, unlinked(login)
}

func unlinked(login string) error {
	return seamark.Errorf(seamark.Forbidden, "seamark-signin-unlinked",
		"There is a person with the login %.80q already. If that is you, sign in as before and link the provider in your account.", login)
}

// externalLogin is the login of a person who comes from a provider: their verified address, else one made from the identity.
func externalLogin(p External) string {
	if login := normalLogin(p.Email); checkLogin(login) == nil {
		return login
	}
	return p.Provider + "-" + identityID(p.Issuer, p.Subject)[:12]
}

// LinkIdentity lets an identity sign in the person of a session, who asked for it there. The error is of kind Conflict when
// the identity signs in somebody else, and Forbidden when it is of the other realm.
func (d *Directory) LinkIdentity(ctx context.Context, sid string, p External) error {
	_, user, err := d.findStanding(sid)
	if err != nil {
		return err
	}
	if user.Operator != p.OperatorRealm || user.Operator && !p.Operator {
		return seamark.Errorf(seamark.Forbidden, "seamark-signin-realm", "This provider is not for people of your kind: operators and members of tenants sign in apart.")
	}
	if len(d.persons.list(string(user.ID))) >= maxIdentities {
		return seamark.Errorf(seamark.Conflict, "seamark-identity-many", "You have %d identities linked, which is the limit. Unlink one first.", maxIdentities)
	}
	err = d.storeIdentity(ctx, p, user.ID, nil)
	if !errors.Is(err, errTaken) {
		return err
	}
	id := identityID(p.Issuer, p.Subject)
	if err := d.persons.refresh(ctx, id); err != nil {
		return err
	}
	if known, _ := d.persons.find(id); known != nil && known.User == user.ID {
		return nil
	}
	return seamark.Errorf(seamark.Conflict, "seamark-identity-taken", "This identity of the provider signs in somebody else here. Unlink it there first.")
}

// ListIdentities returns the identities that sign in a person, the oldest first.
func (d *Directory) ListIdentities(_ context.Context, login string) []Identity {
	user, _ := d.users.find(loginKey(normalLogin(login)))
	if user == nil {
		return nil
	}
	var list []Identity
	for _, i := range d.persons.list(string(user.ID)) {
		list = append(list, i.Identity)
	}
	slices.SortFunc(list, func(a, b Identity) int { return cmp.Or(a.Linked.Compare(b.Linked), cmp.Compare(a.ID, b.ID)) })
	return list
}

// UnlinkIdentity ends that an identity signs in a person. The error is of kind NotFound when it does not, and Conflict when
// the person could not sign in at all without it.
func (d *Directory) UnlinkIdentity(ctx context.Context, login, id string) error {
	user, _ := d.users.find(loginKey(normalLogin(login)))
	known, _ := d.persons.find(id)
	if user == nil || known == nil || known.User != user.ID {
		return seamark.Errorf(seamark.NotFound, "seamark-identity-unknown", "You have no such identity.")
	}
	if user.Password == "" && len(d.persons.list(string(user.ID))) < 2 {
		return seamark.Errorf(seamark.Conflict, "seamark-identity-last", "Without this identity you could not sign in any more. Ask the operator for a password first.")
	}
	return d.persons.remove(ctx, id)
}
