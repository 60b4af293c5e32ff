package isolation_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// side is one of the two tenants. Both hold the same: the same streams, series, event uid, rule and receiver names; only
// the marker differs. It stands in values, and in names where data of its own has them.
type side struct {
	*inprocess.Tenant
	marker  string            // a word that can be a label's name and a cluster's name; it is the tenant's slug, too
	silence string            // id of the silence that is always there
	tokens  map[string]string // by the names in the table: of each kind of token, of each role's session
}

const password = "correct horse battery staple 7"

// world is the two tenants and an operator on the package's server.
type world struct {
	alpha, beta *side
	operator    string // session
	words       int    // that were used up, see word
	start       time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	a := server(t)
	w := &world{start: startOfData()}
	w.alpha, w.beta = newSide(t, "markeralpha"), newSide(t, "markerbeta")
	if _, err := a.Directory().CreateUser(t.Context(), tenant.UserSpec{Login: w.operatorLogin(), Password: password, Operator: true}); err != nil {
		t.Fatal(err)
	}
	w.operator = signIn(t, w.alpha, w.operatorLogin())
	for _, s := range []*side{w.alpha, w.beta} {
		w.pushMetrics(t, s)
		w.pushLogs(t, s)
		w.pushEvent(t, s)
		w.pushAudit(t, s)
		configure(t, s)
	}
	return w
}

func newSide(t *testing.T, marker string) *side {
	t.Helper()
	s := &side{Tenant: inprocess.NewTenant(t, server(t), marker, "same"), marker: marker}
	d := s.App.Directory()
	if _, err := d.CreateCluster(t.Context(), s.ID, tenant.ClusterSpec{Name: marker}); err != nil {
		t.Fatal(err)
	}
	s.tokens = map[string]string{"ingest token": s.Ingest, "query token": s.Query, "admin token": s.Admin}
	for _, signal := range seamark.Signals() {
		own, err := d.CreateCluster(t.Context(), s.ID, tenant.ClusterSpec{Name: "only-" + signal.String()})
		if err != nil {
			t.Fatal(err)
		}
		s.tokens["ingest token of "+signal.String()] = s.Token(t, tenant.TokenSpec{
			Kind: seamark.IngestToken, Name: "only " + signal.String(), Cluster: own.ID, Signals: seamark.NewSignalSet(signal),
		})
	}
	for _, role := range tenant.Roles() {
		login := s.login(role)
		memberships := map[seamark.TenantID]seamark.Role{s.ID: role}
		if _, err := d.CreateUser(t.Context(), tenant.UserSpec{Login: login, Password: password, Memberships: memberships}); err != nil {
			t.Fatal(err)
		}
		s.tokens[string(role)] = signIn(t, s, login)
	}
	return s
}

// login is unlike that of an earlier run, because people outlive their tenants.
func (s *side) login(role seamark.Role) string { return string(role) + "@" + string(s.ID) }

func (w *world) operatorLogin() string { return w.alpha.login("operator") }

// signIn returns a session as /api/v1/session gives it.
func signIn(t *testing.T, s *side, login string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	answer := s.Post(t, "", "/api/v1/session", "application/json", string(body), http.StatusOK)
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(answer.Body), &session); err != nil || session.Token == "" {
		t.Fatalf("sign in %s: %v in %s", login, err, answer.Body)
	}
	return session.Token
}

func (w *world) pushMetrics(t *testing.T, s *side) {
	t.Helper()
	s.Post(t, s.Ingest, "/api/v1/write", "application/x-protobuf", w.metricsBody(t, s), http.StatusNoContent)
}

func (w *world) metricsBody(t *testing.T, s *side) string {
	t.Helper()
	series := func(pairs ...string) prompb.TimeSeries {
		ts := prompb.TimeSeries{Samples: []prompb.Sample{{Value: 1, Timestamp: w.start.UnixMilli()}}}
		for i := 0; i < len(pairs); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
		}
		return ts
	}
	request := prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			series("__name__", "same", "job", "same"), series("__name__", "same", "job", s.marker), series("__name__", "same", s.marker, "x"),
			series("__name__", s.marker+"_total"),
		},
		Metadata: []prompb.MetricMetadata{
			{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "same", Help: "Help of " + s.marker},
			{Type: prompb.MetricMetadata_COUNTER, MetricFamilyName: s.marker + "_total", Help: "Help."},
		},
	}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(snappy.Encode(nil, body))
}

func (w *world) pushLogs(t *testing.T, s *side) {
	t.Helper()
	s.Post(t, s.Ingest, "/loki/api/v1/push", "application/json", w.logsBody(t, s), http.StatusNoContent)
	// A stream that no request of the walk pushes to with another cluster's token.
	alone := fmt.Sprintf(`{"streams":[{"stream":{"app":%q,"part":"context"},"values":[["%d","a line"]]}]}`, s.marker, w.start.UnixNano())
	s.Post(t, s.Ingest, "/loki/api/v1/push", "application/json", alone, http.StatusNoContent)
}

func (w *world) logsBody(t *testing.T, s *side) string {
	t.Helper()
	stream := func(labels map[string]string, line string) map[string]any {
		at := strconv.FormatInt(w.start.UnixNano(), 10)
		return map[string]any{"stream": labels, "values": [][]any{{at, line, map[string]string{"who": s.marker}}}}
	}
	body, err := json.Marshal(map[string]any{"streams": []any{
		stream(map[string]string{"app": "same"}, `{"said":"`+s.marker+`"}`),
		stream(map[string]string{"app": s.marker}, "a line"),
		stream(map[string]string{"app": "same", s.marker: "x"}, "a line"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func (w *world) pushEvent(t *testing.T, s *side) {
	t.Helper()
	s.Post(t, s.Ingest, "/api/v1/push/events", "application/json", w.eventBody(s), http.StatusOK)
}

// eventBody has the same uid on both sides.
func (w *world) eventBody(s *side) string {
	at := w.start.Format(time.RFC3339)
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"v1","metadata":{"name":"same","namespace":"same","uid":"0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d"},
		"involvedObject":{"kind":"Pod","namespace":"same","name":"same"},"reason":"Same","message":"%s","type":"Warning","count":1,
		"source":{"component":"%s"},"firstTimestamp":%q,"lastTimestamp":%q}`, s.marker, s.marker, at, at)
}

// configure saves a rule that fires at once, a receiver and a silence. The rule ends with the test.
func configure(t *testing.T, s *side) {
	t.Helper()
	s.Post(t, s.Admin, "/prometheus/config/v1/rules/same", "application/yaml", rulesBody(s, "same"), http.StatusAccepted)
	saveReceivers(t, s)
	s.silence = newSilence(t, s)
	t.Cleanup(func() {
		if answer := s.Do(t, s.Admin, http.MethodDelete, "/prometheus/config/v1/rules/same", nil, ""); answer.Status != http.StatusAccepted {
			t.Errorf("delete the rules: got %d %s, want 202", answer.Status, answer.Body)
		}
	})
}

func rulesBody(s *side, group string) string {
	return strings.NewReplacer("GROUP", group, "MARKER", s.marker).Replace(`
name: GROUP
interval: 1s
rules:
  - alert: Same
    expr: vector(1) > 0
    labels: {who: MARKER}
    annotations: {summary: says MARKER}
  - record: same:recorded
    expr: vector(2)
    labels: {who: MARKER}
`)
}

func receiversBody(s *side) string {
	return strings.ReplaceAll(`
template_files:
  MARKER.tmpl: '{{ define "x" }}MARKER{{ end }}'
alertmanager_config: |
  route: {receiver: MARKER, group_by: [alertname, who], group_wait: 1s}
  receivers: [{name: MARKER}]
`, "MARKER", s.marker)
}

func saveReceivers(t *testing.T, s *side) {
	t.Helper()
	s.Post(t, s.Admin, "/api/v1/alerts", "application/yaml", receiversBody(s), http.StatusCreated)
}

func silenceBody(s *side) string {
	return fmt.Sprintf(`{"matchers":[{"name":"nothing","value":"%[1]s","isRegex":false}],"startsAt":%[2]q,"endsAt":%[3]q,"createdBy":"%[1]s","comment":"%[1]s"}`,
		s.marker, time.Now().Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339))
}

func newSilence(t *testing.T, s *side) string {
	t.Helper()
	answer := s.Post(t, s.Admin, "/alertmanager/api/v2/silences", "application/json", silenceBody(s), http.StatusOK)
	var made struct{ SilenceID string }
	if err := json.Unmarshal([]byte(answer.Body), &made); err != nil || made.SilenceID == "" {
		t.Fatalf("silence: %v in %s", err, answer.Body)
	}
	return made.SilenceID
}

// query encodes parameters given in pairs.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q.Encode()
}

// startOfData is the time of all pushed data: the same on both sides.
func startOfData() time.Time { return time.Now().Add(-5 * time.Minute).Truncate(time.Minute) }
