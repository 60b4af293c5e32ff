package client_test

import (
	"errors"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// runningCalls drive the routes about queries that have ended, run in the background or are quarantined.
func runningCalls() []call {
	return []call{
		{"listQueries", func(t *testing.T, w *world) error {
			return one(w.owner.ListQueries(t.Context(), &client.ListQueriesParams{State: new(client.ListQueriesParamsStateDone), Sort: new(client.ListQueriesParamsSortBytes)}))
		}},
		{"findQuery", func(t *testing.T, w *world) error {
			list, err := w.owner.ListQueries(t.Context(), &client.ListQueriesParams{State: new(client.ListQueriesParamsStateDone)})
			if err != nil {
				return err
			}
			if len(list.Items) == 0 {
				return errors.New("no query has ended")
			}
			return one(w.owner.FindQuery(t.Context(), list.Items[0].ID))
		}},
		{"listTenantsQueries", func(t *testing.T, w *world) error { return one(w.operator.ListTenantsQueries(t.Context(), nil)) }},
		{"listQueryJobs", func(t *testing.T, w *world) error { return one(w.owner.ListQueryJobs(t.Context(), nil)) }},
		{"listQuarantinedQueries", func(t *testing.T, w *world) error { return one(w.owner.ListQuarantinedQueries(t.Context(), nil)) }},
		{"listTenantsQuarantinedQueries", func(t *testing.T, w *world) error {
			return one(w.operator.ListTenantsQuarantinedQueries(t.Context(), nil))
		}},
	}
}
