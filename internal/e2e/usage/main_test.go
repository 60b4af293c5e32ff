// Package usage_test proves that what a tenant is billed is what it was promised and what is stored, over crashes and repeats, with
// the real binary.
package usage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// patience is how long a state may take to come, on a machine under heavy load.
const patience = time.Minute

// world is a server with tenants on it. The server may be killed and started again.
type world struct {
	t       *testing.T
	dir     string
	flags   []string
	server  *harness.Server
	account *harness.Account
	id      string // of the account's tenant
	admin   string // its admin token
}

func newWorld(t *testing.T, slug string, flags ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), flags: append([]string{"serve", "--metering.flush-interval", "200ms"}, flags...)}
	w.start()
	var made struct{ ID string }
	account := harness.NewAccount(func(out any, args ...string) {
		if a, ok := out.(*harness.Account); ok {
			var raw json.RawMessage
			harness.Admin(t, w.dir, &raw, args...)
			for _, into := range []any{a, &made} {
				if err := json.Unmarshal(raw, into); err != nil {
					t.Fatal(err)
				}
			}
			return
		}
		harness.Admin(t, w.dir, out, args...)
	}, slug)
	var token struct{ Token string }
	harness.Admin(t, w.dir, &token, "token", "create", slug, "--kind", "admin")
	w.account, w.id, w.admin = account, made.ID, token.Token
	return w
}

// start starts the server on the world's folder, for the first time or again.
func (w *world) start() {
	w.t.Helper()
	w.server = harness.Serve(w.t, w.dir, w.flags...)
}

// do sends one request and decodes the answer, which must have the status want, into out.
func (w *world) do(token, method, path, body string, want int, out any) *harness.Answer {
	w.t.Helper()
	a, err := harness.Do(context.WithoutCancel(w.t.Context()), http.DefaultClient, &harness.Request{
		Method: method, URL: w.server.URL + path, Token: token, Type: "application/json", Body: []byte(body),
	})
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status != want {
		w.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.Status, a.Body, want)
	}
	if out != nil {
		if err := json.Unmarshal(a.Body, out); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, a.Body)
		}
	}
	return a
}

// operator signs an operator in and returns the session's token.
func (w *world) operator() string {
	w.t.Helper()
	const login, password = "operator@example.org", "correct horse battery staple 7"
	harness.MustRun(w.t, password+"\n", "admin", "--data-dir", w.dir, "user", "create", login, "--operator", "--password-stdin")
	var session struct{ Token string }
	testkit.Eventually(w.t, patience, func() error { // the server hears of the person a moment later
		a, err := harness.Do(w.t.Context(), http.DefaultClient, &harness.Request{
			URL: w.server.URL + "/api/v1/session", Type: "application/json", Body: fmt.Appendf(nil, `{"login":%q,"password":%q}`, login, password),
		})
		if err != nil {
			return err
		}
		if a.Status != http.StatusOK {
			return fmt.Errorf("sign in: %d %s", a.Status, a.Body)
		}
		return json.Unmarshal(a.Body, &session)
	})
	return session.Token
}

// usageItem is one group of the usage route.
type usageItem struct {
	Signal, Source, Cluster, Actor, Tenant string
	Requests, Rows, Bytes, Queries         float64
	WireBytes                              float64 `json:"wire_bytes"`
	ReadRows                               float64 `json:"read_rows"`
	ReadBytes                              float64 `json:"read_bytes"`
	StoredRows                             float64 `json:"stored_rows"`
	StoredBytes                            float64 `json:"stored_bytes"`
	ActiveSeries                           float64 `json:"active_series"`
}

// usage asks for the tenant's usage.
func (w *world) usage(groupBy string) []usageItem {
	w.t.Helper()
	var answer struct{ Items []usageItem }
	w.do(w.admin, http.MethodGet, "/api/v1/usage?group_by="+groupBy, "", http.StatusOK, &answer)
	return answer.Items
}
