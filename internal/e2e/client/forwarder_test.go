package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

func forwarderCalls() []call {
	save := func(t *testing.T, w *world, name string) error {
		t.Helper()
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		t.Cleanup(target.Close)
		return one(w.owner.SaveForwarder(t.Context(), name, client.NewForwarder{
			Signal: new(client.NewForwarderSignalLogs), Filter: `{app="web"}`,
			Target: client.ForwarderTarget{Webhook: &client.ForwarderTarget_Webhook{URL: target.URL}},
		}))
	}
	return []call{
		{"saveForwarder", func(t *testing.T, w *world) error { return save(t, w, "one") }},
		{"listForwarders", func(t *testing.T, w *world) error { return one(w.owner.ListForwarders(t.Context(), nil)) }},
		{"findForwarder", func(t *testing.T, w *world) error { return one(w.owner.FindForwarder(t.Context(), "one")) }},
		{"findForwarderStatus", func(t *testing.T, w *world) error { return one(w.owner.FindForwarderStatus(t.Context(), "one")) }},
		{"testForwarder", func(t *testing.T, w *world) error {
			return errors.Join(save(t, w, "two"), one(w.owner.TestForwarder(t.Context(), "two")))
		}},
		{"deleteForwarder", func(t *testing.T, w *world) error { return w.owner.DeleteForwarder(t.Context(), "one") }},
	}
}
