package tenant_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestCreateTenantIsReadAtOnceAndReachesOtherNodes(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	made, err := here.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "acme", Name: "Acme Inc."})
	if err != nil {
		t.Fatal(err)
	}
	if made.Number != 1 || made.State != tenant.Active || made.Generation != 1 || made.Name != "Acme Inc." {
		t.Errorf("got %+v", made)
	}
	if _, err := seamark.ParseTenantID(string(made.ID)); err != nil {
		t.Errorf("id: %v", err)
	}
	if got, err := here.FindTenant(t.Context(), made.ID); err != nil || got != made {
		t.Errorf("here: got %+v, %v; want %+v", got, err, made)
	}
	eventually(t, func() error {
		got, err := there.FindTenantBySlug(t.Context(), "acme")
		if err == nil && got != made {
			t.Errorf("there: got %+v, want %+v", got, made)
		}
		return err
	})
	if got, err := there.Number(made.ID); err != nil || got != 1 {
		t.Errorf("number: got %d, %v", got, err)
	}
}

func TestCreateTenantRefusesBadSpecs(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	for _, spec := range []tenant.TenantSpec{
		{Slug: ""}, {Slug: "-a"}, {Slug: "a-"}, {Slug: "Acme"}, {Slug: "a.b"}, {Slug: "a_b"}, {Slug: "ä"}, {Slug: "a*"}, {Slug: "a>"},
		{Slug: strings.Repeat("a", 64)}, {Slug: "ok", Name: strings.Repeat("n", 201)}, {Slug: "ok", Name: "a\nb"}, {Slug: "ok", Name: "\xff"},
	} {
		_, err := d.CreateTenant(t.Context(), spec)
		wantError(t, err, seamark.Invalid, "seamark-tenant-invalid")
	}
	newTenant(t, d, strings.Repeat("a", 63))
	newTenant(t, d, "0")
}

func TestOneOfManyCreatorsGetsTheSlug(t *testing.T) {
	n := testkit.NATS(t)
	nodes := []*tenant.Directory{openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))}
	numbers := map[seamark.TenantNumber]string{}
	for round := range 10 {
		slug := fmt.Sprintf("t%d", round)
		var mu sync.Mutex
		var winners []tenant.Tenant
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				made, err := nodes[i%2].CreateTenant(t.Context(), tenant.TenantSpec{Slug: slug})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					winners = append(winners, made)
				} else if seamark.KindOf(err) != seamark.Conflict {
					t.Errorf("loser: got %v, want a conflict", err)
				}
			})
		}
		wg.Wait()
		if len(winners) != 1 {
			t.Fatalf("slug %s has %d creators, want 1", slug, len(winners))
		}
		if other, taken := numbers[winners[0].Number]; taken {
			t.Fatalf("number %d was given to %s and %s", winners[0].Number, other, slug)
		}
		numbers[winners[0].Number] = slug
		for _, d := range nodes {
			eventually(t, func() error {
				if got, err := d.FindTenantBySlug(t.Context(), slug); err != nil || got.ID != winners[0].ID {
					return fmt.Errorf("slug leads to %q, %w", got.ID, errOrNone(err))
				}
				return nil
			})
		}
	}
	if got := len(nodes[0].ListTenants(t.Context())); got != 10 {
		t.Errorf("list has %d tenants, want 10", got)
	}
}

func TestDeletedTenantFreesItsSlugAndKeepsItsNumber(t *testing.T) {
	n := testkit.NATS(t)
	d := openDirectory(t, jetStream(t, n))
	first := newTenant(t, d, "acme")
	_, secret := newToken(t, d, first.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	if err := d.DeleteTenant(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Forbidden, "seamark-tenant-deleted")
	_, err = d.FindTenant(t.Context(), first.ID)
	wantError(t, err, seamark.NotFound, "seamark-tenant-unknown")
	_, err = d.Number(first.ID)
	wantError(t, err, seamark.NotFound, "seamark-tenant-deleted")
	_, err = d.ResumeTenant(t.Context(), first.ID)
	wantError(t, err, seamark.NotFound, "seamark-tenant-unknown")
	if list := d.ListTenants(t.Context()); len(list) != 0 {
		t.Errorf("list still has %v", list)
	}

	second := newTenant(t, d, "acme")
	if second.ID == first.ID || second.Number <= first.Number {
		t.Errorf("second tenant %+v reuses the id or number of %+v", second, first)
	}
	again := openDirectory(t, jetStream(t, n))
	if third := newTenant(t, again, "other"); third.Number <= second.Number {
		t.Errorf("after a restart number %d was given again, want more than %d", third.Number, second.Number)
	}
}

func TestSuspensionCountsAtOnce(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	made := newTenant(t, d, "acme")
	_, secret := newToken(t, d, made.ID, tenant.TokenSpec{Kind: seamark.AdminToken})
	suspended, err := d.SuspendTenant(t.Context(), made.ID)
	if err != nil || suspended.Generation != made.Generation+1 {
		t.Fatalf("suspend: got %+v, %v", suspended, err)
	}
	_, err = d.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Forbidden, "seamark-tenant-suspended")
	if _, err := d.ResumeTenant(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("after resuming: %v", err)
	}
}

func TestHalfCreatedTenantIsInvisible(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js)
	const id = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
	putRaw(t, js, "tenants", "tenant."+id, `{"v":1,"id":"`+id+`","number":7,"slug":"half","name":"half","state":"active"}`)
	made := newTenant(t, d, "half")
	eventually(t, func() error { // the number shows that the raw document arrived
		if got, err := d.Number(id); err != nil || got != 7 {
			return fmt.Errorf("number %d, %w", got, errOrNone(err))
		}
		return nil
	})
	if _, err := d.FindTenant(t.Context(), id); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("half-created tenant was found: %v", err)
	}
	if list := d.ListTenants(t.Context()); len(list) != 1 || list[0].ID != made.ID {
		t.Errorf("got %v, want only %v", list, made)
	}
	if next := newTenant(t, d, "next"); next.Number <= 7 {
		t.Errorf("number %d was given below one that was seen", next.Number)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := tenant.Open(t.Context(), tenant.Options{}); err == nil {
		t.Error("no JS: got no error")
	}
	js := testkit.JetStream(t)
	for name, change := range map[string]func(*tenant.Options){
		"replicas": func(o *tenant.Options) { o.Replicas = -1 },
		"bytes":    func(o *tenant.Options) { o.MaxBytes = 5 },
		"duration": func(o *tenant.Options) { o.BeatInterval = -1 },
		"cost":     func(o *tenant.Options) { o.PasswordCost.Passes = 99 },
	} {
		if _, err := tryOpen(t, js, change); err == nil || errors.Is(err, t.Context().Err()) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}
