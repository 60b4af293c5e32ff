package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/audit"
)

const tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// recorder answers from its lists and remembers what was asked.
type recorder struct {
	count   int
	found   []store.AuditWrite
	err     error
	tenant  seamark.TenantID
	list    store.AuditQuery
	clients store.AuditClientsQuery
	lists   store.AuditListsQuery
	writes  store.AuditWritesQuery
}

func (r *recorder) ListAudit(_ context.Context, tenant seamark.TenantID, q store.AuditQuery) (store.AuditPage, error) {
	r.tenant, r.list = tenant, q
	return store.AuditPage{Records: make([]store.AuditRecord, min(r.count, q.Limit)), Next: &store.AuditPlace{ID: "last"}}, r.err
}

func (r *recorder) AuditClients(_ context.Context, tenant seamark.TenantID, q store.AuditClientsQuery) (*store.AuditClients, error) {
	r.tenant, r.clients = tenant, q
	return &store.AuditClients{}, r.err
}

func (r *recorder) AuditLists(_ context.Context, tenant seamark.TenantID, q store.AuditListsQuery) ([]store.AuditList, uint64, error) {
	r.tenant, r.lists = tenant, q
	return nil, 7, r.err
}

func (r *recorder) AuditWrites(_ context.Context, tenant seamark.TenantID, q store.AuditWritesQuery) ([]store.AuditWrite, bool, error) {
	r.tenant, r.writes = tenant, q
	return r.found, true, r.err
}

func lastHour() seamark.TimeRange {
	end := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	return seamark.TimeRange{Start: end.Add(-time.Hour), End: end}
}

func searcher(t testing.TB, s audit.Store) *audit.Searcher {
	t.Helper()
	o := audit.Options{Limits: audit.DefaultLimits()}
	o.Store = s
	found, err := audit.New(o)
	require.NoError(t, err)
	return found
}

func TestQueriesReachTheStore(t *testing.T) {
	r := &recorder{count: 200}
	s := searcher(t, r)
	f := audit.Filter{Range: lastHour(), Class: "denied", Is: map[string][]string{"user": {"a", "b"}}, Not: map[string][]string{"verb": {"watch"}}}
	want := store.AuditFilter{Range: lastHour(), Class: store.AuditDenied, Conditions: []store.AuditCondition{
		{Field: store.AuditUser, Values: []string{"a", "b"}}, {Field: store.AuditVerb, Not: true, Values: []string{"watch"}},
	}}
	page, err := s.List(t.Context(), tenantA, audit.ListQuery{Filter: f})
	require.NoError(t, err)
	require.Len(t, page.Records, 100)
	require.Equal(t, "last", page.Next.ID)
	require.Equal(t, tenantA, r.tenant)
	require.Equal(t, store.AuditQuery{AuditFilter: want, Limit: 100}, r.list)
	page, err = s.List(t.Context(), tenantA, audit.ListQuery{Filter: f, After: page.Next, Limit: 200})
	require.NoError(t, err)
	require.Len(t, page.Records, 200)
	require.Equal(t, store.AuditQuery{AuditFilter: want, After: &store.AuditPlace{ID: "last"}, Limit: 200}, r.list)

	_, err = s.Clients(t.Context(), tenantA, audit.ClientsQuery{Filter: f})
	require.NoError(t, err)
	require.Equal(t, store.AuditClientsQuery{AuditFilter: want, By: []store.AuditField{store.AuditUser, store.AuditVerb, store.AuditResource}, Limit: 100}, r.clients)
	_, err = s.Clients(t.Context(), tenantA, audit.ClientsQuery{Filter: f, By: []string{"source_ip"}, Order: "failed", Limit: 3})
	require.NoError(t, err)
	require.Equal(t, store.AuditClientsQuery{AuditFilter: want, By: []store.AuditField{store.AuditSourceIP}, Order: store.AuditByFailed, Limit: 3}, r.clients)

	_, entries, err := s.Lists(t.Context(), tenantA, f, "large", 3)
	require.NoError(t, err)
	require.EqualValues(t, 7, entries)
	require.Equal(t, store.AuditListsQuery{AuditFilter: want, Order: store.AuditListsByLarge, Limit: 3}, r.lists)

	_, truncated, err := s.Writes(t.Context(), tenantA, lastHour(), audit.Object{Cluster: "c", APIGroup: "apps", Resource: "deployments", Name: "web"}, 5)
	require.NoError(t, err)
	require.True(t, truncated)
	require.Equal(t, store.AuditWritesQuery{Limit: 5, MaxBytes: 32 << 20, AuditFilter: store.AuditFilter{Range: lastHour(), Class: store.AuditWrites, Conditions: []store.AuditCondition{
		{Field: store.AuditCluster, Values: []string{"c"}}, {Field: store.AuditNamespace, Values: []string{""}}, {Field: store.AuditResource, Values: []string{"deployments"}},
		{Field: store.AuditAPIGroup, Values: []string{"apps"}}, {Field: store.AuditName, Values: []string{"web"}},
	}}}, r.writes)
}

// TestRefusals asks for what is out of bounds; no fault reaches the store.
func TestRefusals(t *testing.T) {
	plain := audit.Filter{Range: lastHour()}
	list := func(f audit.Filter, limit int) func(*audit.Searcher) error {
		return func(s *audit.Searcher) error {
			_, err := s.List(context.Background(), tenantA, audit.ListQuery{Filter: f, Limit: limit})
			return err
		}
	}
	clients := func(f audit.Filter, by []string, order string, limit int) func(*audit.Searcher) error {
		return func(s *audit.Searcher) error {
			_, err := s.Clients(context.Background(), tenantA, audit.ClientsQuery{Filter: f, By: by, Order: order, Limit: limit})
			return err
		}
	}
	lists := func(f audit.Filter, order string, limit int) func(*audit.Searcher) error {
		return func(s *audit.Searcher) error {
			_, _, err := s.Lists(context.Background(), tenantA, f, order, limit)
			return err
		}
	}
	writes := func(r seamark.TimeRange, o audit.Object, limit int) func(*audit.Searcher) error {
		return func(s *audit.Searcher) error {
			_, _, err := s.Writes(context.Background(), tenantA, r, o, limit)
			return err
		}
	}
	object := audit.Object{Cluster: "c", Resource: "pods", Name: "x"}
	for i, c := range []struct {
		id  string
		ask func(*audit.Searcher) error
	}{
		{"seamark-range-backwards", list(audit.Filter{}, 0)},
		{"seamark-audit-limit", list(plain, 1001)},
		{"seamark-audit-limit", list(plain, -1)},
		{"seamark-audit-class", list(audit.Filter{Range: lastHour(), Class: "x"}, 0)},
		{"seamark-audit-field", list(audit.Filter{Range: lastHour(), Is: map[string][]string{"x": {"y"}}}, 0)},
		{"seamark-audit-field", list(audit.Filter{Range: lastHour(), Not: map[string][]string{"x": {"y"}}}, 0)},
		{"seamark-audit-values", list(audit.Filter{Range: lastHour(), Not: map[string][]string{"user": make([]string, 101)}}, 0)},
		{"seamark-audit-text", list(audit.Filter{Range: lastHour(), Is: map[string][]string{"user": {strings.Repeat("x", 1025)}}}, 0)},
		{"seamark-range-backwards", clients(audit.Filter{}, nil, "", 0)},
		{"seamark-audit-by", clients(plain, make([]string, 6), "", 0)},
		{"seamark-audit-field", clients(plain, []string{"x"}, "", 0)},
		{"seamark-audit-order", clients(plain, nil, "x", 0)},
		{"seamark-audit-limit", clients(plain, nil, "", 1001)},
		{"seamark-range-backwards", lists(audit.Filter{}, "", 0)},
		{"seamark-audit-order", lists(plain, "x", 0)},
		{"seamark-audit-limit", lists(plain, "", 1001)},
		{"seamark-audit-object", writes(lastHour(), audit.Object{}, 0)},
		{"seamark-audit-limit", writes(lastHour(), object, 201)},
		{"seamark-range-backwards", writes(seamark.TimeRange{}, object, 0)},
	} {
		r := &recorder{}
		e, ok := errors.AsType[*seamark.Error](c.ask(searcher(t, r)))
		require.True(t, ok, "case %d: %s", i, c.id)
		require.Equal(t, seamark.Invalid, e.Kind)
		require.Equal(t, c.id, e.ID, "case %d", i)
		require.Zero(t, r.tenant, "case %d reached the store", i)
	}
	for flag, ask := range map[string]func(*audit.Searcher) error{
		"query.max-audit-records": list(plain, 1001), "query.max-audit-clients": lists(plain, "", 1001), "query.max-audit-writes": writes(lastHour(), object, 201),
	} {
		require.ErrorContains(t, ask(searcher(t, &recorder{})), "(--"+flag+")")
	}
	away := errors.New("away")
	s := searcher(t, &recorder{err: away})
	for _, ask := range []func(*audit.Searcher) error{list(plain, 0), clients(plain, nil, "", 0), lists(plain, "", 0), writes(lastHour(), object, 0)} {
		require.ErrorIs(t, ask(s), away)
	}
}

func TestNewChecksItsOptions(t *testing.T) {
	_, err := audit.New(audit.Options{Limits: audit.DefaultLimits()})
	require.Error(t, err)
	_, err = audit.New(audit.Options{Store: &recorder{}})
	require.Error(t, err)
}

// write makes a write with a record of the given members.
func write(verb, resource, subresource, members string) store.AuditWrite {
	w := store.AuditWrite{Body: `{"kind":"Event"` + members + `}`}
	w.Fields[store.AuditVerb], w.Fields[store.AuditResource], w.Fields[store.AuditSubresource] = verb, resource, subresource
	return w
}

// tell writes changes as lines.
func tell(list []audit.Write) []string {
	var lines []string
	for _, w := range list {
		line := string(w.Known)
		for _, d := range w.Differences {
			line += fmt.Sprintf(" %s:%s>%s", d.Path, d.Before, d.After)
		}
		if w.Truncated {
			line += " ..."
		}
		lines = append(lines, line)
	}
	return lines
}

func TestWritesTellDifferences(t *testing.T) {
	const first = `{"kind":"Deployment","metadata":{"name":"web","resourceVersion":"1","managedFields":[1],"annotations":{"a.b/c":"x"}},
		"spec":{"replicas":1,"big":12345678901234567890,"containers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:1"}],"args":["x"]}}`
	const second = `{"kind":"Deployment","metadata":{"name":"web","resourceVersion":"2","managedFields":[2],"annotations":{"a.b/c":"y"}},
		"spec":{"replicas":3,"big":12345678901234567891,"containers":[{"name":"b","image":"b:2"},{"name":"a","image":"a:1"},{"name":"c"}],"args":["x","y"]}}`
	for name, c := range map[string]struct {
		oldest []store.AuditWrite // first
		want   []string           // newest first
	}{
		"answers": {
			[]store.AuditWrite{
				write("create", "deployments", "", `,"responseObject":`+first+`,"responseStatus":{"code":201}`),
				write("patch", "deployments", "", `,"requestObject":{"x":1},"responseObject":`+second+`,"responseStatus":{"code":200}`),
			},
			[]string{
				`state .metadata.annotations["a.b/c"]:"x">"y" .spec.args:["x"]>["x","y"] .spec.big:12345678901234567890>12345678901234567891 ` +
					`.spec.containers[name=b].image:"b:1">"b:2" .spec.containers[name=c]:>{"name":"c"} .spec.replicas:1>3`,
				"first",
			},
		},
		"requests alone": {
			[]store.AuditWrite{
				write("update", "deployments", "", `,"requestObject":{"kind":"Deployment","a":1,"b":1}`),
				write("patch", "deployments", "", `,"requestObject":{"a":5}`),
				write("patch", "deployments", "", `,"requestObject":[{"op":"add"}]`),
				write("update", "deployments", "", `,"requestObject":{"kind":"Deployment","a":2,"c":{}}`),
			},
			[]string{`state .a:1>2 .b:1> .c:>{}`, `patch :>[{"op":"add"}]`, `patch .a:>5`, "first"},
		},
		"failures and records without bodies": {
			[]store.AuditWrite{
				write("update", "pods", "", `,"responseObject":{"kind":"Pod","a":1},"responseStatus":{"code":200}`),
				write("update", "pods", "", `,"responseObject":{"kind":"Pod","a":9},"responseStatus":{"code":409}`),
				write("update", "pods", "", ``),
				{Body: "no JSON"},
				write("update", "pods", "", `,"responseObject":{"kind":"Status"}`),
				write("update", "pods", "status", `,"responseObject":{"kind":"Pod","a":2}`),
			},
			[]string{"state .a:1>2", "nothing", "nothing", "nothing", "nothing", "first"},
		},
		"deleted and made again": {
			[]store.AuditWrite{
				write("create", "pods", "", `,"responseObject":{"kind":"Pod","a":1}`), write("delete", "pods", "", `,"responseObject":{"kind":"Status"}`),
				write("create", "pods", "", `,"responseObject":{"kind":"Pod","a":2}`),
			},
			[]string{"first", "state", "first"},
		},
		"objects of subresources": {
			[]store.AuditWrite{
				write("update", "deployments", "", `,"responseObject":{"kind":"Deployment","a":1}`),
				write("update", "deployments", "scale", `,"requestObject":{"kind":"Scale","spec":{"replicas":2}},"responseObject":{"kind":"Scale"}`),
				write("create", "pods", "eviction", ``),
				write("update", "deployments", "", `,"responseObject":{"kind":"Deployment","a":1}`),
			},
			[]string{"state", "nothing", `patch .kind:>"Scale" .spec:>{"replicas":2}`, "first"},
		},
		"secrets": {
			[]store.AuditWrite{
				write("update", "secrets", "", `,"responseObject":{"kind":"Secret","data":{"a":"b2xk","b":"c2FtZQ=="},"metadata":{"annotations":{"last":"b2xk"},"labels":{"x":"1"}},"type":"t"}`),
				write("update", "secrets", "", `,"responseObject":{"kind":"Secret","data":{"a":"bmV3","b":"c2FtZQ=="},"metadata":{"annotations":{"last":"bmV3"},"labels":{"x":"2"}},"type":"u"}`),
				write("patch", "secrets", "", `,"requestObject":{"data":{"a":"bmV3"}}`),
			},
			[]string{
				`patch .data:>"(not shown)"`,
				`state .data.a:"(not shown)">"(not shown)" .metadata.annotations.last:"(not shown)">"(not shown)" .metadata.labels.x:"1">"2" .type:"t">"u"`, "first",
			},
		},
	} {
		var found []store.AuditWrite
		for i := range c.oldest {
			found = append(found, c.oldest[len(c.oldest)-1-i])
		}
		list, _, err := searcher(t, &recorder{found: found}).Writes(t.Context(), tenantA, lastHour(), audit.Object{Cluster: "c", Resource: "x", Name: "y"}, 0)
		require.NoError(t, err)
		require.Equal(t, c.want, tell(list), name)
	}
}

func TestWritesAreBounded(t *testing.T) {
	old, fresh := map[string]any{"kind": "X", "long": "x"}, map[string]any{"kind": "X", "long": strings.Repeat("y", 5000)}
	for i := range 300 {
		old[fmt.Sprintf("m%03d", i)], fresh[fmt.Sprintf("m%03d", i)] = 1, 2
	}
	body := func(state map[string]any) string {
		text, err := json.Marshal(state)
		require.NoError(t, err)
		return `,"responseObject":` + string(text)
	}
	list, _, err := searcher(t, &recorder{found: []store.AuditWrite{write("update", "x", "", body(fresh)), write("update", "x", "", body(old))}}).
		Writes(t.Context(), tenantA, lastHour(), audit.Object{Cluster: "c", Resource: "x", Name: "y"}, 0)
	require.NoError(t, err)
	require.Len(t, list[0].Differences, 200)
	require.True(t, list[0].Truncated)
	require.JSONEq(t, `"(5002 bytes)"`, string(list[0].Differences[0].After))
}

// FuzzChanges compares any two records: nothing panics, and what is told is JSON.
func FuzzChanges(f *testing.F) {
	f.Add(`{"responseObject":{"kind":"A","l":[{"name":"x"},{"name":1}]}}`, `{"responseObject":{"kind":"A","l":[{"name":"x","y":null}]}}`, "update", "pods")
	f.Add(`{"requestObject":[1]}`, `{"requestObject":{"a":{}}}`, "patch", "secrets")
	f.Fuzz(func(t *testing.T, a, b, verb, resource string) {
		one, two := write(verb, resource, "", ""), write(verb, resource, "", "")
		one.Body, two.Body = a, b
		list, _, err := searcher(t, &recorder{found: []store.AuditWrite{one, two}}).Writes(t.Context(), tenantA, lastHour(), audit.Object{Cluster: "c", Resource: "x", Name: "y"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(list); err != nil {
			t.Fatal(err)
		}
	})
}
