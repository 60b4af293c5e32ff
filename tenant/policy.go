package tenant

import (
	"fmt"
	"slices"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// policyModel: a line gives a subject a permission in a domain. The domain `tenant` stands for every tenant and
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

// policy answers what a principal may do. It is built whole and never changed; a new one replaces it. People's roles
// arrive in the Principal, read from the watched memberships, so a change of members needs no new policy.
type policy struct {
	enforcer *casbin.Enforcer
	known    map[string]bool // the closed list of permissions
	tokens   map[seamark.CredentialKind]map[string]bool
	scopes   map[string]seamark.Signal // of the permissions that an ingest token's scopes narrow
}

// Roles lists the built-in roles, from most to least.
func Roles() []seamark.Role {
	return []seamark.Role{seamark.RoleOwner, seamark.RoleAdmin, seamark.RoleEditor, seamark.RoleViewer}
}

// IngestPermission is the permission to push a signal.
func IngestPermission(signal seamark.Signal) string { return "ingest:" + signal.String() }

// anyIngest is the permission of routes whose requests tell their signals only in the body: any ingest token may call them, and
// ingest checks the scope when it has seen the rows.
const anyIngest = "ingest:any"

// grants is the built-in policy: what each role adds to the one below it, and what tokens and operators may do.
func grants() map[string][]string {
	g := map[string][]string{
		"role:viewer": {
			"data:read", "pipelines:read", "clusters:read", "rules:read", "silences:read", "receivers:read", "members:read", "tenant:read",
			"session:read",
		},
		"role:editor": {"rules:write", "silences:write"},
		"role:admin":  {"pipelines:write", "clusters:write", "tokens:read", "tokens:write", "receivers:write", "members:write"},
		"role:owner":  {"owners:write", "tenant:write"},
		"token:query": {"data:read", "clusters:read", "rules:read"},
		// Operators make tenants ready for their owners. They get no data:read: a tenant's data is the tenant's.
		"role:operator": {
			"tenants:read", "tenants:write", "clusters:read", "clusters:write", "tokens:read", "tokens:write",
			"members:read", "members:write", "owners:write", "session:read",
		},
	}
	g["token:ingest"] = []string{anyIngest}
	for _, signal := range []seamark.Signal{seamark.Logs, seamark.Metrics, seamark.Events, seamark.Traces} {
		g["token:ingest"] = append(g["token:ingest"], IngestPermission(signal))
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

// Permissions lists every permission there is, sorted. A route that names another one is a mistake.
func Permissions() []string {
	var list []string
	for _, permissions := range grants() {
		list = append(list, permissions...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func newPolicy() (*policy, error) {
	m, err := model.NewModelFromString(policyModel)
	if err != nil {
		return nil, fmt.Errorf("parse policy model: %w", err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("make enforcer: %w", err)
	}
	for subject, permissions := range grants() {
		domain := anyTenantDomain
		if subject == "role:operator" {
			domain = platformDomain
		}
		for _, permission := range permissions {
			if _, err := e.AddPolicy(subject, domain, permission); err != nil {
				return nil, fmt.Errorf("add policy: %w", err)
			}
		}
	}
	if _, err := e.AddGroupingPolicies(inherits()); err != nil {
		return nil, fmt.Errorf("add role inheritance: %w", err)
	}
	p := &policy{
		enforcer: e, known: map[string]bool{}, scopes: map[string]seamark.Signal{},
		tokens: map[seamark.CredentialKind]map[string]bool{},
	}
	if err := p.precompute(); err != nil {
		return nil, err
	}
	return p, nil
}

// precompute asks the enforcer every question about tokens once: ingest checks each request, and one Enforce costs
// microseconds.
func (p *policy) precompute() error {
	for _, permission := range Permissions() {
		p.known[permission] = true
	}
	for _, signal := range []seamark.Signal{seamark.Logs, seamark.Metrics, seamark.Events, seamark.Traces} {
		p.scopes[IngestPermission(signal)] = signal
	}
	for _, kind := range []seamark.CredentialKind{seamark.IngestToken, seamark.QueryToken, seamark.AdminToken} {
		p.tokens[kind] = map[string]bool{}
		for permission := range p.known {
			allowed, err := p.enforcer.Enforce("token:"+kind.String(), anyTenantDomain, permission)
			if err != nil {
				return fmt.Errorf("precompute policy: %w", err)
			}
			p.tokens[kind][permission] = allowed
		}
	}
	return nil
}

// allows answers for one principal. Whatever is unknown, empty or malformed is denied.
func (p *policy) allows(who seamark.Principal, permission string) (bool, error) {
	domain, subject := string(who.Tenant), ""
	if who.Operator {
		if who.Kind != seamark.Session || who.Tenant != "" {
			return false, nil
		}
		domain, subject = platformDomain, "role:operator"
	} else if _, err := seamark.ParseTenantID(domain); err != nil {
		return false, nil
	}
	switch who.Kind {
	case seamark.IngestToken:
		if permission == anyIngest {
			return len(who.Signals.List()) > 0, nil
		}
		signal, scoped := p.scopes[permission]
		return scoped && who.Signals.Has(signal) && p.tokens[who.Kind][permission], nil
	case seamark.QueryToken, seamark.AdminToken:
		return p.tokens[who.Kind][permission], nil
	case seamark.Session:
		if subject == "" && who.Role != "" {
			subject = "role:" + string(who.Role)
		}
		if subject == "" || subject == "role:operator" && !who.Operator {
			return false, nil
		}
		return p.enforcer.Enforce(subject, domain, permission)
	}
	return false, nil
}

// Permit returns nil when the principal may do what permission names in its own tenant (an operator: on the platform).
// The error is of kind Forbidden; Internal when there is no such permission.
func (d *Directory) Permit(who seamark.Principal, permission string) error {
	rules := d.policy.Load()
	if !rules.known[permission] {
		return fmt.Errorf("permission %q is not in the list", permission)
	}
	allowed, err := rules.allows(who, permission)
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
	return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing",
		"This %s token does not include %s. Use a token of the right kind and scope.", who.Kind, permission)
}

func roleName(who seamark.Principal) string {
	if who.Operator {
		return "operator"
	}
	return string(who.Role)
}
