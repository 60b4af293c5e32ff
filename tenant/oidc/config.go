package oidc

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Realm is whose provider it is: one never opens a session of the other realm.
type Realm string

// The realms.
const (
	Tenants   Realm = "tenants" // members of tenants; the default
	Operators Realm = "operators"
)

// Provider is one configured provider.
type Provider struct {
	ID   string `yaml:"id"`   // stands in the address of its callback; a-z, 0-9 and hyphens
	Name string `yaml:"name"` // on the button; the id when empty
	// Issuer is where its discovery document is, exactly as its tokens say it.
	Issuer   string `yaml:"issuer"`
	ClientID string `yaml:"client_id"`
	// ClientSecretFile is read at each sign-in, so that the secret can be changed. Empty is a public client.
	ClientSecretFile string   `yaml:"client_secret_file"`
	Scopes           []string `yaml:"scopes"` // openid, email and profile unless told
	// AllowedDomains lets in only people with a verified address of e-mail there. Empty lets in whom the provider does.
	AllowedDomains []string `yaml:"allowed_domains"`
	Realm          Realm    `yaml:"realm"`
	// Claim is what the grants' values are looked for in: a name, or a path with dots. Its value is a text or a list.
	Claim  string  `yaml:"claim"`
	Grants []Grant `yaml:"grants"`
}

// Grant gives everybody with a value in the claim a role in a tenant, or makes them operators. Of several for one tenant the
// first counts.
type Grant struct {
	Value  string       `yaml:"value"` // empty: everybody whom the provider lets in
	Tenant string       `yaml:"tenant"`
	Role   seamark.Role `yaml:"role"`
}

// maxProviders bounds the buttons of the sign-in page, and the documents and keys in memory.
const maxProviders = 20

// Parse reads the configuration file: a list of providers under `providers`. Unknown fields are refused.
func Parse(text []byte) ([]Provider, error) {
	var file struct {
		Providers []Provider `yaml:"providers"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return nil, err
	}
	if len(file.Providers) > maxProviders {
		return nil, fmt.Errorf("%d providers; the limit is %d", len(file.Providers), maxProviders)
	}
	seen := map[string]bool{}
	for i := range file.Providers {
		p := &file.Providers[i]
		p.setDefaults()
		if err := p.validate(); err != nil {
			return nil, fmt.Errorf("provider %d, %.40q: %w", i+1, p.ID, err)
		}
		if seen[p.ID] {
			return nil, fmt.Errorf("two providers have the id %q", p.ID)
		}
		seen[p.ID] = true
	}
	return file.Providers, nil
}

func (p *Provider) setDefaults() {
	if p.Name == "" {
		p.Name = p.ID
	}
	if p.Realm == "" {
		p.Realm = Tenants
	}
	if len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "email", "profile"}
	}
	for i, d := range p.AllowedDomains {
		p.AllowedDomains[i] = strings.ToLower(d)
	}
}

func (p *Provider) validate() error {
	if err := checkProviderID(p.ID); err != nil {
		return err
	}
	if err := checkIssuer(p.Issuer); err != nil {
		return err
	}
	switch {
	case p.ClientID == "":
		return errors.New("client_id must be set")
	case len(p.Name) > 60:
		return fmt.Errorf("the name has %d bytes; the limit is 60", len(p.Name))
	case !slices.Contains(p.Scopes, "openid"):
		return errors.New("scopes must contain openid")
	case p.Realm != Tenants && p.Realm != Operators:
		return fmt.Errorf("realm %.40q is neither tenants nor operators", p.Realm)
	case p.Realm == Operators && len(p.Grants) == 0:
		return errors.New("a provider of operators needs grants that say who is one")
	}
	for i, g := range p.Grants {
		if err := p.checkGrant(g); err != nil {
			return fmt.Errorf("grant %d: %w", i+1, err)
		}
	}
	return nil
}

func (p *Provider) checkGrant(g Grant) error {
	switch {
	case g.Value != "" && p.Claim == "":
		return errors.New("has a value, but the provider has no claim to look for it in")
	case p.Realm == Operators && (g.Tenant != "" || g.Role != ""):
		return errors.New("operators belong to no tenant")
	case p.Realm == Operators && g.Value == "" && len(p.AllowedDomains) == 0:
		return errors.New("would make everybody at the provider an operator; set a value, or allowed_domains")
	case p.Realm == Tenants && (g.Tenant == "" || g.Role == ""):
		return errors.New("needs a tenant and a role")
	}
	return nil
}

func checkProviderID(id string) error {
	if id == "" || len(id) > 32 {
		return fmt.Errorf("the id has %d characters; it needs 1 to 32", len(id))
	}
	if i := strings.IndexFunc(id, func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') }); i >= 0 {
		return fmt.Errorf("the id has %q at position %d; use a-z, 0-9 and hyphens", id[i], i+1)
	}
	return nil
}

// checkIssuer refuses an issuer whose documents somebody on the way could change.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("issuer %.80q is not an address such as https://login.example.org", issuer)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("issuer %.80q must be https", issuer)
}
