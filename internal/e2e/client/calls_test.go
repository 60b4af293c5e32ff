package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func (w *world) clusterPage(limit int) func(context.Context, *string) ([]client.Cluster, string, error) {
	return func(ctx context.Context, cursor *string) ([]client.Cluster, string, error) {
		page, err := w.admin.ListClusters(ctx, &client.ListClustersParams{Limit: &limit, Cursor: cursor})
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	}
}

func pushCalls() []call {
	otlp := func(signal string) client.Body { return jsonBody(map[string]any{signal: []any{}}) }
	return []call{
		{"pushLoki", func(t *testing.T, w *world) error {
			return w.ingest.PushLoki(t.Context(), jsonBody(w.lines("another")))
		}},
		{"pushRemoteWrite", func(t *testing.T, w *world) error { return w.ingest.PushRemoteWrite(t.Context(), w.samples(t)) }},
		{"pushRemoteWriteMimir", func(t *testing.T, w *world) error { return w.ingest.PushRemoteWriteMimir(t.Context(), w.samples(t)) }},
		{"pushRemoteWritePrefixed", func(t *testing.T, w *world) error { return w.ingest.PushRemoteWritePrefixed(t.Context(), w.samples(t)) }},
		{"pushRemoteWriteCortex", func(t *testing.T, w *world) error {
			return w.ingest.PushRemoteWriteCortex(t.Context(), w.samples(t), client.WithHeader("X-Prometheus-Remote-Write-Version", "0.1.0"))
		}},
		{"pushJSONLogs", func(t *testing.T, w *world) error {
			return w.ingest.PushJSONLogs(t.Context(), &client.PushJSONLogsParams{MessageField: new("said")}, jsonBody(map[string]any{"said": "x"}))
		}},
		{"pushAudit", func(t *testing.T, w *world) error { return w.ingest.PushAudit(t.Context(), w.audit()) }},
		{"pushEvents", func(t *testing.T, w *world) error { return w.ingest.PushEvents(t.Context(), w.event()) }},
		{"pushKubeEventerGet", func(t *testing.T, w *world) error {
			err := w.ingest.PushKubeEventerGet(t.Context(), map[string]string{
				"EventType": "Warning", "EventKind": "Pod", "EventReason": "GotByGet", "EventTime": w.start.String(), "EventMessage": "m",
			})
			testkit.Eventually(t, within, func() error {
				list, err := w.query.ListEvents(t.Context(), &client.ListEventsParams{Reason: []string{"GotByGet"}})
				if err == nil && (len(list.Items) != 1 || list.Items[0].Message != "m" || list.Items[0].Kind != "Pod") {
					err = fmt.Errorf("got %+v, want the event", list.Items)
				}
				return err
			})
			return err
		}},
		{"pushKubeEventer", func(t *testing.T, w *world) error {
			return w.ingest.PushKubeEventer(t.Context(), map[string]string{
				"EventType": "Warning", "EventKind": "Pod", "EventReason": "BackOff", "EventTime": w.start.String(), "EventMessage": "m",
			})
		}},
		{"pushOtlpLogs", func(t *testing.T, w *world) error {
			return drain(w.ingest.PushOTLPLogs(t.Context(), otlp("resourceLogs")))
		}},
		{"pushOtlpMetrics", func(t *testing.T, w *world) error {
			return drain(w.ingest.PushOTLPMetrics(t.Context(), otlp("resourceMetrics")))
		}},
		{"pushOtlpTraces", func(t *testing.T, w *world) error {
			return drain(w.ingest.PushOTLPTraces(t.Context(), otlp("resourceSpans")))
		}},
		{"pushOtlpLogsPrefixed", func(t *testing.T, w *world) error {
			return drain(w.ingest.PushOTLPLogsPrefixed(t.Context(), otlp("resourceLogs")))
		}},
		{"pushOtlpMetricsPrefixed", func(t *testing.T, w *world) error {
			return drain(w.ingest.PushOTLPMetricsPrefixed(t.Context(), otlp("resourceMetrics")))
		}},
		{"pushOtlpTracesPrefixed", func(t *testing.T, w *world) error {
			return drain(w.ingest.PushOTLPTracesPrefixed(t.Context(), otlp("resourceSpans")))
		}},
		{"listPushedGroups", func(t *testing.T, w *world) error { return one(w.query.ListPushedGroups(t.Context())) }},
	}
}

func controlCalls() []call {
	return []call{
		{"findSession", func(t *testing.T, w *world) error { return one(w.owner.FindSession(t.Context())) }},
		{"createSession", func(*testing.T, *world) error { return nil }}, // the world has signed in
		{"listClusters", func(t *testing.T, w *world) error { return one(w.admin.ListClusters(t.Context(), nil)) }},
		{"createCluster", createCluster},
		{"findCluster", func(t *testing.T, w *world) error { return one(w.admin.FindCluster(t.Context(), w.clusterID)) }},
		{"deleteCluster", deleteCluster},
		{"listTenants", func(t *testing.T, w *world) error { return one(w.operator.ListTenants(t.Context(), nil)) }},
		{"findQuotas", func(t *testing.T, w *world) error { return one(w.admin.FindQuotas(t.Context())) }},
		{"findClusterQuotas", func(t *testing.T, w *world) error { return one(w.admin.FindClusterQuotas(t.Context(), w.clusterID)) }},
		{"setClusterQuota", func(t *testing.T, w *world) error {
			return one(w.admin.SetClusterQuota(t.Context(), w.clusterID, client.Quota{MaxLabels: new(int64(30))}))
		}},
		{"findTenantQuotas", func(t *testing.T, w *world) error { return one(w.operator.FindTenantQuotas(t.Context(), w.tenantID)) }},
		{"setTenantQuota", func(t *testing.T, w *world) error {
			return one(w.operator.SetTenantQuota(t.Context(), w.tenantID, client.Quota{RowsPerSecond: new(int64(100000))}))
		}},
		{"listDrops", func(t *testing.T, w *world) error { return one(w.query.ListDrops(t.Context(), nil)) }},
		{"findPipelines", func(t *testing.T, w *world) error { return one(w.admin.FindPipelines(t.Context())) }},
		{"replacePipelines", replacePipelines},
		{"tryPipeline", func(t *testing.T, w *world) error {
			return one(w.admin.TryPipeline(t.Context(), client.PipelineDryRun{
				Pipeline: pipeline(), Records: []client.PipelineRecord{{Labels: map[string]string{"app": "web"}, Body: "x"}},
			}))
		}},
		{"findPipelineStats", func(t *testing.T, w *world) error { return one(w.admin.FindPipelineStats(t.Context())) }},
	}
}

func pipeline() client.Pipeline {
	return client.Pipeline{Name: "p", Steps: []client.PipelineStep{{Name: "s", Kind: client.PipelineStepKindDrop, Match: []string{`IsMatch(log.body, "x")`}}}}
}

// replacePipelines changes pipelines as Terraform does: with the ETag that was read.
func replacePipelines(t *testing.T, w *world) error {
	var made client.Meta
	_, err := w.admin.ReplacePipelines(t.Context(), client.NewPipelines{Pipelines: []client.Pipeline{pipeline()}}, client.IfAbsent(), client.Into(&made))
	if err != nil {
		return err
	}
	_, again := w.admin.ReplacePipelines(t.Context(), client.NewPipelines{Pipelines: []client.Pipeline{}}, client.IfAbsent())
	if !client.IsConflict(again) {
		t.Errorf("created twice: %v", again)
	}
	return one(w.admin.ReplacePipelines(t.Context(), client.NewPipelines{Pipelines: []client.Pipeline{}}, client.IfMatch(made.ETag)))
}

func eventCalls() []call {
	const cluster, kind, object, namespace = slug, "Pod", "web-1", "shop"
	return []call{
		{"listEvents", func(t *testing.T, w *world) error {
			return one(w.query.ListEvents(t.Context(), &client.ListEventsParams{Namespace: []string{namespace}, NodeProblems: new(true)}))
		}},
		{"countEventFacets", func(t *testing.T, w *world) error { return one(w.query.CountEventFacets(t.Context(), nil)) }},
		{"countEventSeries", func(t *testing.T, w *world) error {
			return one(w.query.CountEventSeries(t.Context(), &client.CountEventSeriesParams{Step: new("5m")}))
		}},
		{"compareEvents", func(t *testing.T, w *world) error { return one(w.query.CompareEvents(t.Context(), nil)) }},
		{"showEventTimeline", func(t *testing.T, w *world) error {
			return one(w.query.ShowEventTimeline(t.Context(), &client.ShowEventTimelineParams{Cluster: cluster, Namespace: new(namespace), Kind: kind, Object: object}))
		}},
		{"listAudit", listsAudit},
		{"countAuditClients", func(t *testing.T, w *world) error { return one(w.query.CountAuditClients(t.Context(), nil)) }},
		{"showAuditLists", func(t *testing.T, w *world) error { return one(w.query.ShowAuditLists(t.Context(), nil)) }},
		{"showAuditWrites", func(t *testing.T, w *world) error {
			return one(w.query.ShowAuditWrites(t.Context(), &client.ShowAuditWritesParams{
				Cluster: cluster, Namespace: new(namespace), APIGroup: new("apps"), Resource: "deployments", Name: "web",
			}))
		}},
	}
}

// listsAudit pushes three audit records and reads them page by page.
func listsAudit(t *testing.T, w *world) error {
	want := []string{"page-3", "page-2", "page-1"}
	for n := range want {
		record, at := w.audit(), w.start.Add(time.Duration(n)*time.Second).Format(time.RFC3339Nano)
		record["auditID"], record["verb"], record["requestReceivedTimestamp"], record["stageTimestamp"] = want[len(want)-1-n], "delete", at, at
		if err := w.ingest.PushAudit(t.Context(), record); err != nil {
			return err
		}
	}
	testkit.Eventually(t, within, func() error {
		var got []string
		for record, err := range client.Pages(t.Context(), func(ctx context.Context, cursor *string) ([]client.AuditRecord, string, error) {
			page, err := w.query.ListAudit(ctx, &client.ListAuditParams{
				Class: new(client.ListAuditParamsClassWrites), Verb: []string{"delete"}, Start: new(w.start.Add(-time.Minute).Format(time.RFC3339)), Limit: new(1), Cursor: cursor,
			})
			if err != nil {
				return nil, "", err
			}
			return page.Items, page.NextCursor, nil
		}) {
			if err != nil {
				return err
			}
			got = append(got, record.AuditID)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("by pages of one: %q, want %q", got, want)
		}
		return nil
	})
	return nil
}

func logCalls() []call {
	return []call{
		{"readLogContext", func(t *testing.T, w *world) error {
			return one(w.query.ReadLogContext(t.Context(), &client.ReadLogContextParams{Stream: new(`{app="web"}`), Time: new(w.nanos())}))
		}},
		{"querySql", func(t *testing.T, w *world) error {
			return drain(w.query.QuerySQL(t.Context(), client.SQLQuery{Query: "SELECT count() FROM logs WHERE namespace = {ns:String}", Parameters: map[string]any{"ns": "shop"}}))
		}},
		{"explainSql", func(t *testing.T, w *world) error {
			return one(w.query.ExplainSQL(t.Context(), client.SQLQuery{Query: "SELECT count() FROM logs"}))
		}},
		{"listSqlViews", func(t *testing.T, w *world) error { return one(w.query.ListSQLViews(t.Context())) }},
		{"exportLogs", func(t *testing.T, w *world) error {
			return drain(w.query.ExportLogs(t.Context(), &client.ExportLogsParams{Query: `{app="web"}`, Format: new(client.ExportLogsParamsFormatCsv), Labels: new("app")}))
		}},
	}
}

func prometheusCalls() []call {
	const query = "up"
	from, to := func(w *world) *string { return new(w.start.Format(time.RFC3339)) }, func(w *world) *string { return new(w.start.Add(time.Minute).Format(time.RFC3339)) }
	form := func(w *world) url.Values {
		return url.Values{"query": {query}, "start": {*from(w)}, "end": {*to(w)}, "step": {"15"}}
	}
	return []call{
		{"promQuery", func(t *testing.T, w *world) error {
			return one(w.query.PromQuery(t.Context(), &client.PromQueryParams{Query: new(query)}))
		}},
		{"promQueryForm", func(t *testing.T, w *world) error {
			return one(w.query.PromQueryForm(t.Context(), url.Values{"query": {query}}))
		}},
		{"promQueryRange", func(t *testing.T, w *world) error {
			return one(w.query.PromQueryRange(t.Context(), &client.PromQueryRangeParams{Query: new(query), Start: from(w), End: to(w), Step: new("15s")}))
		}},
		{"promQueryRangeForm", func(t *testing.T, w *world) error { return one(w.query.PromQueryRangeForm(t.Context(), form(w))) }},
		{"promListLabels", func(t *testing.T, w *world) error { return one(w.query.PromListLabels(t.Context(), nil)) }},
		{"promListLabelsForm", func(t *testing.T, w *world) error {
			return one(w.query.PromListLabelsForm(t.Context(), url.Values{"match[]": {query}}))
		}},
		{"promListLabelValues", func(t *testing.T, w *world) error { return one(w.query.PromListLabelValues(t.Context(), "job", nil)) }},
		{"promListSeries", func(t *testing.T, w *world) error {
			return one(w.query.PromListSeries(t.Context(), &client.PromListSeriesParams{Match: []string{query}}))
		}},
		{"promListSeriesForm", func(t *testing.T, w *world) error {
			return one(w.query.PromListSeriesForm(t.Context(), url.Values{"match[]": {query}}))
		}},
		{"promListMetadata", func(t *testing.T, w *world) error { return one(w.query.PromListMetadata(t.Context(), nil)) }},
		{"promQueryExemplars", func(t *testing.T, w *world) error {
			return one(w.query.PromQueryExemplars(t.Context(), &client.PromQueryExemplarsParams{Query: new(query), Start: from(w), End: to(w)}))
		}},
		{"promQueryExemplarsForm", func(t *testing.T, w *world) error { return one(w.query.PromQueryExemplarsForm(t.Context(), form(w))) }},
		{"promFormatQuery", func(t *testing.T, w *world) error {
			return one(w.query.PromFormatQuery(t.Context(), &client.PromFormatQueryParams{Query: new(query)}))
		}},
		{"promFormatQueryForm", func(t *testing.T, w *world) error {
			return one(w.query.PromFormatQueryForm(t.Context(), url.Values{"query": {query}}))
		}},
		{"promParseQuery", func(t *testing.T, w *world) error {
			return one(w.query.PromParseQuery(t.Context(), &client.PromParseQueryParams{Query: new(query)}))
		}},
		{"promParseQueryForm", func(t *testing.T, w *world) error {
			return one(w.query.PromParseQueryForm(t.Context(), url.Values{"query": {query}}))
		}},
		{"promRead", func(t *testing.T, w *world) error { return drain(w.query.PromRead(t.Context(), w.readRequest(t))) }},
		{"promFederate", func(t *testing.T, w *world) error {
			return drain(w.query.PromFederate(t.Context(), &client.PromFederateParams{Match: []string{query}}))
		}},
		{"promTSDBStatus", func(t *testing.T, w *world) error { return one(w.query.PromTSDBStatus(t.Context(), nil)) }},
		{"promBuildInfo", func(t *testing.T, w *world) error { return one(w.query.PromBuildInfo(t.Context())) }},
		{"exploreCardinality", func(t *testing.T, w *world) error { return one(w.query.ExploreCardinality(t.Context(), nil)) }},
	}
}

func lokiCalls() []call {
	const query = `{app="web"}`
	q, form := new(query), url.Values{"query": {query}}
	return []call{
		{"lokiQuery", func(t *testing.T, w *world) error {
			return one(w.query.LokiQuery(t.Context(), &client.LokiQueryParams{Query: new("count_over_time(" + query + "[5m])")}))
		}},
		{"lokiQueryForm", func(t *testing.T, w *world) error {
			return one(w.query.LokiQueryForm(t.Context(), url.Values{"query": {"count_over_time(" + query + "[5m])"}}))
		}},
		{"lokiQueryRange", func(t *testing.T, w *world) error {
			return one(w.query.LokiQueryRange(t.Context(), &client.LokiQueryRangeParams{Query: q}))
		}},
		{"lokiQueryRangeForm", func(t *testing.T, w *world) error { return one(w.query.LokiQueryRangeForm(t.Context(), form)) }},
		{"lokiListLabels", func(t *testing.T, w *world) error { return one(w.query.LokiListLabels(t.Context(), nil)) }},
		{"lokiListLabelsForm", func(t *testing.T, w *world) error { return one(w.query.LokiListLabelsForm(t.Context(), form)) }},
		{"lokiListLabelsOld", func(t *testing.T, w *world) error { return one(w.query.LokiListLabelsOld(t.Context(), nil)) }},
		{"lokiListLabelsOldForm", func(t *testing.T, w *world) error { return one(w.query.LokiListLabelsOldForm(t.Context(), form)) }},
		{"lokiListLabelValues", func(t *testing.T, w *world) error { return one(w.query.LokiListLabelValues(t.Context(), "app", nil)) }},
		{"lokiListLabelValuesForm", func(t *testing.T, w *world) error {
			return one(w.query.LokiListLabelValuesForm(t.Context(), "app", form))
		}},
		{"lokiListSeries", func(t *testing.T, w *world) error {
			return one(w.query.LokiListSeries(t.Context(), &client.LokiListSeriesParams{Match: []string{query}}))
		}},
		{"lokiListSeriesForm", func(t *testing.T, w *world) error {
			return one(w.query.LokiListSeriesForm(t.Context(), url.Values{"match[]": {query}}))
		}},
		{"lokiIndexStats", func(t *testing.T, w *world) error {
			return one(w.query.LokiIndexStats(t.Context(), &client.LokiIndexStatsParams{Query: q}))
		}},
		{"lokiIndexStatsForm", func(t *testing.T, w *world) error { return one(w.query.LokiIndexStatsForm(t.Context(), form)) }},
		{"lokiVolume", func(t *testing.T, w *world) error {
			return one(w.query.LokiVolume(t.Context(), &client.LokiVolumeParams{Query: q}))
		}},
		{"lokiVolumeForm", func(t *testing.T, w *world) error { return one(w.query.LokiVolumeForm(t.Context(), form)) }},
		{"lokiVolumeRange", func(t *testing.T, w *world) error {
			return one(w.query.LokiVolumeRange(t.Context(), &client.LokiVolumeRangeParams{Query: q}))
		}},
		{"lokiVolumeRangeForm", func(t *testing.T, w *world) error { return one(w.query.LokiVolumeRangeForm(t.Context(), form)) }},
		{"lokiDetectedLabels", func(t *testing.T, w *world) error {
			return one(w.query.LokiDetectedLabels(t.Context(), &client.LokiDetectedLabelsParams{Query: q}))
		}},
		{"lokiDetectedLabelsForm", func(t *testing.T, w *world) error { return one(w.query.LokiDetectedLabelsForm(t.Context(), form)) }},
		{"lokiDetectedFields", func(t *testing.T, w *world) error {
			return one(w.query.LokiDetectedFields(t.Context(), &client.LokiDetectedFieldsParams{Query: q}))
		}},
		{"lokiDetectedFieldsForm", func(t *testing.T, w *world) error { return one(w.query.LokiDetectedFieldsForm(t.Context(), form)) }},
		{"lokiDetectedFieldValues", func(t *testing.T, w *world) error {
			return one(w.query.LokiDetectedFieldValues(t.Context(), "x", &client.LokiDetectedFieldValuesParams{Query: q}))
		}},
		{"lokiDetectedFieldValuesForm", func(t *testing.T, w *world) error {
			return one(w.query.LokiDetectedFieldValuesForm(t.Context(), "x", form))
		}},
		{"lokiPatterns", func(t *testing.T, w *world) error {
			return one(w.query.LokiPatterns(t.Context(), &client.LokiPatternsParams{Query: q}))
		}},
		{"lokiPatternsForm", func(t *testing.T, w *world) error { return one(w.query.LokiPatternsForm(t.Context(), form)) }},
		{"lokiShards", func(t *testing.T, w *world) error {
			return one(w.query.LokiShards(t.Context(), &client.LokiShardsParams{Query: query, TargetBytesPerShard: "600MB"}))
		}},
		{"lokiShardsForm", func(t *testing.T, w *world) error {
			return one(w.query.LokiShardsForm(t.Context(), url.Values{"query": {query}, "targetBytesPerShard": {"600MB"}}))
		}},
		{"lokiDrilldownLimits", func(t *testing.T, w *world) error { return one(w.query.LokiDrilldownLimits(t.Context())) }},
		{"lokiFormatQuery", func(t *testing.T, w *world) error {
			return one(w.query.LokiFormatQuery(t.Context(), &client.LokiFormatQueryParams{Query: q}))
		}},
		{"lokiFormatQueryForm", func(t *testing.T, w *world) error { return one(w.query.LokiFormatQueryForm(t.Context(), form)) }},
		{"lokiTail", tails},
		{"lokiBuildInfo", func(t *testing.T, w *world) error { return one(w.query.LokiBuildInfo(t.Context())) }},
	}
}

func ruleCalls() []call {
	const group = "name: g\nrules:\n- record: a:b\n  expr: vector(1)\n"
	save := func(t *testing.T, w *world, text string) error {
		return one(w.admin.SaveRuleGroup(t.Context(), "a/b", client.Body{ContentType: "application/yaml", Reader: strings.NewReader(text)}))
	}
	return []call{
		{"saveRuleGroup", func(t *testing.T, w *world) error {
			if err := save(t, w, strings.ReplaceAll(group, "vector(1)", "vector(2)")); err != nil {
				return err
			}
			if err := save(t, w, group); err != nil {
				return err
			}
			differs(t, w, "rule_group/a/b/g", `.group.rules[record=a:b].expr: "vector(2)" -> "vector(1)"`)
			return nil
		}},
		{"listRuleGroups", func(t *testing.T, w *world) error { return drain(w.admin.ListRuleGroups(t.Context())) }},
		{"listRuleNamespace", func(t *testing.T, w *world) error { return drain(w.admin.ListRuleNamespace(t.Context(), "a/b")) }},
		{"findRuleGroup", func(t *testing.T, w *world) error { return drain(w.admin.FindRuleGroup(t.Context(), "a/b", "g")) }},
		{"listRules", func(t *testing.T, w *world) error { return one(w.query.ListRules(t.Context(), nil)) }},
		{"listAlerts", func(t *testing.T, w *world) error { return one(w.query.ListAlerts(t.Context())) }},
		{"deleteRuleGroup", func(t *testing.T, w *world) error {
			_, err := w.admin.DeleteRuleGroup(t.Context(), "a/b", "g")
			_, again := w.admin.DeleteRuleGroup(t.Context(), "a/b", "g")
			if !client.IsNotFound(again) {
				t.Errorf("deleted twice: %v", again)
			}
			return err
		}},
		{"deleteRuleNamespace", func(t *testing.T, w *world) error {
			_, err := w.admin.SaveRuleGroup(t.Context(), "n", client.Body{ContentType: "application/yaml", Reader: strings.NewReader(group)})
			if err := errors.Join(err, one(w.admin.DeleteRuleNamespace(t.Context(), "n"))); err != nil {
				return err
			}
			tells(t, w, "rule/n", `.g: {"group":{"name":"g","rules":[{"expr":"vector(1)","record":"a:b"}]},"language":"promql","name":"g","namespace":"n"} -> nothing`)
			return nil
		}},
	}
}

func alertmanagerCalls() []call {
	const config = "alertmanager_config: |\n  route: {receiver: none}\n  receivers:\n  - {name: none}\n"
	save := func(t *testing.T, w *world, more string) error {
		return w.admin.SaveAlertmanagerConfig(t.Context(), client.Body{ContentType: "application/yaml", Reader: strings.NewReader(config + more)})
	}
	silence := func(w *world) map[string]any {
		return map[string]any{
			"matchers": []any{map[string]any{"name": "a", "value": "b", "isRegex": false}},
			"startsAt": time.Now().Format(time.RFC3339), "endsAt": time.Now().Add(time.Hour).Format(time.RFC3339),
			"createdBy": "test", "comment": "c",
		}
	}
	id := func(t *testing.T, w *world) string {
		t.Helper()
		made, err := w.admin.AlertmanagerSaveSilence(t.Context(), silence(w))
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(made), `"silenceID":"`)
		text, _, _ = strings.Cut(text, `"`)
		return text
	}
	return []call{
		{"saveAlertmanagerConfig", func(t *testing.T, w *world) error {
			if err := save(t, w, "  - {name: hook, webhook_configs: [{url: 'https://hooks.example.com/hidden'}]}\n"); err != nil {
				return err
			}
			if err := save(t, w, ""); err != nil {
				return err
			}
			differs(t, w, "alertmanager/config",
				`.alertmanager_config.receivers[name=hook]: {"name":"hook","webhook_configs":[{"url":"\u003csecret\u003e"}]} -> nothing`)
			return nil
		}},
		{"findAlertmanagerConfig", func(t *testing.T, w *world) error { return drain(w.admin.FindAlertmanagerConfig(t.Context())) }},
		{"listReceivers", func(t *testing.T, w *world) error { return one(w.admin.ListReceivers(t.Context(), nil)) }},
		{"testReceiver", func(t *testing.T, w *world) error {
			return one(w.admin.TestReceiver(t.Context(), "none", client.ReceiverTest{}))
		}},
		{"listDeliveries", func(t *testing.T, w *world) error { return one(w.admin.ListDeliveries(t.Context(), nil)) }},
		{"alertmanagerStatus", func(t *testing.T, w *world) error { return one(w.admin.AlertmanagerStatus(t.Context())) }},
		{"alertmanagerListAlerts", func(t *testing.T, w *world) error { return one(w.admin.AlertmanagerListAlerts(t.Context(), nil)) }},
		{"alertmanagerListAlertGroups", func(t *testing.T, w *world) error { return one(w.admin.AlertmanagerListAlertGroups(t.Context(), nil)) }},
		{"alertmanagerListReceivers", func(t *testing.T, w *world) error { return one(w.admin.AlertmanagerListReceivers(t.Context())) }},
		{"alertmanagerSaveSilence", func(t *testing.T, w *world) error {
			return one(w.admin.AlertmanagerSaveSilence(t.Context(), silence(w)))
		}},
		{"alertmanagerListSilences", func(t *testing.T, w *world) error { return one(w.admin.AlertmanagerListSilences(t.Context(), nil)) }},
		{"alertmanagerFindSilence", func(t *testing.T, w *world) error { return one(w.admin.AlertmanagerFindSilence(t.Context(), id(t, w))) }},
		{"alertmanagerExpireSilence", func(t *testing.T, w *world) error {
			made := id(t, w)
			tells(t, w, "silence/"+made, `.comment: nothing -> "c"`)
			if err := w.admin.AlertmanagerExpireSilence(t.Context(), made); err != nil {
				return err
			}
			tells(t, w, "silence/"+made, `.status.state: "active" -> "expired"`)
			return nil
		}},
		{"deleteAlertmanagerConfig", func(t *testing.T, w *world) error { return w.admin.DeleteAlertmanagerConfig(t.Context()) }},
	}
}

// lastCalls end what the calls before need.
func lastCalls() []call {
	return []call{
		{"deleteSession", func(t *testing.T, w *world) error { return w.owner.DeleteSession(t.Context()) }},
	}
}
