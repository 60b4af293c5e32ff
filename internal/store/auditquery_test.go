package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// auditRow is a record as package ingest/audit stores it; attrs are names and values.
type auditRow struct {
	at                       time.Time
	level                    seamark.Level
	cluster, namespace, verb string
	body                     string
	attrs                    []string
}

func addAudit(b *seamark.Batch, rows ...auditRow) {
	for _, r := range rows {
		labels := []seamark.Label{{Name: "cluster", Value: r.cluster}, {Name: "namespace", Value: r.namespace}, {Name: "service_name", Value: "kube-apiserver"}, {Name: "signal", Value: "audit"}, {Name: "verb", Value: r.verb}}
		if r.namespace == "" {
			labels = append(labels[:1], labels[2:]...)
		}
		fp := uint64(14695981039346656037)
		for _, c := range []byte(fmt.Sprint(labels)) {
			fp = (fp ^ uint64(c)) * 1099511628211
		}
		row := seamark.LogRow{
			Stream:   b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: fp, Name: r.namespace + "/kube-apiserver", Labels: labels}),
			TimeNano: r.at.UnixNano(), Level: r.level, Body: r.body,
		}
		for i := 0; i < len(r.attrs); i += 2 {
			row.Attrs = append(row.Attrs, seamark.Label{Name: r.attrs[i], Value: r.attrs[i+1]})
		}
		b.Logs.Append(&row)
	}
}

// auditRows are the requests of ten minutes; at counts back from now.
func auditRows(now time.Time) []auditRow {
	done := func(id string, minutes int, cluster, namespace, verb, user, resource, code string, more ...string) auditRow {
		level := map[string]seamark.Level{"403": seamark.LevelWarn, "500": seamark.LevelError}[code]
		if level == 0 {
			level = seamark.LevelInfo
		}
		return auditRow{
			at: now.Add(-time.Duration(minutes) * time.Minute), level: level, cluster: cluster, namespace: namespace, verb: verb, body: "{}",
			attrs: append([]string{"audit_id", id, "stage", "ResponseComplete", "user", user, "resource", resource, "code", code}, more...),
		}
	}
	stage := func(r auditRow, stage string) auditRow {
		r.attrs = append([]string{"audit_id", r.attrs[1], "stage", stage}, r.attrs[4:8]...)
		r.at, r.level = r.at.Add(-time.Second), seamark.LevelInfo
		return r
	}
	secret := done("1", 9, "east", "shop", "get", "ann", "secrets", "200", "name", "db", "source_ip", "10.0.0.1", "user_agent", "kubectl", "decision", "allow", "uri", "/api/v1/x", "reason", "RBAC")
	exec := done("2", 8, "east", "shop", "create", "ann", "pods", "101", "name", "web-0", "subresource", "exec")
	return []auditRow{
		secret, stage(secret, "RequestReceived"), exec, stage(exec, "ResponseStarted"),
		done("3", 7, "east", "shop", "delete", "bob", "pods", "403", "decision", "forbid"),
		done("4", 6, "west", "", "update", "bob", "nodes", "500", "subresource", "status"),
		done("5", 5, "west", "shop", "update", "ann", "secrets", "200", "name", "db"),
		stage(done("6", 4, "west", "shop", "watch", "eve", "secrets", ""), "ResponseStarted"),
		done("7", 700, "west", "shop", "get", "eve", "secrets", "200"),
	}
}

func TestListAudit(t *testing.T) {
	s, now := open(t, 77), time.Now()
	for i, r := range auditRows(now) {
		var b seamark.Batch
		addAudit(&b, r)
		insertBatch(t, s, uint64(i+1), &b)
	}
	ids := func(f store.AuditFilter, limit int) string {
		f.Range = seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
		page, err := s.ListAudit(t.Context(), tenantA, store.AuditQuery{AuditFilter: f, Limit: limit})
		require.NoError(t, err)
		return idsOf(page.Records)
	}
	is := func(f store.AuditField, values ...string) store.AuditFilter {
		return store.AuditFilter{Conditions: []store.AuditCondition{{Field: f, Values: values}}}
	}
	not := func(f store.AuditField, values ...string) store.AuditFilter {
		return store.AuditFilter{Conditions: []store.AuditCondition{{Field: f, Not: true, Values: values}}}
	}
	for i, c := range []struct {
		filter store.AuditFilter
		want   string
	}{
		{store.AuditFilter{}, "6 5 4 3 2 1"},
		{store.AuditFilter{Class: store.AuditDenied}, "3"},
		{store.AuditFilter{Class: store.AuditFailed}, "4"},
		{store.AuditFilter{Class: store.AuditExec}, "2"},
		{store.AuditFilter{Class: store.AuditSecrets}, "6 1"},
		{store.AuditFilter{Class: store.AuditWrites}, "5 4 3 2"},
		{is(store.AuditUser, "ann", "eve"), "6 5 2 1"},
		{not(store.AuditUser, "ann", "eve"), "4 3"},
		{is(store.AuditCluster, "west"), "6 5 4"},
		{not(store.AuditCluster, "west"), "3 2 1"},
		{is(store.AuditNamespace, ""), "4"},
		{is(store.AuditVerb, "update", "get"), "5 4 1"},
		{is(store.AuditCode, "403"), "3"},
		{is(store.AuditDecision, "forbid"), "3"},
		{is(store.AuditSubresource, "status"), "4"},
		{is(store.AuditName, "db"), "5 1"},
		{is(store.AuditSourceIP, "10.0.0.1"), "1"},
		{is(store.AuditUserAgent, "kubectl"), "1"},
		{is(store.AuditUser, "it's"), ""},
	} {
		require.Equal(t, c.want, ids(c.filter, 10), "case %d", i)
	}
	require.Equal(t, "6 5", ids(store.AuditFilter{}, 2))
	page, err := s.ListAudit(t.Context(), tenantA, store.AuditQuery{AuditFilter: store.AuditFilter{Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}, Conditions: is(store.AuditSourceIP, "10.0.0.1").Conditions}, Limit: 1})
	require.NoError(t, err)
	list := page.Records
	require.Equal(t, "ResponseComplete /api/v1/x RBAC east shop get ann secrets db kubectl", strings.Join([]string{
		list[0].Stage, list[0].URI, list[0].Reason, list[0].Field(store.AuditCluster), list[0].Field(store.AuditNamespace), list[0].Field(store.AuditVerb),
		list[0].Field(store.AuditUser), list[0].Field(store.AuditResource), list[0].Field(store.AuditName), list[0].Field(store.AuditUserAgent),
	}, " "))
	require.WithinDuration(t, now.Add(-9*time.Minute), list[0].Time, time.Millisecond)
}

func idsOf(list []store.AuditRecord) string {
	var ids []string
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

// TestAuditPages reads lists page by page, of any length. Records of one time, and requests that take long and began among those of
// later pages, stand there once.
func TestAuditPages(t *testing.T) {
	s, now := open(t, 109), time.Now()
	record := func(id, stage string, ago time.Duration) auditRow {
		r := auditRows(now)[0]
		r.at = now.Add(-ago)
		r.attrs = append([]string{"audit_id", id, "stage", stage}, r.attrs[4:8]...)
		return r
	}
	const done, begun, answering = "ResponseComplete", "RequestReceived", "ResponseStarted"
	var b seamark.Batch
	addAudit(&b,
		record("long", done, time.Minute), record("a", done, 2*time.Minute), record("a", answering, 2*time.Minute), record("b", done, 2*time.Minute), record("c", done, 2*time.Minute),
		record("f", done, 2*time.Minute), record("g", done, 2*time.Minute), record("h", answering, 2*time.Minute), record("h", done, 2*time.Minute),
		record("nano", done, 2*time.Minute+time.Nanosecond), record("open", answering, 3*time.Minute), record("d", done, 4*time.Minute), record("d", begun, 5*time.Minute),
		record("long", begun, 6*time.Minute), record("long", answering, 5*time.Minute), record("e", done, 7*time.Minute), record("open", begun, 8*time.Minute),
	)
	insertBatch(t, s, 1, &b)
	for limit := 1; limit < 13; limit++ {
		q := store.AuditQuery{AuditFilter: store.AuditFilter{Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}}, Limit: limit}
		var ids []string
		for pages := 0; ; pages++ {
			page, err := s.ListAudit(t.Context(), tenantA, q)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Records), limit)
			require.Less(t, pages, 20)
			if len(page.Records) > 0 {
				ids = append(ids, idsOf(page.Records))
			}
			if q.After = page.Next; page.Next == nil {
				break
			}
		}
		require.Equal(t, "long a b c f g h nano open d e", strings.Join(ids, " "), "limit %d", limit)
	}
}

func TestAuditClients(t *testing.T) {
	s, now := open(t, 78), time.Now().Truncate(time.Millisecond)
	var b seamark.Batch
	addAudit(&b, auditRows(now)...)
	insertBatch(t, s, 1, &b)
	ask := func(f store.AuditFilter, order store.AuditOrder, limit int, by ...store.AuditField) *store.AuditClients {
		f.Range = seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
		found, err := s.AuditClients(t.Context(), tenantA, store.AuditClientsQuery{AuditFilter: f, By: by, Order: order, Limit: limit})
		require.NoError(t, err)
		for i := range found.List {
			found.List[i].First, found.List[i].Last = found.List[i].First.UTC(), found.List[i].Last.UTC()
		}
		return found
	}
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute).UTC() }
	require.Equal(t, &store.AuditClients{
		Entries: 2, Total: store.AuditCount{Requests: 5, Denied: 1, Failed: 1},
		List: []store.AuditClient{
			{Values: []string{"ann"}, AuditCount: store.AuditCount{Requests: 3}, First: ago(9), Last: ago(5)},
			{Values: []string{"bob"}, AuditCount: store.AuditCount{Requests: 2, Denied: 1, Failed: 1}, First: ago(7), Last: ago(6)},
		},
	}, ask(store.AuditFilter{}, store.AuditByRequests, 10, store.AuditUser))
	denied := ask(store.AuditFilter{}, store.AuditByDenied, 1, store.AuditVerb, store.AuditUser, store.AuditCluster)
	require.EqualValues(t, 5, denied.Entries)
	require.EqualValues(t, 5, denied.Total.Requests)
	require.Equal(t, []string{"delete", "bob", "east"}, denied.List[0].Values)
	require.Equal(t, []string{"update", "bob", "west"}, ask(store.AuditFilter{}, store.AuditByFailed, 1, store.AuditVerb, store.AuditUser, store.AuditCluster).List[0].Values)
	require.EqualValues(t, 3, ask(store.AuditFilter{}, store.AuditByRequests, 1, store.AuditCluster).List[0].Requests)
	require.Empty(t, ask(store.AuditFilter{Class: store.AuditExec, Conditions: []store.AuditCondition{{Field: store.AuditUser, Values: []string{"bob"}}}}, store.AuditByRequests, 1, store.AuditUser).List)
}

func TestAuditLists(t *testing.T) {
	s, now := open(t, 79), time.Now().UTC().Truncate(time.Millisecond)
	list := func(user, uri string, took time.Duration, rest string) auditRow {
		body := fmt.Sprintf(`{"requestReceivedTimestamp":%q,"stageTimestamp":"x"%s}`, now.Add(-time.Minute-took).Format(time.RFC3339Nano), rest)
		return auditRow{at: now.Add(-time.Minute), level: seamark.LevelInfo, cluster: "east", verb: "list", body: body,
			attrs: []string{"audit_id", uri + took.String(), "stage", "ResponseComplete", "user", user, "user_agent", "x", "resource", "pods", "code", "200", "uri", uri}}
	}
	var b seamark.Batch
	addAudit(&b, append(auditRows(now),
		list("slow", "/api/v1/pods?limit=500", 4*time.Second, ""), list("slow", "/api/v1/pods?limit=500&continue=x", 2*time.Second, ""),
		list("whole", "/api/v1/pods", time.Second, `,"responseObject":{"kind":"PodList","items":[{},{},{}]}`),
		list("whole", "/api/v1/pods?resourceVersion=0&limit=0", 500*time.Microsecond, `,"responseObject":{"kind":"PodList","items":[]}`),
		list("whole", "/api/v1/pods?x", 0, ""),
	)...)
	insertBatch(t, s, 1, &b)
	ask := func(order store.AuditListsOrder) []store.AuditList {
		found, entries, err := s.AuditLists(t.Context(), tenantA, store.AuditListsQuery{AuditFilter: store.AuditFilter{Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}}, Order: order, Limit: 10})
		require.NoError(t, err)
		require.EqualValues(t, 2, entries)
		for i := range found {
			found[i].Last = found[i].Last.UTC()
		}
		return found
	}
	found := ask(store.AuditListsByTime)
	require.Equal(t, store.AuditList{
		Cluster: "east", User: "slow", UserAgent: "x", Resource: "pods", Count: 2, Total: 6 * time.Second, Median: found[0].Median, P95: 4 * time.Second,
		Slowest: 4 * time.Second, MostBytes: found[0].MostBytes, URI: "/api/v1/pods?limit=500", Last: now.Add(-time.Minute),
	}, found[0])
	require.Equal(t, store.AuditList{
		Cluster: "east", User: "whole", UserAgent: "x", Resource: "pods", Count: 3, Unpaged: 3, Uncached: 2, Total: time.Second + 500*time.Microsecond, Median: found[1].Median, P95: time.Second,
		Slowest: time.Second, MostItems: 3, MostBytes: found[1].MostBytes, URI: "/api/v1/pods", Last: now.Add(-time.Minute),
	}, found[1])
	require.Positive(t, found[1].MostBytes)
	require.Equal(t, "slow", ask(store.AuditListsBySlowest)[0].User)
	require.Equal(t, "whole", ask(store.AuditListsByLarge)[0].User)
	require.Equal(t, "whole", ask(store.AuditListsByCount)[0].User)
}

func TestAuditWrites(t *testing.T) {
	s, now := open(t, 84), time.Now()
	var b seamark.Batch
	rows := auditRows(now)
	addAudit(&b, append(rows, rows[6])...) // a record that came twice
	insertBatch(t, s, 1, &b)
	ask := func(limit, bytes int) (string, bool) {
		found, truncated, err := s.AuditWrites(t.Context(), tenantA, store.AuditWritesQuery{
			AuditFilter: store.AuditFilter{Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}, Class: store.AuditWrites}, Limit: limit, MaxBytes: bytes,
		})
		require.NoError(t, err)
		text := ""
		for _, w := range found {
			text += w.ID + w.Body + w.Field(store.AuditCluster) + " "
		}
		return text, truncated
	}
	all, truncated := ask(10, 1000)
	require.Equal(t, "5{}west 4{}west 3{}east 2{}east ", all)
	require.False(t, truncated)
	two, truncated := ask(2, 1000)
	require.Equal(t, "5{}west 4{}west ", two)
	require.True(t, truncated)
	few, truncated := ask(10, 5)
	require.Equal(t, "5{}west 4{}west ", few)
	require.True(t, truncated)
}
