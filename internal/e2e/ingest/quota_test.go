package ingest_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// expectRefusal fails the test unless an answer is 429, tells when to come back and names what it must.
func expectRefusal(answer inprocess.Response, names ...string) error {
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if answer.Status != http.StatusTooManyRequests || err != nil || seconds < 1 {
		return fmt.Errorf("got %d with Retry-After %q: %s, want 429 and seconds to wait", answer.Status, answer.Header.Get("Retry-After"), answer.Body)
	}
	for _, name := range names {
		if !strings.Contains(answer.Body, name) {
			return fmt.Errorf("the refusal %q does not name %q", answer.Body, name)
		}
	}
	return nil
}

// TestQuotaTakesEffect sets and lifts limits while a sender sends: an operator those of a tenant, the tenant those of a
// cluster. Each is followed promptly, without a restart.
func TestQuotaTakesEffect(t *testing.T) {
	x := newAccount(t, "quotas").asOperator(t)
	narrow, key := x.newCluster(t, "narrow", tenant.TokenSpec{})
	push := func() inprocess.Response { // enough lines for a debt of seconds, however slowly they come
		body := lokiBody(t, map[string]string{"app": "quotas"}, now(), "one", "two", "three", "four", "five", "six")
		return x.Do(t, key.secret, http.MethodPost, lokiPath, http.Header{"Content-Type": {jsonMedia}}, body)
	}
	accepted := func() error {
		if answer := push(); answer.Status != http.StatusNoContent {
			return fmt.Errorf("got %d %s, want 204", answer.Status, answer.Body)
		}
		return nil
	}
	if err := accepted(); err != nil {
		t.Fatal(err)
	}
	const wide = `{"rows_per_second":1000000,"bytes_per_second":1000000000}`
	for _, c := range []struct {
		name, quota string
		set         func(quota string)
		names       []string
	}{
		{"rows of a cluster", `{"rows_per_second":1,"rows_burst":1}`, func(q string) { x.limitCluster(t, narrow, q) }, []string{"rows_per_second", `"narrow"`, "/api/v1/clusters/"}},
		{"bytes of a cluster", `{"bytes_per_second":10,"bytes_burst":10}`, func(q string) { x.limitCluster(t, narrow, q) }, []string{"bytes_per_second", `"narrow"`}},
		{"rows of a tenant", `{"rows_per_second":1,"rows_burst":1}`, func(q string) { x.limitTenant(t, q) }, []string{"rows_per_second", "The tenant", "/api/v1/tenants/"}},
		{"bytes of a tenant", `{"bytes_per_second":10,"bytes_burst":10}`, func(q string) { x.limitTenant(t, q) }, []string{"bytes_per_second", "The tenant"}},
		{"a tenant's day", `{"daily_bytes":1}`, func(q string) { x.limitTenant(t, q) }, []string{"daily_bytes", "The tenant"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.set(c.quota)
			testkit.Eventually(t, promptly, func() error { return expectRefusal(push(), c.names...) })
			c.set(`{}`)
			if strings.Contains(c.name, "tenant") {
				c.set(wide) // above the cluster's, which has none
			}
			testkit.Eventually(t, promptly, accepted)
		})
	}
	shown := x.Do(t, x.operator, http.MethodGet, "/api/v1/tenants/"+string(x.ID)+"/quotas", nil, "")
	if shown.Status != http.StatusOK || !strings.Contains(shown.Body, `"rows_per_second":1000000`) {
		t.Errorf("the tenant's quota: got %d %s, want what was set last", shown.Status, shown.Body)
	}
}

// sampleOf is one sample of a series of its own.
func sampleOf(n int, at time.Time) series {
	return series{[]string{"__name__", "pod_info", "n", strconv.Itoa(n)}, at, float64(n)}
}

// TestSeriesLimit sends more series than the tenant may have. Good rows beside refused ones are stored and the sender drops
// the rest; a request that is refused whole is to be sent again, and then it is stored, though its bytes are the same.
func TestSeriesLimit(t *testing.T) {
	x := newAccount(t, "series-limit").asOperator(t)
	x.limitTenant(t, `{"active_series":2}`)
	at := now().Add(-time.Minute).Truncate(time.Second)
	write := func(body string) inprocess.Response {
		return x.Do(t, x.Ingest, http.MethodPost, writePath, http.Header{"Content-Type": {protoMedia}}, body)
	}
	const stored = `last_over_time(pod_info[10m])`

	part := write(writeBody(t, sampleOf(1, at), sampleOf(2, at), sampleOf(3, at), sampleOf(4, at)))
	if part.Status != http.StatusBadRequest || !strings.Contains(part.Body, "2 of 4 rows were refused") || !strings.Contains(part.Body, "seamark-series-limit x2") ||
		!strings.Contains(part.Body, "active_series") {
		t.Errorf("four series with room for two: got %d %s, want 400 with the reason", part.Status, part.Body)
	}
	x.awaitSamples(t, stored, map[string]string{"1": "1", "2": "2"}, "n")

	whole := writeBody(t, sampleOf(3, at), sampleOf(4, at))
	if err := expectRefusal(write(whole), "active_series", "2"); err != nil {
		t.Errorf("two series without room: %v", err)
	}
	if answer := write(writeBody(t, sampleOf(1, at.Add(time.Second)))); answer.Status != http.StatusNoContent {
		t.Errorf("a series that is known: got %d %s, want 204", answer.Status, answer.Body)
	}
	x.limitTenant(t, `{"active_series":10}`)
	testkit.Eventually(t, promptly, func() error {
		if answer := write(whole); answer.Status != http.StatusNoContent {
			return fmt.Errorf("the same request after the limit was raised: got %d %s, want 204", answer.Status, answer.Body)
		}
		return nil
	})
	x.awaitSamples(t, stored, map[string]string{"1": "1", "2": "2", "3": "3", "4": "4"}, "n")
}

// TestStreamsLimit is the same for log streams.
func TestStreamsLimit(t *testing.T) {
	x := newAccount(t, "streams-limit").asOperator(t)
	x.limitTenant(t, `{"active_streams":1}`)
	at := now().Add(-time.Minute)
	push := func(body string) inprocess.Response {
		return x.Do(t, x.Ingest, http.MethodPost, lokiPath, http.Header{"Content-Type": {jsonMedia}}, body)
	}
	one, two := lokiBody(t, map[string]string{"app": "one"}, at, "first"), lokiBody(t, map[string]string{"app": "two"}, at, "second")
	if answer := push(one); answer.Status != http.StatusNoContent {
		t.Fatalf("the first stream: got %d %s", answer.Status, answer.Body)
	}
	if err := expectRefusal(push(two), "active_streams"); err != nil {
		t.Errorf("the second stream: %v", err)
	}
	x.limitTenant(t, `{"active_streams":10}`)
	testkit.Eventually(t, promptly, func() error {
		if answer := push(two); answer.Status != http.StatusNoContent {
			return fmt.Errorf("got %d %s, want 204", answer.Status, answer.Body)
		}
		return nil
	})
	push(two) // its answer might have been lost
	x.settleLogs(t)
	x.awaitBodies(t, `{app=~"one|two"}`, "first", "second")
}

// settleLogs waits until all lines that were acknowledged before are stored: a cluster's lines are stored in order.
func (x *account) settleLogs(t *testing.T) {
	t.Helper()
	mark := fmt.Sprint("settled ", now().UnixNano())
	x.pushLines(t, "settle", http.StatusNoContent, mark)
	x.awaitBodies(t, `{app="settle"} |= "`+mark+`"`, mark)
}
