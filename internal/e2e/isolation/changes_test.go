package isolation_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// unrecorded are the routes that are posted to and change nothing that the change log is about, by why.
var unrecorded = map[string][]string{
	"telemetry: its sender is a token, and what becomes of it stands in the ledger and the meter": {"ingest:"},
	"queries whose parameters are posted": {"data:read", "rules:read", "silences:read"},
}

// dryRuns are posted and keep nothing.
var dryRuns = []string{"POST /api/v1/pipelines/dry-run"}

// TestEveryChangeIsRecorded walks the routes: one that may change something is on record, or stands above with the reason.
func TestEveryChangeIsRecorded(t *testing.T) {
	for _, r := range server(t).Routes() {
		if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) || r.ChangeAction() != "" {
			if action := r.ChangeAction(); action != "" && strings.Count(action, ".") != 1 {
				t.Errorf("%s %s is recorded as %q, which is no noun and verb", r.Method, r.Path, action)
			}
			continue
		}
		excused := slices.Contains(dryRuns, r.Method+" "+r.Path)
		for _, permissions := range unrecorded {
			excused = excused || slices.ContainsFunc(permissions, func(p string) bool { return strings.HasPrefix(r.Permission, p) })
		}
		if !excused && !r.Foreign {
			t.Errorf("%s %s is not recorded in the change log. Name its Action, or say here why it changes nothing", r.Method, r.Path)
		}
	}
}
