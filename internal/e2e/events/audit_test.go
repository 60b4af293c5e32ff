package events_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// request is a request as an API server's audit log tells it.
func (w *world) request(id, user, verb, resource, name, subresource string, code int, took time.Duration, rest string) string {
	at := w.now.Add(-time.Minute)
	return fmt.Sprintf(`{"kind":"Event","level":"RequestResponse","auditID":%q,"stage":"ResponseComplete","requestURI":"/apis/x","verb":%q,"user":{"username":%q},
		"sourceIPs":["10.0.0.1"],"userAgent":"kubectl","objectRef":{"resource":%q,"namespace":"shop","name":%q,"subresource":%q},"responseStatus":{"code":%d}%s,`+
		`"requestReceivedTimestamp":"%s","stageTimestamp":%q}`,
		id, verb, user, resource, name, subresource, code, rest, at.Add(-took).Format(time.RFC3339Nano), at.Add(time.Duration(len(id))*time.Second).Format(time.RFC3339Nano))
}

// TestAudit pushes a batch twice, as an API server does that missed the answer.
func TestAudit(t *testing.T) {
	w := newWorld(t)
	deployment := func(replicas int) string {
		return fmt.Sprintf(`,"responseObject":{"kind":"Deployment","spec":{"replicas":%d}}`, replicas)
	}
	requests := []string{
		w.request("a", "ann", "get", "secrets", "db", "", 200, 0, ""), w.request("b", "eve", "get", "secrets", "db", "", 403, 0, ""),
		w.request("c", "ann", "create", "pods", "web-0", "exec", 101, 0, ""),
		w.request("d", "bob", "list", "pods", "", "", 200, 3*time.Second, `,"responseObject":{"kind":"PodList","items":[{},{}]}`),
		w.request("e", "ann", "update", "deployments", "web", "", 200, 0, deployment(1)), w.request("ff", "ann", "patch", "deployments", "web", "", 200, 0, deployment(3)),
	}
	batch := []byte(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(requests, ",") + `]}`)
	w.push(t, "/api/v1/push/audit", batch)
	w.push(t, "/api/v1/push/audit", batch)
	var clients struct {
		Entries int
		Total   struct{ Requests, Denied, Failed int }
		Items   []struct {
			Values           map[string]string
			Requests, Denied int
		}
	}
	testkit.Eventually(t, within, func() error {
		err := w.get(t, &clients, "/api/v1/audit/clients", "by", "user", "order", "denied")
		if err == nil && (clients.Total.Requests != 6 || clients.Total.Denied != 1 || clients.Entries != 3) {
			err = fmt.Errorf("got %+v", clients)
		}
		return err
	})
	if got := fmt.Sprint(clients.Items); got != "[{map[user:eve] 1 1} {map[user:ann] 4 0} {map[user:bob] 1 0}]" {
		t.Errorf("clients: got %s", got)
	}
	for query, want := range map[[2]string]int{
		{"class", "denied"}: 1, {"class", "secrets"}: 2, {"class", "exec"}: 1, {"class", "writes"}: 3, {"class", "failed"}: 0, {"user", "ann"}: 4, {"not_user", "ann"}: 2,
		{"name", "db"}: 2, {"verb", "list"}: 1, {"cluster", ours}: 6, {"source_ip", "10.0.0.2"}: 0,
	} {
		var list struct{ Items []struct{ User string } }
		w.must(t, &list, "/api/v1/audit", query[0], query[1])
		if len(list.Items) != want {
			t.Errorf("%v: got %v, want %d", query, list.Items, want)
		}
	}
	var lists struct {
		Items []struct {
			User      string
			Slowest   float64
			Unpaged   int
			MostItems int `json:"most_items"`
		}
	}
	w.must(t, &lists, "/api/v1/audit/lists")
	if got := fmt.Sprint(lists.Items); got != "[{bob 4 1 2}]" {
		t.Errorf("lists: got %s", got)
	}
	var writes struct {
		Items []struct {
			Verb, Known string
			Differences []struct {
				Path          string
				Before, After any
			}
		}
	}
	w.must(t, &writes, "/api/v1/audit/writes", "cluster", ours, "namespace", "shop", "resource", "deployments", "name", "web")
	if got := fmt.Sprint(writes.Items); got != "[{patch state [{.spec.replicas 1 3}]} {update first []}]" {
		t.Errorf("writes: got %s", got)
	}
}
