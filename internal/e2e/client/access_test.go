package client_test

import (
	"errors"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// person is somebody who was invited and has signed in.
func (w *world) person(t *testing.T, login, role string) *client.Client {
	t.Helper()
	made, err := w.owner.CreateInvitation(t.Context(), client.InvitationCreation{Role: role, Email: &login})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.nobody.AcceptInvitation(t.Context(), client.InvitationAcceptance{Token: made.Token, Login: &login, Password: new(password)}); err != nil {
		t.Fatal(err)
	}
	return w.session(t, login)
}

// session signs in somebody whose password is the tests'.
func (w *world) session(t *testing.T, login string) *client.Client {
	t.Helper()
	session, err := w.nobody.CreateSession(t.Context(), client.Credentials{Login: login, Password: password})
	if err != nil {
		t.Fatalf("sign in %s: %v", login, err)
	}
	return w.as(t, *session.Token)
}

// memberID returns the id of a member by the login.
func (w *world) memberID(t *testing.T, login string) string {
	t.Helper()
	list, err := w.owner.ListMembers(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list.Items {
		if m.Login == login {
			return m.ID
		}
	}
	t.Fatalf("there is no member %s", login)
	return ""
}

func invitationCalls() []call {
	invite := func(t *testing.T, w *world) *client.CreatedInvitation {
		t.Helper()
		made, err := w.owner.CreateInvitation(t.Context(), client.InvitationCreation{Role: "viewer"})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	return []call{
		{"createInvitation", func(t *testing.T, w *world) error { invite(t, w); return nil }},
		{"listInvitations", func(t *testing.T, w *world) error { return one(w.owner.ListInvitations(t.Context(), nil)) }},
		{"findInvitationOffer", func(t *testing.T, w *world) error {
			return one(w.nobody.FindInvitationOffer(t.Context(), client.InvitationToken{Token: invite(t, w).Token}))
		}},
		{"acceptInvitation", func(t *testing.T, w *world) error { w.person(t, "vera@example.com", "viewer"); return nil }},
		{"joinInvitation", func(t *testing.T, w *world) error {
			made, err := w.operator.CreateTenant(t.Context(), client.TenantSpec{Slug: "second"})
			if err != nil {
				return err
			}
			invited, err := w.operator.CreateTenantInvitation(t.Context(), made.ID, client.InvitationCreation{Role: "owner"})
			if err != nil {
				return err
			}
			return one(w.owner.JoinInvitation(t.Context(), client.InvitationToken{Token: invited.Token}))
		}},
		{"resendInvitation", func(t *testing.T, w *world) error { return one(w.owner.ResendInvitation(t.Context(), invite(t, w).ID)) }},
		{"deleteInvitation", func(t *testing.T, w *world) error { return w.owner.DeleteInvitation(t.Context(), invite(t, w).ID) }},
	}
}

func credentialCalls() []call {
	token := func(t *testing.T, w *world) string {
		t.Helper()
		made, err := w.owner.CreateToken(t.Context(), client.TokenCreation{Kind: client.TokenCreationKindQuery, Name: new("t")})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	key := func(t *testing.T, w *world) string {
		t.Helper()
		made, err := w.owner.CreateKey(t.Context(), client.KeyCreation{Name: "k", Role: new("viewer")})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	return []call{
		{"createToken", createsOnce},
		{"listTokens", func(t *testing.T, w *world) error { return one(w.owner.ListTokens(t.Context(), nil)) }},
		{"findToken", func(t *testing.T, w *world) error { return one(w.owner.FindToken(t.Context(), token(t, w))) }},
		{"rotateToken", func(t *testing.T, w *world) error {
			return one(w.owner.RotateToken(t.Context(), token(t, w), client.Rotation{OverlapSeconds: new(60)}))
		}},
		{"deleteToken", func(t *testing.T, w *world) error { return w.owner.DeleteToken(t.Context(), token(t, w)) }},
		{"createKey", func(t *testing.T, w *world) error { key(t, w); return nil }},
		{"listKeys", func(t *testing.T, w *world) error { return one(w.owner.ListKeys(t.Context(), nil)) }},
		{"findKey", func(t *testing.T, w *world) error { return one(w.owner.FindKey(t.Context(), key(t, w))) }},
		{"rotateKey", func(t *testing.T, w *world) error {
			return one(w.owner.RotateKey(t.Context(), key(t, w), client.Rotation{}))
		}},
		{"deleteKey", func(t *testing.T, w *world) error { return w.owner.DeleteKey(t.Context(), key(t, w)) }},
	}
}

// createsOnce creates a token twice with one key: there is one, and the secret is told twice.
func createsOnce(t *testing.T, w *world) error {
	spec := client.TokenCreation{Kind: client.TokenCreationKindQuery, Name: new("once")}
	var first, again client.Meta
	one, err := w.owner.CreateToken(t.Context(), spec, client.IdempotencyKey("k-1"), client.Into(&first))
	if err != nil {
		return err
	}
	two, err := w.owner.CreateToken(t.Context(), spec, client.IdempotencyKey("k-1"), client.Into(&again))
	if err != nil {
		return err
	}
	if one.ID != two.ID || one.Secret != two.Secret || first.Replayed || !again.Replayed || again.Status != first.Status {
		t.Errorf("made %s and %s; %+v, then %+v", one.ID, two.ID, first, again)
	}
	spec.Name = new("another")
	_, err = w.owner.CreateToken(t.Context(), spec, client.IdempotencyKey("k-1"))
	wantStatus(t, err, 422, "seamark-idempotency-mismatch")
	return nil
}

func memberCalls() []call {
	return []call{
		{"listMembers", func(t *testing.T, w *world) error { return one(w.owner.ListMembers(t.Context(), nil)) }},
		{"findMember", func(t *testing.T, w *world) error {
			return one(w.owner.FindMember(t.Context(), w.memberID(t, "vera@example.com")))
		}},
		{"updateMember", func(t *testing.T, w *world) error {
			return one(w.owner.UpdateMember(t.Context(), w.memberID(t, "vera@example.com"), client.MemberChange{Role: "editor"}))
		}},
		{"deleteMemberSessions", func(t *testing.T, w *world) error {
			return w.owner.DeleteMemberSessions(t.Context(), w.memberID(t, "vera@example.com"))
		}},
		{"createPasswordReset", func(t *testing.T, w *world) error {
			return one(w.owner.CreatePasswordReset(t.Context(), w.memberID(t, "vera@example.com")))
		}},
		{"resetPassword", func(t *testing.T, w *world) error {
			made, err := w.owner.CreatePasswordReset(t.Context(), w.memberID(t, "vera@example.com"))
			if err != nil {
				return err
			}
			return one(w.nobody.ResetPassword(t.Context(), client.PasswordSetting{Token: made.Token, Password: password}))
		}},
		{"deleteMember", func(t *testing.T, w *world) error {
			return w.owner.DeleteMember(t.Context(), w.memberID(t, "vera@example.com"))
		}},
		{"listPermissions", func(t *testing.T, w *world) error { return one(w.owner.ListPermissions(t.Context())) }},
		{"createRole", func(t *testing.T, w *world) error {
			return one(w.owner.CreateRole(t.Context(), client.RoleCreation{Name: "reader", Permissions: []string{"data:read"}}))
		}},
		{"listRoles", func(t *testing.T, w *world) error { return one(w.owner.ListRoles(t.Context())) }},
		{"findRole", func(t *testing.T, w *world) error { return one(w.owner.FindRole(t.Context(), "reader")) }},
		{"updateRole", func(t *testing.T, w *world) error {
			return one(w.owner.UpdateRole(t.Context(), "reader", client.RoleChange{Permissions: []string{"pipelines:read"}}))
		}},
		{"deleteRole", func(t *testing.T, w *world) error { return w.owner.DeleteRole(t.Context(), "reader") }},
	}
}

func sessionCalls() []call {
	return []call{
		{"listSessions", func(t *testing.T, w *world) error { return one(w.owner.ListSessions(t.Context())) }},
		{"refreshSession", func(t *testing.T, w *world) error {
			made, err := w.nobody.CreateSession(t.Context(), client.Credentials{Login: "owner@example.com", Password: password})
			if err != nil {
				return err
			}
			return one(w.nobody.RefreshSession(t.Context(), client.SessionRefresh{RefreshToken: *made.RefreshToken}))
		}},
		{"switchTenant", func(t *testing.T, w *world) error {
			return one(w.session(t, "owner@example.com").SwitchTenant(t.Context(), client.TenantSwitch{Tenant: "second"}))
		}},
		{"updatePassword", func(t *testing.T, w *world) error {
			p := w.person(t, "paul@example.com", "viewer")
			return one(p.UpdatePassword(t.Context(), client.PasswordChange{OldPassword: password, NewPassword: password + "!"}))
		}},
		{"deleteSessionByID", func(t *testing.T, w *world) error {
			p := w.person(t, "dora@example.com", "viewer")
			list, err := p.ListSessions(t.Context())
			if err != nil {
				return err
			}
			return p.DeleteSessionByID(t.Context(), list.Items[0].ID)
		}},
		{"deleteSessions", func(t *testing.T, w *world) error {
			return w.person(t, "dirk@example.com", "viewer").DeleteSessions(t.Context())
		}},
	}
}

func tenantCalls() []call {
	made := func(t *testing.T, w *world, slug string) string {
		t.Helper()
		tenant, err := w.operator.CreateTenant(t.Context(), client.TenantSpec{Slug: slug})
		if err != nil {
			t.Fatal(err)
		}
		return tenant.ID
	}
	return []call{
		{"createTenant", func(t *testing.T, w *world) error { made(t, w, "third"); return nil }},
		{"findTenant", func(t *testing.T, w *world) error { return one(w.operator.FindTenant(t.Context(), w.tenantID)) }},
		{"createTenantInvitation", func(t *testing.T, w *world) error {
			return one(w.operator.CreateTenantInvitation(t.Context(), w.tenantID, client.InvitationCreation{Role: "viewer"}))
		}},
		{"suspendTenant", func(t *testing.T, w *world) error {
			return one(w.operator.SuspendTenant(t.Context(), made(t, w, "fourth")))
		}},
		{"resumeTenant", func(t *testing.T, w *world) error {
			id := made(t, w, "fifth")
			return errors.Join(one(w.operator.SuspendTenant(t.Context(), id)), one(w.operator.ResumeTenant(t.Context(), id)))
		}},
		{"deleteTenant", func(t *testing.T, w *world) error {
			return one(w.operator.DeleteTenant(t.Context(), made(t, w, "sixth"), nil))
		}},
		{"restoreTenant", func(t *testing.T, w *world) error {
			id := made(t, w, "seventh")
			return errors.Join(one(w.operator.DeleteTenant(t.Context(), id, nil)), one(w.operator.RestoreTenant(t.Context(), id)))
		}},
		{"findCertificate", func(t *testing.T, w *world) error {
			id := made(t, w, "eighth")
			if _, err := w.operator.DeleteTenant(t.Context(), id, &client.DeleteTenantParams{Grace: new("0s")}); err != nil {
				return err
			}
			testkit.Eventually(t, within, func() error { return one(w.operator.FindCertificate(t.Context(), id)) })
			return nil
		}},
		{"setTenantPlan", func(t *testing.T, w *world) error {
			return one(w.operator.SetTenantPlan(t.Context(), w.tenantID, client.TenantPlan{Plan: "small"}))
		}},
	}
}

func planCalls() []call {
	return []call{
		{"updatePlan", func(t *testing.T, w *world) error {
			_, err := w.operator.UpdatePlan(t.Context(), "big", client.PlanSpec{Title: "Big"})
			return errors.Join(err, one(w.operator.UpdatePlan(t.Context(), "small", client.PlanSpec{Title: "Small"})))
		}},
		{"listPlans", func(t *testing.T, w *world) error { return one(w.operator.ListPlans(t.Context(), nil)) }},
		{"findPlan", func(t *testing.T, w *world) error { return one(w.operator.FindPlan(t.Context(), "small")) }},
		{"deletePlan", func(t *testing.T, w *world) error { return w.operator.DeletePlan(t.Context(), "big") }},
		{"findRetention", func(t *testing.T, w *world) error { return one(w.owner.FindRetention(t.Context())) }},
		{"updateRetention", func(t *testing.T, w *world) error {
			return one(w.owner.UpdateRetention(t.Context(), client.RetentionSet{Signals: map[string]int{"logs": 30}, Streams: []client.StreamRetention{}}))
		}},
		{"findBudgets", func(t *testing.T, w *world) error { return one(w.owner.FindBudgets(t.Context())) }},
		{"updateBudgets", func(t *testing.T, w *world) error {
			return one(w.owner.UpdateBudgets(t.Context(), client.Budgets{Budgets: []client.Budget{{Rows: new(int64(1000000))}}}))
		}},
		{"listUsage", func(t *testing.T, w *world) error { return drain(w.owner.ListUsage(t.Context(), nil)) }},
		{"findUsageSummary", func(t *testing.T, w *world) error { return one(w.owner.FindUsageSummary(t.Context())) }},
		{"reconcileUsage", func(t *testing.T, w *world) error { return one(w.owner.ReconcileUsage(t.Context(), nil)) }},
		{"listTenantsUsage", func(t *testing.T, w *world) error { return drain(w.operator.ListTenantsUsage(t.Context(), nil)) }},
		{"findTenantsUsageSummary", func(t *testing.T, w *world) error {
			return one(w.operator.FindTenantsUsageSummary(t.Context(), &client.FindTenantsUsageSummaryParams{Tenant: w.tenantID}))
		}},
		{"reconcileTenantsUsage", func(t *testing.T, w *world) error {
			return one(w.operator.ReconcileTenantsUsage(t.Context(), &client.ReconcileTenantsUsageParams{Tenant: &w.tenantID}))
		}},
		{"listChanges", func(t *testing.T, w *world) error { return one(w.owner.ListChanges(t.Context(), nil)) }},
		{"verifyChanges", func(t *testing.T, w *world) error { return one(w.owner.VerifyChanges(t.Context())) }},
		{"listLogPatterns", func(t *testing.T, w *world) error {
			from := w.start.Add(-time.Minute).Format(time.RFC3339)
			return one(w.query.ListLogPatterns(t.Context(), &client.ListLogPatternsParams{Query: new(`{app="web"}`), Start: &from}))
		}},
	}
}

func exportCalls() []call {
	made := func(t *testing.T, w *world) string {
		t.Helper()
		export, err := w.owner.CreateTenantExport(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return export.ID
	}
	id := ""
	return []call{
		{"createTenantExport", func(t *testing.T, w *world) error { id = made(t, w); return nil }},
		{"listTenantExports", func(t *testing.T, w *world) error { return one(w.owner.ListTenantExports(t.Context())) }},
		{"findTenantExport", func(t *testing.T, w *world) error { return one(w.owner.FindTenantExport(t.Context(), id)) }},
		{"downloadTenantExport", func(t *testing.T, w *world) error {
			testkit.Eventually(t, within, func() error { return drain(w.owner.DownloadTenantExport(t.Context(), id)) })
			return nil
		}},
		{"deleteTenantExport", func(t *testing.T, w *world) error { return w.owner.DeleteTenantExport(t.Context(), id) }},
	}
}
