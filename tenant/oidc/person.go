package oidc

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Person is whom a provider has proven, and what the configuration gives them.
type Person struct {
	Provider, Issuer, Subject string // issuer and subject name the person for ever; nothing else does
	Email                     string // in lower case; empty unless the provider has verified it
	OperatorRealm, Operator   bool
	Roles                     map[string]seamark.Role // by tenants' slugs
}

// admits reports whether a verified address is one of the allowed domains.
func (p *Provider) admits(email string) bool {
	if len(p.AllowedDomains) == 0 {
		return true
	}
	at := strings.LastIndexByte(email, '@')
	return at > 0 && slices.Contains(p.AllowedDomains, email[at+1:])
}

// grant fills what the configuration gives for a token's claims.
func (p *Provider) grant(person *Person, all map[string]any) {
	person.OperatorRealm = p.Realm == Operators
	have := valuesOf(all, p.Claim)
	person.Roles = map[string]seamark.Role{}
	for _, g := range p.Grants {
		if g.Value != "" && !slices.Contains(have, g.Value) {
			continue
		}
		if p.Realm == Operators {
			person.Operator = true
			continue
		}
		if _, given := person.Roles[g.Tenant]; !given {
			person.Roles[g.Tenant] = g.Role
		}
	}
}

// valuesOf returns the texts under a claim's name, or else under its path.
func valuesOf(all map[string]any, path string) []string {
	value, found := all[path]
	for !found {
		head, rest, more := strings.Cut(path, ".")
		inner, ok := all[head].(map[string]any)
		if !more || !ok {
			return nil
		}
		all, path = inner, rest
		value, found = all[path]
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}
