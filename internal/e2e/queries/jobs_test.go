package queries_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

type job struct {
	ID, State, Path, Language string
	Progress                  float64
	Rows                      uint64
	Result                    struct{ Status int }
	Error                     struct{ ID, Detail string }
}

var async = http.Header{"Prefer": {"wait=5, respond-async"}}

// start sends a query to the background.
func (w *world) start(t *testing.T, token, path string) job {
	t.Helper()
	got := w.ask(t, token, path, async)
	var j job
	if err := json.Unmarshal([]byte(got.Body), &j); err != nil || got.Status != http.StatusAccepted || got.Header.Get("Location") != "/api/v1/query-jobs/"+j.ID {
		t.Fatalf("%s: got %d %s, Location %q", path, got.Status, got.Body, got.Header.Get("Location"))
	}
	return j
}

func (w *world) awaitJob(t *testing.T, token string, j job, state string) job {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if w.get(t, token, "/api/v1/query-jobs/"+j.ID, &j); j.State != state {
			return fmt.Errorf("the job is %s (%s), want %s", j.State, j.Error.Detail, state)
		}
		return nil
	})
	return j
}

// TestJobsAnswerAsTheirRoutes compares the result of background jobs with what their routes answer at once, errors too.
func TestJobsAnswerAsTheirRoutes(t *testing.T) {
	w := newWorld(t, "jobs")
	for path, status := range map[string]int{
		w.logs("line 1"): http.StatusOK, "/prometheus/api/v1/query?query=vector(1)&time=1": http.StatusOK, "/prometheus/api/v1/query?query=sum(": http.StatusBadRequest,
		"/loki/api/v1/query_range?query={": http.StatusBadRequest, "/api/v1/events?limit=0": http.StatusBadRequest,
	} {
		want := w.ask(t, w.Query, path, nil)
		if want.Status != status {
			t.Errorf("%s: got %d %s", path, want.Status, want.Body)
		}
		state := "done"
		if status != http.StatusOK {
			state = "failed"
		}
		j := w.awaitJob(t, w.Query, w.start(t, w.Query, path), state)
		got := w.ask(t, w.Query, "/api/v1/query-jobs/"+j.ID+"/result", nil)
		if got.Status != status || got.Header.Get("Content-Type") != want.Header.Get("Content-Type") || withoutTimes(got.Body) != withoutTimes(want.Body) {
			t.Errorf("%s: got %d %s %s\nwant %d %s %s", path, got.Status, got.Header.Get("Content-Type"), got.Body, want.Status, want.Header.Get("Content-Type"), want.Body)
		}
		if j.Progress != 1 {
			t.Errorf("%s: progress is %g", path, j.Progress)
		}
	}
}

// TestSQLInTheBackground compares the result of a statement with what is answered at once.
func TestSQLInTheBackground(t *testing.T) {
	w := newWorld(t, "sqljobs")
	send := func(prefer string) inprocess.Response {
		header := http.Header{"Content-Type": {"application/json"}}
		if prefer != "" {
			header.Set("Prefer", prefer)
		}
		return w.Do(t, w.Query, http.MethodPost, "/api/v1/sql", header, `{"query":"SELECT body FROM logs WHERE body LIKE '%sqljobs' ORDER BY body","format":"csv"}`)
	}
	want, got := send(""), send("respond-async")
	var j job
	if err := json.Unmarshal([]byte(got.Body), &j); err != nil || got.Status != http.StatusAccepted {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	w.awaitJob(t, w.Query, j, "done")
	if result := w.ask(t, w.Query, "/api/v1/query-jobs/"+j.ID+"/result", nil); result.Body != want.Body || !strings.Contains(want.Body, "line 19") {
		t.Errorf("got %s, want %s", result.Body, want.Body)
	}
}

// withoutTimes leaves out of an answer what is another each time.
func withoutTimes(body string) string {
	var doc map[string]any
	if json.Unmarshal([]byte(body), &doc) != nil {
		return body
	}
	delete(doc, "instance")
	delete(doc, "request_id")
	if data, ok := doc["data"].(map[string]any); ok {
		delete(data, "stats")
	}
	text, _ := json.Marshal(doc)
	return string(text)
}

// TestJobsAreTheirOwners: a job is seen and ended by who made it and by admins, and by nobody else.
func TestJobsAreTheirOwners(t *testing.T) {
	w, other := newWorld(t, "owners"), newWorld(t, "owners-other")
	j := w.awaitJob(t, w.Query, w.start(t, w.Query, w.logs("line")), "done")
	one, stranger := "/api/v1/query-jobs/"+j.ID, w.token(t)
	for _, path := range []string{one, one + "/result"} {
		for _, c := range []struct {
			w     *world
			token string
			want  int
		}{{w, stranger, http.StatusNotFound}, {other, other.Admin, http.StatusNotFound}, {w, w.Admin, http.StatusOK}} {
			if got := c.w.ask(t, c.token, path, nil); got.Status != c.want {
				t.Errorf("%s as %s: got %d %s, want %d", path, c.w.Slug, got.Status, got.Body, c.want)
			}
		}
	}
	var list struct{ Items []job }
	if w.get(t, stranger, "/api/v1/query-jobs", &list); len(list.Items) != 0 {
		t.Errorf("another token sees %+v", list.Items)
	}
	if w.get(t, w.Admin, "/api/v1/query-jobs", &list); len(list.Items) != 1 {
		t.Errorf("an admin sees %+v", list.Items)
	}
	if got := w.Do(t, w.Query, http.MethodDelete, one, nil, ""); got.Status != http.StatusNoContent {
		t.Errorf("got %d %s", got.Status, got.Body)
	}
	if got := w.ask(t, w.Query, one, nil); got.Status != http.StatusNotFound {
		t.Errorf("a deleted job: got %d %s", got.Status, got.Body)
	}
}

// TestJobEndsWithItsToken revokes the token of a job that hangs in the engine.
func TestJobEndsWithItsToken(t *testing.T) {
	w := newWorld(t, "revoked")
	token := w.token(t)
	_, resume := w.halt(t)
	j := w.start(t, token, w.logs("never found"))
	q := w.awaitRunning(t, w.Admin, "never found")
	if q.Job != j.ID || q.Class != "export" {
		t.Errorf("got %+v, want the query of job %s", q, j.ID)
	}
	if err := w.App.Directory().RevokeToken(t.Context(), w.ID, strings.Split(token, "_")[2]); err != nil {
		t.Fatal(err)
	}
	if j = w.awaitJob(t, w.Admin, j, "failed"); j.Error.ID != "seamark-token-revoked" {
		t.Errorf("got %+v", j.Error)
	}
	resume()
}

// TestJobIsCancelled cancels a job that hangs in the engine.
func TestJobIsCancelled(t *testing.T) {
	w := newWorld(t, "cancelled")
	_, resume := w.halt(t)
	j := w.start(t, w.Query, w.logs("never found"))
	w.awaitRunning(t, w.Query, "never found")
	if got := w.Do(t, w.Query, http.MethodDelete, "/api/v1/query-jobs/"+j.ID, nil, ""); got.Status != http.StatusNoContent {
		t.Fatalf("got %d %s", got.Status, got.Body)
	}
	if j = w.awaitJob(t, w.Query, j, "cancelled"); !strings.Contains(j.Error.Detail, "cancelled by") {
		t.Errorf("got %+v", j.Error)
	}
	testkit.Eventually(t, within, func() error {
		if list := w.running(t, w.Query, "/api/v1/queries"); len(list) > 0 {
			return fmt.Errorf("%+v still runs", list)
		}
		return nil
	})
	resume()
}
