package oidc_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/tenant/oidc"
)

const goodConfig = `
providers:
  - id: corp
    name: Example Corp
    issuer: https://login.example.org
    client_id: seamark
    client_secret_file: /etc/seamark/corp
    allowed_domains: [Example.ORG]
    claim: groups
    grants:
      - {value: sre, tenant: acme, role: admin}
      - {tenant: acme, role: viewer}
  - id: ops
    issuer: https://login.example.org/ops
    client_id: seamark-ops
    scopes: [openid, groups]
    realm: operators
    claim: groups
    grants: [{value: platform}]
`

func TestParseConfig(t *testing.T) {
	got, err := oidc.Parse([]byte(goodConfig))
	want := []oidc.Provider{
		{
			ID: "corp", Name: "Example Corp", Issuer: "https://login.example.org", ClientID: "seamark", ClientSecretFile: "/etc/seamark/corp",
			Scopes: []string{"openid", "email", "profile"}, AllowedDomains: []string{"example.org"}, Realm: oidc.Tenants, Claim: "groups",
			Grants: []oidc.Grant{{Value: "sre", Tenant: "acme", Role: "admin"}, {Tenant: "acme", Role: "viewer"}},
		},
		{
			ID: "ops", Name: "ops", Issuer: "https://login.example.org/ops", ClientID: "seamark-ops", Scopes: []string{"openid", "groups"},
			Realm: oidc.Operators, Claim: "groups", Grants: []oidc.Grant{{Value: "platform"}},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; -want +got\n%s", err, diff)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"unknown field":      {"client_id: seamark\n", "client: seamark\n", "unknown field"},
		"no client":          {"client_id: seamark\n", "client_id: ''\n", "client_id"},
		"bad id":             {"id: corp", "id: Corp/x", "a-z"},
		"no id":              {"id: corp", "id: ''", "1 to 32"},
		"same id":            {"id: ops", "id: corp", "two providers"},
		"plain issuer":       {"issuer: https://login.example.org\n", "issuer: http://login.example.org\n", "https"},
		"issuer with query":  {"issuer: https://login.example.org\n", "issuer: https://login.example.org?x\n", "not an address"},
		"unknown realm":      {"realm: operators", "realm: everybody", "realm"},
		"everybody operates": {"grants: [{value: platform}]", "grants: [{}]", "everybody"},
		"nobody operates":    {"grants: [{value: platform}]", "grants: []", "grants"},
		"operator of tenant": {"grants: [{value: platform}]", "grants: [{value: p, tenant: acme, role: owner}]", "no tenant"},
		"grant of nothing":   {"{tenant: acme, role: viewer}", "{value: x}", "tenant and a role"},
		"value of no claim":  {"    claim: groups\n    grants:\n", "    grants:\n", "claim"},
		"no openid":          {"scopes: [openid, groups]", "scopes: [groups]", "openid"},
		"no YAML":            {"providers:", "providers: {", ""},
	} {
		text := strings.Replace(goodConfig, c.from, c.to, 1)
		if _, err := oidc.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.says)
		}
	}
	if _, err := oidc.Parse([]byte("providers:\n" + strings.Repeat("  - {id: x}\n", 30))); err == nil || !strings.Contains(err.Error(), "limit is 20") {
		t.Errorf("too many providers: got %v", err)
	}
}
