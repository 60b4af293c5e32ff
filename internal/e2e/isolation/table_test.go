package isolation_test

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// row is what the walk knows of one route.
type row struct {
	method, path string
	may          []string // who may call it, by the names in side.tokens; everybody else is refused with 403
	status       int      // of a good request
	shows        []string // to whom the answers show the tenant's own marker
	later        []string // who may call the route and not push what the request carries: 403 after the body is read
	ownOnly      []string // who may call the route for what is their own, and finds what is not absent
	shared       bool     // without a credential in a header the console has the path
	splunk       bool     // a token that is no good is 403 there, and 401 only when it is missing or malformed
	fresh        bool     // the request ends a session, so each gets its own
	sends        func(t *testing.T, w *world, s *side) []request
	after        func(t *testing.T, s *side) // undoes what a request changed
}

// request is one request to a row's route.
type request struct {
	path        string // with the query
	contentType string
	body        string
	status      int // 0: the row's
}

// Who may do what. These lists stand here a second time, apart from the policy, so that a change of the policy is seen.
var (
	readers   = []string{"query token", "admin token", "owner", "admin", "editor", "viewer"}
	members   = []string{"admin token", "owner", "admin", "editor", "viewer"}
	people    = append(slices.Clone(members), "operator")
	editors   = []string{"admin token", "owner", "admin", "editor"}
	admins    = []string{"admin token", "owner", "admin"}
	anybody   = append(slices.Clone(readers), "operator")
	operators = []string{"operator"}
)

func pushers(signal string) []string { return []string{"ingest token", "ingest token of " + signal} }

const form = "application/x-www-form-urlencoded"

// table is the whole route table.
func table() []row {
	var rows []row
	for _, part := range [][]row{ingestRows(), foreignRows(), pipelineRows(), forwarderRows(), savedQueryRows(), dashboardRows(), prometheusRows(), lokiRows(), lokiExploreRows(), logRows(), ruleRows(), detectorRows(), alertingRows(), alertmanagerRows(), receiverRows(), controlRows(), eventRows(), auditRows(), accessRows(), clusterRows(), lifecycleRows(), usageRows(), runningRows(), sessionRows()} {
		rows = append(rows, part...)
	}
	return rows
}

func ingestRows() []row {
	var rows []row
	push := func(signal string, status int, contentType string, body func(t *testing.T, w *world, s *side) string, paths ...string) {
		for _, path := range paths {
			rows = append(rows, row{method: http.MethodPost, path: path, may: pushers(signal), status: status, sends: func(t *testing.T, w *world, s *side) []request {
				return []request{
					{contentType: contentType, body: body(t, w, s)},
					{contentType: contentType, body: "neither protobuf nor JSON", status: http.StatusBadRequest},
				}
			}})
		}
	}
	metrics := func(t *testing.T, w *world, s *side) string { return w.metricsBody(t, s) }
	logs := func(t *testing.T, w *world, s *side) string { return w.logsBody(t, s) }
	event := func(_ *testing.T, w *world, s *side) string { return w.eventBody(s) }
	empty := func(*testing.T, *world, *side) string { return "{}" }
	eventer := func(_ *testing.T, w *world, s *side) string {
		return `{"EventType":"Warning","EventKind":"Pod","EventReason":"Same","EventTime":"` + w.start.String() + `","EventMessage":"` + s.marker + `"}`
	}
	push("logs", http.StatusNoContent, "application/json", logs, "/loki/api/v1/push")
	push("metrics", http.StatusNoContent, "application/x-protobuf", metrics, "/api/v1/push", "/api/v1/write", "/prometheus/api/v1/write")
	rows = append(rows, row{method: http.MethodPost, path: "/api/prom/push", may: pushers("logs"), later: others("logs"), status: http.StatusNoContent,
		sends: func(t *testing.T, w *world, s *side) []request {
			return []request{{contentType: "application/json", body: logs(t, w, s)}}
		}})
	push("logs", http.StatusOK, "application/json", empty, "/v1/logs", "/otlp/v1/logs")
	push("metrics", http.StatusOK, "application/json", empty, "/v1/metrics", "/otlp/v1/metrics")
	push("traces", http.StatusOK, "application/json", empty, "/v1/traces", "/otlp/v1/traces")
	push("logs", http.StatusNoContent, "application/json", func(_ *testing.T, w *world, s *side) string {
		return `{"message":"` + s.marker + `","time":"` + w.start.Format(time.RFC3339) + `"}`
	}, "/api/v1/push/logs")
	push("logs", http.StatusOK, "application/json", func(_ *testing.T, w *world, s *side) string {
		return `{"kind":"Event","auditID":"` + s.marker + `","verb":"get","stageTimestamp":"` + w.start.Format(time.RFC3339) + `"}`
	}, "/api/v1/push/audit")
	push("events", http.StatusOK, "application/json", event, "/api/v1/push/events")
	push("events", http.StatusOK, "application/json", eventer, "/api/v1/push/kube-eventer")
	get := rows[len(rows)-1]
	get.method = http.MethodGet
	return append(rows, get)
}

// reads makes the rows of a route that takes its parameters in the URL and, when posted is set, as a form. Every query is
// one request; those after the first may have a status of their own.
func reads(path string, posted, shows bool, requests func(w *world, s *side) []request) []row {
	get := row{method: http.MethodGet, path: path, may: readers, status: http.StatusOK}
	if shows {
		get.shows = readers
	}
	get.sends = func(_ *testing.T, w *world, s *side) []request { return requests(w, s) }
	if !posted {
		return []row{get}
	}
	post := get
	post.method = http.MethodPost
	post.sends = func(_ *testing.T, w *world, s *side) []request {
		list := requests(w, s)
		for i := range list {
			list[i].contentType, list[i].body, list[i].path = form, list[i].path, ""
		}
		return list
	}
	return []row{get, post}
}

// other returns the marker of the tenant that s must not see.
func (w *world) other(s *side) string {
	if s == w.alpha {
		return w.beta.marker
	}
	return w.alpha.marker
}

func prometheusRows() []row {
	const v1 = "/prometheus/api/v1"
	at := func(w *world) string { return strconv.FormatInt(w.start.Unix(), 10) }
	end := func(w *world) string { return strconv.FormatInt(w.start.Add(time.Minute).Unix(), 10) }
	lists := func(pairs ...string) func(w *world, s *side) []request {
		return func(w *world, _ *side) []request {
			return []request{{path: query(append(pairs, "start", at(w), "end", end(w))...)}}
		}
	}
	nothing := func(*world, *side) []request { return []request{{}} }
	var rows []row
	rows = append(rows, reads(v1+"/query", true, true, func(w *world, s *side) []request {
		return []request{
			{path: query("query", `{__name__=~".+"}`, "time", at(w))},
			{path: query("query", `label_replace(same, "all", "$1", "job", "(.*)")`, "time", at(w))},
			{path: query("query", `ALERTS or same:recorded`)},
			{path: query("query", `count({job="`+w.other(s)+`"}) or {`+w.other(s)+`!=""}`, "time", at(w))},
			// The error names series: they must be the caller's.
			{path: query("query", `same * on(cluster) same`, "time", at(w)), status: http.StatusUnprocessableEntity},
			{path: query("query", `same{`), status: http.StatusBadRequest},
		}
	})...)
	rows = append(rows, reads(v1+"/query_range", true, true, func(w *world, _ *side) []request {
		return []request{{path: query("query", `{__name__=~".+"}`, "start", at(w), "end", end(w), "step", "15")}}
	})...)
	rows = append(rows, reads(v1+"/query_exemplars", true, false, lists("query", "same"))...)
	rows = append(rows, reads(v1+"/format_query", true, false, lists("query", "same"))...)
	rows = append(rows, reads(v1+"/parse_query", true, false, lists("query", "same"))...)
	rows = append(rows, reads(v1+"/status/tsdb", false, true, lists("limit", "10000"))...)
	rows = append(rows, remoteReadRow(), federateRow(), cardinalityRow())
	rows = append(rows, reads(v1+"/labels", true, true, lists())...)
	rows = append(rows, reads(v1+"/series", true, true, lists("match[]", `{__name__=~".+"}`))...)
	rows = append(rows, reads(v1+"/metadata", false, true, nothing)...)
	rows = append(rows, reads(v1+"/status/buildinfo", false, false, nothing)...)
	return append(rows, reads(v1+"/label/:name/values", false, true, func(w *world, s *side) []request {
		span := "?" + query("start", at(w), "end", end(w))
		return []request{
			{path: v1 + "/label/job/values" + span}, {path: v1 + "/label/__name__/values" + span},
			{path: v1 + "/label/" + w.other(s) + "/values" + span}, {path: v1 + "/label/job/values"},
		}
	})...)
}

func lokiRows() []row {
	const v1 = "/loki/api/v1"
	at := func(w *world) string { return strconv.FormatInt(w.start.Add(time.Second).UnixNano(), 10) }
	span := func(w *world) []string {
		return []string{"start", strconv.FormatInt(w.start.Add(-time.Second).UnixNano(), 10), "end", at(w)}
	}
	lists := func(path string, pairs ...string) func(w *world, s *side) []request {
		return func(w *world, _ *side) []request {
			q := query(append(pairs, span(w)...)...)
			if path != "" {
				q = path + "?" + q
			}
			return []request{{path: q}}
		}
	}
	var rows []row
	rows = append(rows, reads(v1+"/query", true, true, func(w *world, s *side) []request {
		return []request{
			{path: query("query", `sum by (app, who) (count_over_time({app=~".+"}[1m]))`, "time", at(w))},
			{path: query("query", `count_over_time({app="`+w.other(s)+`"}[1m])`, "time", at(w))},
			{path: query("query", `{app="same"`), status: http.StatusBadRequest},
		}
	})...)
	rows = append(rows, reads(v1+"/query_range", true, true, func(w *world, s *side) []request {
		return []request{
			{path: query(append(span(w), "query", `{app=~".+"}`)...)},
			{path: query(append(span(w), "query", `{signal="events"}`)...)},
			{path: query(append(span(w), "query", `{app="same"} | json | said!=""`)...)},
			{path: query(append(span(w), "query", `{app=~".+"} |= "`+w.other(s)+`"`)...)},
			{path: query(append(span(w), "query", `sum by (said) (count_over_time({app="same"} | json | __error__="" [1m]))`)...)},
			// The error names a stream: it must be the caller's.
			{path: query(append(span(w), "query", `sum by (said) (count_over_time({app="same"} | json [1m]))`)...), status: http.StatusUnprocessableEntity},
		}
	})...)
	rows = append(rows, reads(v1+"/labels", true, true, lists(""))...)
	rows = append(rows, reads(v1+"/label", true, true, lists(""))...)
	rows = append(rows, reads(v1+"/series", true, true, lists("", "match[]", `{app=~".+"}`))...)
	rows = append(rows, reads(v1+"/format_query", true, false, lists("", "query", `{app="same"}`))...)
	rows = append(rows, reads(v1+"/status/buildinfo", false, false, lists(""))...)
	values := reads(v1+"/label/:name/values", true, true, lists(v1+"/label/app/values"))
	values[1].sends = func(_ *testing.T, w *world, _ *side) []request {
		return []request{{path: v1 + "/label/app/values", contentType: form, body: query(span(w)...)}}
	}
	return append(rows, values...)
}

// fixed sends one request without a body; "" stands for the row's own path.
func fixed(path string) func(*testing.T, *world, *side) []request {
	return func(*testing.T, *world, *side) []request { return []request{{path: path}} }
}

func alertmanagerRows() []row {
	const config, v2 = "/api/v1/alerts", "/alertmanager/api/v2"
	rows := []row{
		{method: http.MethodGet, path: config, may: readers, status: http.StatusOK, shows: readers, sends: fixed("")},
		{method: http.MethodPost, path: config, may: admins, status: http.StatusCreated, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{contentType: "application/yaml", body: receiversBody(s)},
				{contentType: "application/yaml", body: "alertmanager_config: 'route: {receiver: nobody}'", status: http.StatusBadRequest},
			}
		}},
		{method: http.MethodDelete, path: config, may: admins, status: http.StatusOK, sends: fixed(""), after: saveReceivers},
		{method: http.MethodPost, path: v2 + "/silences", may: editors, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{{contentType: "application/json", body: silenceBody(s)}}
		}},
		{method: http.MethodDelete, path: v2 + "/silence/:id", may: editors, status: http.StatusOK, sends: func(t *testing.T, _ *world, s *side) []request {
			return []request{{path: v2 + "/silence/" + newSilence(t, s)}}
		}},
		{method: http.MethodGet, path: v2 + "/silence/:id", may: readers, status: http.StatusOK, shows: readers, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{{path: v2 + "/silence/" + s.silence}}
		}},
	}
	for _, path := range []string{"/status", "/alerts", "/alerts/groups", "/receivers", "/silences"} {
		rows = append(rows, row{method: http.MethodGet, path: v2 + path, may: readers, status: http.StatusOK, shows: readers, sends: fixed("")})
	}
	return rows
}

func controlRows() []row {
	return []row{
		{method: http.MethodGet, path: "/api/v1/tenants", may: operators, status: http.StatusOK, shows: operators, sends: fixed("")},
		{method: http.MethodGet, path: "/api/v1/quotas", may: members, status: http.StatusOK, shows: members, sends: fixed("")},
		{method: http.MethodGet, path: "/api/v1/clusters/:id/quotas", may: members, status: http.StatusOK, sends: func(_ *testing.T, w *world, s *side) []request {
			foreign := w.beta
			if s == w.beta {
				foreign = w.alpha
			}
			return []request{
				{path: "/api/v1/clusters/" + string(s.Cluster.ID) + "/quotas"},
				{path: "/api/v1/clusters/" + string(foreign.Cluster.ID) + "/quotas", status: http.StatusNotFound},
			}
		}},
		{method: http.MethodPut, path: "/api/v1/clusters/:id/quotas", may: admins, status: http.StatusOK, sends: func(_ *testing.T, w *world, s *side) []request {
			foreign := w.beta
			if s == w.beta {
				foreign = w.alpha
			}
			of := func(id seamark.ClusterID) string { return "/api/v1/clusters/" + string(id) + "/quotas" }
			return []request{
				{path: of(s.Cluster.ID), contentType: "application/json", body: `{"max_labels":60}`},
				{path: of(s.Cluster.ID), contentType: "application/json", body: `{"max_labels":-1}`, status: http.StatusBadRequest},
				{path: of(foreign.Cluster.ID), contentType: "application/json", body: `{"max_labels":1}`, status: http.StatusNotFound},
			}
		}},
		{method: http.MethodGet, path: "/api/v1/tenants/:id/quotas", may: operators, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			return []request{
				{path: "/api/v1/tenants/" + string(s.ID) + "/quotas"},
				{path: "/api/v1/tenants/01ARZ3NDEKTSV4RRFFQ69G5FAV/quotas", status: http.StatusNotFound},
			}
		}},
		{method: http.MethodPut, path: "/api/v1/tenants/:id/quotas", may: operators, status: http.StatusOK, sends: func(_ *testing.T, _ *world, s *side) []request {
			path := "/api/v1/tenants/" + string(s.ID) + "/quotas"
			return []request{
				{path: path, contentType: "application/json", body: `{"rows_per_second":1000000}`},
				{path: path, contentType: "application/json", body: `{"rows":1}`, status: http.StatusBadRequest},
			}
		}},
		// The label's name stands in the refusal's detail, so the tenant finds its own marker in the ledger and no other's.
		{method: http.MethodGet, path: "/api/v1/drops", may: readers, status: http.StatusOK, shows: readers, sends: func(t *testing.T, _ *world, s *side) []request {
			body := `{"streams":[{"stream":{"` + s.marker + `-x":"y"},"values":[["` + strconv.FormatInt(time.Now().UnixNano(), 10) + `","line"]]}]}`
			s.Post(t, s.Ingest, "/loki/api/v1/push", "application/json", body, http.StatusBadRequest)
			return []request{{}, {path: "/api/v1/drops?limit=x", status: http.StatusBadRequest}, {path: "/api/v1/drops?reason=seamark-label-name"}}
		}},
	}
}
