package isolation_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// others are the tokens of all signals but one.
func others(signal string) []string {
	var list []string
	for _, one := range seamark.Signals() {
		if one.String() != signal {
			list = append(list, "ingest token of "+one.String())
		}
	}
	return list
}

// anyPusher may call the routes whose requests tell their signals in the body.
func anyPusher() []string {
	list := []string{"ingest token"}
	for _, one := range seamark.Signals() {
		list = append(list, "ingest token of "+one.String())
	}
	return list
}

// foreignRows are the routes of other products' APIs.
func foreignRows() []row {
	return slices.Concat(elasticsearchRows(), splunkRows(), datadogRows(), influxRows(), pushgatewayRows())
}

func sends(list ...request) func(*testing.T, *world, *side) []request {
	return func(*testing.T, *world, *side) []request { return list }
}

func elasticsearchRows() []row {
	var rows []row
	bulk := func(_ *testing.T, w *world, s *side) []request {
		return []request{
			{contentType: "application/x-ndjson", body: `{"create":{}}` + "\n" + `{"message":"` + s.marker + `","@timestamp":"` + w.start.Format(time.RFC3339) + `"}` + "\n"},
			{contentType: "application/x-ndjson", body: "neither", status: http.StatusBadRequest},
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		for _, path := range []string{"/_bulk", "/:index/_bulk", "/elasticsearch/_bulk", "/elasticsearch/:index/_bulk"} {
			rows = append(rows, row{method: method, path: path, may: pushers("logs"), status: http.StatusOK, sends: bulk})
		}
	}
	ask := func(method, path, concrete string, status int) {
		rows = append(rows, row{method: method, path: path, may: pushers("logs"), status: status, sends: fixed(concrete)})
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost} {
		set := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}
		ask(method, "/elasticsearch", "", set[method == http.MethodGet || method == http.MethodHead])
		for _, managed := range []string{"/_ilm/*", "/_template/*", "/_index_template/*", "/_component_template/*", "/_data_stream/*", "/_ingest/*", "/elasticsearch/*"} {
			concrete := map[string]string{"/_ilm/*": "/_ilm/policy/x", "/_ingest/*": "/_ingest/pipeline/x", "/elasticsearch/*": "/elasticsearch/_template/x"}[managed]
			if concrete == "" {
				concrete = managed[:len(managed)-1] + "x"
			}
			ask(method, managed, concrete, http.StatusOK)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{"/_license", "/_xpack", "/_cluster/health", "/_nodes"} {
			ask(method, path, "", http.StatusOK)
		}
		ask(method, "/_nodes/*", "/_nodes/http", http.StatusOK)
		ask(method, "/_cat/*", "/_cat/templates/x", http.StatusOK)
		ask(method, "/_alias/*", "/_alias/x", http.StatusNotFound)
		ask(method, "/_logstash/*", "/_logstash/pipeline", http.StatusOK)
		ask(method, "/", "", http.StatusOK)
	}
	ask(http.MethodHead, "/:index", "/x", http.StatusOK)
	ask(http.MethodPut, "/:index", "/x", http.StatusOK)
	for i := range rows {
		rows[i].shared = rows[i].path == "/" || rows[i].path == "/:index"
	}
	return rows
}

func splunkRows() []row {
	const base = "/services/collector"
	var rows []row
	push := func(good string, paths ...string) {
		for _, path := range paths {
			rows = append(rows, row{method: http.MethodPost, path: path, may: pushers("logs"), later: others("logs"), status: http.StatusOK, splunk: true,
				sends: func(_ *testing.T, w *world, _ *side) []request {
					return []request{{path: path + "?time=" + strconv.FormatInt(w.start.Unix(), 10), body: good}}
				}})
		}
	}
	push(`{"event":"x"}`, base, base+"/event", base+"/event/1.0")
	push("a line", base+"/raw", base+"/raw/1.0")
	for _, path := range []string{base + "/ack", base + "/ack/1.0"} {
		rows = append(rows, row{method: http.MethodPost, path: path, may: anyPusher(), status: http.StatusOK, splunk: true,
			sends: sends(request{path: path + "?channel=x", body: `{"acks":[0]}`}, request{path: path, body: `{"acks":[0]}`, status: http.StatusBadRequest})})
	}
	return rows
}

func datadogRows() []row {
	var rows []row
	for _, path := range []string{
		"/api/v1/series", "/api/v2/series", "/api/beta/sketches", "/api/v1/check_run", "/intake/", "/intake", "/api/v2/logs", "/v1/input", "/api/v1/metadata",
	} {
		rows = append(rows, row{method: http.MethodPost, path: path, may: anyPusher(), status: http.StatusAccepted, sends: sends(request{contentType: "application/json", body: "{}"})})
	}
	return append(rows, row{method: http.MethodGet, path: "/api/v1/validate", may: anyPusher(), status: http.StatusOK, sends: fixed("")})
}

func influxRows() []row {
	var rows []row
	for _, path := range []string{"/write", "/api/v2/write"} {
		rows = append(rows, row{method: http.MethodPost, path: path, may: pushers("metrics"), status: http.StatusNoContent,
			sends: func(_ *testing.T, w *world, s *side) []request {
				return []request{
					{path: path + "?precision=s", body: "same,who=" + s.marker + " value=1 " + strconv.FormatInt(w.start.Unix(), 10)},
					{path: path + "?precision=s", body: "same value", status: http.StatusBadRequest},
				}
			}})
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		rows = append(rows, row{method: method, path: "/query", may: anyPusher(), status: http.StatusOK,
			sends: sends(request{path: "/query?q=SHOW+DATABASES"}, request{path: "/query?q=SELECT+1", status: http.StatusBadRequest})})
	}
	return rows
}

func pushgatewayRows() []row {
	const group = "/metrics/job/same"
	var rows []row
	for method, status := range map[string]int{http.MethodPut: http.StatusOK, http.MethodPost: http.StatusOK, http.MethodDelete: http.StatusAccepted} {
		rows = append(rows, row{method: method, path: "/metrics/*", may: pushers("metrics"), status: status,
			sends: func(_ *testing.T, _ *world, s *side) []request {
				return []request{{path: group, contentType: "text/plain", body: "same_pushed{who=\"" + s.marker + "\"} 1\n"}}
			}})
	}
	return append(rows, row{method: http.MethodGet, path: "/api/v1/metrics", may: readers, status: http.StatusOK, shows: readers,
		sends: func(t *testing.T, _ *world, s *side) []request {
			s.Post(t, s.Ingest, "/metrics/job/"+s.marker, "text/plain", "same_kept 1\n", http.StatusOK)
			return []request{{}}
		}})
}

// pipelineRows keep a pipeline of the marker's name, which is off.
func pipelineRows() []row {
	const path = "/api/v1/pipelines"
	body := func(s *side, revision uint64) string {
		return `{"revision":` + strconv.FormatUint(revision, 10) + `,"pipelines":[{"name":"` + s.marker + `","enabled":false,"steps":[{"name":"x","kind":"drop","match":["IsMatch(log.body, \"x\")"]}]}]}`
	}
	revision := func(t *testing.T, s *side) uint64 {
		var list struct{ Revision uint64 }
		if err := json.Unmarshal([]byte(s.Do(t, s.Admin, http.MethodGet, path, nil, "").Body), &list); err != nil {
			t.Fatal(err)
		}
		return list.Revision
	}
	return []row{
		{method: http.MethodPut, path: path, may: admins, status: http.StatusOK, shows: admins, sends: func(t *testing.T, _ *world, s *side) []request {
			now := revision(t, s)
			return []request{
				{contentType: "application/json", body: body(s, now)},
				{contentType: "application/json", body: body(s, now), status: http.StatusConflict},
				{contentType: "application/json", body: "{}", status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: path, may: members, status: http.StatusOK, shows: members, sends: func(t *testing.T, _ *world, s *side) []request {
			if now := revision(t, s); now == 0 {
				s.Do(t, s.Admin, http.MethodPut, path, http.Header{"Content-Type": {"application/json"}}, body(s, now))
			}
			return []request{{}}
		}},
		{method: http.MethodPost, path: path + "/dry-run", may: admins, status: http.StatusOK, shows: admins, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: "application/json", body: `{"pipeline":{"name":"x","enabled":true,"steps":[]},"records":[{"labels":{"app":"x"},"body":"` + s.marker + `"}]}`},
				{contentType: "application/json", body: "[]", status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodGet, path: path + "/stats", may: members, status: http.StatusOK, sends: fixed("")},
	}
}
