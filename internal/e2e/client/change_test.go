package client_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// differs waits until the newest change of an object tells the places that differ, each as `path: before -> after`.
func differs(t *testing.T, w *world, object string, want ...string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		list, err := w.owner.ListChanges(t.Context(), &client.ListChangesParams{Object: &object, Result: new("done")})
		if err != nil {
			return err
		}
		if len(list.Items) == 0 {
			return fmt.Errorf("the log of changes has nothing of %s", object)
		}
		got := []string{}
		for _, d := range list.Items[0].Differences {
			got = append(got, fmt.Sprintf("%s: %s -> %s", d.Path, written(d.Before), written(d.After)))
		}
		if !slices.Equal(got, want) || list.Items[0].DifferencesTruncated {
			return fmt.Errorf("%s of %s tells %q, truncated %v, want %q", list.Items[0].Action, object, got, list.Items[0].DifferencesTruncated, want)
		}
		return nil
	})
}

// tells waits until the newest change of an object tells, among others, of one place that differs.
func tells(t *testing.T, w *world, object, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		list, err := w.owner.ListChanges(t.Context(), &client.ListChangesParams{Object: &object, Result: new("done")})
		if err != nil || len(list.Items) == 0 {
			return fmt.Errorf("the log of changes has %d of %s, %w", len(list.Items), object, err)
		}
		for _, d := range list.Items[0].Differences {
			if fmt.Sprintf("%s: %s -> %s", d.Path, written(d.Before), written(d.After)) == want {
				return nil
			}
		}
		return fmt.Errorf("%s of %s tells %+v, want %q", list.Items[0].Action, object, list.Items[0].Differences, want)
	})
}

func written(value *string) string {
	if value == nil {
		return "nothing"
	}
	return *value
}

// privateChange saves a private query and changes it: the log of changes has that, and not what it says.
func privateChange(t *testing.T, w *world, spec client.SavedQuerySpec) error {
	t.Helper()
	spec.Visibility = new(client.QueryVisibilityPrivate)
	made, err := w.owner.CreateSavedQuery(t.Context(), spec)
	if err != nil {
		return err
	}
	differs(t, w, "saved_query/"+made.ID)
	spec.Name = "Another"
	if _, err := w.owner.UpdateSavedQuery(t.Context(), made.ID, spec); err != nil {
		return err
	}
	differs(t, w, "saved_query/"+made.ID)
	return w.owner.DeleteSavedQuery(t.Context(), made.ID)
}
