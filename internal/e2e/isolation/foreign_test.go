package isolation_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/contract"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestForeignObjects asks for objects of one tenant, by their exact names and ids, with the other tenant's admin token:
// they do not exist for it, and they are still there afterwards.
func TestForeignObjects(t *testing.T) {
	owner, thief := newSide(t, "markerowner"), newSide(t, "markerthief")
	configure(t, owner)
	const group = "/prometheus/config/v1/rules/same/same"
	silence := "/alertmanager/api/v2/silence/" + owner.silence
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, group, http.StatusNotFound},
		{http.MethodGet, "/prometheus/config/v1/rules/same", http.StatusNotFound},
		{http.MethodDelete, group, http.StatusNotFound},
		{http.MethodDelete, "/prometheus/config/v1/rules/same", http.StatusNotFound},
		{http.MethodGet, silence, http.StatusNotFound},
		{http.MethodDelete, silence, http.StatusNotFound},
		{http.MethodGet, "/api/v1/alerts", http.StatusNotFound},
		{http.MethodDelete, "/api/v1/alerts", http.StatusOK}, // deleting its own configuration, of which it has none
	} {
		answer := thief.Do(t, thief.Admin, c.method, c.path, http.Header{"X-Scope-OrgID": {string(owner.ID)}}, "")
		if answer.Status != c.status || strings.Contains(answer.Body, owner.marker) {
			t.Errorf("%s %s: got %d %s, want %d", c.method, c.path, answer.Status, answer.Body, c.status)
		}
	}
	for _, path := range []string{group, silence, "/api/v1/alerts"} {
		answer := owner.Do(t, owner.Admin, http.MethodGet, path, nil, "")
		if answer.Status != http.StatusOK || !strings.Contains(answer.Body, owner.marker) {
			t.Errorf("afterwards %s: got %d %s, want the object unchanged", path, answer.Status, answer.Body)
		}
	}
}

// TestSignIn signs in with wrong credentials: nothing in the answer tells an unknown person from a wrong password, or a
// tenant that exists from one that does not.
func TestSignIn(t *testing.T) {
	one, two := newSide(t, "markerone"), newSide(t, "markertwo")
	c := contract.Load(t)
	try := func(login, password, slug string) inprocess.Response {
		body, err := json.Marshal(map[string]string{"login": login, "password": password, "tenant": slug})
		if err != nil {
			t.Fatal(err)
		}
		answer := one.Do(t, "", http.MethodPost, "/api/v1/session", http.Header{"Content-Type": {"application/json"}}, string(body))
		if err := checkAnswer(c, http.MethodPost, "/api/v1/session", answer); err != nil {
			t.Errorf("the answer %d %s is not as openapi.yaml says: %v", answer.Status, answer.Body, err)
		}
		return answer
	}
	person := one.login(seamark.RoleViewer)
	if answer := try(person, password, one.Slug); answer.Status != http.StatusOK || !strings.Contains(answer.Body, one.marker) {
		t.Fatalf("good credentials: got %d %s", answer.Status, answer.Body)
	}
	wrong, unknown := try(person, "wrong", ""), try("nobody@nowhere", "wrong", "")
	if wrong.Status != http.StatusUnauthorized || detail(t, wrong) != detail(t, unknown) || unknown.Status != wrong.Status {
		t.Errorf("a wrong password says %d %s, an unknown login %d %s; want the same 401", wrong.Status, wrong.Body, unknown.Status, unknown.Body)
	}
	foreign, absent := try(person, password, two.Slug), try(person, password, "there-is-none")
	if foreign.Status == http.StatusOK || foreign.Status != absent.Status || strings.ReplaceAll(detail(t, foreign), two.Slug, "") != strings.ReplaceAll(detail(t, absent), "there-is-none", "") {
		t.Errorf("a foreign tenant says %d %s, an absent one %d %s; want the same refusal", foreign.Status, foreign.Body, absent.Status, absent.Body)
	}
	for _, body := range []string{"", "{", `{"login":1}`, `{"login":"a","password":"b","admin":true}`} {
		answer := one.Do(t, "", http.MethodPost, "/api/v1/session", http.Header{"Content-Type": {"application/json"}}, body)
		if answer.Status != http.StatusBadRequest {
			t.Errorf("%q: got %d %s, want 400", body, answer.Status, answer.Body)
		}
	}
}

func detail(t *testing.T, answer inprocess.Response) string {
	t.Helper()
	var problem struct{ Detail string }
	if err := json.Unmarshal([]byte(answer.Body), &problem); err != nil {
		t.Fatalf("%v in %s", err, answer.Body)
	}
	return problem.Detail
}

// TestForeignOrigin sends a session's cookie from a page of another origin, as a forged form would.
func TestForeignOrigin(t *testing.T) {
	s := newSide(t, "markercookie")
	header := func(site string) http.Header {
		return http.Header{"Cookie": {"seamark_session=" + s.tokens["owner"]}, "Sec-Fetch-Site": {site}, "Content-Type": {"application/yaml"}}
	}
	for _, c := range []struct {
		method, path, site string
		status             int
	}{
		{http.MethodPost, "/prometheus/config/v1/rules/same", "cross-site", http.StatusForbidden},
		{http.MethodPost, "/prometheus/config/v1/rules/same", "same-site", http.StatusForbidden},
		{http.MethodDelete, "/api/v1/session", "cross-site", http.StatusForbidden},
		{http.MethodPost, "/prometheus/config/v1/rules/same", "same-origin", http.StatusAccepted},
		{http.MethodGet, "/api/v1/clusters", "same-origin", http.StatusOK},
	} {
		answer := s.Do(t, "", c.method, c.path, header(c.site), rulesBody(s, "same"))
		if answer.Status != c.status {
			t.Errorf("%s %s from %s: got %d %s, want %d", c.method, c.path, c.site, answer.Status, answer.Body, c.status)
		}
	}
}

// TestOperatorMetrics reads what the operator's monitoring reads: it names no tenant's data.
func TestOperatorMetrics(t *testing.T) {
	s := newSide(t, "markermetrics")
	w := &world{start: startOfData()}
	w.pushMetrics(t, s)
	w.pushLogs(t, s)
	configure(t, s)
	answer, err := http.Get("http://" + s.App.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(body), "seamark_http_requests_total") {
		t.Fatalf("got %d %v %.200s", answer.StatusCode, err, body)
	}
	for line := range strings.Lines(string(body)) {
		if strings.Contains(line, s.marker) {
			t.Errorf("the platform's metrics hold a tenant's data: %s", line)
		}
	}
}
