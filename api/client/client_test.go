package client

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// script answers each request with the next of its handlers and remembers what was sent.
type script struct {
	t       *testing.T
	answers []http.HandlerFunc
	seen    []*http.Request
	bodies  []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.seen, s.bodies = append(s.seen, r), append(s.bodies, string(body))
	if len(s.seen) > len(s.answers) {
		s.t.Errorf("request %d was not expected: %s %s", len(s.seen), r.Method, r.URL)
		return
	}
	s.answers[len(s.seen)-1](w, r)
}

// start returns a client of a server with the given answers, and the waits that it would have made.
func start(t *testing.T, answers ...http.HandlerFunc) (*Client, *script, *[]time.Duration) {
	t.Helper()
	s := &script{t: t, answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := New(server.URL, "smk_test")
	if err != nil {
		t.Fatal(err)
	}
	waits := new([]time.Duration)
	c.after = func(d time.Duration) <-chan time.Time {
		*waits = append(*waits, d)
		now := make(chan time.Time, 1)
		now <- time.Time{}
		return now
	}
	return c, s, waits
}

func answer(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestCall(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusOK, "application/json", `{"items":[]}`, "ETag", `"7"`, "X-Request-Id", "R1"))
	var meta Meta
	list, err := c.ListAudit(t.Context(), &ListAuditParams{Cluster: []string{"a b", "c&d"}, Limit: new(7), Class: new(ListAuditParamsClassWrites)}, Into(&meta))
	if err != nil || list.Items == nil {
		t.Fatalf("got %+v, %v", list, err)
	}
	r := s.seen[0]
	if got, want := r.URL.RawQuery, "class=writes&cluster=a+b&cluster=c%26d&limit=7"; got != want {
		t.Errorf("query: got %s, want %s", got, want)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer smk_test" {
		t.Errorf("Authorization: got %q", got)
	}
	if got := r.UserAgent(); !strings.HasPrefix(got, "seamark-go") {
		t.Errorf("User-Agent: got %q", got)
	}
	if meta.Status != http.StatusOK || meta.ETag != `"7"` || meta.RequestID != "R1" {
		t.Errorf("meta: got %+v", meta)
	}
}

func TestPathIsEscaped(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusAccepted, "application/json", `{"status":"success"}`))
	if _, err := c.DeleteRuleGroup(t.Context(), "a/b", "c?d"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.seen[0].URL.EscapedPath(), "/prometheus/config/v1/rules/a%2Fb/c%3Fd"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := c.DeleteRuleGroup(t.Context(), "a", ""); err == nil {
		t.Error("an empty name was sent")
	}
}

func TestErrors(t *testing.T) {
	problem := `{"type":"about:blank","title":"Bad Request","status":400,"detail":"No.","id":"seamark-x-y","errors":[{"pointer":"/a/0","detail":"Is no number."}]}`
	for _, test := range []struct {
		name, contentType, body string
		want                    Error
	}{
		{"problem", "application/problem+json", problem, Error{ID: "seamark-x-y", Title: "Bad Request", Detail: "No.", Fields: []FieldError{{"/a/0", "Is no number."}}}},
		{"prometheus", "application/json", `{"status":"error","errorType":"bad_data","error":"parse error"}`, Error{Title: "Bad Request", Detail: "parse error"}},
		{"text", "text/plain; charset=utf-8", "not so\n", Error{Title: "Bad Request", Detail: "not so"}},
		{"broken", "application/json", "{", Error{Title: "Bad Request", Detail: "{"}},
		{"page", "text/html", "<html>", Error{Title: "Bad Request"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _, _ := start(t, answer(http.StatusBadRequest, test.contentType, test.body, "X-Request-Id", "R2"))
			_, err := c.ListClusters(t.Context(), nil)
			got, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			if got.ID != test.want.ID || got.Title != test.want.Title || got.Detail != test.want.Detail || !slices.Equal(got.Fields, test.want.Fields) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got.Status != http.StatusBadRequest || got.RequestID != "R2" || got.Path != "/api/v1/clusters" || !IsStatus(err, 400, 404) || IsNotFound(err) {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(err.Error(), test.want.Detail) {
				t.Errorf("the message %q lacks %q", err, test.want.Detail)
			}
		})
	}
}

func TestRepeatsWhatMaySucceedLater(t *testing.T) {
	busy := answer(http.StatusServiceUnavailable, "text/plain", "busy", "Retry-After", "3")
	c, s, waits := start(t, []http.HandlerFunc{busy, busy, answer(http.StatusOK, "application/json", `{"items":[]}`)}...)
	if _, err := c.ListClusters(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if len(s.seen) != 3 || len(*waits) != 2 || (*waits)[0] < 3*time.Second || (*waits)[0] > 4*time.Second {
		t.Errorf("%d requests, waits %v; want 3 and two of 3s", len(s.seen), *waits)
	}
}

func TestSendsTheBodyAgain(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusBadGateway, "text/plain", ""), answer(http.StatusOK, "application/json", `{}`))
	if _, err := c.SetTenantQuota(t.Context(), "T", Quota{MaxLabels: new(int64(5))}, IfMatch(`"3"`)); err != nil {
		t.Fatal(err)
	}
	if s.bodies[0] != s.bodies[1] || !strings.Contains(s.bodies[1], `"max_labels":5`) || s.seen[1].Header.Get("If-Match") != `"3"` {
		t.Errorf("got %q with %v", s.bodies, s.seen[1].Header)
	}
}

func TestDoesNotRepeat(t *testing.T) {
	for _, test := range []struct {
		name string
		a    http.HandlerFunc
		call func(*Client) error
	}{
		{"what can never succeed", answer(http.StatusBadRequest, "text/plain", ""), func(c *Client) error { _, err := c.ListClusters(t.Context(), nil); return err }},
		{"what is not safe to repeat", answer(http.StatusServiceUnavailable, "text/plain", ""), func(c *Client) error { _, err := c.CreateSession(t.Context(), Credentials{}); return err }},
		{"what the server wants much later", answer(http.StatusTooManyRequests, "text/plain", "", "Retry-After", "3600"), func(c *Client) error { _, err := c.ListClusters(t.Context(), nil); return err }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, s, _ := start(t, test.a)
			if err := test.call(c); err == nil || len(s.seen) != 1 {
				t.Errorf("got %v after %d requests, want an error after one", err, len(s.seen))
			}
		})
	}
}

func TestGivesUp(t *testing.T) {
	down := answer(http.StatusServiceUnavailable, "text/plain", "down")
	c, s, _ := start(t, slices.Repeat([]http.HandlerFunc{down}, DefaultAttempts)...)
	_, err := c.ListClusters(t.Context(), nil)
	if !IsStatus(err, http.StatusServiceUnavailable) || len(s.seen) != DefaultAttempts {
		t.Errorf("got %v after %d requests, want 503 after %d", err, len(s.seen), DefaultAttempts)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, _, _ := start(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	c.after = func(time.Duration) <-chan time.Time { cancel(); return nil }
	if _, err := c.ListClusters(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestCreationsHaveAKey(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusServiceUnavailable, "text/plain", ""), answer(http.StatusOK, "application/json", `{}`, "Idempotency-Replayed", "true"))
	r := newCall(http.MethodPost, "/api/v1/things", nil)
	r.creates = true
	var meta Meta
	r.meta = &meta
	r.json(map[string]string{"name": "x"})
	if _, err := fetch[json.RawMessage](t.Context(), c, r); err != nil {
		t.Fatal(err)
	}
	first, second := s.seen[0].Header.Get("Idempotency-Key"), s.seen[1].Header.Get("Idempotency-Key")
	if first == "" || first != second || !meta.Replayed {
		t.Errorf("keys %q and %q, replayed %v", first, second, meta.Replayed)
	}
}

func TestFollowsNoRedirect(t *testing.T) {
	c, s, _ := start(t, answer(http.StatusFound, "text/plain", "", "Location", "/elsewhere"))
	if _, err := c.ListClusters(t.Context(), nil); !IsStatus(err, http.StatusFound) || len(s.seen) != 1 {
		t.Errorf("got %v after %d requests", err, len(s.seen))
	}
}

func TestTrustsTheGivenCertificates(t *testing.T) {
	server := httptest.NewTLSServer(answer(http.StatusOK, "application/json", `{"items":[]}`))
	t.Cleanup(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for _, test := range []struct {
		name    string
		options Options
		ok      bool
	}{
		{"without", Options{Attempts: 1}, false},
		{"with", Options{CACertificates: certificate, Attempts: 1}, true},
		{"any", Options{InsecureSkipVerify: true, Attempts: 1}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.options.Address = server.URL
			c, err := NewWithOptions(test.options)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.ListClusters(t.Context(), nil); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{
		{}, {Address: "seamark.example.com"}, {Address: "ftp://x"}, {Address: "http://u:p@x"}, {Address: "http://x?y=1"}, {Address: "http://x", Attempts: -1},
		{Address: "https://x", CACertificates: []byte("no PEM")}, {Address: "https://x", InsecureSkipVerify: true, Transport: http.DefaultTransport},
	} {
		if _, err := NewWithOptions(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestPages(t *testing.T) {
	pages := map[string][]int{"": {1, 2}, "b": {3}, "c": {}}
	next := map[string]string{"": "b", "b": "c"}
	var got []int
	for n, err := range Pages(t.Context(), func(_ context.Context, cursor *string) ([]int, string, error) {
		at := ""
		if cursor != nil {
			at = *cursor
		}
		return pages[at], next[at], nil
	}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	if !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

// TestOperations holds the table of operations against the rules that the programs over it rely on.
func TestOperations(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range Operations() {
		switch {
		case op.ID == "" || seen[op.ID]:
			t.Errorf("%s %s: the operationId %q is missing or stands twice", op.Method, op.Path, op.ID)
		case op.Summary == "" || len(op.Tags) != 1:
			t.Errorf("%s: want a summary and one tag", op.ID)
		}
		seen[op.ID] = true
		for _, p := range op.Params {
			if in := strings.Contains(op.Path, "{"+p.Name+"}"); in != (p.In == "path") {
				t.Errorf("%s: parameter %s is %s and the path is %s", op.ID, p.Name, p.In, op.Path)
			}
		}
	}
	if len(seen) < 100 {
		t.Errorf("got %d operations", len(seen))
	}
}
