package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	quotaTenant  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBX")
	quotaCluster = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FBY")
)

// quotaFake answers with found and remembers what was set.
type quotaFake struct {
	found   api.TenantQuotas
	err     error
	tenant  seamark.TenantID
	cluster seamark.ClusterID
	set     *api.Quota
}

func (f *quotaFake) FindQuotas(_ context.Context, tenant seamark.TenantID) (api.TenantQuotas, error) {
	f.tenant = tenant
	return f.found, f.err
}

func (f *quotaFake) SetTenantQuota(_ context.Context, tenant seamark.TenantID, q api.Quota, accept func(api.Quota) error) error {
	if err := accept(f.found.Set); err != nil {
		return err
	}
	f.tenant, f.set = tenant, &q
	return f.err
}

func (f *quotaFake) SetClusterQuota(_ context.Context, tenant seamark.TenantID, cluster seamark.ClusterID, q api.Quota, accept func(api.Quota) error) error {
	if err := accept(api.Quota{}); err != nil {
		return err
	}
	f.tenant, f.cluster, f.set = tenant, cluster, &q
	return f.err
}

// quotaVerifier takes every token for an admin of promTenant, and "smk_operator" for an operator, who belongs to no tenant.
type quotaVerifier struct{ promVerifier }

func (quotaVerifier) Authenticate(_ context.Context, token string) (seamark.Principal, error) {
	if token == "smk_operator" {
		return seamark.Principal{Kind: seamark.Session, Operator: true}, nil
	}
	return seamark.Principal{Tenant: promTenant, Kind: seamark.AdminToken}, nil
}

func (quotaVerifier) Permit(p seamark.Principal, permission string) error {
	switch permission {
	case "tenant:read":
		if !p.Operator {
			return nil
		}
	case "tenants:read", "tenants:write":
		if p.Operator {
			return nil
		}
	case "clusters:write":
		return nil
	}
	return seamark.Errorf(seamark.Forbidden, "seamark-permission-missing", "No permission %s.", permission)
}

func doQuotas(t *testing.T, f *quotaFake, token, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: api.QuotaRoutes(f), Verifier: quotaVerifier{}, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func quotaFound() api.TenantQuotas {
	return api.TenantQuotas{
		Limits: api.Quota{RowsPerSecond: 10, BytesBurst: 5}, Set: api.Quota{BytesBurst: 5}, Use: api.QuotaUse{RowsPerSecond: 3, BytesToday: 9},
		Clusters: []api.ClusterQuotas{{ID: string(quotaCluster), Name: "prod", Set: api.Quota{MaxLabels: 7}, Use: api.QuotaUse{ActiveSeries: 2}}},
	}
}

func TestQuotasOfATenant(t *testing.T) {
	f := &quotaFake{found: quotaFound()}
	w := doQuotas(t, f, "smk_admin", http.MethodGet, "/api/v1/quotas", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, promTenant, f.tenant)
	for _, want := range []string{
		`"limits":{"bytes_per_second":0,"bytes_burst":5,"rows_per_second":10,`, `"set":{"bytes_per_second":0,"bytes_burst":5,"rows_per_second":0,`,
		`"bytes_today":9,`, `"clusters":[{"id":"` + string(quotaCluster) + `","name":"prod","set":{`, `"max_labels":7,`,
	} {
		require.Contains(t, w.Body.String(), want)
	}
	require.Equal(t, 1, strings.Count(w.Body.String(), `"clusters"`))
	w = doQuotas(t, &quotaFake{}, "smk_admin", http.MethodGet, "/api/v1/quotas", "")
	require.Contains(t, w.Body.String(), `"clusters":[]`)
}

func TestQuotasOfAnOperator(t *testing.T) {
	f := &quotaFake{found: quotaFound()}
	path := "/api/v1/tenants/" + string(quotaTenant) + "/quotas"
	w := doQuotas(t, f, "smk_operator", http.MethodGet, path, "")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, quotaTenant, f.tenant)
	require.NotContains(t, w.Body.String(), "prod", "the names of a tenant's clusters are the tenant's")
	w = doQuotas(t, f, "smk_operator", http.MethodPut, path, `{"rows_per_second":500,"max_age_seconds":3600}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, &api.Quota{RowsPerSecond: 500, MaxAgeSeconds: 3600}, f.set)
	require.Contains(t, w.Body.String(), `"rows_per_second":500`)
	for _, c := range []struct {
		token, method, path, body string
		status                    int
	}{
		{"smk_admin", http.MethodGet, path, "", http.StatusForbidden},
		{"smk_admin", http.MethodPut, path, "{}", http.StatusForbidden},
		{"smk_operator", http.MethodGet, "/api/v1/quotas", "", http.StatusForbidden},
		{"smk_operator", http.MethodGet, "/api/v1/tenants/nobody/quotas", "", http.StatusNotFound},
		{"smk_operator", http.MethodPut, "/api/v1/tenants/nobody/quotas", "{}", http.StatusNotFound},
		{"smk_operator", http.MethodPut, path, `{"rows":1}`, http.StatusBadRequest},
		{"smk_operator", http.MethodPut, path, `{"rows_per_second":"many"}`, http.StatusBadRequest},
	} {
		f.set = nil
		w := doQuotas(t, f, c.token, c.method, c.path, c.body)
		require.Equal(t, c.status, w.Code, "%s %s %s: %s", c.token, c.method, c.path, w.Body)
		require.Nil(t, f.set, "%s %s %s", c.token, c.method, c.path)
	}
}

// TestQuotaConditions changes quotas with If-Match: only what was read is replaced.
func TestQuotaConditions(t *testing.T) {
	f := &quotaFake{found: quotaFound()}
	for _, path := range []string{"/api/v1/tenants/" + string(quotaTenant) + "/quotas", "/api/v1/clusters/" + string(quotaCluster) + "/quotas"} {
		token := "smk_operator"
		if strings.Contains(path, "clusters") {
			token, f.found.Clusters[0].Set = "smk_admin", api.Quota{}
		}
		read := doQuotas(t, f, token, http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, read.Code, read.Body)
		tag := read.Header().Get("ETag")
		require.NotEmpty(t, tag)
		f.set = nil
		stale := doQuotas(t, f, token, http.MethodPut, path, `{}`, "If-Match", `"hOther"`)
		require.Equal(t, http.StatusPreconditionFailed, stale.Code, stale.Body)
		require.Equal(t, tag, stale.Header().Get("ETag"))
		require.Contains(t, stale.Body.String(), "seamark-document-changed")
		require.Nil(t, f.set)
		done := doQuotas(t, f, token, http.MethodPut, path, `{"max_labels":5}`, "If-Match", tag)
		require.Equal(t, http.StatusOK, done.Code, done.Body)
		require.NotEqual(t, tag, done.Header().Get("ETag"))
	}
	require.Equal(t, http.StatusNotFound, doQuotas(t, f, "smk_admin", http.MethodGet, "/api/v1/clusters/01ARZ3NDEKTSV4RRFFQ69G5FZZ/quotas", "").Code)
}

func TestQuotasOfACluster(t *testing.T) {
	f := &quotaFake{}
	path := "/api/v1/clusters/" + string(quotaCluster) + "/quotas"
	w := doQuotas(t, f, "smk_admin", http.MethodPut, path, `{"active_series":7}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, promTenant, f.tenant)
	require.Equal(t, quotaCluster, f.cluster)
	require.Equal(t, &api.Quota{ActiveSeries: 7}, f.set)
	f.set = nil
	require.Equal(t, http.StatusForbidden, doQuotas(t, f, "smk_operator", http.MethodPut, path, `{}`).Code)
	require.Equal(t, http.StatusNotFound, doQuotas(t, f, "smk_admin", http.MethodPut, "/api/v1/clusters/x/quotas", `{}`).Code)
	require.Nil(t, f.set)
	f.err = seamark.Errorf(seamark.Invalid, "seamark-quota-invalid", "Too much.")
	w = doQuotas(t, f, "smk_admin", http.MethodPut, path, `{"active_series":7}`)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "seamark-quota-invalid")
}
