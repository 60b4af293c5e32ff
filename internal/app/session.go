package app

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/guard"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
	"github.com/seamarkhq/seamark/tenant/oidc"
)

// SessionOptions configures how long people stay signed in.
type SessionOptions struct {
	// TokenLifetime is the life of a session's token, which is refreshed unnoticed.
	TokenLifetime time.Duration
	// IdleLifetime ends a session that nobody used; Lifetime ends every one.
	IdleLifetime, Lifetime time.Duration
	// KeyLifetime is the age at which the key that signs tokens is replaced.
	KeyLifetime time.Duration
}

// DefaultSessionOptions returns the lives that a server starts with.
func DefaultSessionOptions() SessionOptions {
	return SessionOptions{TokenLifetime: 10 * time.Minute, IdleLifetime: 24 * time.Hour, Lifetime: 7 * 24 * time.Hour, KeyLifetime: 30 * 24 * time.Hour}
}

// check refuses lives that leave people signed out at once, or a stolen token good for hours.
func (o *SessionOptions) check() error {
	const shortest, longest = time.Minute, 15 * time.Minute
	switch {
	case o.TokenLifetime < shortest || o.TokenLifetime > longest:
		return fmt.Errorf("is %s; it must be %s to %s", o.TokenLifetime, shortest, longest)
	case o.IdleLifetime < o.TokenLifetime:
		return fmt.Errorf("is %s, longer than --session.idle-lifetime %s", o.TokenLifetime, o.IdleLifetime)
	case o.Lifetime < o.IdleLifetime:
		return fmt.Errorf("of --session.lifetime %s is shorter than --session.idle-lifetime %s", o.Lifetime, o.IdleLifetime)
	case o.Lifetime > tenant.MaxSessionLifetime:
		return fmt.Errorf("of --session.lifetime is %s; it must be %s at most", o.Lifetime, tenant.MaxSessionLifetime)
	case o.KeyLifetime < time.Hour:
		return fmt.Errorf("of --session.key-lifetime is %s; it must be an hour at least", o.KeyLifetime)
	}
	return nil
}

// OIDCOptions configures signing in at providers.
type OIDCOptions struct {
	ConfigFile string // "" has no provider
	// AllowedNetworks are private networks that providers may be in. Empty lets them be at public addresses only.
	AllowedNetworks []string
}

// checkExternal refuses an address that people cannot be sent to.
func (h *HTTPOptions) checkExternal(oidc *OIDCOptions) error {
	if h.ExternalURL == "" {
		if oidc.ConfigFile != "" {
			return fmt.Errorf("must be set with --oidc.config-file: providers send people back there")
		}
		return nil
	}
	u, err := url.Parse(h.ExternalURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" {
		return fmt.Errorf("is %q, which is not an address such as https://seamark.example.org", h.ExternalURL)
	}
	return nil
}

// secure reports whether browsers reach the front over TLS.
func (h *HTTPOptions) secure() bool {
	return h.TLSCertFile != "" || strings.HasPrefix(h.ExternalURL, "https://")
}

// openProviders reads the configuration of sign-in providers. It asks none of them.
func (a *App) openProviders() error {
	if a.opts.OIDC.ConfigFile == "" {
		return nil
	}
	text, err := os.ReadFile(a.opts.OIDC.ConfigFile)
	if err != nil {
		return fmt.Errorf("--oidc.config-file: %w", err)
	}
	providers, err := oidc.Parse(text)
	if err != nil {
		return fmt.Errorf("--oidc.config-file %s: %w", a.opts.OIDC.ConfigFile, err)
	}
	// An issuer's port is the operator's word; every other is closed, also to what a discovery document names.
	dial := guard.Options{Ports: []uint16{443}}
	for _, p := range providers {
		if port := portOf(p.Issuer); port != 0 {
			dial.Ports = append(dial.Ports, port)
		}
	}
	for _, s := range a.opts.OIDC.AllowedNetworks {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("--oidc.allowed-networks: %w", err)
		}
		dial.Private = append(dial.Private, prefix)
	}
	a.providers, err = oidc.New(oidc.Options{
		Providers: providers, CallbackURL: strings.TrimSuffix(a.opts.HTTP.ExternalURL, "/") + "/api/v1/session/oidc/%s/callback",
		HTTP: oidc.NewHTTP(guard.New(dial).Dial), Now: a.opts.Now, Logger: a.log,
	})
	return err
}

func portOf(issuer string) uint16 {
	u, err := url.Parse(issuer)
	if err != nil {
		return 0
	}
	var port uint16
	if _, err := fmt.Sscanf(u.Port(), "%d", &port); err != nil {
		return 0
	}
	return port
}

// sessionRoutes returns the routes of sessions.
func (a *App) sessionRoutes() []httpx.Route {
	d := directoryAPI{a.directory}
	o := api.SessionOptions{
		Sessions: d, Devices: d, Passwords: d, Tenants: d, SecureCookie: a.opts.HTTP.secure(), TokenLifetime: a.opts.Session.TokenLifetime,
		Permitted: a.directory.Permitted, ExternalURL: a.opts.HTTP.ExternalURL, Tell: a.tellChanged,
	}
	if a.providers != nil {
		o.Providers = providerAPI{a.directory, a.providers}
	}
	return api.SessionRoutes(o)
}

func grantOf(t tenant.SessionToken, err error) (api.SessionGrant, error) {
	if err != nil {
		return api.SessionGrant{}, err
	}
	return api.SessionGrant{ID: t.ID, Token: t.Text, Expires: t.Expires, Refresh: t.Refresh, Ends: t.Ends}, nil
}

func deviceOf(c api.Client) tenant.Device { return tenant.Device{ClientIP: c.IP, Agent: c.Agent} }

// SignIn implements api.Sessions.
func (d directoryAPI) SignIn(ctx context.Context, c api.Credentials, from api.Client) (api.SessionGrant, error) {
	return grantOf(d.Directory.SignIn(ctx, tenant.Credentials{
		Login: c.Login, Password: c.Password, ClientIP: from.IP, Agent: from.Agent, TenantSlug: c.TenantSlug,
	}))
}

// RefreshSession implements api.Sessions.
func (d directoryAPI) RefreshSession(ctx context.Context, secret string, from api.Client) (api.SessionGrant, error) {
	return grantOf(d.Directory.RefreshSession(ctx, secret, deviceOf(from)))
}

// SwitchTenant implements api.Sessions.
func (d directoryAPI) SwitchTenant(ctx context.Context, sessionID, tenantSlug string, from api.Client) (api.SessionGrant, error) {
	return grantOf(d.Directory.SwitchTenant(ctx, sessionID, tenantSlug, deviceOf(from)))
}

// TenantChoices implements api.TenantNames.
func (d directoryAPI) TenantChoices(ctx context.Context, login string) []api.TenantChoice {
	var list []api.TenantChoice
	for _, c := range d.ListChoices(ctx, login) {
		list = append(list, api.TenantChoice{ID: string(c.Tenant.ID), Slug: c.Tenant.Slug, Name: c.Tenant.Name, Role: string(c.Role)})
	}
	return list
}

// ListSessions implements api.Devices.
func (d directoryAPI) ListSessions(ctx context.Context, login string) []api.Device {
	list := []api.Device{}
	for _, s := range d.Directory.ListSessions(ctx, login) {
		list = append(list, api.Device{
			ID: s.ID, TenantID: s.Tenant, Created: s.Created, LastUsed: s.Used, Ends: s.Ends, Way: s.Way, IP: s.ClientIP, Agent: s.Agent,
		})
	}
	return list
}

// EndMemberSessions implements api.Devices.
func (d directoryAPI) EndMemberSessions(ctx context.Context, actor seamark.Principal, userID string) error {
	return d.EndTenantSessions(ctx, actor, actor.Tenant, tenant.UserID(userID))
}

// ChangePassword implements api.Passwords.
func (d directoryAPI) ChangePassword(ctx context.Context, sessionID, from, to string, client api.Client) (api.SessionGrant, error) {
	return grantOf(d.Directory.ChangePassword(ctx, tenant.PasswordChange{Session: sessionID, Old: from, New: to, Device: deviceOf(client)}))
}

// CreatePasswordReset implements api.Passwords.
func (d directoryAPI) CreatePasswordReset(ctx context.Context, actor seamark.Principal, userID string) (api.PasswordReset, error) {
	r, err := d.Directory.CreatePasswordReset(ctx, actor, tenant.UserID(userID))
	return api.PasswordReset{Login: r.Login, Token: r.Text, Expires: r.Expires}, err
}
