package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// auditFake answers with its parts and remembers what was asked.
type auditFake struct {
	list     []api.AuditRecord
	next     *api.AuditPlace
	clients  api.AuditClients
	listings api.AuditListings
	writes   []api.AuditWrite
	err      error

	tenant  seamark.TenantID
	filter  api.AuditFilter
	query   api.AuditClientsQuery
	order   string
	limit   int
	after   *api.AuditPlace
	span    seamark.TimeRange
	subject api.AuditObject
}

func (f *auditFake) ListAudit(_ context.Context, scope seamark.Scope, q api.AuditListQuery) (api.AuditPage, error) {
	f.tenant, f.filter, f.limit, f.after = scope.Tenant, q.Filter, q.Limit, q.After
	return api.AuditPage{Records: f.list, Next: f.next}, f.err
}

func (f *auditFake) AuditClients(_ context.Context, scope seamark.Scope, q api.AuditClientsQuery) (*api.AuditClients, error) {
	f.tenant, f.query = scope.Tenant, q
	return &f.clients, f.err
}

func (f *auditFake) AuditListings(_ context.Context, scope seamark.Scope, filter api.AuditFilter, order string, limit int) (*api.AuditListings, error) {
	f.tenant, f.filter, f.order, f.limit = scope.Tenant, filter, order, limit
	return &f.listings, f.err
}

func (f *auditFake) AuditWrites(_ context.Context, scope seamark.Scope, r seamark.TimeRange, o api.AuditObject, limit int) ([]api.AuditWrite, bool, error) {
	f.tenant, f.span, f.subject, f.limit = scope.Tenant, r, o, limit
	return f.writes, true, f.err
}

func getAudit(t *testing.T, f *auditFake, rest string) *httptest.ResponseRecorder {
	t.Helper()
	return getRoute(t, api.AuditRoutes(f, eventsNow), "/api/v1/audit"+rest)
}

const auditRecordJSON = `"time":"2026-05-17T12:00:00Z","audit_id":"1","stage":"ResponseComplete","cluster":"c","user":"ann","impersonated_user":"","source_ip":"10.0.0.1",
	"user_agent":"kubectl","verb":"get","api_group":"","resource":"secrets","subresource":"","namespace":"shop","name":"db","uri":"/x","code":"200","decision":"allow","reason":"RBAC"`

func auditRecord() api.AuditRecord {
	return api.AuditRecord{
		Time: eventsNow(), AuditID: "1", Stage: "ResponseComplete", Cluster: "c", User: "ann", SourceIP: "10.0.0.1", UserAgent: "kubectl", Verb: "get",
		Resource: "secrets", Namespace: "shop", Name: "db", URI: "/x", Code: "200", Decision: "allow", Reason: "RBAC",
	}
}

// TestAuditPages asks for the next page by the cursor of the one before.
func TestAuditPages(t *testing.T) {
	next := &api.AuditPlace{Time: eventsNow().Add(-time.Nanosecond), ID: "an id"}
	f := &auditFake{list: []api.AuditRecord{auditRecord()}, next: next}
	var page struct {
		Truncated  bool
		NextCursor string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(getAudit(t, f, "?class=denied&limit=7").Body.Bytes(), &page))
	require.True(t, page.Truncated)
	require.Nil(t, f.after)
	require.Equal(t, http.StatusOK, getAudit(t, f, "?class=denied&limit=9&cursor="+page.NextCursor).Code)
	require.True(t, next.Time.Equal(f.after.Time))
	require.Equal(t, next.ID, f.after.ID)
	for _, bad := range []string{"?class=failed&cursor=" + page.NextCursor, "?class=denied&cursor=x"} {
		answer := getAudit(t, f, bad)
		require.Equal(t, http.StatusBadRequest, answer.Code)
		require.Contains(t, answer.Body.String(), "seamark-page-cursor")
	}
}

func TestAuditAnswers(t *testing.T) {
	hour := seamark.TimeRange{Start: eventsNow().Add(-time.Hour), End: eventsNow()}
	f := &auditFake{list: []api.AuditRecord{auditRecord()}}
	require.JSONEq(t, `{"items":[{`+auditRecordJSON+`}],"truncated":false}`, getAudit(t, f, "?class=denied&user=a&user=b&verb=&not_name=x&limit=7").Body.String())
	require.Equal(t, promTenant, f.tenant)
	want := api.AuditFilter{Range: hour, Class: "denied", Is: map[string][]string{"user": {"a", "b"}}, Not: map[string][]string{"name": {"x"}}}
	require.Equal(t, want, f.filter)
	require.Equal(t, 7, f.limit)

	f.clients = api.AuditClients{Entries: 3, Total: api.AuditCount{Requests: 9, Denied: 1}, Items: []api.AuditClient{
		{Values: map[string]string{"user": "ann"}, AuditCount: api.AuditCount{Requests: 5, Failed: 2}, First: eventsNow(), Last: eventsNow()},
	}}
	require.JSONEq(t, `{"entries":3,"total":{"requests":9,"denied":1,"failed":0},"items":[{"values":{"user":"ann"},"requests":5,"denied":0,"failed":2,
		"first":"2026-05-17T12:00:00Z","last":"2026-05-17T12:00:00Z"}]}`, getAudit(t, f, "/clients?by=user,verb&order=failed&class=denied&user=a&user=b&not_name=x&limit=7").Body.String())
	require.Equal(t, api.AuditClientsQuery{Filter: want, By: []string{"user", "verb"}, Order: "failed", Limit: 7}, f.query)

	f.listings = api.AuditListings{Entries: 1, Items: []api.AuditListing{{User: "ann", Resource: "pods", Count: 2, Unpaged: 1, Total: 1.5, Last: eventsNow()}}}
	require.JSONEq(t, `{"entries":1,"items":[{"cluster":"","namespace":"","user":"ann","user_agent":"","api_group":"","resource":"pods","count":2,"unpaged":1,"uncached":0,
		"total":1.5,"median":0,"p95":0,"slowest":0,"most_items":0,"most_bytes":0,"uri":"","last":"2026-05-17T12:00:00Z"}]}`, getAudit(t, f, "/lists?order=large").Body.String())
	require.Equal(t, "large", f.order)

	f.writes = []api.AuditWrite{
		{AuditRecord: auditRecord(), Known: "state", Differences: []api.AuditDifference{{Path: ".a", After: json.RawMessage(`{"b":1}`)}}},
		{AuditRecord: auditRecord(), Known: "nothing", Truncated: true},
	}
	require.JSONEq(t, `{"items":[{`+auditRecordJSON+`,"known":"state","differences":[{"path":".a","before":null,"after":{"b":1}}],"differences_truncated":false},
		{`+auditRecordJSON+`,"known":"nothing","differences":[],"differences_truncated":true}],"truncated":true}`,
		getAudit(t, f, "/writes?cluster=c&namespace=n&api_group=g&resource=r&name=x&limit=2").Body.String())
	require.Equal(t, api.AuditObject{Cluster: "c", Namespace: "n", APIGroup: "g", Resource: "r", Name: "x"}, f.subject)
	require.Equal(t, seamark.TimeRange{Start: eventsNow().Add(-24 * time.Hour), End: eventsNow()}, f.span)
}

func TestAuditAnswersEmpty(t *testing.T) {
	for route, want := range map[string]string{
		"": `{"items":[],"truncated":false}`, "/writes": `{"items":[],"truncated":true}`, "/lists": `{"entries":0,"items":[]}`,
		"/clients": `{"entries":0,"total":{"requests":0,"denied":0,"failed":0},"items":[]}`,
	} {
		require.JSONEq(t, want, getAudit(t, &auditFake{}, route).Body.String())
	}
}

func TestAuditFaults(t *testing.T) {
	for _, query := range []string{"?start=x", "?limit=x", "/clients?limit=0", "/lists?end=x", "/writes?start=x", "/writes?limit=-1"} {
		w := getAudit(t, &auditFake{}, query)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
	for _, route := range []string{"", "/clients", "/lists", "/writes"} {
		w := getAudit(t, &auditFake{err: seamark.Errorf(seamark.Unavailable, "seamark-store-away", "Away.")}, route)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Contains(t, w.Body.String(), `"seamark-store-away"`)
	}
}
