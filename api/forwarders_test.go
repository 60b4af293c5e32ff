package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// forwarderBook keeps forwarders in memory. It implements api.ForwarderStore.
type forwarderBook map[string]api.Forwarder

func forwarderKey(tenant seamark.TenantID, name string) string { return string(tenant) + "/" + name }

func (b forwarderBook) ListForwarders(_ context.Context, tenant seamark.TenantID) ([]api.Forwarder, error) {
	var list []api.Forwarder
	for _, name := range []string{"a", "b", "c"} {
		if f, ok := b[forwarderKey(tenant, name)]; ok {
			list = append(list, f)
		}
	}
	return list, nil
}

func (b forwarderBook) FindForwarder(_ context.Context, tenant seamark.TenantID, name string) (api.Forwarder, error) {
	f, ok := b[forwarderKey(tenant, name)]
	if !ok {
		return f, seamark.Errorf(seamark.NotFound, "seamark-forwarder-missing", "There is no forwarder %q.", name)
	}
	return f, nil
}

func (b forwarderBook) SaveForwarder(_ context.Context, tenant seamark.TenantID, name string, document []byte, revision *uint64) (api.Forwarder, error) {
	f := b[forwarderKey(tenant, name)]
	if revision != nil && *revision != f.Revision {
		return f, seamark.Errorf(seamark.Conflict, "seamark-forwarder-changed", "The forwarder was changed.")
	}
	f = api.Forwarder{Name: name, Revision: f.Revision + 1, Document: json.RawMessage(fmt.Sprintf(`{"name":%q,"sent":%d}`, name, len(document)))}
	b[forwarderKey(tenant, name)] = f
	return f, nil
}

func (b forwarderBook) DeleteForwarder(ctx context.Context, tenant seamark.TenantID, name string, revision *uint64) error {
	f, err := b.FindForwarder(ctx, tenant, name)
	if err == nil && revision != nil && *revision != f.Revision {
		return seamark.Errorf(seamark.Conflict, "seamark-forwarder-changed", "The forwarder was changed.")
	}
	delete(b, forwarderKey(tenant, name))
	return err
}

func (b forwarderBook) TestForwarder(ctx context.Context, tenant seamark.TenantID, name string) (json.RawMessage, error) {
	_, err := b.FindForwarder(ctx, tenant, name)
	return json.RawMessage(`{"batch":"test"}`), err
}

func (b forwarderBook) ForwarderStatus(ctx context.Context, tenant seamark.TenantID, name string) (json.RawMessage, error) {
	_, err := b.FindForwarder(ctx, tenant, name)
	return json.RawMessage(`{"state":"running"}`), err
}

func TestForwarders(t *testing.T) {
	e := newEdge(t, "", api.ForwarderRoutes(forwarderBook{}))
	const path = "/api/v1/forwarders"
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, `{"items":[]}`)
	for _, name := range []string{"a", "b"} {
		made := e.do(tenantA, http.MethodPut, path+"/"+name, `{}`)
		want(t, made, http.StatusOK, `{"name":"`+name+`","sent":2}`)
		if tag := made.Header().Get("ETag"); tag != `"r1"` {
			t.Errorf("ETag: got %s, want \"r1\"", tag)
		}
	}
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, `{"items":[{"name":"a","sent":2},{"name":"b","sent":2}]}`)
	want(t, e.do(tenantA, http.MethodGet, path+"?limit=1", ""), http.StatusOK, `"next_cursor"`)
	want(t, e.do(tenantA, http.MethodGet, path+"/a", ""), http.StatusOK, `{"name":"a","sent":2}`)
	want(t, e.do(tenantA, http.MethodGet, path+"/a/status", ""), http.StatusOK, `"state":"running"`)
	want(t, e.do(tenantA, http.MethodPost, path+"/a/test", ""), http.StatusOK, `"batch":"test"`)
	for _, r := range [][2]string{{http.MethodGet, "/a"}, {http.MethodDelete, "/a"}, {http.MethodGet, "/a/status"}, {http.MethodPost, "/a/test"}} {
		want(t, e.do(tenantB, r[0], path+r[1], ""), http.StatusNotFound, "seamark-forwarder-missing")
	}
	want(t, e.do(tenantA, http.MethodDelete, path+"/a", ""), http.StatusNoContent, "")
	want(t, e.do(tenantA, http.MethodGet, path+"/a", ""), http.StatusNotFound, "seamark-forwarder-missing")
}

func TestForwarderConditions(t *testing.T) {
	e := newEdge(t, "", api.ForwarderRoutes(forwarderBook{}))
	put := func(name, value string, status int, text string) {
		t.Helper()
		want(t, e.doWith(tenantA, http.MethodPut, "/api/v1/forwarders/a", `{}`, name, value), status, text)
	}
	put("If-Match", `"r1"`, http.StatusPreconditionFailed, "seamark-document-changed")
	put("If-Match", `*`, http.StatusPreconditionFailed, "seamark-document-absent")
	put("If-None-Match", `*`, http.StatusOK, `"name":"a"`)
	put("If-None-Match", `*`, http.StatusPreconditionFailed, "seamark-document-changed")
	put("If-Match", `"r1"`, http.StatusOK, `"name":"a"`)
	put("If-Match", `*`, http.StatusOK, `"name":"a"`)
	want(t, e.doWith(tenantA, http.MethodGet, "/api/v1/forwarders/a", "", "If-None-Match", `"r3"`), http.StatusNotModified, "")
	for _, stale := range []string{`"r2"`, `"r1", "r2"`} {
		want(t, e.doWith(tenantA, http.MethodDelete, "/api/v1/forwarders/a", "", "If-Match", stale), http.StatusPreconditionFailed, "seamark-document-changed")
	}
	want(t, e.doWith(tenantA, http.MethodDelete, "/api/v1/forwarders/a", "", "If-Match", `"r3"`), http.StatusNoContent, "")
}

func TestForwarderPermissions(t *testing.T) {
	for permission, refused := range map[string]map[string]string{
		"forwarders:read":  {"GET /api/v1/forwarders": "", "GET /api/v1/forwarders/a": "", "GET /api/v1/forwarders/a/status": ""},
		"forwarders:write": {"PUT /api/v1/forwarders/a": "", "POST /api/v1/forwarders/a/test": "", "DELETE /api/v1/forwarders/a": ""},
	} {
		e := newEdge(t, permission, api.ForwarderRoutes(forwarderBook{}))
		for _, r := range []string{
			"GET /api/v1/forwarders", "PUT /api/v1/forwarders/a", "GET /api/v1/forwarders/a", "GET /api/v1/forwarders/a/status",
			"POST /api/v1/forwarders/a/test", "DELETE /api/v1/forwarders/a",
		} {
			var method, path string
			if _, err := fmt.Sscan(r, &method, &path); err != nil {
				t.Fatal(err)
			}
			_, no := refused[r]
			if got := e.do(tenantA, method, path, `{}`).Code; (got == http.StatusForbidden) != no {
				t.Errorf("%s without %s: status %d", r, permission, got)
			}
		}
	}
}
