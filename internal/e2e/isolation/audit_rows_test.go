package isolation_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// auditRows are the routes for audit logs. Both tenants have a write of the same object, by a user called as the tenant's
// marker, and a LIST by it.
func auditRows() []row {
	const path = "/api/v1/audit"
	const object = "resource=deployments&name=same&namespace=same&api_group=apps"
	return []row{
		showing(path, []string{"", "user=MINE", "user=OTHER", "class=writes"}, []string{"limit=x", "class=x"}),
		showing(path+"/clients", []string{"", "by=user,cluster&order=denied", "user=OTHER"}, []string{"by=x", "order=x"}),
		showing(path+"/lists", []string{"", "order=large"}, []string{"order=x"}),
		showing(path+"/writes", []string{object + "&cluster=same", object + "&cluster=OTHER"}, []string{"resource=x"}),
	}
}

// pushAudit stores a write and a LIST by a user who is called as the marker. The audit ids are the same on both sides.
func (w *world) pushAudit(t *testing.T, s *side) {
	t.Helper()
	event := func(id, verb, rest string) string {
		at := w.start.Format(time.RFC3339Nano)
		return fmt.Sprintf(`{"auditID":%q,"stage":"ResponseComplete","verb":%q,"user":{"username":%q},"responseStatus":{"code":200},
			"requestReceivedTimestamp":%q,"stageTimestamp":%q%s}`, id, verb, s.marker, at, at, rest)
	}
	write := event("same-1", "update", `,"objectRef":{"resource":"deployments","namespace":"same","name":"same","apiGroup":"apps"}`)
	list := event("same-2", "list", `,"objectRef":{"resource":"pods","namespace":"same"}`)
	s.Post(t, s.Ingest, "/api/v1/push/audit", "application/json", `{"kind":"EventList","items":[`+write+","+list+`]}`, http.StatusOK)
}
