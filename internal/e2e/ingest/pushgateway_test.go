package ingest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPushedGroup pushes a batch job's metrics, replaces a part of them, and deletes the group: its series end at once and
// not when PromQL has looked back five minutes.
func TestPushedGroup(t *testing.T) {
	x := newAccount(t, "pushed-group")
	const path = "/metrics/job/backup/instance/db-1"
	send := func(method, body string, want int) {
		t.Helper()
		if answer := x.Do(t, x.Ingest, method, path, http.Header{"Content-Type": {"text/plain"}}, body); answer.Status != want {
			t.Fatalf("%s %s: got %d %s, want %d", method, path, answer.Status, answer.Body, want)
		}
	}
	const query = `{__name__=~"backup_.*", job="backup", instance="db-1", cluster="eu-1"}`
	send(http.MethodPut, "# TYPE backup_bytes gauge\nbackup_bytes 42\nbackup_files 7\n", http.StatusOK)
	x.awaitSamples(t, query, map[string]string{"backup_bytes": "42", "backup_files": "7"}, "__name__")
	send(http.MethodPost, "backup_files 8\n", http.StatusOK)
	x.awaitSamples(t, query, map[string]string{"backup_bytes": "42", "backup_files": "8"}, "__name__")
	send(http.MethodPut, "backup_bytes 43\n", http.StatusOK) // the whole group: backup_files ends
	x.awaitSamples(t, query, map[string]string{"backup_bytes": "43"}, "__name__")
	var list struct {
		Data []struct{ Labels map[string]string }
	}
	x.Get(t, "/api/v1/metrics", nil, &list)
	if len(list.Data) != 1 || list.Data[0].Labels["job"] != "backup" {
		t.Errorf("groups: got %+v, want the one of job backup", list)
	}
	before := now()
	send(http.MethodDelete, "", http.StatusAccepted)
	x.awaitSamples(t, query, map[string]string{}, "__name__")
	// What was is still there to be seen.
	if got := x.samples(t, query, before.Add(-time.Millisecond), "__name__"); !cmp.Equal(got, map[string]string{"backup_bytes": "43"}) {
		t.Errorf("before the deletion: got %v, want the last push", got)
	}
	if x.Get(t, "/api/v1/metrics", nil, &list); len(list.Data) != 0 {
		t.Errorf("groups after the deletion: got %+v, want none", list)
	}
}
