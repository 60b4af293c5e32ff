package client_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// call is a call of one operation that must succeed.
type call struct {
	id string // the operationId
	do func(t *testing.T, w *world) error
}

// calls lists a call of every operation, in the order in which they are made.
func calls() []call {
	return slices.Concat(
		pushCalls(), controlCalls(), invitationCalls(), credentialCalls(),
		memberCalls(), sessionCalls(), providerCalls(), planCalls(), tenantCalls(),
		forwarderCalls(), savedQueryCalls(), dashboardCalls(), exportCalls(), usageCalls(), eventCalls(),
		logCalls(), prometheusCalls(), lokiCalls(), lokiRuleCalls(), ruleCalls(), alertingCalls(), detectorCalls(),
		alertmanagerCalls(), runningCalls(), jobCalls(), quarantineCalls(), lastCalls(),
	)
}

// TestEveryOperation calls each operation of openapi.yaml; one that no call drives fails the test. The recorder holds what
// goes over the wire against openapi.yaml.
func TestEveryOperation(t *testing.T) {
	w := newWorld(t)
	for _, c := range calls() {
		t.Run(c.id, func(t *testing.T) {
			if err := c.do(t, w); err != nil {
				t.Error(err)
			}
			if !w.driven(t, c.id) {
				t.Errorf("the call did not drive %s", c.id)
			}
		})
	}
	for _, op := range w.contract.Operations() {
		if !w.driven(t, op.OperationID) {
			t.Errorf("no call drives %s (%s %s); add one to calls", op.OperationID, op.Method, op.Path)
		}
	}
	t.Run("errors", func(t *testing.T) { everyError(t, w) })
}

// driven reports whether an operation was answered with success, or as openapi.yaml says where it describes none.
func (w *world) driven(t *testing.T, id string) bool {
	t.Helper()
	for _, op := range w.contract.Operations() {
		if op.OperationID != id {
			continue
		}
		return slices.ContainsFunc(op.Promised(), func(status int) bool { return w.recorder.Answered(id, status) })
	}
	t.Errorf("openapi.yaml has no operation %s", id)
	return false
}

// everyError calls each operation without a credential, and as one who may not, and holds the refusals against openapi.yaml.
func everyError(t *testing.T, w *world) {
	for _, op := range client.Operations() {
		params := map[string][]string{}
		for _, p := range op.Params {
			if p.In == "path" || p.Required && p.In == "query" {
				params[p.Name] = []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV"}
			}
		}
		var body client.Body
		if len(op.Body) > 0 {
			body = client.Body{ContentType: op.Body[0]}
		}
		described := w.contract.Find(op.Method, fill(op.Path))
		if described.Security != nil && len(*described.Security) == 0 {
			continue // anybody may call it
		}
		if err := drain(w.nobody.Call(t.Context(), &op, params, body)); !client.IsStatus(err, http.StatusUnauthorized) {
			t.Errorf("%s without a credential: got %v, want 401", op.ID, err)
		}
		if !w.recorder.Failed(op.ID) {
			t.Errorf("no error of %s was seen", op.ID)
		}
	}
}

// fill puts something into each parameter of a path.
func fill(path string) string {
	for i := 0; i < len(path); i++ {
		if path[i] == '{' {
			end := i + slices.Index([]byte(path[i:]), '}')
			path = path[:i] + "x" + path[end+1:]
		}
	}
	return path
}

// TestErrorsHaveTheirForm makes each sort of error that our own routes share.
func TestErrorsHaveTheirForm(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	_, err := w.admin.ListClusters(ctx, &client.ListClustersParams{Limit: new(0)})
	wantStatus(t, err, http.StatusBadRequest, "seamark-page-limit")
	_, err = w.admin.ListClusters(ctx, &client.ListClustersParams{Cursor: new("x")})
	wantStatus(t, err, http.StatusBadRequest, "seamark-page-cursor")
	_, err = w.query.ListTenants(ctx, nil)
	wantStatus(t, err, http.StatusForbidden, "seamark-permission-missing")
	_, err = w.admin.SetClusterQuota(ctx, "01ARZ3NDEKTSV4RRFFQ69G5FAV", client.Quota{})
	wantStatus(t, err, http.StatusNotFound, "seamark-cluster-unknown")

	unknown := client.Operation{ID: "unknown field", Method: http.MethodPut, Path: "/api/v1/clusters/" + w.clusterID + "/quotas"}
	err = drain(w.admin.Call(ctx, &unknown, nil, jsonBody(map[string]any{"max_labels": "many", "max_lables": 1})))
	wantStatus(t, err, http.StatusBadRequest, "seamark-body-invalid")
	if fields := asError(t, err).Fields; len(fields) != 2 || fields[0].Pointer != "/max_labels" || fields[1].Pointer != "/max_lables" {
		t.Errorf("got fields %+v", fields)
	}

	var read, now client.Meta
	if _, err := w.admin.FindClusterQuotas(ctx, w.clusterID, client.Into(&read)); err != nil || read.ETag == "" {
		t.Fatalf("got ETag %q, %v", read.ETag, err)
	}
	if _, err := w.admin.SetClusterQuota(ctx, w.clusterID, client.Quota{MaxLabels: new(int64(20))}, client.IfMatch(read.ETag), client.Into(&now)); err != nil {
		t.Fatal(err)
	}
	_, err = w.admin.SetClusterQuota(ctx, w.clusterID, client.Quota{}, client.IfMatch(read.ETag))
	wantStatus(t, err, http.StatusPreconditionFailed, "seamark-document-changed")
	if !client.IsConflict(err) || asError(t, err).ETag != now.ETag {
		t.Errorf("got ETag %q, want %q", asError(t, err).ETag, now.ETag)
	}
}

// TestPages lists clusters page by page.
func TestPages(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 7 {
		w.Admin(t)(nil, "cluster", "create", slug, fmt.Sprintf("c%d", i))
	}
	whole, err := w.admin.ListClusters(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range whole.Items {
		want = append(want, c.Name)
	}
	var got []string
	for c, err := range client.Pages(t.Context(), w.clusterPage(3)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.Name)
	}
	if len(got) != 8 || !slices.Equal(got, want) {
		t.Errorf("by pages %v, at once %v", got, want)
	}
}
