package tenant

import (
	"fmt"
	"slices"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// policyModel is casbin's model: a line gives a subject a permission in a domain. The domain `tenant` stands for every tenant and
// `platform` for the installation; a request's domain is a tenant's ULID or `platform`, compared whole, never matched by
// pattern. Subjects carry their sort as a prefix, so that a login named "owner" is not the role.
const policyModel = `
[request_definition]
r = sub, dom, perm
[policy_definition]
p = sub, dom, perm
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.perm == p.perm && (r.dom == p.dom || (p.dom == "tenant" && r.dom != "platform")) && g(r.sub, p.sub)
`

// The domains that are not a tenant. No ULID can be equal to them.
const (
	anyTenantDomain = "tenant"
	platformDomain  = "platform"
)

// policy is what is built in. It is made whole and never changed. People's roles arrive in the Principal, read from the
// watched memberships, so a change of members needs no new policy; custom roles are compiled per tenant (see accessDoc).
type policy struct {
	known map[string]bool
	held  map[string]permissionSet // by subject: the built-in roles and the kinds of tokens
	// scopes are the signals of the permissions that an ingest token's scopes narrow.
	scopes map[string]seamark.Signal
}

// permissionSet is what a subject may do.
type permissionSet map[string]bool

// Roles lists the built-in roles, from most to least.
func Roles() []seamark.Role {
	return []seamark.Role{seamark.RoleOwner, seamark.RoleAdmin, seamark.RoleEditor, seamark.RoleViewer}
}

// IngestPermission is the permission to push a signal.
func IngestPermission(signal seamark.Signal) string { return "ingest:" + signal.String() }

// anyIngest is the permission of routes whose requests tell their signals only in the body: any ingest token may call them, and
// ingest checks the scope when it has seen the rows.
const anyIngest = "ingest:any"

// The subjects that are not roles of a tenant.
const (
	operatorSubject = "role:operator"
	ingestSubject   = "token:ingest"
	querySubject    = "token:query"
)

// grants is the built-in policy: what each role adds to the one below it, and what tokens and operators may do. Operators
// make tenants ready for their owners. They get no data:read: a tenant's data is the tenant's.
func grants() map[string][]string {
	g := map[string][]string{ingestSubject: ingestPermissions()}
	for _, row := range permissionTable() {
		if row.least != "" {
			g["role:"+string(row.least)] = append(g["role:"+string(row.least)], row.name)
		}
		if row.query {
			g[querySubject] = append(g[querySubject], row.name)
		}
		if row.operator {
			g[operatorSubject] = append(g[operatorSubject], row.name)
		}
	}
	return g
}

// inherits lists who has everything that another subject has.
func inherits() [][]string {
	return [][]string{
		{"role:owner", "role:admin"}, {"role:admin", "role:editor"}, {"role:editor", "role:viewer"},
		{"token:admin", "role:owner"},
	}
}

// policyLine gives a subject a permission in a domain.
type policyLine struct{ subject, domain, permission string }

// newEnforcer returns casbin's enforcer over some lines.
func newEnforcer(lines []policyLine, inherit [][]string) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(policyModel)
	if err != nil {
		return nil, fmt.Errorf("parse policy model: %w", err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("make enforcer: %w", err)
	}
	for _, l := range lines {
		if _, err := e.AddPolicy(l.subject, l.domain, l.permission); err != nil {
			return nil, fmt.Errorf("add policy: %w", err)
		}
	}
	if len(inherit) == 0 {
		return e, nil
	}
	if _, err := e.AddGroupingPolicies(inherit); err != nil {
		return nil, fmt.Errorf("add role inheritance: %w", err)
	}
	return e, nil
}

// answers asks the enforcer every question about a subject once. Requests look the answers up, because one Enforce costs
// microseconds; the enforcer is dropped, because ten thousand tenants' would take the memory.
func answers(e *casbin.Enforcer, subject, domain string) (permissionSet, error) {
	set := permissionSet{}
	for _, permission := range Permissions() {
		allowed, err := e.Enforce(subject, domain, permission)
		if err != nil {
			return nil, fmt.Errorf("enforce %s for %s: %w", permission, subject, err)
		}
		if allowed {
			set[permission] = true
		}
	}
	return set, nil
}

func newPolicy() (*policy, error) {
	var lines []policyLine
	for subject, permissions := range grants() {
		domain := anyTenantDomain
		if subject == operatorSubject {
			domain = platformDomain
		}
		for _, permission := range permissions {
			lines = append(lines, policyLine{subject, domain, permission})
		}
	}
	e, err := newEnforcer(lines, inherits())
	if err != nil {
		return nil, err
	}
	p := &policy{known: map[string]bool{}, held: map[string]permissionSet{}, scopes: map[string]seamark.Signal{}}
	for _, permission := range Permissions() {
		p.known[permission] = true
	}
	for _, signal := range []seamark.Signal{seamark.Logs, seamark.Metrics, seamark.Events, seamark.Traces} {
		p.scopes[IngestPermission(signal)] = signal
	}
	subjects := []string{ingestSubject, querySubject, "token:admin", operatorSubject}
	for _, role := range Roles() {
		subjects = append(subjects, "role:"+string(role))
	}
	for _, subject := range subjects {
		domain := anyTenantDomain
		if subject == operatorSubject {
			domain = platformDomain
		}
		if p.held[subject], err = answers(e, subject, domain); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// compileRoles asks casbin what each custom role of one tenant allows in that tenant. Built-in roles are no part of it:
// no line here can change them.
func compileRoles(tenant seamark.TenantID, roles map[string]roleEntry) (map[seamark.Role]permissionSet, error) {
	var lines []policyLine
	for name, role := range roles {
		for _, permission := range append(slices.Clone(role.Permissions), everyRole) {
			lines = append(lines, policyLine{"custom:" + name, string(tenant), permission})
		}
	}
	e, err := newEnforcer(lines, nil)
	if err != nil {
		return nil, err
	}
	compiled := make(map[seamark.Role]permissionSet, len(roles))
	for name := range roles {
		if compiled[seamark.Role(name)], err = answers(e, "custom:"+name, string(tenant)); err != nil {
			return nil, err
		}
	}
	return compiled, nil
}

// allows answers for one principal. Whatever is unknown, empty or malformed is denied.
func (d *Directory) allows(who seamark.Principal, permission string) (bool, error) {
	rules := d.policy
	if who.Operator {
		return who.Kind == seamark.Session && who.Tenant == "" && rules.held[operatorSubject][permission], nil
	}
	if _, err := seamark.ParseTenantID(string(who.Tenant)); err != nil {
		return false, nil
	}
	switch who.Kind {
	case seamark.IngestToken:
		if permission == anyIngest {
			return len(who.Signals.List()) > 0, nil
		}
		signal, scoped := rules.scopes[permission]
		return scoped && who.Signals.Has(signal) && rules.held[ingestSubject][permission], nil
	case seamark.QueryToken:
		return rules.held[querySubject][permission], nil
	case seamark.AdminToken:
		return rules.held["token:admin"][permission], nil
	case seamark.Session:
		set, err := d.roleAllows(who.Tenant, who.Role)
		return set[permission], err
	case seamark.APIKey:
		return d.keyAllows(who, permission)
	}
	return false, nil
}

// roleAllows returns what a role, built in or custom, allows in a tenant; nothing where there is no such role.
func (d *Directory) roleAllows(tenant seamark.TenantID, role seamark.Role) (permissionSet, error) {
	if slices.Contains(Roles(), role) {
		return d.policy.held["role:"+string(role)], nil
	}
	if role == "" {
		return nil, nil
	}
	d.mu.RLock()
	access := d.access.findLocked(string(tenant))
	d.mu.RUnlock()
	if access == nil {
		return nil, nil
	}
	compiled, err := access.compiled()
	if err != nil {
		return nil, err
	}
	return compiled[role], nil
}

// Permitted lists what Permit would allow the principal, sorted. It is empty, not nil, for who may do nothing.
func (d *Directory) Permitted(who seamark.Principal) ([]string, error) {
	list := []string{}
	for _, permission := range Permissions() {
		allowed, err := d.allows(who, permission)
		if err != nil {
			return nil, fmt.Errorf("enforce %s: %w", permission, err)
		}
		if allowed {
			list = append(list, permission)
		}
	}
	return list, nil
}

// Permit returns nil when the principal may do what permission names in its own tenant (an operator: on the platform).
// The error is of kind Forbidden; Internal when there is no such permission.
func (d *Directory) Permit(who seamark.Principal, permission string) error {
	if !d.policy.known[permission] {
		return fmt.Errorf("permission %q is not in the list", permission)
	}
	allowed, err := d.allows(who, permission)
	if err != nil {
		return fmt.Errorf("enforce %s: %w", permission, err)
	}
	if allowed {
		return nil
	}
	if who.Kind == seamark.Session {
		return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing",
			"Your role %q does not include %s. Ask an owner or admin of the tenant.", roleName(who), permission)
	}
	if who.Kind == seamark.APIKey {
		return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing",
			"API key %s does not include %s, or its owner does not. Ask an owner or admin of the tenant for one that does.", who.CredentialID, permission)
	}
	return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing",
		"This %s token does not include %s. Use a token of the right kind and scope.", who.Kind, permission)
}

func roleName(who seamark.Principal) string {
	if who.Operator {
		return "operator"
	}
	return string(who.Role)
}
