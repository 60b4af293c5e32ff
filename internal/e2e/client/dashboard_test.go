package client_test

import (
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// dashboardCalls drive the routes about dashboards.
func dashboardCalls() []call {
	var id string
	spec := client.DashboardSpec{Version: 1, Title: "Shop", Tags: []string{"shop"}, Panels: []client.DashboardPanel{{
		ID: 1, Type: client.DashboardPanelTypeTimeseries, Title: "Requests", W: 12, H: 8,
		Queries: []client.DashboardQuery{{Language: client.DashboardQueryLanguagePromql, Query: "sum(up)"}},
	}}}
	return []call{
		{"createDashboard", func(t *testing.T, w *world) error {
			made, err := w.owner.CreateDashboard(t.Context(), spec)
			if err != nil {
				return err
			}
			id = made.ID
			return nil
		}},
		{"listDashboards", func(t *testing.T, w *world) error {
			return one(w.owner.ListDashboards(t.Context(), &client.ListDashboardsParams{Tag: []string{"shop"}}))
		}},
		{"findDashboard", func(t *testing.T, w *world) error { return one(w.owner.FindDashboard(t.Context(), id)) }},
		{"updateDashboard", func(t *testing.T, w *world) error {
			var meta client.Meta
			if _, err := w.owner.FindDashboard(t.Context(), id, client.Into(&meta)); err != nil {
				return err
			}
			changed := spec
			changed.Title = "The shop"
			if _, err := w.owner.UpdateDashboard(t.Context(), id, changed, client.IfMatch(meta.ETag)); err != nil {
				return err
			}
			differs(t, w, "dashboard/"+id, `.spec.title: "Shop" -> "The shop"`)
			return nil
		}},
		{"deleteDashboard", func(t *testing.T, w *world) error { return w.owner.DeleteDashboard(t.Context(), id) }},
	}
}
