package httpx

import (
	"net/http"
	"testing"
)

func TestChangeAction(t *testing.T) {
	for _, c := range []struct {
		route Route
		want  string
	}{
		{Route{Method: http.MethodPost, Path: "/api/v1/tokens", Permission: "tokens:write"}, "token.create"},
		{Route{Method: http.MethodPut, Path: "/api/v1/quota", Permission: "quotas:write"}, "quota.update"},
		{Route{Method: http.MethodPatch, Path: "/api/v1/members/:id", Permission: "members:write"}, "member.update"},
		{Route{Method: http.MethodDelete, Path: "/api/v1/session", Permission: "session:read"}, "session.delete"},
		{Route{Method: http.MethodPost, Path: "/api/v1/session", Permission: Anonymous}, "session.create"},
		{Route{Method: http.MethodPost, Path: "/api/v1/tenants/:id/suspend", Permission: "tenants:write", Action: "tenant.suspend"}, "tenant.suspend"},
		{Route{Method: http.MethodPost, Path: "/api/v1/pipelines/dry-run", Permission: "pipelines:write", Action: NoChange}, ""},
		{Route{Method: http.MethodPost, Path: "/loki/api/v1/push", Permission: "ingest:logs"}, ""},
		{Route{Method: http.MethodPost, Path: "/loki/api/v1/query", Permission: "data:read"}, ""},
		{Route{Method: http.MethodGet, Path: "/api/v1/tokens", Permission: "tokens:read"}, ""},
	} {
		if got := c.route.ChangeAction(); got != c.want {
			t.Errorf("%s %s: action %q, want %q", c.route.Method, c.route.Path, got, c.want)
		}
	}
}

func TestChangeObject(t *testing.T) {
	param := func(name string) string { return map[string]string{"id": "k1", "tenant": "t1"}[name] }
	for path, want := range map[string]string{
		"/api/v1/tokens/:id":                 "token/k1",
		"/api/v1/tenants/:tenant/suspend":    "tenant/t1",
		"/api/v1/tenants/:tenant/tokens/:id": "token/k1",
		"/api/v1/quota":                      "",
	} {
		r := &Request{param: param}
		if got := r.ChangeObject(&Route{Path: path}); got != want {
			t.Errorf("%s: object %q, want %q", path, got, want)
		}
	}
	r := &Request{param: param, Change: Change{Object: "user/ada"}}
	if got := r.ChangeObject(&Route{Path: "/api/v1/tokens/:id"}); got != "user/ada" {
		t.Errorf("object %q, want the handler's", got)
	}
}
