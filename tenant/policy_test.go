package tenant_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const someTenant seamark.TenantID = "01JZZZZZZZZZZZZZZZZZZZZZZZ"

// TestPolicyTable is the whole policy, written down a second time.
func TestPolicyTable(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	person := func(role seamark.Role) seamark.Principal {
		return seamark.Principal{Tenant: someTenant, Kind: seamark.Session, Login: "ann", Role: role}
	}
	token := func(kind seamark.CredentialKind, signals ...seamark.Signal) seamark.Principal {
		return seamark.Principal{Tenant: someTenant, Kind: kind, CredentialID: "x", Signals: seamark.NewSignalSet(signals...)}
	}
	viewer := []string{
		"data:read", "pipelines:read", "clusters:read", "rules:read", "silences:read", "receivers:read", "members:read", "tenant:read", "session:read",
		"roles:read", "keys:own", "retention:read", "queries:read", "queries:own", "dashboards:read",
	}
	editor := slices.Concat(viewer, []string{"rules:write", "silences:write", "queries:write", "dashboards:write"})
	admin := slices.Concat(editor, []string{
		"pipelines:write", "clusters:write", "tokens:read", "tokens:write", "receivers:write", "members:write", "roles:write", "keys:read", "keys:write",
		"changes:read", "retention:write", "forwarders:read", "forwarders:write", "queries:cancel",
	})
	owner := slices.Concat(admin, []string{"owners:write", "tenant:write", "transfers:write"})
	ingestAll := []string{"ingest:any", "ingest:logs", "ingest:metrics", "ingest:events", "ingest:traces"}
	everything := token(seamark.IngestToken)
	everything.Signals = seamark.AllSignals
	operator := seamark.Principal{Kind: seamark.Session, Login: "root", Operator: true}

	for name, c := range map[string]struct {
		who  seamark.Principal
		want []string
	}{
		"viewer":      {person(seamark.RoleViewer), viewer},
		"editor":      {person(seamark.RoleEditor), editor},
		"admin":       {person(seamark.RoleAdmin), admin},
		"owner":       {person(seamark.RoleOwner), owner},
		"query token": {token(seamark.QueryToken), []string{"data:read", "clusters:read", "rules:read", "queries:own"}},
		"admin token": {token(seamark.AdminToken), owner},
		"ingest all":  {everything, ingestAll},
		"ingest logs": {token(seamark.IngestToken, seamark.Logs), []string{"ingest:any", "ingest:logs"}},
		"ingest none": {token(seamark.IngestToken), nil},
		"operator": {operator, []string{
			"tenants:read", "tenants:write", "clusters:read", "clusters:write", "tokens:read", "tokens:write", "members:read", "members:write",
			"owners:write", "session:read", "changes:read",
		}},

		"nobody":                 {seamark.Principal{}, nil},
		"no role":                {person(""), nil},
		"unknown role":           {person("god"), nil},
		"role with prefix":       {person("role:owner"), nil},
		"operator as role":       {person("operator"), nil},
		"no tenant":              {seamark.Principal{Kind: seamark.Session, Login: "ann", Role: seamark.RoleOwner}, nil},
		"domain as tenant":       {seamark.Principal{Tenant: "tenant", Kind: seamark.Session, Role: seamark.RoleOwner}, nil},
		"platform as tenant":     {seamark.Principal{Tenant: "platform", Kind: seamark.AdminToken}, nil},
		"operator with a tenant": {seamark.Principal{Tenant: someTenant, Kind: seamark.Session, Operator: true}, nil},
		"operator as token":      {seamark.Principal{Tenant: someTenant, Kind: seamark.AdminToken, Operator: true}, nil},
		"token without tenant":   {seamark.Principal{Kind: seamark.AdminToken}, nil},
		"unknown kind":           {seamark.Principal{Tenant: someTenant, Kind: 99, Role: seamark.RoleOwner}, nil},
		"login named as a role":  {seamark.Principal{Tenant: someTenant, Kind: seamark.Session, Login: "role:owner"}, nil},
	} {
		for _, permission := range tenant.Permissions() {
			err := d.Permit(c.who, permission)
			if want := slices.Contains(c.want, permission); want && err != nil {
				t.Errorf("%s: %s is refused: %v", name, permission, err)
			} else if !want && refused(err, "seamark-permission-missing") != nil {
				t.Errorf("%s: %s: got %v, want a refusal", name, permission, err)
			}
		}
		want := slices.Sorted(slices.Values(c.want))
		if got, err := d.Permitted(c.who); err != nil || got == nil || !slices.Equal(got, want) {
			t.Errorf("%s: permitted: got %v and error %v, want %v", name, got, err, want)
		}
		for _, permission := range c.want {
			if !slices.Contains(tenant.Permissions(), permission) {
				t.Errorf("%s: permission %s does not exist", name, permission)
			}
		}
		if err := d.Permit(c.who, "data:everything"); seamark.KindOf(err) != seamark.Internal || err == nil {
			t.Errorf("%s: an unknown permission: got %v, want an internal error", name, err)
		}
	}
}

func TestPermitIsSafeForConcurrentUse(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	var wg sync.WaitGroup
	for _, role := range tenant.Roles() {
		wg.Go(func() {
			who := seamark.Principal{Tenant: someTenant, Kind: seamark.Session, Role: role}
			for range 50 {
				if got, want := d.Permit(who, "tenant:write") == nil, role == seamark.RoleOwner; got != want {
					t.Errorf("%s: tenant:write allowed %t, want %t", role, got, want)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkPermitIngest(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	who := seamark.Principal{Tenant: someTenant, Kind: seamark.IngestToken, Signals: seamark.AllSignals}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Permit(who, "ingest:logs"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPermitSession(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	who := seamark.Principal{Tenant: someTenant, Kind: seamark.Session, Role: seamark.RoleAdmin}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Permit(who, "rules:write"); err != nil {
			b.Fatal(err)
		}
	}
}
