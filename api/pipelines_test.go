package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// pipelineBook keeps pipelines in memory. It implements api.PipelineStore.
type pipelineBook map[seamark.TenantID]*api.Pipelines

func (b pipelineBook) FindPipelines(_ context.Context, tenant seamark.TenantID) (api.Pipelines, error) {
	if b[tenant] == nil {
		return api.Pipelines{Pipelines: json.RawMessage(`[]`)}, nil
	}
	return *b[tenant], nil
}

func (b pipelineBook) SavePipelines(ctx context.Context, tenant seamark.TenantID, definitions []byte, revision uint64) (api.Pipelines, error) {
	have, err := b.FindPipelines(ctx, tenant)
	switch {
	case err != nil:
		return have, err
	case have.Revision != revision:
		return have, seamark.Errorf(seamark.Conflict, "seamark-pipeline-changed", "The pipelines were changed.")
	case strings.Contains(string(definitions), "broken"):
		return have, seamark.Errorf(seamark.Invalid, "seamark-pipeline-invalid", "Step 0 is broken.")
	}
	b[tenant] = &api.Pipelines{Revision: revision + 1, Pipelines: definitions}
	return *b[tenant], nil
}

func (b pipelineBook) TryPipeline(_ context.Context, tenant seamark.TenantID, body []byte) (json.RawMessage, error) {
	return json.Marshal(map[string]string{"tenant": string(tenant), "body": string(body)})
}

func (b pipelineBook) PipelineStats(_ context.Context, tenant seamark.TenantID) (api.PipelineStats, error) {
	return api.PipelineStats{
		Steps: []api.PipelineStep{{Pipeline: string(tenant), Step: "s", Kind: "drop", In: 3, Dropped: 2}},
		Nodes: []api.PipelineNode{{Node: "n1", Revision: 7}},
	}, nil
}

func TestPipelinesAreReadAndReplacedWhole(t *testing.T) {
	e := newEdge(t, "", api.PipelineRoutes(pipelineBook{}))
	const path = "/api/v1/pipelines"
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, `{"revision":0,"updated_at":null,"pipelines":[]}`)
	want(t, e.do(tenantA, http.MethodPut, path, `{"revision":0,"pipelines":[{"name":"a"}]}`), http.StatusOK, `{"revision":1,"updated_at":null,"pipelines":[{"name":"a"}]}`)
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusOK, `"pipelines":[{"name":"a"}]`)
	want(t, e.do(tenantB, http.MethodGet, path, ""), http.StatusOK, `"pipelines":[]`)
	want(t, e.do(tenantA, http.MethodPut, path, `{"revision":0,"pipelines":[]}`), http.StatusConflict, "seamark-pipeline-changed")
	want(t, e.do(tenantA, http.MethodPut, path, `{"revision":1,"pipelines":["broken"]}`), http.StatusBadRequest, "Step 0 is broken.")
}

// TestPipelineConditions changes pipelines by ETag instead of by the revision in the body.
func TestPipelineConditions(t *testing.T) {
	e := newEdge(t, "", api.PipelineRoutes(pipelineBook{}))
	const path, body = "/api/v1/pipelines", `{"pipelines":[{"name":"a"}]}`
	put := func(name, value string) *httptest.ResponseRecorder {
		return e.doWith(tenantA, http.MethodPut, path, body, name, value)
	}
	want(t, put("If-Match", `"r3"`), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, put("If-Match", `*`), http.StatusPreconditionFailed, "seamark-document-absent")
	made := put("If-None-Match", "*")
	want(t, made, http.StatusOK, `"revision":1`)
	if tag := made.Header().Get("ETag"); tag != `"r1"` {
		t.Errorf("ETag: got %s, want \"r1\"", tag)
	}
	late := put("If-None-Match", "*")
	want(t, late, http.StatusPreconditionFailed, "seamark-document-changed")
	if tag := late.Header().Get("ETag"); tag != `"r1"` {
		t.Errorf("ETag of the refusal: got %s, want \"r1\"", tag)
	}
	want(t, put("If-Match", `"r1"`), http.StatusOK, `"revision":2`)
	want(t, put("If-Match", `*`), http.StatusOK, `"revision":3`)
	want(t, e.doWith(tenantA, http.MethodGet, path, "", "If-None-Match", `"r3"`), http.StatusNotModified, "")
}

func TestPipelineBodiesAreChecked(t *testing.T) {
	e := newEdge(t, "", api.PipelineRoutes(pipelineBook{}))
	for body, id := range map[string]string{
		`{"pipelines":[]}`: "seamark-pipeline-body", `{"revision":0}`: "seamark-pipeline-body", `{"revision":0,"pipelines":[],"more":1}`: `"pointer":"/more"`,
		`[]`: "seamark-body-invalid", `{"revision":-1,"pipelines":[]}`: `"pointer":"/revision"`, `{`: "seamark-body-json",
	} {
		want(t, e.do(tenantA, http.MethodPut, "/api/v1/pipelines", body), http.StatusBadRequest, id)
	}
	large := `{"pipeline":"` + strings.Repeat("x", 1<<20) + `"}`
	want(t, e.do(tenantA, http.MethodPost, "/api/v1/pipelines/dry-run", large), http.StatusRequestEntityTooLarge, "seamark-body-large")
}

func TestPipelineDryRunAndStatsAreTheTenants(t *testing.T) {
	e := newEdge(t, "", api.PipelineRoutes(pipelineBook{}))
	want(t, e.do(tenantA, http.MethodPost, "/api/v1/pipelines/dry-run", `{"x":1}`), http.StatusOK, `"tenant":"`+string(tenantA)+`"`)
	want(t, e.do(tenantB, http.MethodGet, "/api/v1/pipelines/stats", ""), http.StatusOK,
		`{"steps":[{"pipeline":"`+string(tenantB)+`","step":"s","kind":"drop","in":3,"changed":0,"dropped":2,"errors":0,"nanoseconds":0}],"nodes":[{"node":"n1","revision":7,"updated_at":"0001-01-01T00:00:00Z","fault":""}]}`)
}

func TestPipelinePermissions(t *testing.T) {
	for permission, refused := range map[string][]string{
		"pipelines:read":  {"GET /api/v1/pipelines", "GET /api/v1/pipelines/stats"},
		"pipelines:write": {"PUT /api/v1/pipelines", "POST /api/v1/pipelines/dry-run"},
	} {
		e := newEdge(t, permission, api.PipelineRoutes(pipelineBook{}))
		for _, request := range refused {
			method, path, _ := strings.Cut(request, " ")
			want(t, e.do(tenantA, method, path, `{"revision":0,"pipelines":[]}`), http.StatusForbidden, "seamark-permission")
		}
	}
}
