package ingest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func auditEvent(id string, at time.Time) string {
	return fmt.Sprintf(`{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":%q,"stage":"ResponseComplete",`+
		`"requestURI":"/api/v1/namespaces/shop/secrets/%[1]s","verb":"get","user":{"username":"ann"},"sourceIPs":["10.0.0.1"],`+
		`"objectRef":{"resource":"secrets","namespace":"shop","name":%[1]q},"responseStatus":{"metadata":{},"code":200},`+
		`"requestReceivedTimestamp":%[2]q,"stageTimestamp":%[2]q}`, id, at.UTC().Format("2006-01-02T15:04:05.000000Z"))
}

// TestAuditOnce repeats a batch, as the API server does without an answer, and an event of it in another batch.
func TestAuditOnce(t *testing.T) {
	x := newAccount(t, "audit-once")
	at := now().Add(-time.Minute)
	one, two, three := auditEvent("one", at), auditEvent("two", at.Add(time.Second)), auditEvent("three", at.Add(2*time.Second))
	push := func(events ...string) {
		body := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[` + strings.Join(events, ",") + `]}`
		x.Post(t, x.Ingest, "/api/v1/push/audit", jsonMedia, body, http.StatusOK)
	}
	push(one, two)
	push(one, two)
	push(two, three)
	// The last event is stored after all before it.
	x.awaitBodies(t, `{signal="audit", namespace="shop"}`, one, two, three)
}
