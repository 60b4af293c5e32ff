package tenant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// leavingKeep is how long a decision that an owner leaves is remembered. By then every node that has touch with KV has
// seen it; one that has not cannot decide anything.
const leavingKeep = time.Minute

// Member is a person in one tenant.
type Member struct {
	Tenant seamark.TenantID
	User   UserID
	Login  string
	Role   seamark.Role
	Only   *seamark.Restriction // nil: the whole tenant
}

// MemberSpec is what a membership can be changed to.
type MemberSpec struct {
	Role seamark.Role
	Only *seamark.Restriction // nil: the whole tenant
	// Check, when set, sees the member that is changed, within the compare-and-set; its error ends the change.
	Check func(Member) error
}

// tenants lists where the user is a member.
func (u *userDoc) tenants() []string {
	list := make([]string, 0, len(u.Memberships))
	for id := range u.Memberships {
		list = append(list, string(id))
	}
	return list
}

func (u *userDoc) member(tenant seamark.TenantID) Member {
	return Member{Tenant: tenant, User: u.ID, Login: u.Login, Role: u.Memberships[tenant], Only: u.Scopes[tenant]}
}

// setMember gives the user a membership; the maps are copied, for a document may not be edited.
func (u *userDoc) setMember(tenant seamark.TenantID, spec MemberSpec) {
	u.Memberships, u.Scopes = maps.Clone(u.Memberships), maps.Clone(u.Scopes)
	if u.Memberships == nil {
		u.Memberships = map[seamark.TenantID]seamark.Role{}
	}
	u.Memberships[tenant] = spec.Role
	delete(u.Scopes, tenant)
	if !spec.Only.Narrows() {
		return
	}
	if u.Scopes == nil {
		u.Scopes = map[seamark.TenantID]*seamark.Restriction{}
	}
	u.Scopes[tenant] = spec.Only
}

// ListMembers returns the tenant's members by login.
func (d *Directory) ListMembers(_ context.Context, tenant seamark.TenantID) []Member {
	list := []Member{}
	for _, u := range d.users.list(string(tenant)) {
		list = append(list, u.member(tenant))
	}
	slices.SortFunc(list, func(a, b Member) int { return strings.Compare(a.Login, b.Login) })
	return list
}

// FindMember returns one member. The error is of kind NotFound, also for users of other tenants.
func (d *Directory) FindMember(_ context.Context, tenant seamark.TenantID, id UserID) (Member, error) {
	u := d.users.findAlias(string(id))
	if u == nil || u.Memberships[tenant] == "" {
		return Member{}, memberUnknown()
	}
	return u.member(tenant), nil
}

func memberUnknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-member-unknown", "The tenant has no such member.")
}

// checkMember returns what is wrong with giving spec to somebody: kind Invalid for an unknown role or cluster, Forbidden
// where the actor holds less itself.
func (d *Directory) checkMember(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, spec MemberSpec) error {
	if spec.Role == seamark.RoleOwner && spec.Only.Narrows() {
		return seamark.Errorf(seamark.Invalid, "seamark-scope-invalid", "An owner sees the whole tenant; only other roles can be restricted.")
	}
	if err := d.mayGrantRole(ctx, actor, tenant, spec.Role); err != nil {
		return err
	}
	return d.mayGrantPart(actor, tenant, spec.Only)
}

// mayChange refuses an actor that holds less than the member, whom it could otherwise shut out.
func (d *Directory) mayChange(ctx context.Context, actor seamark.Principal, m Member, tenant seamark.TenantID) error {
	if !actor.Only.Covers(m.Only) {
		return seamark.Errorf(seamark.Forbidden, "seamark-scope-ungrantable", "You are restricted to %s and cannot change a member who sees %s.", actor.Only, m.Only)
	}
	if _, err := d.FindRole(ctx, tenant, m.Role); err != nil {
		return nil // what is left of a role that does not exist gives nothing
	}
	return d.mayGrantRole(ctx, actor, tenant, m.Role)
}

// SetMember changes a member's role and restriction; both count at once, on every node within a second. The error is of
// kind NotFound, Invalid for an unknown role or cluster, Forbidden where the actor holds less than the member has or
// gets, and Conflict when the tenant would have no owner left.
func (d *Directory) SetMember(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, id UserID, spec MemberSpec) (Member, error) {
	if err := d.checkMember(ctx, actor, tenant, spec); err != nil {
		return Member{}, err
	}
	c := memberChange{actor: actor, tenant: tenant, id: id, owner: spec.Role == seamark.RoleOwner}
	if spec.Check != nil {
		c.checks = append(c.checks, spec.Check)
	}
	changed, err := d.changeMember(ctx, c, func(u *userDoc) error {
		u.setMember(tenant, spec)
		return nil
	})
	if err != nil {
		return Member{}, fmt.Errorf("set member: %w", err)
	}
	return changed.member(tenant), nil
}

// RemoveMember ends a membership: sessions and personal keys of the tenant end with it. Each of checks sees the member first, within
// the compare-and-set, and may refuse. The errors are those of SetMember.
func (d *Directory) RemoveMember(ctx context.Context, actor seamark.Principal, tenant seamark.TenantID, id UserID, checks ...func(Member) error) error {
	_, err := d.changeMember(ctx, memberChange{actor: actor, tenant: tenant, id: id, checks: checks}, func(u *userDoc) error {
		u.Memberships, u.Scopes = maps.Clone(u.Memberships), maps.Clone(u.Scopes)
		delete(u.Memberships, tenant)
		delete(u.Scopes, tenant)
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove member: %w", err)
	}
	return nil
}

// memberChange says who changes which member, and whether an owner comes out of it.
type memberChange struct {
	actor  seamark.Principal
	tenant seamark.TenantID
	id     UserID
	owner  bool
	checks []func(Member) error // each may refuse the member as it is
}

func (d *Directory) changeMember(ctx context.Context, c memberChange, change func(*userDoc) error) (*userDoc, error) {
	m, err := d.FindMember(ctx, c.tenant, c.id)
	if err != nil {
		return nil, err
	}
	if err := d.mayChange(ctx, c.actor, m, c.tenant); err != nil {
		return nil, err
	}
	if err := checkEach(m, c.checks); err != nil { // before it stands that an owner leaves
		return nil, err
	}
	if m.Role == seamark.RoleOwner && !c.owner {
		if err := d.leaveOwners(ctx, c.tenant, c.id); err != nil {
			return nil, err
		}
	}
	doc, err := d.users.mutate(ctx, loginKey(m.Login), func(u *userDoc) error {
		now := u.member(c.tenant)
		if u.ID != c.id || now.Role == "" {
			return memberUnknown()
		}
		if now.Role == seamark.RoleOwner && m.Role != seamark.RoleOwner && !c.owner {
			return seamark.Errorf(seamark.Conflict, "seamark-member-changed", "Somebody made this member an owner meanwhile. Look again.")
		}
		if err := d.mayChange(ctx, c.actor, now, c.tenant); err != nil {
			return err
		}
		if err := checkEach(now, c.checks); err != nil {
			return err
		}
		return change(u)
	})
	if errors.Is(err, errAbsent) {
		return nil, memberUnknown()
	}
	return doc, err
}

// leaveOwners decides that somebody will be no owner any more, unless that leaves none. Owners are documents of their own,
// so two nodes that each take the role from another owner would both succeed; the decision is one compare-and-set on the
// tenant's document, where the second sees the first.
func (d *Directory) leaveOwners(ctx context.Context, tenant seamark.TenantID, id UserID) error {
	_, err := d.changeAccess(ctx, tenant, func(a *accessDoc) error {
		now := d.now().UTC()
		leaving := map[UserID]time.Time{}
		for user, at := range a.Leaving {
			if now.Sub(at) < leavingKeep {
				leaving[user] = at
			}
		}
		leaving[id] = now
		for _, m := range d.ListMembers(ctx, tenant) {
			if _, leaves := leaving[m.User]; m.Role == seamark.RoleOwner && !leaves {
				a.Leaving = leaving
				return nil
			}
		}
		return seamark.Errorf(seamark.Conflict, "seamark-owner-last",
			"This is the tenant's last owner. Make somebody else an owner first; where one was just changed, try again in a minute.")
	})
	return err
}
