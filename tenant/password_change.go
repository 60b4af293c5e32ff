package tenant

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// PasswordChange is a person's wish for another password.
type PasswordChange struct {
	Session  string // the sid it is asked in
	Old, New string
	Device
}

// ChangePassword replaces the password of a session's person, ends all their sessions and opens a new one. The error is of
// kind Unauthenticated when the old password is wrong, Invalid for a bad new one or a person who has none, and RateLimited
// after too many tries.
func (d *Directory) ChangePassword(ctx context.Context, c PasswordChange) (SessionToken, error) {
	session, user, err := d.findStanding(c.Session)
	if err != nil {
		return SessionToken{}, err
	}
	if user.Password == "" {
		return SessionToken{}, seamark.Errorf(seamark.Invalid, "seamark-password-none",
			"You sign in through a provider and have no password here. Ask the operator for a link if you need one.")
	}
	if err := checkPassword(user.Login, c.New); err != nil {
		return SessionToken{}, invalid(err, "seamark-user-invalid")
	}
	// Whoever took over a session must not be able to try passwords in it.
	if err := d.limits.admit(user.Login, c.ClientIP, true, d.now()); err != nil {
		return SessionToken{}, err
	}
	if _, err := d.checkCredentials(ctx, Credentials{Login: user.Login, Password: c.Old}); err != nil {
		if seamark.KindOf(err) == seamark.Unauthenticated {
			err = seamark.Wrap(err, seamark.Invalid, "seamark-password-wrong", "The old password is wrong.")
		}
		return SessionToken{}, err
	}
	hash, err := d.hashing.hash(ctx, c.New)
	if err != nil {
		return SessionToken{}, err
	}
	d.limits.forgive(user.Login, c.ClientIP, true)
	changed, err := d.mutateUser(ctx, user.Login, func(u *userDoc) error {
		u.Password, u.Reset = hash, nil
		u.SessionEpoch++
		return nil
	})
	if err != nil {
		return SessionToken{}, err
	}
	return d.openSession(ctx, changed, session.Tenant, passwordWay, c.Device)
}

const (
	// resetLifetime is how long a link that sets a password works: somebody hands it over by hand.
	resetLifetime     = 24 * time.Hour
	resetPrefix       = "smp"
	resetSecretLength = 30 // 178 bits
)

// resetDoc is a link that sets a new password. The store has the hash of its secret.
type resetDoc struct {
	Hash    string    `json:"hash"`
	Expires time.Time `json:"expires"`
}

// PasswordReset is a link's secret, told once.
type PasswordReset struct {
	Login   string
	Text    string // smp_<user>_<secret>
	Expires time.Time
}

// CreatePasswordReset makes the secret that sets a new password, in place of the one before. Operators may for everybody; an
// owner only for members who belong to no other tenant, because whoever has the link can become the person everywhere, and nobody for
// a member who may do more than he may himself. The error is of kind Forbidden then, and NotFound when the owner's tenant has no
// such member.
func (d *Directory) CreatePasswordReset(ctx context.Context, by seamark.Principal, id UserID) (PasswordReset, error) {
	user := d.users.findAlias(string(id))
	if user == nil {
		return PasswordReset{}, memberUnknown()
	}
	if err := d.mayReset(ctx, by, user); err != nil {
		return PasswordReset{}, err
	}
	secret, err := randomText(d.opts.Rand, resetSecretLength)
	if err != nil {
		return PasswordReset{}, err
	}
	expires := d.now().UTC().Add(resetLifetime)
	_, err = d.mutateUser(ctx, user.Login, func(u *userDoc) error {
		if err := d.mayReset(ctx, by, u); err != nil {
			return err
		}
		u.Reset = &resetDoc{Hash: resetHash(secret), Expires: expires}
		return nil
	})
	if err != nil {
		return PasswordReset{}, err
	}
	return PasswordReset{Login: user.Login, Text: resetPrefix + "_" + string(user.ID) + "_" + secret, Expires: expires}, nil
}

func (d *Directory) mayReset(ctx context.Context, by seamark.Principal, user *userDoc) error {
	if by.Operator {
		return nil
	}
	if _, member := user.Memberships[by.Tenant]; !member {
		return memberUnknown()
	}
	if user.Operator || len(user.Memberships) > 1 {
		return seamark.Errorf(seamark.Forbidden, "seamark-password-shared",
			"This person belongs to other tenants, too, so only the operator may make a link that sets their password.")
	}
	return d.mayChange(ctx, by, user.member(by.Tenant), by.Tenant)
}

func resetHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// ResetPassword sets a password with the secret of a link, which works once, and ends the person's sessions. It returns the
// login. The error is of kind Unauthenticated when the link is over, Invalid for a bad password, and RateLimited after too
// many tries from an address.
func (d *Directory) ResetPassword(ctx context.Context, text, password, clientIP string) (login string, err error) {
	if err := d.limits.admitAddress(clientIP, d.now()); err != nil {
		return "", err
	}
	over := seamark.Errorf(seamark.Unauthenticated, "seamark-reset-over",
		"The link is not valid, was used, or is older than %s. Ask for a new one.", resetLifetime)
	parts := strings.Split(text, "_")
	if len(text) > maxRefreshBytes || len(parts) != 3 || parts[0] != resetPrefix {
		return "", over
	}
	user, want := d.users.findAlias(parts[1]), resetHash(parts[2])
	opens := func(u *userDoc) bool {
		return u != nil && u.Reset != nil && d.now().Before(u.Reset.Expires) && subtle.ConstantTimeCompare([]byte(u.Reset.Hash), []byte(want)) == 1
	}
	if !opens(user) {
		return "", over
	}
	if err := checkPassword(user.Login, password); err != nil {
		return "", invalid(err, "seamark-user-invalid")
	}
	hash, err := d.hashing.hash(ctx, password)
	if err != nil {
		return "", err
	}
	_, err = d.users.mutate(ctx, loginKey(user.Login), func(u *userDoc) error {
		if !opens(u) { // somebody used it meanwhile
			return over
		}
		u.Password, u.Reset = hash, nil
		u.SessionEpoch++
		return nil
	})
	switch {
	case errors.Is(err, errAbsent):
		return "", over
	case err != nil:
		return "", fmt.Errorf("reset password: %w", err)
	}
	return user.Login, nil
}
