package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func openDashboards(t testing.TB, d *tenant.Directory) *tenant.Dashboards {
	t.Helper()
	s, err := tenant.OpenDashboards(t.Context(), d)
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

func dashboardSpec(title string) seamark.Dashboard {
	return seamark.Dashboard{Version: 1, Title: title, Tags: []string{"b", "a", "b"}, Panels: []seamark.DashboardPanel{{ID: 1, Type: "text", Title: "Note", W: 6, H: 4}}}
}

func TestDashboardsStandInTheirOrderAndTheirTenant(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	one, two := newTenant(t, d, "one").ID, newTenant(t, d, "two").ID
	s := openDashboards(t, d)
	for i := range 4 {
		if _, err := s.Create(t.Context(), one, dashboardSpec(fmt.Sprint("board-", i))); err != nil {
			t.Fatal(err)
		}
	}
	list, err := s.List(t.Context(), one)
	if err != nil || len(list) != 4 || list[0].Spec.Title != "board-0" || list[3].Spec.Title != "board-3" || strings.Join(list[0].Spec.Tags, " ") != "a b" {
		t.Fatalf("got %+v, %v", list, err)
	}
	if list, err := s.List(t.Context(), two); err != nil || len(list) > 0 {
		t.Errorf("another tenant sees %+v, %v", list, err)
	}
	_, err = s.Find(t.Context(), two, list[0].ID)
	wantError(t, err, seamark.NotFound, "seamark-dashboard-unknown")
	_, err = s.Update(t.Context(), two, list[0].ID, dashboardSpec("taken"), nil)
	wantError(t, err, seamark.NotFound, "seamark-dashboard-unknown")
	wantError(t, s.Delete(t.Context(), two, list[0].ID, nil), seamark.NotFound, "seamark-dashboard-unknown")
}

func TestDashboardFaultsAreAllNamed(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	s, id := openDashboards(t, d), newTenant(t, d, "one").ID
	spec := dashboardSpec("")
	spec.Panels[0].Type = "clock"
	_, err := s.Create(t.Context(), id, spec)
	wantError(t, err, seamark.Invalid, "seamark-dashboard-invalid")
	if known, ok := errors.AsType[*seamark.Error](err); !ok || len(known.Fields) != 2 || known.Fields[1].Pointer != "/panels/0/type" {
		t.Errorf("got %+v, want the faults of the title and the panel", known)
	}
	spec = dashboardSpec("long")
	spec.Panels = nil
	for i := range 20 {
		spec.Panels = append(spec.Panels, seamark.DashboardPanel{ID: i + 1, Type: "text", W: 1, H: 1, Options: seamark.PanelOptions{Text: strings.Repeat("x", 4000)}})
	}
	_, err = s.Create(t.Context(), id, spec)
	wantError(t, err, seamark.Invalid, "seamark-dashboard-invalid")
	spec.Panels = spec.Panels[:14]
	if _, err := s.Create(t.Context(), id, spec); err != nil {
		t.Errorf("a dashboard below the limit is refused: %v", err)
	}
}

func TestDashboardLimits(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	s, id := openDashboards(t, d), newTenant(t, d, "one").ID
	for i := range 200 {
		if _, err := s.Create(t.Context(), id, dashboardSpec(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Create(t.Context(), id, dashboardSpec("over"))
	wantError(t, err, seamark.Conflict, "seamark-dashboard-limit")
}

func TestDashboardsChangeByCompareAndSet(t *testing.T) {
	js := testkit.JetStream(t)
	d := openDirectory(t, js)
	s, id := openDashboards(t, d), newTenant(t, d, "one").ID
	made, err := s.Create(t.Context(), id, dashboardSpec("first"))
	if err != nil {
		t.Fatal(err)
	}
	other := openDashboards(t, openDirectory(t, js))
	refusal := seamark.Errorf(seamark.Conflict, "seamark-test-refused", "No.")
	check := func(old tenant.Dashboard) error {
		if old.Spec.Title != "first" {
			t.Errorf("the check sees %q", old.Spec.Title)
		}
		return refusal
	}
	_, err = other.Update(t.Context(), id, made.ID, dashboardSpec("second"), check)
	wantError(t, err, seamark.Conflict, "seamark-test-refused")
	wantError(t, other.Delete(t.Context(), id, made.ID, check), seamark.Conflict, "seamark-test-refused")
	if _, err := other.Update(t.Context(), id, made.ID, dashboardSpec("second"), nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		got, err := s.Find(t.Context(), id, made.ID)
		if err != nil || got.Spec.Title != "second" {
			return fmt.Errorf("the first node sees %q, %w", got.Spec.Title, errOrNone(err))
		}
		return nil
	})
	erased, err := tenant.NewEraser(js).Documents(t.Context(), id)
	if err != nil || !strings.Contains(fmt.Sprint(erased), "seamark_dashboards") {
		t.Errorf("erased %v, %v, want the dashboards among it", erased, err)
	}
	eventually(t, func() error {
		_, err := s.Find(t.Context(), id, made.ID)
		return refused(err, "seamark-dashboard-unknown")
	})
}
