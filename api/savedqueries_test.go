package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestSavedFiltersAreChecked(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "namespace=shop&not_reason=Pulled": true, "q=back-off+%22pull%22&namespace=a&namespace=b": true,
		"namespace": true, "start=1": false, "limit=3": false, "not_q=x": false, "namespace=%zz": false, "a;b=1": false,
	} {
		if err := api.CheckEventQuery(text); (err == nil) != want || err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%q: got %v, want it taken: %t", text, err, want)
		}
	}
	for text, want := range map[string]bool{"user=ann&class=write": true, "q=x": false, "not_class=x": false} {
		if err := api.CheckAuditQuery(text); (err == nil) != want {
			t.Errorf("%q: got %v, want it taken: %t", text, err, want)
		}
	}
	err := api.CheckEventQuery("namespace=shop&colour=red")
	if want := "At position 16, "; err == nil || err.Error()[:len(want)] != want {
		t.Errorf("got %v, want it to begin with %q", err, want)
	}
}

// savedQueryBook keeps saved queries as the directory would, of one actor.
type savedQueryBook map[string]api.SavedQuery

func (b savedQueryBook) ListSavedQueries(context.Context, seamark.Principal) ([]api.SavedQuery, error) {
	return slices.SortedFunc(maps.Values(b), func(x, y api.SavedQuery) int { return strings.Compare(x.ID, y.ID) }), nil
}

func (b savedQueryBook) FindSavedQuery(_ context.Context, _ seamark.Principal, id string) (api.SavedQuery, error) {
	q, ok := b[id]
	if !ok {
		return q, seamark.Errorf(seamark.NotFound, "seamark-saved-query-unknown", "There is none.")
	}
	return q, nil
}

func (b savedQueryBook) CreateSavedQuery(_ context.Context, _ seamark.Principal, f api.SavedQueryFields) (api.SavedQuery, error) {
	q := api.SavedQuery{ID: fmt.Sprintf("id%d", len(b)), SavedQueryFields: f}
	b[q.ID] = q
	return q, nil
}

func (b savedQueryBook) UpdateSavedQuery(ctx context.Context, actor seamark.Principal, id string, f api.SavedQueryFields, check api.SavedQueryCheck) (api.SavedQuery, error) {
	q, err := b.FindSavedQuery(ctx, actor, id)
	if err := cmp.Or(err, check(q)); err != nil {
		return q, err
	}
	q.SavedQueryFields = f
	b[id] = q
	return q, nil
}

func (b savedQueryBook) DeleteSavedQuery(ctx context.Context, actor seamark.Principal, id string, check api.SavedQueryCheck) error {
	q, err := b.FindSavedQuery(ctx, actor, id)
	if err := cmp.Or(err, check(q)); err != nil {
		return err
	}
	delete(b, id)
	return nil
}

// newSavedQueryEdge serves the routes without the edge's own part of a creation, which needs a store of answers.
func newSavedQueryEdge(t *testing.T) edge {
	t.Helper()
	routes := api.SavedQueryRoutes(savedQueryBook{})
	for i := range routes {
		routes[i].Creates = false
	}
	return newEdge(t, "", routes)
}

func TestSavedQueries(t *testing.T) {
	e := newSavedQueryEdge(t)
	const path = "/api/v1/saved-queries"
	want(t, e.do(tenantA, http.MethodPost, path, `{"name":"Up","language":"promql","query":"up","tags":["a","b"]}`), http.StatusCreated, `"visibility":"private"`)
	want(t, e.do(tenantA, http.MethodPost, path, `{"name":"Errors","language":"logql","query":"{app=\"WEB\"}","tags":["a"]}`), http.StatusCreated, `"id":"id1"`)
	want(t, e.do(tenantA, http.MethodPost, path, `{"name":1,"colour":"red"}`), http.StatusBadRequest, "seamark-body-invalid")
	for query, found := range map[string]string{
		"": "id0 id1", "?language=logql": "id1", "?tag=a": "id0 id1", "?tag=a&tag=b": "id0", "?q=web": "id1", "?q=UP": "id0", "?language=promql&q=web": "",
	} {
		answer := e.do(tenantA, http.MethodGet, path+query, "")
		var list httpx.List[api.SavedQuery]
		if err := json.Unmarshal(answer.Body.Bytes(), &list); err != nil {
			t.Fatal(err)
		}
		ids := make([]string, len(list.Items))
		for i := range list.Items {
			ids[i] = list.Items[i].ID
		}
		if got := strings.Join(ids, " "); got != found {
			t.Errorf("%q lists %q, want %q", query, got, found)
		}
	}
	want(t, e.do(tenantA, http.MethodGet, path+"?limit=1", ""), http.StatusOK, `"next_cursor"`)
	want(t, e.do(tenantA, http.MethodGet, path+"?language=cypher", ""), http.StatusBadRequest, "seamark-saved-query-filter")
	want(t, e.do(tenantA, http.MethodGet, path+"/absent", ""), http.StatusNotFound, "seamark-saved-query-unknown")
}

func TestSavedQueryConditions(t *testing.T) {
	e := newSavedQueryEdge(t)
	const path = "/api/v1/saved-queries/id0"
	body := `{"name":"Up","language":"promql","query":"up"}`
	first := e.do(tenantA, http.MethodPost, "/api/v1/saved-queries", body).Header().Get("ETag")
	want(t, e.doWith(tenantA, http.MethodGet, path, "", "If-None-Match", first), http.StatusNotModified, "")
	changed := e.doWith(tenantA, http.MethodPut, path, strings.Replace(body, "Up", "Down", 1), "If-Match", first)
	want(t, changed, http.StatusOK, `"name":"Down"`)
	want(t, e.doWith(tenantA, http.MethodPut, path, body, "If-Match", first), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.doWith(tenantA, http.MethodDelete, path, "", "If-Match", first), http.StatusPreconditionFailed, "seamark-document-changed")
	want(t, e.doWith(tenantA, http.MethodDelete, path, "", "If-Match", changed.Header().Get("ETag")), http.StatusNoContent, "")
	want(t, e.do(tenantA, http.MethodGet, path, ""), http.StatusNotFound, "seamark-saved-query-unknown")
}
