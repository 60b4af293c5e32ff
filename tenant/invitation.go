package tenant

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// inviteKind stands in the text of an invitation's token, where that of a credential names its kind. No credential check
	// takes it.
	inviteKind = "invite"
	// defaultInvitation and maxInvitation are how long an invitation is open. Without an end, whoever finds an old message
	// becomes a member.
	defaultInvitation, maxInvitation = 7 * 24 * time.Hour, 30 * 24 * time.Hour
	// maxInvitations bounds a tenant's open invitations.
	maxInvitations = 500
	// deadInvitationKeep is how long one that is over stays in the list.
	deadInvitationKeep = 30 * 24 * time.Hour
)

// Invitation is an offer to become a member, without its secret.
type Invitation struct {
	ID         string
	Tenant     seamark.TenantID
	Email      string // who it is for; "" is whoever has the link
	Role       seamark.Role
	Only       *seamark.Restriction // nil: the whole tenant
	InvitedBy  string
	Created    time.Time
	Expires    time.Time
	Accepted   time.Time // zero: not accepted
	AcceptedBy string
	Revoked    time.Time // zero: not revoked
}

// InvitationSpec is what an invitation is made from.
type InvitationSpec struct {
	Email  string // "": a link that whoever has it can use, once
	Role   seamark.Role
	Only   *seamark.Restriction
	Expire time.Duration // 0: 7 days
}

// invitationDoc is stored under its id, in the bucket of people.
type invitationDoc struct {
	Version    int                  `json:"v"`
	ID         string               `json:"id"`
	Tenant     seamark.TenantID     `json:"tenant"`
	Email      string               `json:"email,omitempty"`
	Role       seamark.Role         `json:"role"`
	Only       *seamark.Restriction `json:"only,omitempty"`
	InvitedBy  string               `json:"invited_by,omitempty"`
	SHA256     string               `json:"sha256"`
	Created    time.Time            `json:"created"`
	Expires    time.Time            `json:"expires"`
	Accepted   time.Time            `json:"accepted,omitzero"`
	AcceptedBy string               `json:"accepted_by,omitempty"`
	Revoked    time.Time            `json:"revoked,omitzero"`

	hash [sha256.Size]byte
}

func (i *invitationDoc) validate(key string) error {
	if i.ID != key || len(key) != keyIDLength || !isBase62(key) {
		return fmt.Errorf("invitation %.40q stands under the key of another", i.ID)
	}
	if _, err := seamark.ParseTenantID(string(i.Tenant)); err != nil {
		return err
	}
	if i.Expires.IsZero() || i.Role == "" {
		return errors.New("invitation has no end or no role")
	}
	if i.Email != "" {
		if err := checkEmail(i.Email); err != nil {
			return err
		}
	}
	return errors.Join(parseHash(&i.hash, i.SHA256), i.Only.Validate())
}

// checkEmail accepts what can be an address and a login; whether it exists, only a message shows.
func checkEmail(email string) error {
	name, host, ok := strings.Cut(email, "@")
	if !ok || name == "" || !strings.Contains(host, ".") || strings.Contains(host, "@") {
		return fmt.Errorf("%.80q is no e-mail address", email)
	}
	return checkLogin(email)
}

// open reports whether the invitation can still be accepted.
func (i *invitationDoc) open(now time.Time) bool {
	return i.Accepted.IsZero() && i.Revoked.IsZero() && now.Before(i.Expires)
}

func (i *invitationDoc) invitation() Invitation {
	return Invitation{
		ID: i.ID, Tenant: i.Tenant, Email: i.Email, Role: i.Role, Only: i.Only, InvitedBy: i.InvitedBy, Created: i.Created,
		Expires: i.Expires, Accepted: i.Accepted, AcceptedBy: i.AcceptedBy, Revoked: i.Revoked,
	}
}

// CreateInvitation offers a membership of the tenant and returns the token of the offer, which is shown this once. The
// error is of kind Invalid for a bad spec, Forbidden for more than the actor holds itself, and Conflict when the person is
// a member or there are 500 open invitations.
func (d *Directory) CreateInvitation(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, spec InvitationSpec) (Invitation, string, error) {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return Invitation{}, "", err
	}
	spec.Email = normalLogin(spec.Email)
	if err := d.checkInvitation(ctx, actor, tenant, &spec); err != nil {
		return Invitation{}, "", err
	}
	id, err := randomText(d.opts.Rand, keyIDLength)
	if err != nil {
		return Invitation{}, "", err
	}
	secret, hash, err := d.newSecret()
	if err != nil {
		return Invitation{}, "", err
	}
	now := d.now().UTC()
	doc := &invitationDoc{
		Version: docVersion, ID: id, Tenant: tenant, Email: spec.Email, Role: spec.Role, Only: spec.Only, InvitedBy: actor.Login,
		SHA256: hash, Created: now, Expires: now.Add(spec.Expire),
	}
	if doc.InvitedBy == "" {
		doc.InvitedBy = actor.CredentialID
	}
	if err := d.invitations.create(ctx, id, doc); err != nil {
		return Invitation{}, "", fmt.Errorf("create invitation: %w", err)
	}
	return doc.invitation(), formatSecret(inviteKind, id, secret), nil
}

func (d *Directory) checkInvitation(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, spec *InvitationSpec) error {
	if spec.Expire == 0 {
		spec.Expire = defaultInvitation
	}
	if spec.Expire < time.Minute || spec.Expire > maxInvitation {
		return seamark.Errorf(seamark.Invalid, "seamark-invitation-invalid", "The invitation would be open for %s; between a minute and %s is possible.", spec.Expire, maxInvitation)
	}
	if spec.Email != "" {
		if err := checkEmail(spec.Email); err != nil {
			return invalid(err, "seamark-invitation-invalid")
		}
		if u, _ := d.users.find(loginKey(spec.Email)); u != nil && u.Memberships[tenant] != "" {
			return alreadyMember(spec.Email)
		}
	}
	open, now := 0, d.now()
	for _, i := range d.invitations.list(string(tenant)) {
		if !i.open(now) {
			continue
		}
		open++
		if spec.Email != "" && i.Email == spec.Email {
			return seamark.Errorf(seamark.Conflict, "seamark-invitation-exists", "%s is invited already. Send that invitation again, or revoke it first.", spec.Email)
		}
	}
	if open >= maxInvitations {
		return seamark.Errorf(seamark.Conflict, "seamark-invitation-limit", "The tenant has %d open invitations, the limit. Revoke some.", maxInvitations)
	}
	return d.checkMember(ctx, actor, tenant, MemberSpec{Role: spec.Role, Only: spec.Only})
}

func alreadyMember(login string) error {
	return seamark.Errorf(seamark.Conflict, "seamark-member-exists", "%s is a member of the tenant already. Change the member's role instead.", login)
}

// ListInvitations returns the tenant's invitations, oldest first, also those that were accepted or revoked within the last
// 30 days.
func (d *Directory) ListInvitations(_ context.Context, tenant seamark.TenantID) []Invitation {
	list := []Invitation{}
	for _, i := range d.invitations.list(string(tenant)) {
		list = append(list, i.invitation())
	}
	slices.SortFunc(list, func(a, b Invitation) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// RevokeInvitation ends an invitation. Revoking twice is no error; the error is of kind NotFound, or Conflict when it was
// accepted.
func (d *Directory) RevokeInvitation(ctx context.Context, tenant seamark.TenantID, id string) error {
	_, err := d.changeInvitation(ctx, tenant, id, func(i *invitationDoc) error {
		if !i.Accepted.IsZero() {
			return invitationUsed()
		}
		if i.Revoked.IsZero() {
			i.Revoked = d.now().UTC()
		}
		return nil
	})
	return err
}

// ResendInvitation gives an invitation a new token, shown this once, and the time that it had at first; the token before
// it is good for nothing. The actor answers for what the invitation gives as if it made it.
func (d *Directory) ResendInvitation(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, id string) (Invitation, string, error) {
	secret, hash, err := d.newSecret()
	if err != nil {
		return Invitation{}, "", err
	}
	doc, err := d.changeInvitation(ctx, tenant, id, func(i *invitationDoc) error {
		if !i.Accepted.IsZero() || !i.Revoked.IsZero() {
			return invitationUsed()
		}
		if err := d.checkMember(ctx, actor, tenant, MemberSpec{Role: i.Role, Only: i.Only}); err != nil {
			return err
		}
		now := d.now().UTC()
		i.SHA256, i.Expires = hash, now.Add(min(maxInvitation, i.Expires.Sub(i.Created)))
		i.Created = now
		return nil
	})
	if err != nil {
		return Invitation{}, "", err
	}
	return doc.invitation(), formatSecret(inviteKind, id, secret), nil
}

func (d *Directory) changeInvitation(ctx context.Context, tenant seamark.TenantID, id string, change func(*invitationDoc) error) (*invitationDoc, error) {
	if len(id) != keyIDLength || !isBase62(id) {
		return nil, invitationAbsent()
	}
	doc, err := d.invitations.mutate(ctx, id, func(i *invitationDoc) error {
		if i.Tenant != tenant {
			return invitationAbsent()
		}
		return change(i)
	})
	if errors.Is(err, errAbsent) {
		return nil, invitationAbsent()
	}
	if err != nil {
		return nil, fmt.Errorf("change invitation: %w", err)
	}
	return doc, nil
}

func invitationAbsent() error {
	return seamark.Errorf(seamark.NotFound, "seamark-invitation-absent", "The tenant has no such invitation.")
}

func invitationUsed() error {
	return seamark.Errorf(seamark.Conflict, "seamark-invitation-used", "The invitation was accepted or revoked. Make a new one.")
}

// sweepInvitations removes what has been over for long.
func (d *Directory) sweepInvitations(ctx context.Context) error {
	now := d.now()
	for _, i := range d.invitations.all() {
		if now.Sub(i.Expires) < deadInvitationKeep {
			continue
		}
		if err := d.invitations.remove(ctx, i.ID); err != nil {
			return fmt.Errorf("remove old invitation: %w", err)
		}
	}
	return nil
}

// invitationOf returns the open invitation whose token text is. Every refusal looks alike and takes alike.
func (d *Directory) invitationOf(text string) (*invitationDoc, error) {
	refused := seamark.Errorf(seamark.NotFound, "seamark-invitation-refused",
		"The invitation is unknown, was used, was revoked or is over. Ask who invited you for a new one.")
	if len(text) > maxTokenBytes || !strings.HasPrefix(text, tokenPrefix) {
		return nil, refused
	}
	kind, id, secret, ok := parseSecret(text)
	if !ok || kind != inviteKind {
		return nil, refused
	}
	sum := sha256.Sum256([]byte(secret))
	doc, _ := d.invitations.find(id)
	var want [sha256.Size]byte
	if doc != nil {
		want = doc.hash
	}
	if subtle.ConstantTimeCompare(sum[:], want[:]) != 1 || doc == nil || !doc.open(d.now()) {
		return nil, refused
	}
	return doc, nil
}
