package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// receivers is one tenant's, with a log of deliveries. It implements api.Receivers.
type receivers struct {
	tried *api.ReceiverTest
	log   []api.Delivery
}

func (r *receivers) ListReceivers(_ context.Context, tenant seamark.TenantID) ([]api.Receiver, error) {
	if tenant != tenantA {
		return nil, nil
	}
	return []api.Receiver{{Name: "a", Integrations: []string{"slack[0]"}}, {Name: "b", Integrations: []string{}}}, nil
}

func (r *receivers) TestReceiver(_ context.Context, tenant seamark.TenantID, name string, t *api.ReceiverTest) ([]api.ReceiverTrial, error) {
	if tenant != tenantA || name != "a" {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-receiver-unknown", "There is no receiver.")
	}
	r.tried = t
	return []api.ReceiverTrial{{Integration: "slack[0]", Status: "failed", Code: 404, Error: "no_service", Seconds: 0.5}}, nil
}

func (r *receivers) ListDeliveries(_ context.Context, tenant seamark.TenantID, receiver, status string) ([]api.Delivery, error) {
	if tenant != tenantA || receiver == "nobody" || status == "blocked" {
		return nil, nil
	}
	return append([]api.Delivery{}, r.log...), nil
}

func TestReceiversAreListedAndTried(t *testing.T) {
	r := &receivers{}
	e := newEdge(t, "", api.ReceiverRoutes(r))
	const path = "/api/v1/alerting/receivers"
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, `{"items":[{"name":"a","integrations":["slack[0]"]},{"name":"b","integrations":[]}]}`)
	want(t, e.do(tenantB, http.MethodGet, path, ""), http.StatusOK, `{"items":[]}`)
	const trial = `{"items":[{"integration":"slack[0]","status":"failed","code":404,"error":"no_service","seconds":0.5}]}`
	want(t, e.do(tenantA, http.MethodPost, path+"/a/test", ""), http.StatusOK, trial)
	if r.tried.Config != nil {
		t.Errorf("tried %+v, want what is stored", r.tried)
	}
	want(t, e.do(tenantA, http.MethodPost, path+"/a/test", `{"alertmanager_config":"x","labels":{"a":"b"}}`), http.StatusOK, trial)
	if r.tried.Config == nil || *r.tried.Config != "x" || r.tried.Labels["a"] != "b" {
		t.Errorf("tried %+v, want what was posted", r.tried)
	}
	want(t, e.do(tenantA, http.MethodPost, path+"/a/test", `{"config":"x"}`), http.StatusBadRequest, "config")
	want(t, e.do(tenantB, http.MethodPost, path+"/a/test", ""), http.StatusNotFound, "There is no receiver.")
}

func TestDeliveriesArePaged(t *testing.T) {
	r := &receivers{}
	for n := uint64(5); n > 0; n-- {
		r.log = append(r.log, api.Delivery{Number: n, Time: time.Unix(int64(n), 0).UTC(), Receiver: "a", Integration: "slack[0]", Status: "sent", Attempt: int(n)})
	}
	e := newEdge(t, "", api.ReceiverRoutes(r))
	const path = "/api/v1/alerting/deliveries"
	var got []int
	cursor := ""
	for {
		var page struct {
			Items []struct{ Attempt int }
			Next  string `json:"next_cursor"`
		}
		answer := e.do(tenantA, http.MethodGet, path+"?limit=2"+cursor, "")
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil {
			t.Fatalf("%v: %s", err, answer.Body)
		}
		for _, d := range page.Items {
			got = append(got, d.Attempt)
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	if len(got) != 5 || got[0] != 5 || got[4] != 1 {
		t.Errorf("got %v, want all, newest first", got)
	}
	want(t, e.do(tenantB, http.MethodGet, path, ""), http.StatusOK, `{"items":[]}`)
	for _, bad := range []string{"?status=odd", "?limit=0", "?cursor=x"} {
		want(t, e.do(tenantA, http.MethodGet, path+bad, ""), http.StatusBadRequest, "")
	}
	want(t, e.do(tenantA, http.MethodGet, path+"?receiver=nobody", ""), http.StatusOK, `{"items":[]}`)
	if body := e.do(tenantA, http.MethodGet, path+"?limit=1", "").Body.String(); strings.Contains(body, "Number") {
		t.Errorf("the page tells the log's numbers: %s", body)
	}
}

func TestReceiverPermissions(t *testing.T) {
	for permission, route := range map[string][2]string{
		"receivers:write": {http.MethodPost, "/api/v1/alerting/receivers/a/test"}, "rules:read": {http.MethodGet, "/api/v1/alerting/receivers"},
	} {
		want(t, newEdge(t, permission, api.ReceiverRoutes(&receivers{})).do(tenantA, route[0], route[1], ""), http.StatusForbidden, permission)
	}
	want(t, newEdge(t, "rules:read", api.ReceiverRoutes(&receivers{})).do(tenantA, http.MethodGet, "/api/v1/alerting/deliveries", ""), http.StatusForbidden, "rules:read")
}
