package httpx_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// oneToken knows the token smk_good, and the owner of smk_revoked.
type oneToken struct{}

var owner = seamark.Principal{Tenant: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Kind: seamark.IngestToken, CredentialID: "key1"}

func (oneToken) Authenticate(_ context.Context, token string) (seamark.Principal, error) {
	switch token {
	case "smk_good":
		return owner, nil
	case "smk_revoked":
		return owner, seamark.Errorf(seamark.Unauthenticated, "seamark-token-revoked", "Token key1 was revoked.")
	}
	return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-token-unknown", "The token is unknown here.")
}

func (oneToken) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, seamark.Errorf(seamark.Unauthenticated, "seamark-session-unknown", "No such session.")
}

func (oneToken) Permit(_ seamark.Principal, permission string) error {
	if permission == "forbidden" {
		return seamark.Errorf(seamark.Forbidden, "seamark-permission-denied", "Token key1 may not do that.")
	}
	return nil
}

// refusal is what the edge told of a refused request.
type refusal struct {
	protocol string
	status   int
	id       string
	owner    seamark.Principal
}

func edge(t *testing.T, refused *[]refusal, routes ...httpx.Route) *httpx.Edge {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: routes, Verifier: oneToken{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		Fallback: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("page")) }),
		Refused: func(r *httpx.Request, route *httpx.Route, status int, err *seamark.Error) {
			*refused = append(*refused, refusal{route.Protocol, status, err.ID, r.Principal})
		},
	})
	require.NoError(t, err)
	return e
}

func call(e *httpx.Edge, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("body"))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

// TestDialects fails each way a sender can meet, in each dialect, and compares status, media type and body.
func TestDialects(t *testing.T) {
	faults := map[string]*seamark.Error{
		"/invalid":   seamark.Errorf(seamark.Invalid, "seamark-x", "Bad %q.", "\xff"),
		"/busy":      {Kind: seamark.Unavailable, ID: "seamark-x", Message: "Busy.", RetryAfter: 1500 * time.Millisecond},
		"/quota":     seamark.Errorf(seamark.RateLimited, "seamark-x", "Too much."),
		"/forbidden": seamark.Errorf(seamark.Forbidden, "seamark-x", "Not yours."),
		"/conflict":  seamark.Errorf(seamark.Conflict, "seamark-x", "Changed meanwhile."),
		"/ours":      seamark.Errorf(seamark.Internal, "seamark-x", "A secret."),
		"/empty":     seamark.Errorf(seamark.Invalid, "seamark-hec-empty", "No data."),
	}
	for _, c := range []struct {
		dialect           httpx.Dialect
		path, credential  string
		status            int
		contentType, body string
	}{
		{httpx.Plain, "/invalid", "Bearer smk_good", 400, "text/plain; charset=utf-8", "Bad \"\\xff\".\n"},
		{httpx.Prometheus, "/quota", "Bearer smk_good", 429, "application/json", `{"error":"Too much.","errorType":"too_many_requests","status":"error"}`},
		{httpx.Prometheus, "/busy", "Bearer smk_nobody", 401, "application/json", `{"error":"The token is unknown here.","errorType":"unauthorized","status":"error"}`},
		{httpx.Prometheus, "/forbidden", "Bearer smk_good", 403, "application/json", `{"error":"Not yours.","errorType":"forbidden","status":"error"}`},
		{httpx.Prometheus, "/conflict", "Bearer smk_good", 409, "application/json", `{"error":"Changed meanwhile.","errorType":"conflict","status":"error"}`},
		{httpx.Prometheus, "/ours", "Bearer smk_good", 500, "application/json", `"errorType":"internal"`},
		{httpx.Problem, "/busy", "Bearer smk_good", 503, "application/problem+json", ""},
		{httpx.Elasticsearch, "/invalid", "Bearer smk_good", 400, "application/json", `{"error":{"type":"illegal_argument_exception","reason":"Bad \"\\xff\"."},"status":400}`},
		{httpx.Elasticsearch, "/quota", "ApiKey " + base64.StdEncoding.EncodeToString([]byte("id:smk_good")), 429, "application/json",
			`{"error":{"type":"es_rejected_execution_exception","reason":"Too much."},"status":429}`},
		{httpx.Elasticsearch, "/busy", "ApiKey smk_nobody", 401, "application/json", `{"error":{"type":"security_exception","reason":"The token is unknown here."},"status":401}`},
		{httpx.Splunk, "/busy", "", 401, "application/json", `"code":2}`},
		{httpx.Splunk, "/busy", "Splunk nothing-of-ours", 401, "application/json", `"code":3}`},
		{httpx.Splunk, "/busy", "Splunk smk_nobody", 403, "application/json", `{"text":"The token is unknown here.","code":4}`},
		{httpx.Splunk, "/busy", "Splunk smk_good", 503, "application/json", `{"text":"Busy.","code":9}`},
		{httpx.Splunk, "/empty", "Splunk smk_good", 400, "application/json", `{"text":"No data.","code":5}`},
		{httpx.Splunk, "/invalid", "Splunk smk_good", 400, "application/json", `{"text":"Bad \"\\xff\".","code":6}`},
		{httpx.Datadog, "/quota", "Bearer smk_good", 429, "application/json", `{"status":"error","errors":["Too much."]}`},
		{httpx.Influx, "/invalid", "Token smk_good", 400, "application/json", `{"code":"invalid","message":"Bad \"\\xff\".","error":"Bad \"\\xff\"."}`},
		{httpx.Influx, "/quota", "Token smk_good", 429, "application/json", `"code":"too many requests"`},
	} {
		var refused []refusal
		e := edge(t, &refused, httpx.Route{
			Method: http.MethodPost, Path: c.path, Permission: "x", Dialect: c.dialect,
			Handler: func(http.ResponseWriter, *httpx.Request) error { return faults[c.path] },
		})
		w := call(e, c.path, "Authorization", c.credential)
		require.Equal(t, c.status, w.Code, "%+v", c)
		require.Equal(t, c.contentType, w.Header().Get("Content-Type"))
		require.Contains(t, w.Body.String(), c.body)
		require.Equal(t, c.dialect == httpx.Elasticsearch, w.Header().Get("X-Elastic-Product") == "Elasticsearch")
		require.Equal(t, c.status == 503 || c.status == 429, w.Header().Get("Retry-After") != "")
		if c.path == "/busy" && c.status == 503 {
			require.Equal(t, "2", w.Header().Get("Retry-After"), "rounded up")
		}
	}
}

// TestOTLPFailure decodes the failure body with the generated code, in both encodings.
func TestOTLPFailure(t *testing.T) {
	var refused []refusal
	e := edge(t, &refused, httpx.Route{
		Method: http.MethodPost, Path: "/v1/logs", Permission: "x", Dialect: httpx.OTLP,
		Handler: func(http.ResponseWriter, *httpx.Request) error {
			return &seamark.Error{Kind: seamark.Invalid, ID: "seamark-x", Message: "Bad \xff."}
		},
	})
	w := call(e, "/v1/logs", "Authorization", "Bearer smk_good", "Content-Type", "application/x-protobuf")
	var s status.Status
	require.NoError(t, proto.Unmarshal(w.Body.Bytes(), &s))
	require.Equal(t, "application/x-protobuf", w.Header().Get("Content-Type"))
	require.Equal(t, int32(3), s.GetCode())
	require.Equal(t, "Bad \ufffd.", s.GetMessage())

	w = call(e, "/v1/logs", "Authorization", "Bearer smk_good", "Content-Type", "application/json; charset=utf-8")
	var j struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &j))
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, 3, j.Code)
	require.Equal(t, "Bad \ufffd.", j.Message)
}

// TestCredentialPlaces sends the token in every place that agents know, and in places where it does not count.
func TestCredentialPlaces(t *testing.T) {
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, c := range []struct {
		name, path string
		headers    []string
		status     int
	}{
		{"bearer", "/x", []string{"Authorization", "Bearer smk_good"}, 204},
		{"any case", "/x", []string{"Authorization", "bearer smk_good"}, 204},
		{"basic", "/x", []string{"Authorization", basic("any", "smk_good")}, 204},
		{"basic, token as user", "/x", []string{"Authorization", basic("smk_good", "")}, 401},
		{"api key", "/x", []string{"Authorization", "ApiKey smk_good"}, 204},
		{"splunk", "/x", []string{"Authorization", "Splunk smk_good"}, 204},
		{"token", "/x", []string{"Authorization", "Token smk_good"}, 204},
		{"datadog", "/x", []string{"DD-API-KEY", "smk_good"}, 204},
		{"query where the route says so", "/q?api_key=smk_good", nil, 204},
		{"query elsewhere", "/x?api_key=smk_good", nil, 401},
		{"another query parameter", "/q?token=smk_good", nil, 401},
		{"cookie", "/x", []string{"Cookie", "seamark_session=smk_good"}, 401},
		{"too long", "/x", []string{"Authorization", "Bearer smk_" + strings.Repeat("x", 5000)}, 401},
		{"no scheme", "/x", []string{"Authorization", "smk_good"}, 401},
		{"tenant header is no credential", "/x", []string{"X-Scope-OrgID", string(owner.Tenant)}, 401},
	} {
		var refused []refusal
		ok := func(w http.ResponseWriter, r *httpx.Request) error {
			require.Equal(t, owner, r.Principal)
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		e := edge(t, &refused, httpx.Route{Method: http.MethodPost, Path: "/x", Permission: "p", Handler: ok},
			httpx.Route{Method: http.MethodPost, Path: "/q", Permission: "p", QueryToken: "api_key", Handler: ok})
		require.Equal(t, c.status, call(e, c.path, c.headers...).Code, c.name)
	}
}

// TestRefusedTellsTheOwner expects a word for every request that failed with a known owner, and none for the others.
func TestRefusedTellsTheOwner(t *testing.T) {
	var refused []refusal
	fail := func(accounted bool) httpx.Handler {
		return func(_ http.ResponseWriter, r *httpx.Request) error {
			r.Refusal.Accounted = accounted
			return seamark.Errorf(seamark.Invalid, "seamark-x", "Bad.")
		}
	}
	e := edge(t, &refused, httpx.Route{Method: http.MethodPost, Path: "/x", Permission: "p", Protocol: "loki", Handler: fail(false)},
		httpx.Route{Method: http.MethodPost, Path: "/told", Permission: "p", Handler: fail(true)},
		httpx.Route{Method: http.MethodPost, Path: "/forbidden", Permission: "forbidden", Protocol: "otlp", Handler: fail(false)})
	call(e, "/x", "Authorization", "Bearer smk_revoked")
	call(e, "/x", "Authorization", "Bearer smk_nobody")
	call(e, "/x", "Authorization", "Bearer smk_good")
	call(e, "/told", "Authorization", "Bearer smk_good")
	call(e, "/forbidden", "Authorization", "Bearer smk_good")
	require.Equal(t, []refusal{
		{"loki", 401, "seamark-token-revoked", owner}, {"loki", 400, "seamark-x", owner}, {"otlp", 403, "seamark-permission-denied", owner},
	}, refused)
}

// TestMatchLeavesOtherMethodsToThePage has a route that takes any first part of a path, such as an index of Elasticsearch's,
// where the console has its pages and files.
func TestMatchLeavesOtherMethodsToThePage(t *testing.T) {
	var refused []refusal
	handler := func(w http.ResponseWriter, _ *httpx.Request) error { _, err := w.Write([]byte("route")); return err }
	e := edge(t, &refused,
		httpx.Route{Method: http.MethodPut, Path: "/:index", Permission: "p", Match: func(*http.Request) bool { return true }, Handler: handler},
		httpx.Route{Method: http.MethodPut, Path: "/own/:name", Permission: "p", Handler: handler})
	for path, want := range map[string]int{"/favicon.svg": http.StatusOK, "/logs": http.StatusOK, "/own/thing": http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		require.Equal(t, want, w.Code, path)
		require.Equal(t, want == http.StatusOK, w.Body.String() == "page", path)
	}
}

func nothing(http.ResponseWriter, *httpx.Request) error { return nil }

// TestNoPageForAPIs: a call of an API that is not here is told so, and gets no page, also where another method has a route for any first
// part of a path.
func TestNoPageForAPIs(t *testing.T) {
	var refused []refusal
	e := edge(t, &refused, httpx.Route{Method: http.MethodPut, Path: "/:index", Permission: "p", Match: func(*http.Request) bool { return true }, Handler: nothing})
	for path, want := range map[string]int{
		"/_search": http.StatusNotFound, "/logs-2026/_search": http.StatusNotFound, "/_cluster/stats": http.StatusNotFound, "/services/server/info": http.StatusNotFound,
		"/loki/api/v2/query": http.StatusNotFound, "/api/v9": http.StatusNotFound, "/": http.StatusOK, "/logs": http.StatusOK, "/assets/_base.js": http.StatusOK,
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		require.Equal(t, want, w.Code, path)
	}
}

// TestWrongMethodBesideAnyPath: a path that is a route's own is told by its methods, though another route has any first part of a path.
func TestWrongMethodBesideAnyPath(t *testing.T) {
	var refused []refusal
	e := edge(t, &refused, httpx.Route{Method: http.MethodPost, Path: "/write", Permission: "p", Handler: nothing},
		httpx.Route{Method: http.MethodPut, Path: "/:index", Permission: "p", Match: func(*http.Request) bool { return true }, Handler: nothing})
	for _, method := range []string{http.MethodDelete, http.MethodPatch} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(method, "/write", http.NoBody))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
		require.Contains(t, w.Header().Get("Allow"), http.MethodPost)
	}
}

// TestMatchLeavesThePage shares a path between a route and the console.
func TestMatchLeavesThePage(t *testing.T) {
	var refused []refusal
	e := edge(t, &refused, httpx.Route{
		Method: http.MethodGet, Path: "/", Permission: "p", Match: func(r *http.Request) bool { return r.Header.Get("Authorization") != "" },
		Handler: func(w http.ResponseWriter, _ *httpx.Request) error { _, err := w.Write([]byte("route")); return err },
	})
	for credential, want := range map[string]string{"": "page", "Bearer smk_good": "route"} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if credential != "" {
			r.Header.Set("Authorization", credential)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		require.Equal(t, want, w.Body.String())
	}
}
