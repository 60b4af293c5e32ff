package isolation_test

import (
	"net/http"
	"testing"
)

func receiverRows() []row {
	const all, test, log = "/api/v1/alerting/receivers", "/api/v1/alerting/receivers/:name/test", "/api/v1/alerting/deliveries"
	// A configuration of its own, whose address nothing reaches: the name stands for this machine, which the guard refuses.
	posted := func(s *side) string {
		return `{"alertmanager_config":"route: {receiver: ` + s.marker + `}\nreceivers: [{name: ` + s.marker + `, webhook_configs: [{url: 'http://localhost:9/'}]}]\n"}`
	}
	return []row{
		{method: http.MethodGet, path: all, may: readers, status: http.StatusOK, shows: readers, sends: func(t *testing.T, _ *world, s *side) []request {
			saveReceivers(t, s)
			return []request{{}, {path: all + "?limit=0", status: http.StatusBadRequest}}
		}},
		{method: http.MethodPost, path: test, may: admins, status: http.StatusOK, sends: func(_ *testing.T, w *world, s *side) []request {
			foreign := w.beta
			if s == w.beta {
				foreign = w.alpha
			}
			return []request{
				{path: all + "/" + s.marker + "/test", contentType: "application/json", body: posted(s)},
				{path: all + "/" + foreign.marker + "/test", status: http.StatusNotFound},
				{path: all + "/" + s.marker + "/test", contentType: "application/json", body: `{"alertmanager_config":"route: {receiver: nobody}"}`, status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: log, may: readers, status: http.StatusOK, sends: func(_ *testing.T, _ *world, _ *side) []request {
			return []request{{}, {path: log + "?status=odd", status: http.StatusBadRequest}}
		}},
	}
}
