package client_test

import (
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// savedQueryCalls drive the routes about saved queries.
func savedQueryCalls() []call {
	var id string
	spec := client.SavedQuerySpec{
		Name: "Errors", Language: client.QueryLanguageLogql, Query: `{app="web"} |= "error"`, Tags: []string{"web"}, RangeSeconds: new(int64(3600)),
		Visibility: new(client.QueryVisibilityTenant),
	}
	return []call{
		{"createSavedQuery", func(t *testing.T, w *world) error {
			made, err := w.owner.CreateSavedQuery(t.Context(), spec)
			if err != nil {
				return err
			}
			id = made.ID
			return nil
		}},
		{"listSavedQueries", func(t *testing.T, w *world) error {
			return one(w.owner.ListSavedQueries(t.Context(), &client.ListSavedQueriesParams{Language: new(client.QueryLanguageLogql), Tag: []string{"web"}}))
		}},
		{"findSavedQuery", func(t *testing.T, w *world) error { return one(w.owner.FindSavedQuery(t.Context(), id)) }},
		{"updateSavedQuery", func(t *testing.T, w *world) error {
			var meta client.Meta
			if _, err := w.owner.FindSavedQuery(t.Context(), id, client.Into(&meta)); err != nil {
				return err
			}
			changed := spec
			changed.Name = "Errors of the web"
			if _, err := w.owner.UpdateSavedQuery(t.Context(), id, changed, client.IfMatch(meta.ETag)); err != nil {
				return err
			}
			differs(t, w, "saved_query/"+id, `.name: "Errors" -> "Errors of the web"`)
			return privateChange(t, w, spec)
		}},
		{"deleteSavedQuery", func(t *testing.T, w *world) error { return w.owner.DeleteSavedQuery(t.Context(), id) }},
	}
}
