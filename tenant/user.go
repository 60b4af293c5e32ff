package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// UserID names a person for ever. It is an opaque ULID.
type UserID string

// User is a person who signs in.
type User struct {
	ID          UserID                            `json:"id"`
	Login       string                            `json:"login"` // lower case, unique
	Operator    bool                              `json:"operator,omitempty"`
	Memberships map[seamark.TenantID]seamark.Role `json:"memberships,omitempty"`
	// Scopes narrow memberships; one without an entry is of the whole tenant.
	Scopes  map[seamark.TenantID]*seamark.Restriction `json:"scopes,omitempty"`
	Created time.Time                                 `json:"created"`
}

// UserSpec is what a new user is made from.
type UserSpec struct {
	Login       string
	Password    string
	Operator    bool // may manage tenants; belongs to none by that
	Memberships map[seamark.TenantID]seamark.Role
}

// userDoc is stored under the hash of the login, which makes logins unique and takes any character that a login has.
type userDoc struct {
	Version int `json:"v"`
	User
	Password string `json:"password,omitempty"` // PHC string; empty: cannot sign in by password
	// SessionEpoch is copied into each session; raising it ends all sessions of the user on every node with one write.
	SessionEpoch uint64 `json:"session_epoch"`
	// TenantEpochs are the same for the sessions that act for one tenant; absent is zero.
	TenantEpochs map[seamark.TenantID]uint64 `json:"tenant_epochs,omitempty"`
	// Reset is the link that sets a new password, while there is one.
	Reset *resetDoc `json:"reset,omitempty"`
}

func (u *userDoc) validate(key string) error {
	if err := checkLogin(u.Login); err != nil {
		return err
	}
	if loginKey(u.Login) != key {
		return fmt.Errorf("user %.80q stands under the key of another", u.Login)
	}
	if len(u.ID) == 0 {
		return errors.New("user has no id")
	}
	if u.Password != "" {
		if _, err := parsePasswordHash(u.Password); err != nil {
			return err
		}
	}
	for id, only := range u.Scopes {
		if _, member := u.Memberships[id]; !member || !only.Narrows() {
			return fmt.Errorf("user %.80q is restricted in a tenant without being a member, or to everything", u.Login)
		}
		if err := only.Validate(); err != nil {
			return err
		}
	}
	return checkMemberships(u.Memberships)
}

// narrowed returns what a member may read of a tenant, and what also narrows that.
func (u *userDoc) narrowed(tenant seamark.TenantID, also *seamark.Restriction) *seamark.Restriction {
	return u.Scopes[tenant].Intersect(also)
}

func withoutPassword(u userDoc) userDoc {
	u.Password, u.Reset = "", nil
	return u
}

func checkMemberships(memberships map[seamark.TenantID]seamark.Role) error {
	for id, role := range memberships {
		if _, err := seamark.ParseTenantID(string(id)); err != nil {
			return err
		}
		if err := checkRoleName(role); !slices.Contains(Roles(), role) && err != nil {
			return fmt.Errorf("role %.40q is neither owner, admin, editor or viewer nor the name of a custom role: %w", role, err)
		}
	}
	return nil
}

// maxLoginBytes bounds a login; an e-mail address has at most 254.
const maxLoginBytes = 254

// checkLogin accepts e-mail addresses and plain names in lower case.
func checkLogin(login string) error {
	if len(login) == 0 || len(login) > maxLoginBytes {
		return fmt.Errorf("the login has %d characters; it needs 1 to %d", len(login), maxLoginBytes)
	}
	for i := range len(login) {
		c := login[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("@.+-_%", c) >= 0 {
			continue
		}
		return fmt.Errorf("the login has %q at position %d; use letters, digits and @ . + - _ %%", c, i+1)
	}
	return nil
}

// normalLogin is how a login is compared: people do not mean its case.
func normalLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

func loginKey(login string) string {
	sum := sha256.Sum256([]byte(login))
	return hex.EncodeToString(sum[:16])
}

// CreateUser makes a user. The error is of kind Invalid for a bad login, password or role, NotFound for a membership in
// an unknown tenant, Conflict when the login is taken, and RateLimited when too many passwords are being hashed.
func (d *Directory) CreateUser(ctx context.Context, spec UserSpec) (User, error) {
	spec.Login = normalLogin(spec.Login)
	err := errors.Join(checkLogin(spec.Login), checkPassword(spec.Login, spec.Password), checkMemberships(spec.Memberships))
	if err != nil {
		return User{}, invalid(err, "seamark-user-invalid")
	}
	for id, role := range spec.Memberships {
		if _, err := d.FindTenant(ctx, id); err != nil {
			return User{}, err
		}
		if _, err := d.FindRole(ctx, id, role); err != nil {
			return User{}, seamark.Wrap(err, seamark.Invalid, "seamark-user-invalid", "The tenant has no role %q.", role)
		}
	}
	return d.createUser(ctx, spec)
}

func (d *Directory) createUser(ctx context.Context, spec UserSpec) (User, error) {
	if doc, _ := d.users.find(loginKey(spec.Login)); doc != nil {
		return User{}, loginTaken(spec.Login)
	}
	hash, err := d.hashing.hash(ctx, spec.Password)
	if err != nil {
		return User{}, err
	}
	id, err := d.newID()
	if err != nil {
		return User{}, err
	}
	doc := &userDoc{Version: docVersion, Password: hash, SessionEpoch: 1, User: User{
		ID: UserID(id), Login: spec.Login, Operator: spec.Operator, Memberships: maps.Clone(spec.Memberships), Created: d.now().UTC(),
	}}
	err = d.users.create(ctx, loginKey(spec.Login), doc)
	if errors.Is(err, errTaken) {
		return User{}, loginTaken(spec.Login)
	}
	if err != nil {
		return User{}, fmt.Errorf("create user: %w", err)
	}
	return doc.public(), nil
}

func loginTaken(login string) error {
	return seamark.Errorf(seamark.Conflict, "seamark-user-exists", "A user with the login %q exists; choose another login.", login)
}

// public returns a copy that the caller may keep and change.
func (u *userDoc) public() User {
	user := u.User
	user.Memberships, user.Scopes = maps.Clone(u.Memberships), maps.Clone(u.Scopes)
	return user
}

// FindUser returns the user with the given login. The error is of kind NotFound.
func (d *Directory) FindUser(_ context.Context, login string) (User, error) {
	doc, _ := d.users.find(loginKey(normalLogin(login)))
	if doc == nil {
		return User{}, userUnknown()
	}
	return doc.public(), nil
}

func userUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-user-unknown", "There is no such user.")
}

// SetPassword replaces a user's password and ends all their sessions. The error is of kind Invalid for a bad password
// and NotFound for an unknown login.
func (d *Directory) SetPassword(ctx context.Context, login, password string) error {
	login = normalLogin(login)
	if err := checkPassword(login, password); err != nil {
		return invalid(err, "seamark-user-invalid")
	}
	hash, err := d.hashing.hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = d.mutateUser(ctx, login, func(u *userDoc) error {
		u.Password, u.Reset = hash, nil
		u.SessionEpoch++
		return nil
	})
	return err
}

// rehash replaces a hash that is cheaper than it should be. The sign-in succeeds either way.
func (d *Directory) rehash(ctx context.Context, user *userDoc, password string) {
	hash, err := d.hashing.hash(ctx, password)
	if err == nil {
		_, err = d.users.mutate(ctx, loginKey(user.Login), func(u *userDoc) error {
			if u.Password == user.Password { // else it was changed meanwhile, and the new one counts
				u.Password = hash
			}
			return nil
		})
	}
	if err != nil {
		d.log.WarnContext(ctx, "password was not rehashed, the next sign-in tries again",
			slog.String("user", string(user.ID)), slog.Any("error", err))
	}
}

// bootstrapLogin is the first user of an installation.
const bootstrapLogin = "operator"

// Bootstrap makes the user `operator` with a random password when the directory has no user at all. The password is
// returned this once; created is false when there was nothing to do. Where several nodes start at once, one creates.
func (d *Directory) Bootstrap(ctx context.Context) (login, password string, created bool, err error) {
	if !d.Synced() {
		return "", "", false, unreachable(errors.New("bootstrap needs the whole directory, and KV did not sync yet"))
	}
	if len(d.users.all()) > 0 {
		return "", "", false, nil
	}
	const length = 24 // 142 bits
	if password, err = randomText(d.opts.Rand, length); err != nil {
		return "", "", false, err
	}
	_, err = d.createUser(ctx, UserSpec{Login: bootstrapLogin, Password: password, Operator: true})
	if seamark.KindOf(err) == seamark.Conflict {
		return "", "", false, nil
	}
	if err != nil {
		return "", "", false, fmt.Errorf("bootstrap: %w", err)
	}
	return bootstrapLogin, password, true, nil
}
