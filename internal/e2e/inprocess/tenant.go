package inprocess

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// Tenant is a tenant with one cluster and one token of each kind.
type Tenant struct {
	App                  *app.App
	ID                   seamark.TenantID
	Slug                 string
	Cluster              tenant.Cluster
	Ingest, Query, Admin string // tokens
}

// NewTenant makes a tenant whose cluster has the given name. It is deleted at the test's end, so that the test can run
// again.
func NewTenant(t testing.TB, a *app.App, slug, cluster string) *Tenant {
	t.Helper()
	d := a.Directory()
	made, err := d.CreateTenant(t.Context(), tenant.TenantSpec{Slug: slug, Name: "Tenant " + slug})
	if err != nil {
		t.Fatalf("create tenant %s: %v", slug, err)
	}
	t.Cleanup(func() {
		if err := d.DeleteTenant(context.Background(), made.ID); err != nil && seamark.KindOf(err) != seamark.NotFound {
			t.Errorf("delete tenant %s: %v", slug, err)
		}
	})
	x := &Tenant{App: a, ID: made.ID, Slug: slug}
	if x.Cluster, err = d.CreateCluster(t.Context(), made.ID, tenant.ClusterSpec{Name: cluster}); err != nil {
		t.Fatalf("create cluster %s: %v", cluster, err)
	}
	x.Ingest = x.Token(t, tenant.TokenSpec{Kind: seamark.IngestToken, Name: "agents", Cluster: x.Cluster.ID})
	x.Query = x.Token(t, tenant.TokenSpec{Kind: seamark.QueryToken, Name: "grafana"})
	x.Admin = x.Token(t, tenant.TokenSpec{Kind: seamark.AdminToken, Name: "terraform"})
	return x
}

// Token makes one more token and returns its secret text.
func (x *Tenant) Token(t testing.TB, spec tenant.TokenSpec) string {
	t.Helper()
	_, secret, err := x.App.Directory().CreateToken(t.Context(), x.ID, spec)
	if err != nil {
		t.Fatalf("create %s token: %v", spec.Kind, err)
	}
	return secret
}

// Response is an answer with its body read.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends one request with token as Bearer, unless the header has a credential already or token is empty. It works in
// clean-ups, too.
func (x *Tenant) Do(t testing.TB, token, method, path string, header http.Header, body string) Response { //nolint:revive // a request has these parts, and tests read best in one line
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, x.App.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if token != "" && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return Response{Status: answer.StatusCode, Header: answer.Header, Body: string(text)}
}

// Get sends a GET with the query token and decodes the JSON answer, which must be 200, into out.
func (x *Tenant) Get(t testing.TB, path string, query url.Values, out any) {
	t.Helper()
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	answer := x.Do(t, x.Query, http.MethodGet, path, nil, "")
	if answer.Status != http.StatusOK {
		t.Fatalf("GET %s: got %d %s, want 200", path, answer.Status, answer.Body)
	}
	if err := json.Unmarshal([]byte(answer.Body), out); err != nil {
		t.Fatalf("GET %s: %v in %s", path, err, answer.Body)
	}
}

// Post sends a POST with the given token and fails the test unless the status is want.
func (x *Tenant) Post(t testing.TB, token, path, contentType, body string, want int) Response { //nolint:revive // a request has these parts, and tests read best in one line
	t.Helper()
	answer := x.Do(t, token, http.MethodPost, path, http.Header{"Content-Type": {contentType}}, body)
	if answer.Status != want {
		t.Fatalf("POST %s: got %d %s, want %d", path, answer.Status, answer.Body, want)
	}
	return answer
}
