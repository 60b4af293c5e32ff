package tenant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func newKey(t testing.TB, d *tenant.Directory, who seamark.Principal, spec tenant.KeySpec) (tenant.Key, string) {
	t.Helper()
	if spec.Name == "" {
		spec.Name = "a key"
	}
	key, secret, err := d.CreateKey(t.Context(), who, spec)
	if err != nil {
		t.Fatalf("create key: %v", err)
	}
	return key, secret
}

// allowed lists what a credential may do.
func allowed(t testing.TB, d *tenant.Directory, secret string) []string {
	t.Helper()
	p, err := d.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	var list []string
	for _, permission := range tenant.Permissions() {
		if d.Permit(p, permission) == nil {
			list = append(list, permission)
		}
	}
	return list
}

func TestMachineKeyMayWhatItWasGiven(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newCluster(t, d, id, "prod")
	only := &seamark.Restriction{Clusters: []string{"prod"}}
	key, secret := newKey(t, d, actor(id, seamark.RoleAdmin), tenant.KeySpec{Permissions: []string{"rules:write", "rules:read"}, Only: only})
	if !strings.HasPrefix(secret, "smk_api_"+key.KeyID+"_") || key.CreatedBy != "admin@example.org" || key.Owner != "" {
		t.Errorf("got %+v with the secret %.20s...", key, secret)
	}
	if got := allowed(t, d, secret); !slices.Equal(got, []string{"rules:read", "rules:write", "session:read"}) {
		t.Errorf("got %v", got)
	}
	p, err := d.Authenticate(t.Context(), secret)
	if err != nil || p.Kind != seamark.APIKey || p.Only.String() != "clusters prod" || p.Tenant != id || p.Login != "" {
		t.Errorf("got %+v, %v", p, err)
	}
	_, viewer := newKey(t, d, actor(id, seamark.RoleAdmin), tenant.KeySpec{Role: seamark.RoleViewer})
	if got := allowed(t, d, viewer); !slices.Contains(got, "data:read") || slices.Contains(got, "rules:write") {
		t.Errorf("a viewer's key: got %v", got)
	}
}

func TestPersonalKeyMayNoMoreThanItsOwner(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newMember(t, d, id, "own@example.org", seamark.RoleOwner)
	ann := newMember(t, d, id, "ann@example.org", seamark.RoleEditor)
	who := actorNamed(id, ann.Login)
	who.Role = seamark.RoleEditor
	_, secret := newKey(t, d, who, tenant.KeySpec{Personal: true, Permissions: []string{"rules:write", "data:read"}})
	if got := allowed(t, d, secret); !slices.Equal(got, []string{"data:read", "rules:write", "session:read"}) {
		t.Errorf("got %v", got)
	}
	boss := actor(id, seamark.RoleOwner)
	only := &seamark.Restriction{Namespaces: []string{"shop"}}
	if _, err := d.SetMember(t.Context(), boss, id, ann.User, tenant.MemberSpec{Role: seamark.RoleViewer, Only: only}); err != nil {
		t.Fatal(err)
	}
	if got := allowed(t, d, secret); !slices.Equal(got, []string{"data:read", "session:read"}) {
		t.Errorf("after the owner lost rules:write: got %v", got)
	}
	if p, err := d.Authenticate(t.Context(), secret); err != nil || p.Only.String() != "namespaces shop" || p.Login != ann.Login {
		t.Errorf("after the owner was restricted: got %+v, %v", p, err)
	}
	if err := d.RemoveMember(t.Context(), boss, id, ann.User); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Unauthenticated, "seamark-key-orphaned")
}

func TestKeyRefusals(t *testing.T) {
	clock := testkit.NewClock(time.Now())
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	id, other := newTenant(t, d, "one").ID, newTenant(t, d, "two").ID
	newMember(t, d, id, "ann@example.org", seamark.RoleViewer)
	ann := actorNamed(id, "ann@example.org")
	ann.Role = seamark.RoleViewer
	admin := actor(id, seamark.RoleAdmin)
	narrow := admin
	narrow.Only = &seamark.Restriction{Namespaces: []string{"shop"}}
	for name, c := range map[string]struct {
		who  seamark.Principal
		spec tenant.KeySpec
		id   string
	}{
		"nothing given":        {admin, tenant.KeySpec{Name: "x"}, "seamark-key-invalid"},
		"role and permissions": {admin, tenant.KeySpec{Name: "x", Role: "viewer", Permissions: []string{"data:read"}}, "seamark-key-invalid"},
		"no name":              {admin, tenant.KeySpec{Role: "viewer"}, "seamark-key-invalid"},
		"over already":         {admin, tenant.KeySpec{Name: "x", Role: "viewer", Expires: clock.Now()}, "seamark-key-invalid"},
		"unknown role":         {admin, tenant.KeySpec{Name: "x", Role: "absent"}, "seamark-role-unknown"},
		"ingest":               {admin, tenant.KeySpec{Name: "x", Permissions: []string{"ingest:logs"}}, "seamark-key-invalid"},
		"more than one holds":  {admin, tenant.KeySpec{Name: "x", Role: "owner"}, "seamark-permission-ungrantable"},
		"wider than one sees":  {narrow, tenant.KeySpec{Name: "x", Role: "viewer", Only: &seamark.Restriction{Namespaces: []string{"bank"}}}, "seamark-scope-ungrantable"},
		"machine's by viewer":  {ann, tenant.KeySpec{Name: "x", Permissions: []string{"data:read"}}, "seamark-permission-missing"},
		"of nobody":            {admin, tenant.KeySpec{Name: "x", Personal: true, Role: "viewer"}, "seamark-key-invalid"},
	} {
		if _, _, err := d.CreateKey(t.Context(), c.who, c.spec); refused(err, c.id) != nil {
			t.Errorf("%s: got %v, want %s", name, err, c.id)
		}
	}
	if key, _ := newKey(t, d, narrow, tenant.KeySpec{Role: "viewer"}); key.Only.String() != "namespaces shop" {
		t.Errorf("the key of a restricted actor sees %s, want as much as the actor", key.Only)
	}
	machine, _ := newKey(t, d, admin, tenant.KeySpec{Role: "viewer"})
	own, _ := newKey(t, d, ann, tenant.KeySpec{Role: "viewer", Personal: true})
	if got := d.ListKeys(t.Context(), ann); len(got) != 1 || got[0].KeyID != own.KeyID {
		t.Errorf("a viewer sees %+v, want the own key", got)
	}
	if got := d.ListKeys(t.Context(), admin); len(got) != 3 {
		t.Errorf("an admin sees %d keys, want 3", len(got))
	}
	_, err := d.FindKey(t.Context(), ann, machine.KeyID)
	wantError(t, err, seamark.NotFound, "seamark-key-absent")
	wantError(t, d.RevokeKey(t.Context(), ann, machine.KeyID), seamark.NotFound, "seamark-key-absent")
	wantError(t, d.RevokeKey(t.Context(), actor(other, seamark.RoleOwner), machine.KeyID), seamark.NotFound, "seamark-key-absent")
	wantError(t, d.RevokeToken(t.Context(), id, machine.KeyID), seamark.NotFound, "seamark-token-absent")
	_, _, err = d.RotateKey(t.Context(), admin, own.KeyID, 0)
	wantError(t, err, seamark.Forbidden, "seamark-key-personal")
	_, strong := newKey(t, d, actor(id, seamark.RoleOwner), tenant.KeySpec{Role: "owner"})
	p, err := d.Authenticate(t.Context(), strong)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = d.RotateKey(t.Context(), admin, p.CredentialID, 0)
	wantError(t, err, seamark.Forbidden, "seamark-permission-ungrantable")
}

func TestKeyOfARoleThatWasDeletedMayNothing(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	id := newTenant(t, d, "one").ID
	newRole(t, d, id, "support", "data:read")
	owner := actor(id, seamark.RoleOwner)
	key, secret := newKey(t, d, owner, tenant.KeySpec{Role: "support"})
	if got := allowed(t, d, secret); !slices.Equal(got, []string{"data:read", "session:read"}) {
		t.Errorf("got %v", got)
	}
	if _, err := d.UpdateRole(t.Context(), owner, tenant.RoleSpec{Name: "support", Permissions: []string{"rules:read"}}); err != nil {
		t.Fatal(err)
	}
	if got := allowed(t, d, secret); !slices.Equal(got, []string{"rules:read", "session:read"}) {
		t.Errorf("after the role changed: got %v", got)
	}
	if err := d.RevokeKey(t.Context(), owner, key.KeyID); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-revoked")
}

func TestRotationOverlaps(t *testing.T) {
	clock := testkit.NewClock(time.Now())
	d := openDirectory(t, testkit.JetStream(t), withClock(clock), func(o *tenant.Options) { o.WriterStaleness, o.ReaderStaleness = time.Hour, time.Hour })
	id, other := newTenant(t, d, "one").ID, newTenant(t, d, "two").ID
	cluster := newCluster(t, d, id, "prod")
	token, first := newToken(t, d, id, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: cluster.ID})
	key, firstKey := newKey(t, d, actor(id, seamark.RoleAdmin), tenant.KeySpec{Role: "viewer"})
	rotated, second, err := d.RotateToken(t.Context(), id, token.KeyID, time.Minute)
	if err != nil || rotated.KeyID != token.KeyID || rotated.OldUntil.IsZero() || second == first {
		t.Fatalf("got %+v, %v", rotated, err)
	}
	_, secondKey, err := d.RotateKey(t.Context(), actor(id, seamark.RoleAdmin), key.KeyID, 0)
	if err != nil {
		t.Fatal(err)
	}
	good := func(secret string) bool {
		_, err := d.Authenticate(t.Context(), secret)
		return err == nil
	}
	if !good(first) || !good(second) || good(firstKey) || !good(secondKey) {
		t.Errorf("within the overlap: token %t and %t, want both; key without one %t and %t, want the new", good(first), good(second), good(firstKey), good(secondKey))
	}
	clock.Advance(61 * time.Second)
	if good(first) || !good(second) {
		t.Errorf("after the overlap: the old secret is good %t, the new %t", good(first), good(second))
	}
	_, _, err = d.RotateToken(t.Context(), other, token.KeyID, 0)
	wantError(t, err, seamark.NotFound, "seamark-token-absent")
	_, _, err = d.RotateToken(t.Context(), id, key.KeyID, 0)
	wantError(t, err, seamark.NotFound, "seamark-token-absent")
	_, _, err = d.RotateToken(t.Context(), id, token.KeyID, 31*24*time.Hour)
	wantError(t, err, seamark.Invalid, "seamark-token-overlap")
	if err := d.RevokeToken(t.Context(), id, token.KeyID); err != nil {
		t.Fatal(err)
	}
	_, _, err = d.RotateToken(t.Context(), id, token.KeyID, 0)
	wantError(t, err, seamark.Conflict, "seamark-token-over")
	if good(first) || good(second) {
		t.Error("a secret of a revoked token is good")
	}
}

func TestLastUseReachesEveryNodeLazily(t *testing.T) {
	js := testkit.JetStream(t)
	clock := testkit.NewClock(time.Now())
	here, there := openDirectory(t, js, withClock(clock)), openDirectory(t, js, withClock(clock))
	id := newTenant(t, here, "one").ID
	key, _ := newKey(t, here, actor(id, seamark.RoleAdmin), tenant.KeySpec{Role: "viewer"})
	uses := func(d *tenant.Directory) tenant.Use {
		for _, k := range d.ListKeys(t.Context(), actor(id, seamark.RoleAdmin)) {
			return k.Used
		}
		return tenant.Use{}
	}
	if got := uses(here); !got.At.IsZero() {
		t.Errorf("got %+v before any use", got)
	}
	here.Used(key.KeyID, "192.0.2.1", "curl/8\x00"+strings.Repeat("x", 500))
	here.Used(key.KeyID, "192.0.2.9", "later, but too soon to be noted")
	got := uses(here)
	if got.ClientIP != "192.0.2.1" || !strings.HasPrefix(got.Agent, "curl/8x") || len(got.Agent) > 120 || !got.At.Equal(clock.Now()) {
		t.Errorf("got %+v", got)
	}
	if err := here.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := uses(there); got.ClientIP != "192.0.2.1" {
			return errOrNone(nil)
		}
		return nil
	})
}

func BenchmarkUsed(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	id := newTenant(b, d, "one").ID
	key, _ := newKey(b, d, actor(id, seamark.RoleAdmin), tenant.KeySpec{Role: "viewer"})
	b.ReportAllocs()
	for b.Loop() {
		d.Used(key.KeyID, "192.0.2.1", "agent")
	}
}

func BenchmarkPermitCustomRole(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	id := newTenant(b, d, "one").ID
	newRole(b, d, id, "support", "data:read")
	who := actor(id, "support")
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Permit(who, "data:read"); err != nil {
			b.Fatal(err)
		}
	}
}
