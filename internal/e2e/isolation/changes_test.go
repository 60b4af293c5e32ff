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

// harmless are posted to and keep nothing, or nothing that is a change: a dry run, a test, a session that goes on, the beginning of
// a sign-in elsewhere, whose end is on record.
var harmless = []string{
	"POST /api/v1/pipelines/dry-run", "POST /api/v1/forwarders/:name/test", "POST /api/v1/alerting/receivers/:name/test",
	"POST /api/v1/alerting/check", "POST /api/v1/alerting/dry-run", "POST /api/v1/alerting/backtest", "POST /api/v1/invitations/offer", "POST /api/v1/session/refresh",
	"POST /api/v1/session/oidc/:provider/invitation", "POST /api/v1/session/oidc/:provider/link",
}

// TestEveryChangeIsRecorded walks the routes: one that may change something is on record, or stands above with the reason.
func TestEveryChangeIsRecorded(t *testing.T) {
	for _, r := range server(t).Routes() {
		if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) || r.ChangeAction() != "" {
			if action := r.ChangeAction(); action != "" && strings.Count(action, ".") != 1 {
				t.Errorf("%s %s is recorded as %q, which is no noun and verb", r.Method, r.Path, action)
			}
			continue
		}
		excused := slices.Contains(harmless, r.Method+" "+r.Path)
		for _, permissions := range unrecorded {
			excused = excused || slices.ContainsFunc(permissions, func(p string) bool { return strings.HasPrefix(r.Permission, p) })
		}
		if !excused && !r.Foreign {
			t.Errorf("%s %s is not recorded in the change log. Name its Action, or say here why it changes nothing", r.Method, r.Path)
		}
	}
}
