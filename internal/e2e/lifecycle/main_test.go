// Package lifecycle_test proves, with the built binary, outside engines and several nodes, what a tenant's suspension, deletion
// and retention promise.
package lifecycle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

// within is how long a state may take to come, on a machine under heavy load.
const within = 2 * time.Minute

const password = "correct horse battery staple 7"

// fleet is several nodes with all roles over one NATS and one ClickHouse.
type fleet struct {
	t        *testing.T
	nats     *harness.NATS
	engine   *harness.Engine
	nodes    []*harness.Server
	operator string // session
}

func newFleet(t *testing.T, nodes int, flags ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, nats: harness.StartNATS(t, t.TempDir()), engine: harness.StartEngine(t, t.TempDir())}
	for range nodes {
		args := append([]string{"serve", "--nats.url", f.nats.URL, "--tenants.purge-settle", "2s", "--log.level", "info"}, f.engine.Flags()...)
		f.nodes = append(f.nodes, harness.Serve(t, t.TempDir(), append(args, flags...)...))
	}
	harness.MustRun(f.t, password+"\n", "admin", "--nats.url", f.nats.URL, "user", "create", "op", "--operator", "--password-stdin")
	f.operator = f.signIn("op")
	return f
}

// account makes a tenant with tokens and an owner.
func (f *fleet) account(slug string) *account {
	f.t.Helper()
	a := &account{}
	admin := func(out any, args ...string) {
		f.t.Helper()
		text := harness.MustRun(f.t, "", append([]string{"admin", "--json", "--nats.url", f.nats.URL}, args...)...)
		if out == nil {
			return
		}
		if err := json.Unmarshal([]byte(text), out); err != nil {
			f.t.Fatalf("%v: %v in %s", args, err, text)
		}
	}
	a.Account = harness.NewAccount(admin, slug)
	var tenants []struct{ ID, Slug string }
	admin(&tenants, "tenant", "list")
	for _, t := range tenants {
		if t.Slug == slug {
			a.id = t.ID
		}
	}
	var token struct{ Token string }
	admin(&token, "token", "create", slug, "--kind", "admin")
	a.admin = token.Token
	harness.MustRun(f.t, password+"\n", "admin", "--nats.url", f.nats.URL, "user", "create", slug+"@example.org", "--tenant", slug, "--role", "owner", "--password-stdin")
	a.session = f.signIn(slug + "@example.org")
	return a
}

type account struct {
	*harness.Account
	id, admin, session string
}

// signIn returns the token of a session, as soon as the node knows the person.
func (f *fleet) signIn(login string) string {
	f.t.Helper()
	var grant struct{ Token string }
	testkit.Eventually(f.t, within, func() error {
		answer, err := f.send(f.t.Context(), 0, http.MethodPost, "/api/v1/session", "", fmt.Sprintf(`{"login":%q,"password":%q}`, login, password))
		if err != nil {
			return err
		}
		if answer.Status != http.StatusOK {
			return fmt.Errorf("sign in %s: %d %s", login, answer.Status, answer.Body)
		}
		return json.Unmarshal(answer.Body, &grant)
	})
	return grant.Token
}

// send sends one request to a node.
func (f *fleet) send(ctx context.Context, node int, method, path, token, body string) (*harness.Answer, error) {
	media := "application/json"
	if strings.HasPrefix(path, "/prometheus/config") || path == "/api/v1/alerts" {
		media = "application/yaml"
	}
	return harness.Do(ctx, http.DefaultClient, &harness.Request{Method: method, URL: f.nodes[node].URL + path, Token: token, Type: media, Body: []byte(body)})
}

// call sends one request and checks its status.
func (f *fleet) call(node int, method, path, token, body string, status int) string {
	f.t.Helper()
	a, err := f.send(f.t.Context(), node, method, path, token, body)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.Status != status {
		f.t.Fatalf("%s %s: got %d %s, want %d", method, path, a.Status, a.Body, status)
	}
	return string(a.Body)
}

// sql asks ClickHouse as its administrator and returns the answer's text.
func (f *fleet) sql(query string) string {
	f.t.Helper()
	address := "http://" + f.engine.HTTP + "/?" + url.Values{"user": {engineUser}, "password": {f.engine.Password}}.Encode()
	resp, err := http.Post(address, "text/plain", strings.NewReader(query))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		f.t.Fatalf("%s: %d %s, %v", query, resp.StatusCode, body, err)
	}
	return strings.TrimSpace(string(body))
}

// sender pushes lines of a tenant to all nodes, again and again, until it is stopped.
type sender struct {
	stored, refused atomic.Int64 // lines
	stop            context.CancelFunc
	running         sync.WaitGroup
}

// send begins to push. Each line holds the text.
func (f *fleet) pushing(a *account, text string, senders int) *sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &sender{stop: cancel}
	f.t.Cleanup(s.end)
	for i := range senders {
		s.running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				const lines = 20
				var values []string
				for line := range lines {
					values = append(values, fmt.Sprintf(`["%d","%s %d-%d-%d"]`, time.Now().UnixNano(), text, i, n, line))
				}
				body := fmt.Sprintf(`{"streams":[{"stream":{"app":"a%d","canary":%q},"values":[%s]}]}`, i, text, strings.Join(values, ","))
				answer, err := f.send(ctx, (i+n)%len(f.nodes), http.MethodPost, "/loki/api/v1/push", a.Ingest, body)
				switch {
				case err != nil:
				case answer.Status == http.StatusNoContent:
					s.stored.Add(lines)
				default:
					s.refused.Add(lines)
				}
			}
		})
	}
	return s
}

// end stops pushing and waits for what is under way.
func (s *sender) end() {
	s.stop()
	s.running.Wait()
}
