package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Acceptance is what somebody who has an invitation's token answers.
type Acceptance struct {
	// Token is the invitation's. Login and Password are of a new user or of one that exists; an invitation by e-mail takes
	// only that address as the login. ClientIP is for the brute-force limits.
	Token, Login, Password, ClientIP string
	// Member is who accepts, where a person is signed in; Login and Password are not looked at then.
	Member seamark.Principal
}

// Offer is what an invitation's token tells about it.
type Offer struct {
	Tenant seamark.TenantID
	Email  string
	Role   seamark.Role
	// Known says that the invited address has a user already, who signs in to accept. Links, which name nobody, tell nobody.
	Known   bool
	Expires time.Time
}

// acceptTriesPerMinute bounds how fast tokens can be tried from one address. Guessing one of 178 bits is hopeless; the
// limit keeps the tries from costing password hashes.
const acceptTriesPerMinute = 10

// acceptLimits bounds how fast invitations are tried, on this node.
type acceptLimits struct{ addresses *tryMeter }

func newAcceptLimits() *acceptLimits {
	return &acceptLimits{addresses: newTryMeter(acceptTriesPerMinute)}
}

func (l *acceptLimits) admit(clientIP string, now time.Time) error {
	wait, ok := l.addresses.take(newTryKey(addressKey(clientIP)), now)
	if ok {
		return nil
	}
	wait = wait.Truncate(time.Second) + time.Second // Retry-After counts whole seconds
	err := seamark.Errorf(seamark.RateLimited, "seamark-invitation-rate",
		"Too many invitations were tried: the limit is %d a minute for an address. Try again in %s.", acceptTriesPerMinute, wait)
	err.RetryAfter = wait
	return err
}

// FindOffer returns what an invitation offers. The error is of kind NotFound for a token that is not good, and RateLimited.
func (d *Directory) FindOffer(_ context.Context, token, clientIP string) (Offer, error) {
	if err := d.accepts.admit(clientIP, d.now()); err != nil {
		return Offer{}, err
	}
	doc, err := d.invitationOf(token)
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{Tenant: doc.Tenant, Email: doc.Email, Role: doc.Role, Expires: doc.Expires}
	if doc.Email != "" {
		user, _ := d.users.find(loginKey(doc.Email))
		offer.Known = user != nil
	}
	return offer, nil
}

// AcceptInvitation makes somebody a member and uses the invitation up. The error is of kind NotFound for a token that is
// not good, RateLimited after too many tries, Forbidden for an address that is not the invited one, Unauthenticated for the
// wrong password of a login that exists, Conflict when it is a member already, and Invalid for a bad login or password.
func (d *Directory) AcceptInvitation(ctx context.Context, a Acceptance) (Member, error) {
	if err := d.accepts.admit(a.ClientIP, d.now()); err != nil {
		return Member{}, err
	}
	doc, err := d.invitationOf(a.Token)
	if err != nil {
		return Member{}, err
	}
	owner, _ := d.tenants.find(string(doc.Tenant))
	if owner == nil {
		return Member{}, invitationAbsent()
	}
	if err := checkOwner(owner); err != nil {
		return Member{}, err
	}
	login, signedIn := normalLogin(a.Login), a.Member.Kind == seamark.Session
	if signedIn {
		login = a.Member.Login
	}
	if login == "" && doc.Email != "" {
		login = doc.Email
	}
	if err := d.checkAcceptance(doc, login, signedIn); err != nil {
		return Member{}, err
	}
	if !signedIn {
		if signedIn, err = d.proveOrCheck(ctx, login, &a); err != nil {
			return Member{}, err
		}
	}
	if err := d.claim(ctx, doc, login); err != nil {
		return Member{}, err
	}
	m, err := d.bindMember(ctx, doc, login, a.Password, signedIn)
	if err != nil {
		return Member{}, errors.Join(err, d.unclaim(ctx, doc, login))
	}
	return m, nil
}

// checkAcceptance finds what can be told before the invitation is used.
func (d *Directory) checkAcceptance(doc *invitationDoc, login string, signedIn bool) error {
	if doc.Email != "" && login != doc.Email {
		return seamark.Errorf(seamark.Forbidden, "seamark-invitation-other",
			"The invitation is for another address than %q. Accept it as who it is for, or ask for one of your own.", login)
	}
	user, _ := d.users.find(loginKey(login))
	switch {
	case user != nil && user.Memberships[doc.Tenant] != "":
		return alreadyMember(login)
	case signedIn && user == nil:
		return userUnknown()
	}
	return nil
}

// proveOrCheck proves the password of a login that exists, within the limits of sign-in, for who belongs to no tenant
// cannot sign in first; it reports true then. Of a new login it checks that both can be taken.
func (d *Directory) proveOrCheck(ctx context.Context, login string, a *Acceptance) (proven bool, err error) {
	if user, _ := d.users.find(loginKey(login)); user == nil {
		if err := errors.Join(checkLogin(login), checkPassword(login, a.Password)); err != nil {
			return false, invalid(err, "seamark-user-invalid")
		}
		return false, nil
	}
	known := d.knows(login, a.ClientIP)
	if err := d.limits.admit(login, a.ClientIP, known, d.now()); err != nil {
		return false, err
	}
	if _, err := d.checkCredentials(ctx, Credentials{Login: login, Password: a.Password}); err != nil {
		return false, err
	}
	d.limits.forgive(login, a.ClientIP, known)
	return true, nil
}

// claim uses the invitation up, once in the world: of two who accept at the same time, one wins the compare-and-set.
func (d *Directory) claim(ctx context.Context, doc *invitationDoc, login string) error {
	_, err := d.changeInvitation(ctx, doc.Tenant, doc.ID, func(i *invitationDoc) error {
		if !i.open(d.now()) || i.SHA256 != doc.SHA256 {
			return invitationUsed()
		}
		i.Accepted, i.AcceptedBy = d.now().UTC(), login
		return nil
	})
	return err
}

// unclaim opens an invitation again whose member could not be made.
func (d *Directory) unclaim(ctx context.Context, doc *invitationDoc, login string) error {
	_, err := d.changeInvitation(context.WithoutCancel(ctx), doc.Tenant, doc.ID, func(i *invitationDoc) error {
		if i.AcceptedBy == login {
			i.Accepted, i.AcceptedBy = time.Time{}, ""
		}
		return nil
	})
	return err
}

// bindMember makes the membership, and the user where there is none.
func (d *Directory) bindMember(ctx context.Context, doc *invitationDoc, login, password string, signedIn bool) (Member, error) {
	spec := MemberSpec{Role: doc.Role, Only: doc.Only}
	if _, err := d.FindRole(ctx, doc.Tenant, doc.Role); err != nil {
		return Member{}, err
	}
	if !signedIn {
		if _, err := d.createUser(ctx, UserSpec{Login: login, Password: password}); err != nil {
			return Member{}, err
		}
	}
	user, err := d.users.mutate(ctx, loginKey(login), func(u *userDoc) error {
		if u.Memberships[doc.Tenant] != "" {
			return alreadyMember(login)
		}
		u.setMember(doc.Tenant, spec)
		return nil
	})
	if err != nil {
		return Member{}, fmt.Errorf("bind member: %w", err)
	}
	return user.member(doc.Tenant), nil
}
