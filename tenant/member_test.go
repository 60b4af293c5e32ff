package tenant_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMemberRoleAndRestrictionCountInTheSession(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newCluster(t, d, id, "prod")
	owner := newMember(t, d, id, "own@example.org", seamark.RoleOwner)
	ann := newMember(t, d, id, "ann@example.org", seamark.RoleEditor)
	session := signIn(t, d, tenant.Credentials{Login: ann.Login, Password: goodPassword})
	only := &seamark.Restriction{Clusters: []string{"prod"}, Namespaces: []string{"shop"}}
	boss := actor(id, seamark.RoleOwner)
	boss.Login = owner.Login
	m, err := d.SetMember(t.Context(), boss, id, ann.User, tenant.MemberSpec{Role: seamark.RoleViewer, Only: only})
	if err != nil || m.Role != seamark.RoleViewer || m.Only.String() != only.String() {
		t.Fatalf("got %+v, %v", m, err)
	}
	p, err := d.VerifySession(t.Context(), session.Text)
	if err != nil || p.Role != seamark.RoleViewer || p.Only.String() != "clusters prod and namespaces shop" {
		t.Fatalf("got %+v, %v", p, err)
	}
	again, err := d.VerifySession(t.Context(), session.Text)
	if err != nil || again.Scope() != p.Scope() {
		t.Errorf("the scopes of two requests of one session differ: %+v, %+v, %v", p.Scope(), again.Scope(), err)
	}
	if err := d.RemoveMember(t.Context(), boss, id, ann.User); err != nil {
		t.Fatal(err)
	}
	_, err = d.VerifySession(t.Context(), session.Text)
	wantError(t, err, seamark.Forbidden, "seamark-member-removed")
	if got := d.ListMembers(t.Context(), id); len(got) != 1 || got[0].Login != owner.Login {
		t.Errorf("got members %+v, want the owner alone", got)
	}
	_, err = d.FindMember(t.Context(), id, ann.User)
	wantError(t, err, seamark.NotFound, "seamark-member-unknown")
}

func TestMemberRefusals(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id, other := newTenant(t, d, "one").ID, newTenant(t, d, "two").ID
	owner := newMember(t, d, id, "own@example.org", seamark.RoleOwner)
	ann := newMember(t, d, id, "ann@example.org", seamark.RoleViewer)
	stranger := newMember(t, d, other, "eve@example.org", seamark.RoleOwner)
	boss, admin := actor(id, seamark.RoleOwner), actor(id, seamark.RoleAdmin)
	narrow := admin
	narrow.Only = &seamark.Restriction{Namespaces: []string{"shop"}}
	viewer := tenant.MemberSpec{Role: seamark.RoleViewer}
	for name, c := range map[string]struct {
		who  seamark.Principal
		user tenant.UserID
		spec tenant.MemberSpec
		kind seamark.Kind
		id   string
	}{
		"member of another tenant": {boss, stranger.User, viewer, seamark.NotFound, "seamark-member-unknown"},
		"nobody":                   {boss, "x", viewer, seamark.NotFound, "seamark-member-unknown"},
		"unknown role":             {boss, ann.User, tenant.MemberSpec{Role: "absent"}, seamark.Invalid, "seamark-role-unknown"},
		"no role":                  {boss, ann.User, tenant.MemberSpec{}, seamark.Invalid, "seamark-role-unknown"},
		"unknown cluster": {boss, ann.User, tenant.MemberSpec{Role: "viewer", Only: &seamark.Restriction{Clusters: []string{"x"}}},
			seamark.Invalid, "seamark-scope-invalid"},
		"restricted owner": {boss, ann.User, tenant.MemberSpec{Role: "owner", Only: &seamark.Restriction{Namespaces: []string{"x"}}},
			seamark.Invalid, "seamark-scope-invalid"},
		"admin makes an owner":       {admin, ann.User, tenant.MemberSpec{Role: "owner"}, seamark.Forbidden, "seamark-permission-ungrantable"},
		"admin changes an owner":     {admin, owner.User, viewer, seamark.Forbidden, "seamark-permission-ungrantable"},
		"restricted admin widens":    {narrow, ann.User, viewer, seamark.Forbidden, "seamark-scope-ungrantable"},
		"the last owner steps down":  {boss, owner.User, viewer, seamark.Conflict, "seamark-owner-last"},
		"restricted admin, one more": {narrow, ann.User, tenant.MemberSpec{Role: "viewer", Only: narrow.Only}, seamark.Forbidden, "seamark-scope-ungrantable"},
	} {
		if _, err := d.SetMember(t.Context(), c.who, id, c.user, c.spec); refused(err, c.id) != nil || seamark.KindOf(err) != c.kind {
			t.Errorf("%s: got %v, want %s", name, err, c.id)
		}
	}
	wantError(t, d.RemoveMember(t.Context(), admin, id, owner.User), seamark.Forbidden, "seamark-permission-ungrantable")
	wantError(t, d.RemoveMember(t.Context(), boss, id, owner.User), seamark.Conflict, "seamark-owner-last")
	wantError(t, d.RemoveMember(t.Context(), boss, id, stranger.User), seamark.NotFound, "seamark-member-unknown")
}

// TestRefusedRemovalLeavesNoTrace: an owner whose removal was refused by a check counts as an owner still.
func TestRefusedRemovalLeavesNoTrace(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	boss := actor(id, seamark.RoleOwner)
	ann, bob := newMember(t, d, id, "ann@example.org", seamark.RoleOwner), newMember(t, d, id, "bob@example.org", seamark.RoleOwner)
	refusal := seamark.Errorf(seamark.Conflict, "seamark-document-changed", "No.")
	err := d.RemoveMember(t.Context(), boss, id, ann.User, func(now tenant.Member) error {
		if now.User != ann.User || now.Role != seamark.RoleOwner {
			t.Errorf("the check saw %+v, want the owner %s", now, ann.Login)
		}
		return refusal
	})
	wantError(t, err, seamark.Conflict, "seamark-document-changed")
	if err := d.RemoveMember(t.Context(), boss, id, bob.User); err != nil {
		t.Errorf("the other owner cannot leave: %v", err)
	}
	if got := d.ListMembers(t.Context(), id); len(got) != 1 || got[0].Login != ann.Login {
		t.Errorf("got members %+v, want %s alone", got, ann.Login)
	}
}

// TestLastOwnerOnTwoNodes: each node takes the role from one of two owners at the same moment.
func TestLastOwnerOnTwoNodes(t *testing.T) {
	js := testkit.JetStream(t)
	nodes := []*tenant.Directory{openDirectory(t, js), openDirectory(t, js)}
	for round := range 5 {
		id := newTenant(t, nodes[0], "round-"+string(rune('a'+round))).ID
		var owners []tenant.Member
		for _, name := range []string{"ann", "bob"} {
			owners = append(owners, newMember(t, nodes[0], id, name+string(rune('a'+round))+"@example.org", seamark.RoleOwner))
		}
		eventually(t, func() error {
			_, err := nodes[1].FindMember(t.Context(), id, owners[1].User)
			return err
		})
		var wg sync.WaitGroup
		errs := make([]error, len(nodes))
		for i, d := range nodes {
			wg.Go(func() { errs[i] = d.RemoveMember(t.Context(), actor(id, seamark.RoleOwner), id, owners[i].User) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: got %v and %v, want that one of both is refused", round, errs[0], errs[1])
		}
		for _, err := range errs {
			if err != nil && !strings.Contains(err.Error(), "last owner") {
				t.Errorf("round %d: refused with %v", round, err)
			}
		}
	}
}
