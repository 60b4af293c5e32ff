package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// grammar refuses queries that hold a question mark, as a parser would.
func grammar(_ tenant.QueryLanguage, text string) error {
	if at := strings.IndexByte(text, '?'); at >= 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-test-syntax", "Unexpected ? at 1:%d.", at+1)
	}
	return nil
}

func openSavedQueries(t testing.TB, d *tenant.Directory) *tenant.SavedQueries {
	t.Helper()
	s, err := tenant.OpenSavedQueries(t.Context(), d, grammar)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// savers are two people and a viewer of one tenant.
type savers struct {
	directory         *tenant.Directory
	queries           *tenant.SavedQueries
	id                seamark.TenantID
	owner, ann, guest seamark.Principal
	annID             tenant.UserID
}

func newSavers(t *testing.T, d *tenant.Directory) *savers {
	t.Helper()
	s := &savers{directory: d, queries: openSavedQueries(t, d), id: newTenant(t, d, "one").ID}
	person := func(login string, role seamark.Role) (seamark.Principal, tenant.UserID) {
		m := newMember(t, d, s.id, login, role)
		return seamark.Principal{Tenant: s.id, Kind: seamark.Session, CredentialID: login, Login: login, Role: role}, m.User
	}
	s.owner, _ = person("owner@example.org", seamark.RoleOwner)
	s.ann, s.annID = person("ann@example.org", seamark.RoleEditor)
	s.guest, _ = person("guest@example.org", seamark.RoleViewer)
	return s
}

func querySpec(name string, v tenant.Visibility) tenant.SavedQuerySpec {
	return tenant.SavedQuerySpec{SavedQueryFields: tenant.SavedQueryFields{Name: name, Language: tenant.PromQL, Query: "up", Visibility: v}}
}

func (s *savers) save(t *testing.T, who seamark.Principal, name string, v tenant.Visibility) tenant.SavedQuery {
	t.Helper()
	q, err := s.queries.Create(t.Context(), who, querySpec(name, v))
	if err != nil {
		t.Fatalf("save %s: %v", name, err)
	}
	return q
}

// names lists what somebody sees.
func (s *savers) names(t *testing.T, q *tenant.SavedQueries, who seamark.Principal) string {
	t.Helper()
	list, err := q.List(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, q := range list {
		names = append(names, q.Name)
	}
	return strings.Join(names, " ")
}

// TestSavedQueriesStandInTheirOrder makes queries within one millisecond.
func TestSavedQueriesStandInTheirOrder(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	s := newSavers(t, openDirectory(t, testkit.JetStream(t), withClock(clock)))
	var want []string
	for i := range 9 {
		want = append(want, fmt.Sprint("query-", i))
		s.save(t, s.ann, want[i], tenant.TenantQuery)
	}
	if got := s.names(t, s.queries, s.guest); got != strings.Join(want, " ") {
		t.Errorf("made %v, listed as %s", want, got)
	}
}

func TestPrivateSavedQueriesAreTheirOwnersAlone(t *testing.T) {
	s := newSavers(t, openDirectory(t, testkit.JetStream(t)))
	private := s.save(t, s.ann, "mine", tenant.PrivateQuery)
	s.save(t, s.ann, "ours", tenant.TenantQuery)
	key := s.ann
	key.Kind, key.CredentialID = seamark.APIKey, "another"
	if got := s.names(t, s.queries, key); got != "mine ours" {
		t.Errorf("ann's key sees %q", got)
	}
	for _, who := range []seamark.Principal{s.owner, s.guest} {
		if got := s.names(t, s.queries, who); got != "ours" {
			t.Errorf("%s sees %q, want ours alone", who.Login, got)
		}
		_, err := s.queries.Find(t.Context(), who, private.ID)
		wantError(t, err, seamark.NotFound, "seamark-saved-query-unknown")
		_, err = s.queries.Update(t.Context(), who, private.ID, querySpec("taken", tenant.TenantQuery))
		wantError(t, err, seamark.NotFound, "seamark-saved-query-unknown")
		wantError(t, s.queries.Delete(t.Context(), who, private.ID, nil), seamark.NotFound, "seamark-saved-query-unknown")
	}
	narrowed := s.guest
	narrowed.Only = &seamark.Restriction{Namespaces: []string{"shop"}}
	if got := s.names(t, s.queries, narrowed); got != "" {
		t.Errorf("who is restricted sees %q of others, want nothing", got)
	}
	stranger := s.ann
	stranger.Tenant = newTenant(t, s.directory, "two").ID
	_, err := s.queries.Find(t.Context(), stranger, private.ID)
	wantError(t, err, seamark.NotFound, "seamark-saved-query-unknown")
}

func TestSavedQueriesOfTheTenantNeedThePermission(t *testing.T) {
	s := newSavers(t, openDirectory(t, testkit.JetStream(t)))
	ours := s.save(t, s.ann, "ours", tenant.TenantQuery)
	own := s.save(t, s.guest, "own", tenant.PrivateQuery)
	const missing = "seamark-permission-missing"
	_, err := s.queries.Create(t.Context(), s.guest, querySpec("x", tenant.TenantQuery))
	wantError(t, err, seamark.Forbidden, missing)
	_, err = s.queries.Update(t.Context(), s.guest, ours.ID, querySpec("x", tenant.TenantQuery))
	wantError(t, err, seamark.Forbidden, missing)
	_, err = s.queries.Update(t.Context(), s.guest, own.ID, querySpec("x", tenant.TenantQuery))
	wantError(t, err, seamark.Forbidden, missing)
	wantError(t, s.queries.Delete(t.Context(), s.guest, ours.ID, nil), seamark.Forbidden, missing)
	_, err = s.queries.Update(t.Context(), s.owner, ours.ID, querySpec("x", tenant.PrivateQuery))
	wantError(t, err, seamark.Forbidden, "seamark-saved-query-owner")
	changed, err := s.queries.Update(t.Context(), s.owner, ours.ID, querySpec("better", tenant.TenantQuery))
	if err != nil || changed.Name != "better" || changed.Owner.Login != s.ann.Login || changed.ID != ours.ID {
		t.Errorf("got %+v, %v, want ann's query under its new name", changed, err)
	}
	if _, err := s.queries.Update(t.Context(), s.ann, ours.ID, querySpec("mine", tenant.PrivateQuery)); err != nil {
		t.Error(err)
	}
	if err := s.queries.Delete(t.Context(), s.guest, own.ID, nil); err != nil {
		t.Error(err)
	}
	if got := s.names(t, s.queries, s.guest); got != "" {
		t.Errorf("the guest still sees %q", got)
	}
	_, err = s.queries.List(t.Context(), seamark.Principal{Tenant: s.id, Kind: seamark.QueryToken, CredentialID: "x"})
	wantError(t, err, seamark.Forbidden, "seamark-saved-query-owner")
}

func TestSavedQueryFaultsAreAllNamed(t *testing.T) {
	s := newSavers(t, openDirectory(t, testkit.JetStream(t)))
	base := querySpec("x", tenant.PrivateQuery).SavedQueryFields
	for pointer, change := range map[string]func(*tenant.SavedQueryFields){
		"/name":          func(f *tenant.SavedQueryFields) { f.Name = strings.Repeat("ä", 121) },
		"/description":   func(f *tenant.SavedQueryFields) { f.Description = strings.Repeat("x", 1001) },
		"/language":      func(f *tenant.SavedQueryFields) { f.Language = "cypher" },
		"/query":         func(f *tenant.SavedQueryFields) { f.Query = strings.Repeat("x", 16<<10+1) },
		"/range_seconds": func(f *tenant.SavedQueryFields) { f.Range = -time.Second },
		"/step_seconds":  func(f *tenant.SavedQueryFields) { f.Range, f.Step = time.Minute, time.Hour },
		"/tags":          func(f *tenant.SavedQueryFields) { f.Tags = strings.Split(strings.Repeat("x ", 21), " ")[:21] },
		"/tags/1":        func(f *tenant.SavedQueryFields) { f.Tags = []string{"a", " b"} },
		"/visibility":    func(f *tenant.SavedQueryFields) { f.Visibility = "all" },
	} {
		f := base
		change(&f)
		_, err := s.queries.Create(t.Context(), s.ann, tenant.SavedQuerySpec{SavedQueryFields: f})
		wantError(t, err, seamark.Invalid, "seamark-saved-query-invalid")
		if !strings.Contains(err.Error(), pointer+":") {
			t.Errorf("%s: the error does not name it: %v", pointer, err)
		}
	}
	f := base
	f.Query, f.Name = "sum(?", ""
	_, err := s.queries.Create(t.Context(), s.ann, tenant.SavedQuerySpec{SavedQueryFields: f})
	wantError(t, err, seamark.Invalid, "seamark-saved-query-invalid")
	if known, ok := errors.AsType[*seamark.Error](err); !ok || len(known.Fields) != 2 || known.Fields[1].Detail != "Unexpected ? at 1:5." {
		t.Errorf("got %+v, want the name's fault and the query's with its place", known)
	}
	f = base
	f.Language, f.Query, f.Tags = tenant.EventsQuery, "", []string{"b", "a", "b"}
	q, err := s.queries.Create(t.Context(), s.ann, tenant.SavedQuerySpec{SavedQueryFields: f})
	if err != nil || strings.Join(q.Tags, " ") != "a b" {
		t.Errorf("got %+v, %v, want a query of all events with two tags", q, err)
	}
}

func TestSavedQueryLimits(t *testing.T) {
	s := newSavers(t, openDirectory(t, testkit.JetStream(t)))
	for _, who := range []seamark.Principal{s.ann, s.owner} {
		for i := range 200 {
			s.save(t, who, fmt.Sprintf("q%d", i), tenant.PrivateQuery)
		}
		_, err := s.queries.Create(t.Context(), who, querySpec("over", tenant.PrivateQuery))
		wantError(t, err, seamark.Conflict, "seamark-saved-query-limit")
	}
	for i := range 100 {
		s.save(t, s.guest, fmt.Sprintf("q%d", i), tenant.PrivateQuery)
	}
	_, err := s.queries.Create(t.Context(), s.guest, querySpec("over", tenant.PrivateQuery))
	wantError(t, err, seamark.Conflict, "seamark-saved-query-limit")
}

func TestSavedQueryBytesOfATenantAreBounded(t *testing.T) {
	s := newSavers(t, openDirectory(t, testkit.JetStream(t)))
	long := querySpec("long", tenant.PrivateQuery)
	long.Query = strings.Repeat("x", 16<<10)
	var last tenant.SavedQuery
	for range 63 {
		var err error
		if last, err = s.queries.Create(t.Context(), s.ann, long); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.queries.Update(t.Context(), s.ann, last.ID, querySpec("short", tenant.PrivateQuery)); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 3 {
		_, err = s.queries.Create(t.Context(), s.ann, long)
	}
	wantError(t, err, seamark.Conflict, "seamark-saved-query-limit")
}

func TestSavedQueryChangesByCompareAndSet(t *testing.T) {
	js := testkit.JetStream(t)
	s := newSavers(t, openDirectory(t, js))
	made := s.save(t, s.ann, "first", tenant.TenantQuery)
	other := openSavedQueries(t, openDirectory(t, js))
	eventually(t, func() error {
		if got := s.names(t, other, s.guest); got != "first" {
			return fmt.Errorf("another node sees %q", got)
		}
		return nil
	})
	refusal := seamark.Errorf(seamark.Conflict, "seamark-test-refused", "No.")
	spec := querySpec("second", tenant.TenantQuery)
	spec.Check = func(old tenant.SavedQuery) error {
		if old.Name != "first" {
			t.Errorf("the check sees %q", old.Name)
		}
		return refusal
	}
	_, err := other.Update(t.Context(), s.ann, made.ID, spec)
	wantError(t, err, seamark.Conflict, "seamark-test-refused")
	wantError(t, other.Delete(t.Context(), s.ann, made.ID, spec.Check), seamark.Conflict, "seamark-test-refused")
	spec.Check = nil
	if _, err := other.Update(t.Context(), s.ann, made.ID, spec); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := s.names(t, s.queries, s.guest); got != "second" {
			return fmt.Errorf("the first node sees %q", got)
		}
		return nil
	})
	if err := s.queries.Delete(t.Context(), s.ann, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := other.Find(t.Context(), s.ann, made.ID)
		return refused(err, "seamark-saved-query-unknown")
	})
}

func TestSavedQueriesGoWithTheirMemberAndTheirTenant(t *testing.T) {
	js := testkit.JetStream(t)
	s := newSavers(t, openDirectory(t, js))
	private := s.save(t, s.ann, "mine", tenant.PrivateQuery)
	s.save(t, s.ann, "ours", tenant.TenantQuery)
	if err := s.queries.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.queries.Find(t.Context(), s.ann, private.ID); err != nil {
		t.Fatalf("the sweep took a member's query: %v", err)
	}
	if err := s.directory.RemoveMember(t.Context(), s.owner, s.id, s.annID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := s.queries.Sweep(t.Context()); err != nil {
			return err
		}
		_, err := s.queries.Find(t.Context(), s.ann, private.ID)
		return refused(err, "seamark-saved-query-unknown")
	})
	list, err := s.queries.OfTenant(t.Context(), s.id)
	if err != nil || len(list) != 1 || list[0].Owner.Login != "" || list[0].Owner.ID != string(s.annID) {
		t.Errorf("got %+v, %v, want the tenant's query with an owner who is gone", list, err)
	}
	erased, err := tenant.NewEraser(js).Documents(t.Context(), s.id)
	if err != nil || !strings.Contains(fmt.Sprint(erased), "seamark_savedqueries") {
		t.Errorf("erased %v, %v, want the saved queries among it", erased, err)
	}
	eventually(t, func() error {
		list, err := s.queries.OfTenant(t.Context(), s.id)
		if err != nil || len(list) > 0 {
			return fmt.Errorf("got %+v, %w, want nothing of an erased tenant", list, errOrNone(err))
		}
		return nil
	})
}
