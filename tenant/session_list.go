package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SessionInfo is a session as its person sees it.
type SessionInfo struct {
	ID      string
	Tenant  seamark.TenantID // empty: an operator's
	Created time.Time
	// Used is when it was refreshed last: requests in between are not written down.
	Used     time.Time
	Ends     time.Time // unless it is refreshed before
	Way      string    // `password`, or the provider's id
	ClientIP string
	Agent    string
}

// ListSessions returns the sessions of a person that are not over, the one used last first.
func (d *Directory) ListSessions(_ context.Context, login string) []SessionInfo {
	user, _ := d.users.find(loginKey(normalLogin(login)))
	if user == nil {
		return nil
	}
	var list []SessionInfo
	for _, s := range d.liveSessions(user.ID) {
		if !s.current(user) {
			continue
		}
		list = append(list, SessionInfo{
			ID: s.ID, Tenant: s.Tenant, Created: s.Created, Used: s.Used, Ends: s.ends(), Way: s.Way, ClientIP: s.ClientIP, Agent: s.Agent,
		})
	}
	slices.SortStableFunc(list, func(a, b SessionInfo) int { return b.Used.Compare(a.Used) })
	return list
}

// EndSession ends one session of a person on every node. The error is of kind NotFound when it is not theirs.
func (d *Directory) EndSession(ctx context.Context, login, sid string) error {
	user, _ := d.users.find(loginKey(normalLogin(login)))
	session, _ := d.sessions.find(sid)
	if user == nil || session == nil || session.User != user.ID {
		return seamark.Errorf(seamark.NotFound, "seamark-session-unknown", "You have no such session.")
	}
	return d.SignOut(ctx, sid)
}

// EndSessions ends every session of a person on every node, with one write.
func (d *Directory) EndSessions(ctx context.Context, login string) error {
	_, err := d.mutateUser(ctx, login, func(u *userDoc) error {
		u.SessionEpoch++
		return nil
	})
	return err
}

// EndTenantSessions ends the sessions that a person has for one tenant, with one write. by is whoever asks: only those who may
// change owners end an owner's. The error is of kind NotFound when the person is no member there.
func (d *Directory) EndTenantSessions(ctx context.Context, by seamark.Principal, tenant seamark.TenantID, id UserID) error {
	member := d.users.findAlias(string(id))
	if member == nil {
		return memberUnknown()
	}
	_, err := d.mutateUser(ctx, member.Login, func(u *userDoc) error {
		role, ok := u.Memberships[tenant]
		if !ok {
			return memberUnknown()
		}
		if role == seamark.RoleOwner {
			if err := d.Permit(by, "owners:write"); err != nil {
				return err
			}
		}
		u.TenantEpochs = maps.Clone(u.TenantEpochs)
		if u.TenantEpochs == nil {
			u.TenantEpochs = map[seamark.TenantID]uint64{}
		}
		u.TenantEpochs[tenant]++
		return nil
	})
	return err
}

// mutateUser changes a person by login. The error is of kind NotFound when there is none.
func (d *Directory) mutateUser(ctx context.Context, login string, change func(*userDoc) error) (*userDoc, error) {
	user, err := d.users.mutate(ctx, loginKey(normalLogin(login)), change)
	if errors.Is(err, errAbsent) {
		return nil, userUnknown()
	}
	if err != nil {
		return nil, fmt.Errorf("change user: %w", err)
	}
	return user, nil
}

// Choice is a tenant that a person can act for.
type Choice struct {
	Tenant Tenant
	Role   seamark.Role
}

// ListChoices returns the tenants that a person can switch to, by slug.
func (d *Directory) ListChoices(_ context.Context, login string) []Choice {
	d.mu.RLock()
	defer d.mu.RUnlock()
	user := d.users.findLocked(loginKey(normalLogin(login)))
	if user == nil {
		return nil
	}
	var list []Choice
	for id, role := range user.Memberships {
		if t := d.liveTenantLocked(id); t != nil && t.State == Active {
			list = append(list, Choice{t.Tenant, role})
		}
	}
	slices.SortFunc(list, func(a, b Choice) int { return cmp.Compare(a.Tenant.Slug, b.Tenant.Slug) })
	return list
}

// SwitchTenant opens a session for another of the person's tenants, and ends the one they come from. The error is of kind
// Forbidden when the person has no such tenant, and Unauthenticated when the session is over.
func (d *Directory) SwitchTenant(ctx context.Context, sid, slug string, on Device) (SessionToken, error) {
	session, user, err := d.findStanding(sid)
	if err != nil {
		return SessionToken{}, err
	}
	if user.Operator || slug == "" {
		return SessionToken{}, seamark.Errorf(seamark.Forbidden, "seamark-session-operator", "Operators act for no tenant, and members name the one to switch to.")
	}
	tenant, err := d.chooseTenant(user, slug)
	if err != nil {
		return SessionToken{}, err
	}
	next, err := d.openSession(ctx, user, tenant, session.Way, on)
	if err != nil {
		return SessionToken{}, err
	}
	return next, d.SignOut(ctx, sid)
}

// findStanding returns a session that is still good, and whose it is.
func (d *Directory) findStanding(sid string) (*sessionDoc, *userDoc, error) {
	session, _ := d.sessions.find(sid)
	if session == nil {
		return nil, nil, sessionOver()
	}
	if err := d.checkStanding(session, d.now()); err != nil {
		return nil, nil, err
	}
	user := d.users.findAlias(string(session.User))
	if user == nil {
		return nil, nil, sessionOver()
	}
	return session, user, nil
}

// sweepSessions removes the records of sessions that are over, so that a script that signs in each minute does not fill the
// bucket. The processes that sign people in do it, the others hear of it.
func (d *Directory) sweepSessions(ctx context.Context, now time.Time) error {
	if d.opts.Keys == nil {
		return nil
	}
	removed := 0
	for _, s := range d.sessions.all() {
		over := s.ends()
		if !s.Ended.IsZero() && s.Ended.Before(over) {
			over = s.Ended
		}
		if now.Sub(over) < deadSessionKeep || removed == maxSessionsSwept {
			continue
		}
		if err := d.sessions.remove(ctx, s.ID); err != nil {
			return fmt.Errorf("remove a session that is over: %w", err)
		}
		removed++
	}
	return nil
}
