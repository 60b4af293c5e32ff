package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// keepResult has a tenant's logs be searched in the background, and returns the path of the result, which holds the text.
func (f *fleet) keepResult(a *account, text string) string {
	f.t.Helper()
	path := "/loki/api/v1/query_range?" + url.Values{"query": {`{canary="` + text + `"}`}, "limit": {"50"}}.Encode()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.nodes[0].URL+path, http.NoBody)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.Query)
	r.Header.Set("Prefer", "respond-async")
	accepted, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	_ = accepted.Body.Close()
	job := accepted.Header.Get("Location")
	if accepted.StatusCode != http.StatusAccepted || job == "" {
		f.t.Fatalf("%s: got %d, Location %q", path, accepted.StatusCode, job)
	}
	testkit.Eventually(f.t, within, func() error {
		answer, err := f.send(f.t.Context(), 1, http.MethodGet, job, a.Query, "")
		if err != nil {
			return err
		}
		var state struct{ State string }
		if err := json.Unmarshal(answer.Body, &state); err != nil || state.State != "done" {
			return fmt.Errorf("the job is %d %s", answer.Status, answer.Body)
		}
		return nil
	})
	if got := f.call(1, http.MethodGet, job+"/result", a.Query, "", http.StatusOK); !strings.Contains(got, text) {
		f.t.Fatalf("the result is %.300s, want %s in it", got, text)
	}
	return job + "/result"
}

// checkResults wants the kept result of the tenant that is left, and none of the one that is gone, whoever asks for it.
func (f *fleet) checkResults(t *testing.T, gone, stays *account, result, kept string) {
	t.Helper()
	for node := range f.nodes {
		if got := f.call(node, http.MethodGet, kept, stays.Query, "", http.StatusOK); !strings.Contains(got, "canarystays") {
			t.Errorf("node %d: the other tenant's result is %.300s", node, got)
		}
		for _, token := range []string{gone.Query, stays.Query, stays.admin} {
			answer, err := f.send(t.Context(), node, http.MethodGet, result, token, "")
			if err != nil || answer.Status == http.StatusOK {
				t.Errorf("node %d: the result of a deleted tenant: got %+v, %v", node, answer, err)
			}
		}
	}
}
