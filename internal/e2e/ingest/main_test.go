// Package ingest_test pushes to a running Seamark and asks it what became of the data: what crosses the borders of quotas,
// pipelines, the drop ledger, replica election and the bus. What single clients send is the affair of packages clients and
// compat.
package ingest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

// within is how long a test waits for its rows. They are there after some 100 ms on an idle machine, drops after 5 s.
const within = 30 * time.Second

// promptly is the second within which a changed setting holds, and what a machine under load adds to it.
const promptly = 4 * time.Second

// replicaTimeout is the shortest that the election takes.
const replicaTimeout = 15 * time.Second

// ahead is how far the server's clock is ahead of the machine's. It is a global because the server is.
var ahead atomic.Int64

func now() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }

// account is a tenant with a session of the platform's operator beside it.
type account struct {
	*inprocess.Tenant
	operator string
}

// skip moves the server's clock on, and waits until the server knows again that its directory is up to date.
func (x *account) skip(t *testing.T, d time.Duration) {
	t.Helper()
	ahead.Add(int64(d))
	testkit.Eventually(t, within, func() error {
		if answer := x.Do(t, x.Admin, http.MethodGet, "/api/v1/clusters", nil, ""); answer.Status != http.StatusOK {
			return fmt.Errorf("got %d %s", answer.Status, answer.Body)
		}
		return nil
	})
}

func server(t *testing.T) *app.App {
	t.Helper()
	return inprocess.App(t, func(o *app.Options) {
		o.Now = now
		o.OTLP.GRPCListen = "127.0.0.1:0"
		o.Syslog.Listen, o.Syslog.AllowPlaintext = "127.0.0.1:0", true
		o.Ingest.ReplicaTimeout = replicaTimeout
	})
}

// newAccount returns a tenant of the test's own. Its cluster is named eu-1.
func newAccount(t *testing.T, slug string) *account {
	t.Helper()
	return &account{Tenant: inprocess.NewTenant(t, server(t), slug, "eu-1")}
}

// asOperator signs an operator in.
func (x *account) asOperator(t *testing.T) *account {
	t.Helper()
	const password = "correct horse battery staple 7"
	login := "operator@" + string(x.ID) // unlike that of an earlier run, because people outlive their tenants
	if _, err := x.App.Directory().CreateUser(t.Context(), tenant.UserSpec{Login: login, Password: password, Operator: true}); err != nil {
		t.Fatal(err)
	}
	answer := x.Post(t, "", "/api/v1/session", "application/json", `{"login":"`+login+`","password":"`+password+`"}`, http.StatusOK)
	var session struct{ Token string }
	if err := json.Unmarshal([]byte(answer.Body), &session); err != nil || session.Token == "" {
		t.Fatalf("sign in: %v in %s", err, answer.Body)
	}
	x.operator = session.Token
	return x
}

// token is a credential with its public name.
type token struct{ secret, key string }

// newCluster makes one more cluster with a token of its own.
func (x *account) newCluster(t *testing.T, name string, spec tenant.TokenSpec) (tenant.Cluster, token) {
	t.Helper()
	c, err := x.App.Directory().CreateCluster(t.Context(), x.ID, tenant.ClusterSpec{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	spec.Kind, spec.Name, spec.Cluster = seamark.IngestToken, name, c.ID
	made, secret, err := x.App.Directory().CreateToken(t.Context(), x.ID, spec)
	if err != nil {
		t.Fatal(err)
	}
	return c, token{secret, made.KeyID}
}

// put sends a PUT with JSON, which must be answered 200.
func (x *account) put(t *testing.T, credential, path, body string) inprocess.Response {
	t.Helper()
	answer := x.Do(t, credential, http.MethodPut, path, http.Header{"Content-Type": {"application/json"}}, body)
	if answer.Status != http.StatusOK {
		t.Fatalf("PUT %s: got %d %s, want 200", path, answer.Status, answer.Body)
	}
	return answer
}

func (x *account) limitTenant(t *testing.T, quota string) {
	t.Helper()
	x.put(t, x.operator, "/api/v1/tenants/"+string(x.ID)+"/quotas", quota)
}

func (x *account) limitCluster(t *testing.T, c tenant.Cluster, quota string) {
	t.Helper()
	x.put(t, x.Admin, "/api/v1/clusters/"+string(c.ID)+"/quotas", quota)
}
