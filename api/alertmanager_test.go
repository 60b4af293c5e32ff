package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// managers is one configuration per tenant and an API v2 that says what it was asked. It implements api.Alertmanagers.
type managers struct {
	configs   map[seamark.TenantID]string
	templates map[string]string
	refused   int   // status that the API v2 answers a POST with; 0 is 200
	syncErr   error // of SyncAlertmanager
	synced    []seamark.TenantID
}

func (m *managers) FindAlertmanagerConfig(_ context.Context, tenant seamark.TenantID) (string, map[string]string, error) {
	config, ok := m.configs[tenant]
	if !ok {
		return "", nil, seamark.Errorf(seamark.NotFound, "seamark-receiver-config-unknown", "No Alertmanager configuration is set.")
	}
	return config, m.templates, nil
}

func (m *managers) SaveAlertmanagerConfig(_ context.Context, tenant seamark.TenantID, config string, templates map[string]string) error {
	m.configs[tenant], m.templates = config, templates
	return nil
}

func (m *managers) DeleteAlertmanagerConfig(_ context.Context, tenant seamark.TenantID) error {
	delete(m.configs, tenant)
	return nil
}

func (m *managers) Alertmanager(_ context.Context, tenant seamark.TenantID) (http.Handler, error) {
	if tenant == tenantB {
		return nil, seamark.Errorf(seamark.Unavailable, "seamark-alerting-standby", "Another process evaluates.")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if r.Method != http.MethodGet && m.refused != 0 {
			w.WriteHeader(m.refused)
		}
		_, _ = fmt.Fprintf(w, "%s %s %s %s", tenant, r.Method, r.URL, body)
	}), nil
}

func (m *managers) SyncAlertmanager(_ context.Context, tenant seamark.TenantID) error {
	m.synced = append(m.synced, tenant)
	return m.syncErr
}

func newManagers() *managers { return &managers{configs: map[seamark.TenantID]string{}} }

func TestAlertmanagerConfigRoundTrip(t *testing.T) {
	m := newManagers()
	e := newEdge(t, "", api.AlertmanagerRoutes(m))
	const path = "/api/v1/alerts"
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusNotFound, "No Alertmanager configuration is set.\n")
	body := "template_files:\n  short: '{{ define \"s\" }}x{{ end }}'\nalertmanager_config: |\n  route: {receiver: r}\n  receivers: [{name: r}]\n"
	want(t, e.do(tenantA, http.MethodPost, path, body), http.StatusCreated, "")
	if got := m.configs[tenantA]; got != "route: {receiver: r}\nreceivers: [{name: r}]\n" || m.templates["short"] == "" {
		t.Errorf("stored %q, %v", got, m.templates)
	}
	var sent, got map[string]any
	w := e.do(tenantA, http.MethodGet, path, "")
	if err := yaml.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	if got["alertmanager_config"] != sent["alertmanager_config"] {
		t.Errorf("read %q, want %q", got["alertmanager_config"], sent["alertmanager_config"])
	}
	want(t, e.do(tenantB, http.MethodGet, path, ""), http.StatusNotFound, "")
	want(t, e.do(tenantA, http.MethodDelete, path, ""), http.StatusOK, "")
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusNotFound, "")
	for name, bad := range map[string]string{
		"empty": "", "unknown field": "alertmanager_config: x\nconfig: y\n", "not yaml": "a: [", "wrong type": "alertmanager_config: [x]",
	} {
		w := e.do(tenantA, http.MethodPost, path, bad)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "template_files") {
			t.Errorf("%s: %d %s, want 400 that names the form", name, w.Code, w.Body)
		}
	}
}

func TestAlertmanagerRoutesReachTheTenantsAPI(t *testing.T) {
	m := newManagers()
	e := newEdge(t, "", api.AlertmanagerRoutes(m))
	for _, path := range []string{"/status", "/alerts?filter=a%3Db", "/alerts/groups", "/receivers", "/silences", "/silence/some-id"} {
		want(t, e.do(tenantA, http.MethodGet, "/alertmanager/api/v2"+path, ""), http.StatusOK, string(tenantA)+" GET /api/v2"+path)
	}
	if len(m.synced) != 0 {
		t.Errorf("reads waited for %v to be stored", m.synced)
	}
	want(t, e.do(tenantA, http.MethodPost, "/alertmanager/api/v2/silences", `{"a":1}`), http.StatusOK, `POST /api/v2/silences {"a":1}`)
	want(t, e.do(tenantA, http.MethodDelete, "/alertmanager/api/v2/silence/some-id", ""), http.StatusOK, "DELETE /api/v2/silence/some-id")
	if len(m.synced) != 2 {
		t.Errorf("changes waited %d times to be stored, want 2", len(m.synced))
	}
	want(t, e.do(tenantB, http.MethodGet, "/alertmanager/api/v2/status", ""), http.StatusServiceUnavailable, "Another process evaluates.")
	if w := e.do(tenantA, http.MethodPost, "/alertmanager/api/v2/alerts", "[]"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST of alerts answered %d, want 405", w.Code)
	}
	want(t, e.do(tenantA, http.MethodPost, "/alertmanager/api/v2/silences", strings.Repeat("x", 1<<20)), http.StatusRequestEntityTooLarge, "65536 bytes")
}

func TestSilenceIsAcknowledgedOnlyWhenStored(t *testing.T) {
	m := newManagers()
	m.syncErr = seamark.Errorf(seamark.Unavailable, "seamark-alerting-store", "The change could not be stored.")
	e := newEdge(t, "", api.AlertmanagerRoutes(m))
	want(t, e.do(tenantA, http.MethodPost, "/alertmanager/api/v2/silences", "{}"), http.StatusServiceUnavailable, "could not be stored")
	m.synced, m.refused = nil, http.StatusBadRequest
	want(t, e.do(tenantA, http.MethodPost, "/alertmanager/api/v2/silences", "{}"), http.StatusBadRequest, "POST")
	if len(m.synced) != 0 {
		t.Error("a refused silence waited to be stored")
	}
}

func TestAlertmanagerPermissions(t *testing.T) {
	denied := map[string][][2]string{
		"receivers:write": {{http.MethodPost, "/api/v1/alerts"}, {http.MethodDelete, "/api/v1/alerts"}},
		"silences:write":  {{http.MethodPost, "/alertmanager/api/v2/silences"}, {http.MethodDelete, "/alertmanager/api/v2/silence/x"}},
		"rules:read": {
			{http.MethodGet, "/api/v1/alerts"}, {http.MethodGet, "/alertmanager/api/v2/alerts"}, {http.MethodGet, "/alertmanager/api/v2/alerts/groups"},
			{http.MethodGet, "/alertmanager/api/v2/silences"}, {http.MethodGet, "/alertmanager/api/v2/silence/x"},
			{http.MethodGet, "/alertmanager/api/v2/status"}, {http.MethodGet, "/alertmanager/api/v2/receivers"},
		},
	}
	for permission, routes := range denied {
		e := newEdge(t, permission, api.AlertmanagerRoutes(newManagers()))
		for _, route := range routes {
			want(t, e.do(tenantA, route[0], route[1], ""), http.StatusForbidden, permission)
		}
	}
}
