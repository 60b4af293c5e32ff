package queries_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestQueryThatKillsTheEngineTwiceIsQuarantined kills the embedded ClickHouse under a query, twice. The query is refused then, with
// other literals too; a query that ended well between the deaths is not, nor is another tenant's; and an admin lifts the quarantine.
func TestQueryThatKillsTheEngineTwiceIsQuarantined(t *testing.T) {
	w, other := newWorld(t, "killer"), newWorld(t, "killer-other")
	const path = "/api/v1/query-quarantine"
	var list struct {
		Items []struct{ ID, Shape, Query string }
	}
	for n := range 2 {
		pid, _ := w.halt(t)
		answer := w.async(t, w.Query, w.logs(fmt.Sprintf("deadly %d", n)), nil)
		w.awaitRunning(t, w.Query, "deadly")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-answer
		testkit.Eventually(t, within, func() error {
			if now := w.App.Engines(); now == 0 || now == pid {
				return errors.New("the engine is not back")
			}
			if got := other.ask(t, other.Query, other.logs("line")+"&direction=forward", nil); got.Status != http.StatusOK {
				return fmt.Errorf("the other tenant got %d %s", got.Status, got.Body)
			}
			return nil
		})
	}
	testkit.Eventually(t, within, func() error {
		got := w.ask(t, w.Query, w.logs("deadly 3"), nil)
		if got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, "quarantined until") || !strings.Contains(got.Body, path) {
			return fmt.Errorf("got %d %s", got.Status, got.Body)
		}
		return nil
	})
	if got := other.ask(t, other.Query, other.logs("deadly"), nil); got.Status != http.StatusOK {
		t.Errorf("the other tenant got %d %s", got.Status, got.Body)
	}
	if other.get(t, other.Admin, path, &list); len(list.Items) != 0 {
		t.Errorf("the other tenant sees %+v", list.Items)
	}
	if got := w.ask(t, w.Query, path, nil); got.Status != http.StatusForbidden {
		t.Errorf("a query token got %d %s", got.Status, got.Body)
	}
	if w.get(t, w.Admin, path, &list); len(list.Items) != 1 || list.Items[0].Shape != "{app=?}|=?" || !strings.Contains(list.Items[0].Query, "deadly") {
		t.Fatalf("got %+v", list.Items)
	}
	one := path + "/" + list.Items[0].ID
	for _, c := range []struct {
		w    *world
		want int
	}{{other, http.StatusNotFound}, {w, http.StatusNoContent}, {w, http.StatusNotFound}} {
		if got := c.w.Do(t, c.w.Admin, http.MethodDelete, one, nil, ""); got.Status != c.want {
			t.Errorf("lift as %s: got %d %s, want %d", c.w.Slug, got.Status, got.Body, c.want)
		}
	}
	if got := w.ask(t, w.Query, w.logs("deadly 3"), nil); got.Status != http.StatusOK {
		t.Errorf("after the lift: got %d %s", got.Status, got.Body)
	}
}
