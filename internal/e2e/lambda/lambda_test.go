package lambda

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// maxAge is shorter than the default, so that a test's sandbox is stale sooner.
const maxAge = time.Second

// rig is a server, and a function beside it that shares its NATS.
type rig struct {
	t       *testing.T
	nats    *harness.NATS
	server  *harness.Server
	path    *path
	sandbox *sandbox
	account *harness.Account
	admin   func(out any, args ...string)
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, nats: harness.StartNATS(t, t.TempDir())}
	r.server = harness.Serve(t, t.TempDir(), "serve", "--nats.url", r.nats.URL)
	r.admin = func(out any, args ...string) {
		t.Helper()
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", r.nats.URL)...)
	}
	r.account = harness.NewAccount(r.admin, "function")
	r.path = newPath(t, r.nats.URL)
	r.start()
	return r
}

// start starts a sandbox, as Lambda does where it has none.
func (r *rig) start() {
	r.sandbox = newSandbox(r.t, "--nats.url", r.path.URL(), "--lambda.max-age", maxAge.String())
}

// token makes another token of the account.
func (r *rig) token() (secret, id string) {
	r.t.Helper()
	var made struct {
		Token string `json:"token"`
		KeyID string `json:"key_id"`
	}
	r.admin(&made, "token", "create", r.account.Slug, "--cluster", r.account.Slug)
	return made.Token, made.KeyID
}

// TestLambda runs its parts in order on one server, which takes seconds to start.
func TestLambda(t *testing.T) {
	r := newRig(t)
	t.Run("values pushed are the values queried", r.testValues)
	t.Run("a load balancer's events are taken, too", r.testLoadBalancer)
	t.Run("credentials and routes are those of the ingest role", r.testRefusals)
	t.Run("tenants do not meet", r.testTenants)
	t.Run("a token revoked while frozen is refused at the first call", r.testRevokedWhileFrozen)
	t.Run("a sandbox whose connection was forgotten fails closed", r.testForgottenConnection)
	t.Run("what was acknowledged survives freezing and killing", r.testFrozenAfterAnswer)
	t.Run("a sandbox that is told its end goes in order", r.testEnd)
	t.Run("a start without NATS is told to Lambda", r.testFailedStart)
}

func lokiPush(token, app string, values map[string]string) *request {
	var list [][2]string
	for nano, line := range values {
		list = append(list, [2]string{nano, line})
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": map[string]string{"app": app}, "values": list}}})
	if err != nil {
		panic(err)
	}
	return &request{method: http.MethodPost, path: "/loki/api/v1/push", token: token, media: "application/json", body: body}
}

func one(token, app, line string) *request {
	return lokiPush(token, app, map[string]string{strconv.FormatInt(time.Now().UnixNano(), 10): line})
}

// mustTake wants a 2xx.
func (r *rig) mustTake(t *testing.T, req *request) {
	t.Helper()
	if got := r.sandbox.invoke(req); got.StatusCode/100 != 2 {
		t.Fatalf("push to %s: %+v", req.path, got)
	}
}

func (r *rig) testValues(t *testing.T) {
	const rows = 50
	now := time.Now()
	lines, names := map[string]string{}, map[string]string{}
	var records, items []any
	for i := range rows {
		at := now.Add(time.Duration(i-rows) * time.Second)
		nano, line, name := strconv.FormatInt(at.UnixNano(), 10), fmt.Sprintf("line %d of \"the test\" äöü", i), fmt.Sprintf("pod-%d", i)
		lines[nano], names[name] = line, line
		records = append(records, map[string]any{"timeUnixNano": nano, "body": map[string]string{"stringValue": line}})
		items = append(items, map[string]any{
			"kind": "Event", "involvedObject": map[string]string{"kind": "Pod", "namespace": "function", "name": name},
			"type": "Normal", "reason": "Tested", "message": line, "lastTimestamp": at.UTC().Format(time.RFC3339),
		})
	}
	r.mustTake(t, lokiPush(r.account.Ingest, "lambda", lines))
	r.mustTake(t, &request{
		method: http.MethodPost, path: "/v1/logs", token: r.account.Ingest, media: "application/json", encoding: "gzip",
		body: zipped(t, map[string]any{"resourceLogs": []any{map[string]any{
			"resource":  map[string]any{"attributes": []any{map[string]any{"key": "service.name", "value": map[string]string{"stringValue": "lambda-otlp"}}}},
			"scopeLogs": []any{map[string]any{"logRecords": records}},
		}}}),
	})
	events, err := json.Marshal(map[string]any{"kind": "List", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	r.mustTake(t, &request{method: http.MethodPost, path: "/api/v1/push/events", token: r.account.Ingest, media: "application/json", body: events})

	same(t, lines, func() (map[string]string, error) { return r.lines(r.account.Query, `{app="lambda"}`) })
	same(t, lines, func() (map[string]string, error) { return r.lines(r.account.Query, `{service_name="lambda-otlp"}`) })
	same(t, names, r.events)
}

func zipped(t *testing.T, value any) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// same waits until a query gives what was pushed.
func same(t *testing.T, want map[string]string, query func() (map[string]string, error)) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() error {
		got, err := query()
		if err == nil && !maps.Equal(got, want) {
			err = fmt.Errorf("the query differs from what was pushed (-want +got):\n%s", cmp.Diff(want, got))
		}
		return err
	})
}

// lines returns the log lines of a selector by their time.
func (r *rig) lines(token, selector string) (map[string]string, error) {
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]string }
		}
	}
	address := r.server.URL + "/loki/api/v1/query_range?limit=1000&query=" + url.QueryEscape(selector)
	err := harness.Get(context.Background(), address, token, &answer)
	got := map[string]string{}
	for _, stream := range answer.Data.Result {
		for _, v := range stream.Values {
			got[v[0]] = v[1]
		}
	}
	return got, err
}

func (r *rig) events() (map[string]string, error) {
	var answer struct {
		Items []struct{ Object, Message string }
	}
	err := harness.Get(context.Background(), r.server.URL+"/api/v1/events?namespace=function&limit=1000", r.account.Query, &answer)
	got := map[string]string{}
	for _, item := range answer.Items {
		got[item.Object] = item.Message
	}
	return got, err
}

func (r *rig) testLoadBalancer(t *testing.T) {
	push := one(r.account.Ingest, "balancer", "through a target group")
	event, err := json.Marshal(map[string]any{
		"requestContext": map[string]any{"elb": map[string]string{"targetGroupArn": "arn"}}, "httpMethod": push.method, "path": push.path,
		"queryStringParameters": map[string]string{}, "body": string(push.body), "isBase64Encoded": false,
		"headers": map[string]string{"authorization": "Bearer " + push.token, "content-type": push.media, "x-forwarded-for": "198.51.100.7"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.sandbox.send(event)
	if got := r.sandbox.receive(); got.StatusCode != http.StatusNoContent || got.StatusDescription != "204 No Content" {
		t.Fatalf("push: got %+v", got)
	}
	testkit.Eventually(t, 30*time.Second, func() error {
		got, err := r.lines(r.account.Query, `{app="balancer"}`)
		if err == nil && len(got) != 1 {
			err = fmt.Errorf("got %v, want one line", got)
		}
		return err
	})
}

func (r *rig) testRefusals(t *testing.T) {
	push := one("", "refused", "x")
	for name, tc := range map[string]struct {
		change func(*request)
		want   int
	}{
		"no token":               {func(q *request) {}, http.StatusUnauthorized},
		"a broken token":         {func(q *request) { q.token = "smk_ingest_nothing" }, http.StatusUnauthorized},
		"a token that may read":  {func(q *request) { q.token = r.account.Query }, http.StatusForbidden},
		"a body that is no JSON": {func(q *request) { q.token, q.body = r.account.Ingest, []byte("{") }, http.StatusBadRequest},
		"a route of the querier": {func(q *request) { q.token, q.path = r.account.Query, "/loki/api/v1/labels" }, http.StatusNotFound},
		"a route of the console": {func(q *request) { q.method, q.path = http.MethodGet, "/api/v1/clusters" }, http.StatusNotFound},
	} {
		q := *push
		tc.change(&q)
		if got := r.sandbox.invoke(&q); got.StatusCode != tc.want {
			t.Errorf("%s: got %+v, want status %d", name, got, tc.want)
		}
	}
	r.sandbox.send([]byte(`{"Records":[{"eventSource":"aws:sqs"}]}`))
	if got := r.sandbox.receive(); got.ErrorMessage == "" {
		t.Errorf("an event of another service: got %+v, want an error of the function", got)
	}
}

func (r *rig) testTenants(t *testing.T) {
	other := harness.NewAccount(r.admin, "other")
	testkit.Eventually(t, 30*time.Second, func() error { // the token may be newer than what the sandbox knows
		if got := r.sandbox.invoke(one(other.Ingest, "shared", "of the other")); got.StatusCode != http.StatusNoContent {
			return fmt.Errorf("push with a new token: %+v", got)
		}
		return nil
	})
	r.mustTake(t, one(r.account.Ingest, "shared", "of the first"))
	for token, want := range map[string]string{r.account.Query: "of the first", other.Query: "of the other"} {
		testkit.Eventually(t, 30*time.Second, func() error {
			got, err := r.lines(token, `{app="shared"}`)
			if err != nil {
				return err
			}
			for _, line := range got {
				if line != want {
					t.Fatalf("a tenant sees %q, want %q alone", line, want)
				}
			}
			if len(got) == 0 {
				return fmt.Errorf("no line yet")
			}
			return nil
		})
	}
}

// frozenLong waits until the sandbox has been frozen for longer than its knowledge may be old.
func frozenLong(t *testing.T, since time.Time) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if passed := time.Since(since); passed <= maxAge {
			return fmt.Errorf("frozen for %s", passed)
		}
		return nil
	})
}

// testRevokedWhileFrozen hands the first event over while the process is still stopped, so that it comes no later than the news.
func (r *rig) testRevokedWhileFrozen(t *testing.T) {
	secret, id := r.token()
	testkit.Eventually(t, 30*time.Second, func() error {
		if got := r.sandbox.invoke(one(secret, "revoked", "before")); got.StatusCode != http.StatusNoContent {
			return fmt.Errorf("push before: %+v", got)
		}
		return nil
	})
	r.sandbox.freeze()
	frozen := time.Now()
	r.admin(nil, "token", "revoke", r.account.Slug, id)
	frozenLong(t, frozen)
	r.sandbox.send(one(secret, "revoked", "after").event())
	r.sandbox.thaw()
	if got := r.sandbox.receive(); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("the first call after the freeze: got %+v, want 401", got)
	}
	r.mustTake(t, one(r.account.Ingest, "revoked", "of a token that is good"))
}

// testForgottenConnection loses the way to NATS while the sandbox is frozen, as a network forgets silent connections. Nothing that the
// sandbox knows is current then, and nobody tells it.
func (r *rig) testForgottenConnection(t *testing.T) {
	secret, id := r.token()
	testkit.Eventually(t, 30*time.Second, func() error {
		if got := r.sandbox.invoke(one(secret, "forgotten", "before")); got.StatusCode != http.StatusNoContent {
			return fmt.Errorf("push before: %+v", got)
		}
		return nil
	})
	r.sandbox.freeze()
	frozen := time.Now()
	r.path.lose()
	r.admin(nil, "token", "revoke", r.account.Slug, id)
	frozenLong(t, frozen)
	r.sandbox.send(one(secret, "forgotten", "after").event())
	r.sandbox.thaw()
	got := r.sandbox.receive()
	if got.StatusCode != http.StatusServiceUnavailable || got.Headers["Retry-After"] == "" {
		t.Errorf("without a way to NATS: got %+v, want 503 with Retry-After", got)
	}
	if !strings.Contains(got.Body, "control plane") {
		t.Errorf("without a way to NATS: got %q; the credential has to be refused, before anything is done with the body", got.Body)
	}
	r.path.heal()
	testkit.Eventually(t, patience, func() error {
		got := r.sandbox.invoke(one(secret, "forgotten", "after"))
		switch got.StatusCode {
		case http.StatusUnauthorized:
			return nil
		case http.StatusServiceUnavailable:
			return fmt.Errorf("still %+v", got)
		}
		t.Fatalf("once the way is back: got %+v, want 503 and then 401", got)
		return nil
	})
	r.mustTake(t, one(r.account.Ingest, "forgotten", "of a token that is good"))
}

// testFrozenAfterAnswer stops the process the moment that an answer is out, and in the end kills it there.
func (r *rig) testFrozenAfterAnswer(t *testing.T) {
	const rows = 40
	want := map[string]string{}
	for i := range rows {
		nano, line := strconv.FormatInt(time.Now().UnixNano(), 10), fmt.Sprintf("line %d", i)
		r.sandbox.send(lokiPush(r.account.Ingest, "frozen", map[string]string{nano: line}).event())
		r.sandbox.thaw()
		got := r.sandbox.receive()
		r.sandbox.freeze()
		if got.StatusCode != http.StatusNoContent {
			t.Fatalf("push %d: %+v", i, got)
		}
		want[nano] = line
	}
	refused := one(r.account.Ingest, "frozen", "x")
	refused.encoding = "br"
	r.sandbox.send(refused.event())
	frozenLong(t, time.Now()) // counters are written once a second at most
	r.sandbox.thaw()
	if got := r.sandbox.receive(); got.StatusCode != http.StatusUnsupportedMediaType {
		t.Fatalf("an encoding that nobody reads: %+v", got)
	}
	r.sandbox.freeze()
	r.sandbox.Kill()
	same(t, want, func() (map[string]string, error) { return r.lines(r.account.Query, `{app="frozen"}`) })
	testkit.Eventually(t, 30*time.Second, r.dropTold)
	r.start()
}

// dropTold wants the refusal of the process that was killed in its tenant's ledger.
func (r *rig) dropTold() error {
	var answer struct {
		Items []struct {
			Reason   string
			Statuses []int
		}
	}
	if err := harness.Get(context.Background(), r.server.URL+"/api/v1/drops", r.account.Query, &answer); err != nil {
		return err
	}
	for _, item := range answer.Items {
		if slices.Contains(item.Statuses, http.StatusUnsupportedMediaType) {
			return nil
		}
	}
	return fmt.Errorf("the ledger tells of %+v", answer.Items)
}

func (r *rig) testEnd(t *testing.T) {
	r.mustTake(t, one(r.account.Ingest, "end", "the last"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.sandbox.Terminate(ctx); err != nil {
		t.Errorf("the sandbox ended with %v", err)
	}
}

func (r *rig) testFailedStart(t *testing.T) {
	s, _ := launch(t, "--nats.url", "nats://127.0.0.1:1", "--start-timeout", "200ms")
	select {
	case <-s.failures:
	case <-time.After(patience):
		t.Fatal("Lambda was not told")
	}
	<-s.Done()
}
