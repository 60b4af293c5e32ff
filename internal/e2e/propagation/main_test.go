// Package propagation_test proves with the built product that every change of what somebody may do or send holds on three
// nodes within a second, while all of them are under load, and what a node does that is cut off from the control plane.
package propagation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	nodeCount = 3
	password  = "correct horse battery staple 7"
	// startWithin bounds the start of all nodes together, on a machine that is shared.
	startWithin = 2 * time.Minute
)

// fleet is several nodes on one NATS and one ClickHouse, one more that can be cut off, and a tenant with its people.
type fleet struct {
	bus       *harness.NATS
	nodes     []*harness.Server
	apart     *harness.Server // behind relay, with short bounds
	relay     *relay
	client    *http.Client
	directory *tenant.Directory // prepares what the API is then asked to change
	tenant    seamark.TenantID
	operator  string // session
	owner     string // session
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	f := &fleet{bus: bus, relay: newRelay(t, strings.TrimPrefix(bus.URL, "nats://")), client: newClient(t)}
	flags := append([]string{"serve", "--writer.max-batch-age", "100ms"}, engine.Flags()...)
	first := harness.Serve(t, t.TempDir(), append(flags, "--nats.url", bus.URL)...) // alone, since each would make the operator
	launched := []*harness.Launched{}
	for range nodeCount - 1 {
		launched = append(launched, harness.Launch(t, t.TempDir(), append(flags, "--nats.url", bus.URL)...))
	}
	launched = append(launched, harness.Launch(t, t.TempDir(), append(flags, "--nats.url", "nats://"+f.relay.addr(),
		"--directory.max-admin-age", maxAdminAge.String(), "--directory.max-ingest-age", maxIngestAge.String())...))
	f.nodes = []*harness.Server{first}
	for _, l := range launched {
		if err := l.WaitReady(startWithin); err != nil {
			t.Fatal(err)
		}
		f.nodes = append(f.nodes, &l.Server)
	}
	f.nodes, f.apart = f.nodes[:nodeCount], f.nodes[nodeCount]
	f.openDirectory(t)
	made, err := f.directory.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	f.tenant = made.ID
	f.operator = f.person(t, "ops", "--operator")
	f.owner = f.person(t, "owner", "--tenant", "acme", "--role", "owner")
	return f
}

func newClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func (f *fleet) openDirectory(t *testing.T) {
	t.Helper()
	nc, err := nats.Connect(f.bus.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if f.directory, err = tenant.Open(t.Context(), tenant.Options{JS: js}); err != nil {
		t.Fatal(err)
	}
}

// person makes somebody by the command line and signs them in.
func (f *fleet) person(t *testing.T, login string, args ...string) string {
	t.Helper()
	harness.MustRun(t, password+"\n", slices.Concat([]string{"admin", "--nats.url", f.bus.URL, "user", "create", "--password-stdin", login}, args)...)
	return f.signIn(t, 0, login)
}

// member makes somebody in the tenant.
func (f *fleet) member(t *testing.T, login string, role seamark.Role) tenant.UserID {
	t.Helper()
	var user tenant.User
	testkit.Eventually(t, 10*time.Second, func() (err error) { // this directory may not have heard of the role yet
		user, err = f.directory.CreateUser(t.Context(), tenant.UserSpec{
			Login: login, Password: password, Memberships: map[seamark.TenantID]seamark.Role{f.tenant: role},
		})
		return err
	})
	return user.ID
}

// signIn returns the token of a new session, as soon as the node knows the person.
func (f *fleet) signIn(t *testing.T, node int, login string) string {
	t.Helper()
	var session struct{ Token string }
	testkit.Eventually(t, startWithin, func() error {
		answer, err := f.send(f.nodes[node], "", http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"login":%q,"password":%q}`, login, password))
		if err != nil {
			return err
		}
		if answer.Status != http.StatusOK {
			return fmt.Errorf("sign in %s: %d %s", login, answer.Status, answer.Body)
		}
		return json.Unmarshal(answer.Body, &session)
	})
	return session.Token
}

// send asks a node of the API, with a JSON body or "".
func (f *fleet) send(node *harness.Server, token, method, path, body string) (*harness.Answer, error) {
	r, err := http.NewRequest(method, node.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return &harness.Answer{Status: answer.StatusCode, Header: answer.Header, Body: text}, err
}

// must is send for what has to succeed; the answer is decoded into out, unless nil.
func (f *fleet) must(t *testing.T, out any, node int, token, method, path, body string) {
	t.Helper()
	answer, err := f.send(f.nodes[node], token, method, path, body)
	if err != nil || answer.Status/100 != 2 {
		t.Fatalf("%s %s %s on node %d: %v, %+v", method, path, body, node, err, answer)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, answer.Body)
	}
}

// credential is a token or key that was made over the API.
type credential struct{ ID, Secret string }

// cluster makes a cluster of the tenant with an ingest token.
func (f *fleet) cluster(t *testing.T, name string) (id string, token credential) {
	t.Helper()
	made, err := f.directory.CreateCluster(t.Context(), f.tenant, tenant.ClusterSpec{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	key, secret, err := f.directory.CreateToken(t.Context(), f.tenant, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: made.ID})
	if err != nil {
		t.Fatal(err)
	}
	return string(made.ID), credential{key.KeyID, secret}
}

// awaitEverywhere waits until every node knows an ingest token, and what was made before it.
func (f *fleet) awaitEverywhere(t *testing.T, token credential) {
	t.Helper()
	testkit.Eventually(t, startWithin, func() error {
		for node := range f.nodes {
			status, err := f.push(f.nodes[node], token.Secret, lineBody("probe", 1, 10))
			if err == nil && status != http.StatusNoContent {
				err = fmt.Errorf("node %d: status %d", node, status)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// token makes a token of the tenant that belongs to no cluster.
func (f *fleet) token(t *testing.T, kind seamark.CredentialKind) credential {
	t.Helper()
	key, secret, err := f.directory.CreateToken(t.Context(), f.tenant, tenant.TokenSpec{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	return credential{key.KeyID, secret}
}

// lineBody is a push of lines of a stream, each of the given length.
func lineBody(app string, lines, length int) string {
	var b bytes.Buffer
	_, _ = fmt.Fprintf(&b, `{"streams":[{"stream":{"app":%q},"values":[`, app)
	now := time.Now().UnixNano()
	for i := range lines {
		if i > 0 {
			b.WriteByte(',')
		}
		_, _ = fmt.Fprintf(&b, `["%d","%s"]`, now+int64(i), strings.Repeat("x", length))
	}
	b.WriteString("]}]}")
	return b.String()
}

// push sends lines and returns the status.
func (f *fleet) push(node *harness.Server, token, body string) (int, error) {
	answer, err := f.send(node, token, http.MethodPost, "/loki/api/v1/push", body)
	if err != nil {
		return 0, err
	}
	return answer.Status, nil
}

// ask sends a GET and returns the status.
func (f *fleet) ask(node *harness.Server, token, path string) (int, error) {
	answer, err := f.send(node, token, http.MethodGet, path, "")
	if err != nil {
		return 0, err
	}
	return answer.Status, nil
}
