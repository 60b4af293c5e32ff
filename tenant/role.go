package tenant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// maxRoles bounds a tenant's custom roles. Without it they outgrow their one document.
	maxRoles = 50
	// maxRoleName bounds a role's name, maxDescription what people say about a role or a key.
	maxRoleName, maxDescription = 40, 200
)

// Role is a named set of permissions.
type Role struct {
	Name        seamark.Role
	Description string
	Permissions []string // sorted
	BuiltIn     bool     // cannot be changed
	Created     time.Time
	Updated     time.Time
}

// RoleSpec is what a custom role is made from.
type RoleSpec struct {
	Name        seamark.Role
	Description string
	Permissions []string
	// Check, when set, sees the role that an update replaces, within the compare-and-set; its error ends the update.
	Check func(Role) error
}

// roleEntry is a stored custom role.
type roleEntry struct {
	Description string    `json:"description,omitempty"`
	Permissions []string  `json:"permissions"`
	Created     time.Time `json:"created"`
	Updated     time.Time `json:"updated"`
}

// accessDoc is what a tenant decided about access, one document under the tenant's id, so that its roles change by one
// compare-and-set. It stands in the bucket of people, whose order of changes is then that of all nodes.
type accessDoc struct {
	Version int                  `json:"v"`
	Tenant  seamark.TenantID     `json:"tenant"`
	Roles   map[string]roleEntry `json:"roles,omitempty"`
	// Leaving are owners who are about to lose the role, with the time that was decided. Two nodes that each take it from
	// another owner meet here.
	Leaving map[UserID]time.Time `json:"leaving,omitempty"`

	// compiled asks casbin what the roles allow, the first time that somebody wants to know. Ten thousand tenants' roles at
	// the start of a node would take seconds.
	compiled func() (map[seamark.Role]permissionSet, error)
}

func (a *accessDoc) validate(key string) error {
	if _, err := seamark.ParseTenantID(key); err != nil {
		return err
	}
	if string(a.Tenant) != key {
		return fmt.Errorf("access of tenant %.40q stands under the key of another", a.Tenant)
	}
	for name, role := range a.Roles {
		if err := errors.Join(checkRoleName(seamark.Role(name)), checkDescription("role", role.Description)); err != nil {
			return err
		}
	}
	a.compiled = sync.OnceValues(func() (map[seamark.Role]permissionSet, error) { return compileRoles(a.Tenant, a.knownRoles()) })
	return nil
}

// knownRoles leaves out the permissions that this version does not know: a newer node may have written them.
func (a *accessDoc) knownRoles() map[string]roleEntry {
	assignable := assignablePermissions()
	known := make(map[string]roleEntry, len(a.Roles))
	for name, role := range a.Roles {
		role.Permissions = slices.DeleteFunc(slices.Clone(role.Permissions), func(p string) bool { return !assignable[p] })
		known[name] = role
	}
	return known
}

// checkRoleName accepts what can be no built-in role and no subject of the policy.
func checkRoleName(name seamark.Role) error {
	if slices.Contains(Roles(), name) || name == "operator" {
		return fmt.Errorf("%q is the name of a built-in role", name)
	}
	if len(name) == 0 || len(name) > maxRoleName {
		return fmt.Errorf("the role's name has %d characters; it needs 1 to %d", len(name), maxRoleName)
	}
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-') {
			continue
		}
		return fmt.Errorf("the role's name has %q at position %d; use lower-case letters, then digits and dashes, too", c, i+1)
	}
	return nil
}

func checkDescription(of, text string) error {
	if len(text) > maxDescription {
		return fmt.Errorf("the %s's description has %d bytes; at most %d fit", of, len(text), maxDescription)
	}
	return nil
}

func assignablePermissions() map[string]bool {
	set := map[string]bool{}
	for _, p := range ListPermissions() {
		set[p.Name] = p.Assignable
	}
	return set
}

// checkPermissions returns the list sorted and without doubles; the error names what is not in the list of permissions.
func checkPermissions(list []string) ([]string, error) {
	assignable := assignablePermissions()
	for _, p := range list {
		if !assignable[p] {
			return nil, fmt.Errorf("%.60q is no permission that can be given; GET /api/v1/permissions lists those that can", p)
		}
	}
	sorted := slices.Sorted(slices.Values(list))
	return slices.Compact(sorted), nil
}

// ListRoles returns the built-in roles, from most to least, and then the tenant's own by name.
func (d *Directory) ListRoles(_ context.Context, tenant seamark.TenantID) []Role {
	var list []Role
	for _, name := range Roles() {
		list = append(list, Role{
			Name: name, BuiltIn: true, Description: builtInDescription(name),
			Permissions: slices.Sorted(maps.Keys(d.policy.held["role:"+string(name)])),
		})
	}
	access, _ := d.access.find(string(tenant))
	if access == nil {
		return list
	}
	for _, name := range slices.Sorted(maps.Keys(access.Roles)) {
		list = append(list, access.Roles[name].role(name))
	}
	return list
}

func builtInDescription(role seamark.Role) string {
	switch role {
	case seamark.RoleOwner:
		return "Everything, and who else is an owner."
	case seamark.RoleAdmin:
		return "Everything but the tenant's settings and its owners."
	case seamark.RoleEditor:
		return "Reads everything and changes rules and silences."
	}
	return "Reads everything and changes nothing."
}

func (r roleEntry) role(name string) Role {
	return Role{
		Name: seamark.Role(name), Description: r.Description, Permissions: slices.Clone(r.Permissions), Created: r.Created, Updated: r.Updated,
	}
}

// FindRole returns one role. The error is of kind NotFound.
func (d *Directory) FindRole(ctx context.Context, tenant seamark.TenantID, name seamark.Role) (Role, error) {
	for _, role := range d.ListRoles(ctx, tenant) {
		if role.Name == name {
			return role, nil
		}
	}
	return Role{}, roleUnknown()
}

func roleUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-role-unknown", "The tenant has no such role; GET /api/v1/roles lists those it has.")
}

// CreateRole makes a custom role in the actor's tenant. The error is of kind Invalid for a bad spec, Forbidden for a
// permission that the actor does not hold, Conflict when the name is taken or the tenant has 50 roles.
func (d *Directory) CreateRole(ctx context.Context, actor seamark.Principal, spec RoleSpec) (Role, error) {
	return d.saveRole(ctx, actor, spec, func(a *accessDoc) (roleEntry, error) {
		if _, taken := a.Roles[string(spec.Name)]; taken {
			return roleEntry{}, seamark.Errorf(seamark.Conflict, "seamark-role-exists", "The tenant has a role %q already; choose another name.", spec.Name)
		}
		if len(a.Roles) >= maxRoles {
			return roleEntry{}, seamark.Errorf(seamark.Conflict, "seamark-role-limit", "The tenant has %d roles, the limit. Delete one that nobody has.", maxRoles)
		}
		return roleEntry{Created: d.now().UTC()}, nil
	})
}

// UpdateRole replaces what a custom role is. Its holders have the new permissions at once, on every node within a second.
// The error is as of CreateRole, or NotFound. Who changes a role holds all that it allowed, so that nobody takes from
// people who may do more.
func (d *Directory) UpdateRole(ctx context.Context, actor seamark.Principal, spec RoleSpec) (Role, error) {
	return d.saveRole(ctx, actor, spec, func(a *accessDoc) (roleEntry, error) {
		old, ok := a.Roles[string(spec.Name)]
		if !ok {
			return roleEntry{}, roleUnknown()
		}
		if spec.Check != nil {
			if err := spec.Check(old.role(string(spec.Name))); err != nil {
				return roleEntry{}, err
			}
		}
		return old, d.mayGrant(actor, old.Permissions)
	})
}

// saveRole writes one role by compare-and-set; from returns what it was before.
func (d *Directory) saveRole(ctx context.Context, actor seamark.Principal, spec RoleSpec, from func(*accessDoc) (roleEntry, error)) (Role, error) {
	if slices.Contains(Roles(), spec.Name) {
		return Role{}, roleBuiltIn(spec.Name)
	}
	permissions, err := checkPermissions(spec.Permissions)
	if err := errors.Join(err, checkRoleName(spec.Name), checkDescription("role", spec.Description)); err != nil {
		return Role{}, invalid(err, "seamark-role-invalid")
	}
	if err := d.mayGrant(actor, permissions); err != nil {
		return Role{}, err
	}
	access, err := d.changeAccess(ctx, actor.Tenant, func(a *accessDoc) error {
		entry, err := from(a)
		if err != nil {
			return err
		}
		entry.Description, entry.Permissions, entry.Updated = spec.Description, permissions, d.now().UTC()
		a.Roles = maps.Clone(a.Roles)
		if a.Roles == nil {
			a.Roles = map[string]roleEntry{}
		}
		a.Roles[string(spec.Name)] = entry
		return nil
	})
	if err != nil {
		return Role{}, fmt.Errorf("save role: %w", err)
	}
	return access.Roles[string(spec.Name)].role(string(spec.Name)), nil
}

func roleBuiltIn(name seamark.Role) error {
	return seamark.Errorf(seamark.Conflict, "seamark-role-built-in", "The role %s is built in and cannot be changed. Create a role of your own.", name)
}

// changeAccess changes the tenant's document by compare-and-set, and makes it where there is none yet.
func (d *Directory) changeAccess(ctx context.Context, tenant seamark.TenantID, change func(*accessDoc) error) (*accessDoc, error) {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return nil, err
	}
	doc, err := d.access.mutate(ctx, string(tenant), change)
	if !errors.Is(err, errAbsent) {
		return doc, err
	}
	err = d.access.create(ctx, string(tenant), &accessDoc{Version: docVersion, Tenant: tenant})
	if err != nil && !errors.Is(err, errTaken) {
		return nil, err
	}
	return d.access.mutate(ctx, string(tenant), change)
}

// DeleteRole removes a custom role. Each of checks sees it first, within the compare-and-set, and may refuse. The error is of kind
// NotFound, or Conflict when somebody has the role; its message names them.
func (d *Directory) DeleteRole(ctx context.Context, actor seamark.Principal, name seamark.Role, checks ...func(Role) error) error {
	if slices.Contains(Roles(), name) {
		return roleBuiltIn(name)
	}
	_, err := d.access.mutate(ctx, string(actor.Tenant), func(a *accessDoc) error {
		old, ok := a.Roles[string(name)]
		if !ok {
			return roleUnknown()
		}
		if err := checkEach(old.role(string(name)), checks); err != nil {
			return err
		}
		if err := d.mayGrant(actor, old.Permissions); err != nil {
			return err
		}
		if holders := d.roleHolders(actor.Tenant, name); len(holders) > 0 {
			return roleInUse(name, holders)
		}
		a.Roles = maps.Clone(a.Roles)
		delete(a.Roles, string(name))
		return nil
	})
	if errors.Is(err, errAbsent) {
		return roleUnknown()
	}
	if err != nil {
		return fmt.Errorf("delete role: %w", err)
	}
	return nil
}

// roleInUse names the holders, the first of many.
func roleInUse(name seamark.Role, holders []string) error {
	const most = 20
	shown, more := holders, ""
	if len(holders) > most {
		shown, more = holders[:most], fmt.Sprintf(" and %d more", len(holders)-most)
	}
	return seamark.Errorf(seamark.Conflict, "seamark-role-in-use",
		"The role %q is in use by %s%s. Give them another role first.", name, strings.Join(shown, ", "), more)
}

// roleHolders lists who has a role: members by login, API keys and invitations that still count.
func (d *Directory) roleHolders(tenant seamark.TenantID, name seamark.Role) []string {
	var list []string
	for _, u := range d.users.list(string(tenant)) {
		if u.Memberships[tenant] == name {
			list = append(list, u.Login)
		}
	}
	now := d.now()
	for _, t := range d.tokens.list(string(tenant)) {
		if t.Key != nil && t.Key.Role == name && t.live(now) {
			list = append(list, "API key "+t.KeyID)
		}
	}
	for _, i := range d.invitations.list(string(tenant)) {
		if i.Role == name && i.open(now) {
			list = append(list, "invitation "+i.ID)
		}
	}
	slices.Sort(list)
	return list
}

// mayGrant refuses an actor that does not itself hold every permission it would give away or take.
func (d *Directory) mayGrant(actor seamark.Principal, permissions []string) error {
	for _, p := range permissions {
		held, err := d.allows(actor, p)
		if err != nil {
			return err
		}
		if !held && !actor.Operator {
			return seamark.Errorf(seamark.Forbidden, "seamark-permission-ungrantable",
				"You cannot give or take %s, because you do not hold it yourself. Ask somebody who does.", p)
		}
	}
	return nil
}

// mayGrantRole is mayGrant for all that a role allows; the role must exist. Operators, who hold nothing in a tenant, put
// its people in place.
func (d *Directory) mayGrantRole(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, name seamark.Role) error {
	role, err := d.FindRole(ctx, tenant, name)
	if err != nil {
		return seamark.Errorf(seamark.Invalid, "seamark-role-unknown", "The tenant has no role %.60q; GET /api/v1/roles lists those it has.", name)
	}
	return d.mayGrant(actor, role.Permissions)
}

// mayGrantPart refuses an actor that is narrowed to less than what it would give away.
func (d *Directory) mayGrantPart(actor seamark.Principal, tenant seamark.TenantID, only *seamark.Restriction) error {
	if err := only.Validate(); err != nil {
		return err
	}
	if !actor.Only.Covers(only) {
		return seamark.Errorf(seamark.Forbidden, "seamark-scope-ungrantable",
			"You are restricted to %s and cannot give access to %s.", actor.Only, only)
	}
	if only == nil {
		return nil
	}
	for _, name := range only.Clusters {
		if c, _ := d.clusters.find(clusterKey(tenant, name)); c == nil || !c.Deleted.IsZero() {
			return seamark.Errorf(seamark.Invalid, "seamark-scope-invalid", "The tenant has no cluster %q; GET /api/v1/clusters lists those it has.", name)
		}
	}
	return nil
}
