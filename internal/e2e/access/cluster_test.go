package access_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// clusterDeletions makes clusters with a token over the API and deletes them: no ingest node takes a push with the token a
// second later, or ever again.
func (f *fleet) clusterDeletions(t *testing.T) {
	var took []time.Duration
	for i := range rounds {
		id := f.create(t, i, "/api/v1/clusters", fmt.Sprintf(`{"name":"cluster-%d"}`, i)).ID
		token := f.create(t, i, "/api/v1/tokens", `{"kind":"ingest","cluster_id":"`+id+`"}`).Secret
		f.pushed(t, time.Now(), token, http.StatusNoContent)
		f.reaches(t, time.Now(), "/api/v1/clusters/"+id, f.sessions["viewer"], http.StatusOK)
		if got := f.ask(t, (i+1)%apiNodes, http.MethodDelete, "/api/v1/clusters/"+id, f.sessions["admin"], ""); got != http.StatusNoContent {
			t.Fatalf("delete the cluster: got %d", got)
		}
		took = append(took, f.pushed(t, time.Now(), token, http.StatusUnauthorized))
		for _, node := range f.ingest {
			if got := push(t, node, token); got != http.StatusUnauthorized {
				t.Errorf("a push with the token of a deleted cluster: got %d after a refusal", got)
			}
		}
	}
	judge(t, took)
}

// made is what the tests read of what was created.
type made struct{ ID, Secret string }

// create posts to one api node as the admin.
func (f *fleet) create(t *testing.T, node int, path, body string) made {
	t.Helper()
	answer := send(t, f.nodes[node%apiNodes], &harness.Request{Method: http.MethodPost, URL: path, Token: f.sessions["admin"], Body: []byte(body)})
	var out made
	if answer.Status != http.StatusCreated || json.Unmarshal(answer.Body, &out) != nil || out.ID == "" {
		t.Fatalf("POST %s %s: got %d %s", path, body, answer.Status, answer.Body)
	}
	return out
}

func push(t *testing.T, node *harness.Server, token string) int {
	t.Helper()
	body := fmt.Sprintf(`{"streams":[{"stream":{"app":"x"},"values":[["%d","line"]]}]}`, time.Now().UnixNano())
	return send(t, node, &harness.Request{Method: http.MethodPost, URL: "/loki/api/v1/push", Token: token, Body: []byte(body)}).Status
}

// pushed pushes to every ingest node until it answers with the status, and returns what reaches does.
func (f *fleet) pushed(t *testing.T, changed time.Time, token string, want int) time.Duration {
	t.Helper()
	last := time.Duration(0)
	for _, node := range f.ingest {
		for sent := time.Since(changed); push(t, node, token) != want; sent = time.Since(changed) {
			if last = sent; last > 20*maxChange {
				t.Fatalf("an ingest node does not answer a push with %d after %s", want, last)
			}
		}
	}
	return last
}
