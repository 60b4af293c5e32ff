package queries_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestRunningQueryIsSeenAndCancelled has a query hang in the engine. Its tenant sees it, others do not; who may not cancel it
// cannot, and its caller is told who did.
func TestRunningQueryIsSeenAndCancelled(t *testing.T) {
	w, other := newWorld(t, "running"), newWorld(t, "running-other")
	_, resume := w.halt(t)
	answer := w.async(t, w.Query, w.logs("hanging"), http.Header{"X-Dashboard-Uid": {"d1"}, "X-Panel-Id": {"7"}})
	q := w.awaitRunning(t, w.Query, "hanging")
	if q.Language != "logql" || q.Class != "dashboard" || q.Source != "dashboard:d1/7" || q.Node == "" || q.Actor == "" {
		t.Errorf("got %+v", q)
	}
	one := "/api/v1/queries/" + q.ID
	var shown running
	if w.get(t, w.Admin, one, &shown); shown.ID != q.ID {
		t.Errorf("the admin sees %+v, want %s", shown, q.ID)
	}
	stranger := w.token(t)
	for _, c := range []struct {
		token, method string
		world         *world
		want          int
	}{
		{other.Admin, http.MethodGet, other, http.StatusNotFound}, {other.Admin, http.MethodDelete, other, http.StatusNotFound},
		{stranger, http.MethodGet, w, http.StatusNotFound}, {stranger, http.MethodDelete, w, http.StatusNotFound},
		{w.Admin, http.MethodDelete, w, http.StatusNoContent},
	} {
		if got := c.world.Do(t, c.token, c.method, one, nil, ""); got.Status != c.want {
			t.Errorf("%s as %s: got %d %s, want %d", c.method, c.world.Slug, got.Status, got.Body, c.want)
		}
	}
	for _, found := range other.running(t, other.Admin, "/api/v1/queries") {
		t.Errorf("another tenant sees %+v", found)
	}
	got := <-answer
	if got.Status != 499 || !strings.Contains(got.Body, "cancelled by") {
		t.Errorf("the caller got %d %s, want that it was cancelled and by whom", got.Status, got.Body)
	}
	resume()
	for _, done := range w.running(t, w.Admin, "/api/v1/queries?state=done&sort=bytes") {
		if done.ID == q.ID && (done.Error != "seamark-query-canceled" || done.State != "done") {
			t.Errorf("got %+v, want that it was cancelled", done)
		}
	}
}

// TestExpensiveQueries lists what has ended by what it read.
func TestExpensiveQueries(t *testing.T) {
	w := newWorld(t, "expensive")
	list := w.running(t, w.Admin, "/api/v1/queries?state=done&sort=rows&limit=50")
	if len(list) == 0 || list[0].Rows == 0 || list[0].State != "done" {
		t.Fatalf("got %+v, want the queries that have ended", list)
	}
	for i := 1; i < len(list); i++ {
		if list[i].Rows > list[i-1].Rows {
			t.Errorf("%d rows come after %d", list[i].Rows, list[i-1].Rows)
		}
	}
	for _, path := range []string{"?state=x", "?sort=x", "?limit=0", "?limit=1001"} {
		if got := w.ask(t, w.Admin, "/api/v1/queries"+path, nil); got.Status != http.StatusBadRequest {
			t.Errorf("%s: got %d", path, got.Status)
		}
	}
}
