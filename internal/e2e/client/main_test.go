// Package client_test calls every operation of openapi.yaml with the generated client, against the built product, and holds
// each request and each answer against openapi.yaml.
package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/internal/e2e/contract"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
	issuer "github.com/seamarkhq/seamark/internal/testkit/oidc"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	// within is how long a test waits for its rows. They are there after some 100 ms on an idle machine.
	within = 30 * time.Second
	slug   = "acme"
	// password is everybody's.
	password = "correct horse battery staple"
)

// world is a server with a tenant, and a client for each who asks.
type world struct {
	*harness.Server
	recorder *contract.Recorder
	contract *contract.Contract
	account  *harness.Account
	issuer   *issuer.Issuer // of the sign-in provider
	start    time.Time

	nobody, ingest, query, admin, operator, owner *client.Client

	tenantID, clusterID string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	i, flags := providerFlags(t)
	flags = append(flags, "--writer.max-batch-age", "100ms", "--forwarders.allowed-targets", "127.0.0.0/8", "--tenants.purge-settle", "100ms")
	s := harness.Serve(t, t.TempDir(), append([]string{"serve"}, flags...)...)
	admin := s.Admin(t)
	w := &world{
		Server: s, contract: contract.Load(t), account: harness.NewAccount(admin, slug), issuer: i, start: time.Now().Add(-time.Minute).Truncate(time.Second),
	}
	w.recorder = w.contract.Record(t)
	w.nobody, w.ingest, w.query = w.as(t, ""), w.as(t, w.account.Ingest), w.as(t, w.account.Query)
	w.admin = w.as(t, newToken(t, admin, "admin"))
	w.operator = w.signIn(t, "ops@example.com", "--operator")
	w.owner = w.signIn(t, "owner@example.com", "--tenant", slug, "--role", "owner")
	w.push(t)
	clusters, err := w.admin.ListClusters(t.Context(), nil)
	if err != nil || len(clusters.Items) != 1 {
		t.Fatalf("clusters: %+v, %v", clusters, err)
	}
	w.clusterID = clusters.Items[0].ID
	me, err := w.owner.FindSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.tenantID = me.Tenant.ID
	return w
}

func newToken(t *testing.T, admin func(out any, args ...string), kind string) string {
	t.Helper()
	var made struct{ Token string }
	admin(&made, "token", "create", slug, "--kind", kind)
	return made.Token
}

// as returns a client with a credential, all of whose calls are recorded.
func (w *world) as(t *testing.T, token string) *client.Client {
	t.Helper()
	c, err := client.NewWithOptions(client.Options{Address: w.URL, Token: token, Transport: w.recorder})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signIn makes a person and returns a client with a session of theirs.
func (w *world) signIn(t *testing.T, login string, args ...string) *client.Client {
	t.Helper()
	harness.MustRun(t, password+"\n", slices.Concat([]string{"admin", "--data-dir", w.DataDir, "user", "create", "--password-stdin", login}, args)...)
	var token string
	testkit.Eventually(t, within, func() error { // the server hears of the person a moment later
		session, err := w.nobody.CreateSession(t.Context(), client.Credentials{Login: login, Password: password})
		if err != nil {
			return fmt.Errorf("sign in %s: %w", login, err)
		}
		token = *session.Token
		return nil
	})
	return w.as(t, token)
}

// push stores a line, a sample and an event, and waits until they can be read.
func (w *world) push(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for _, err := range []error{
		w.ingest.PushLoki(ctx, jsonBody(w.lines("a line"))), w.ingest.PushRemoteWrite(ctx, w.samples(t)), w.ingest.PushEvents(ctx, w.event()),
		w.ingest.PushAudit(ctx, w.audit()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, within, func() error {
		_, noLine := w.query.ReadLogContext(ctx, &client.ReadLogContextParams{Stream: new(`{app="web"}`), Time: new(w.nanos())})
		series, err := w.query.PromListSeries(ctx, &client.PromListSeriesParams{Match: []string{"up"}})
		if err == nil && !strings.Contains(fmt.Sprint(series.Data), "up") {
			err = errors.New("no series yet")
		}
		return errors.Join(noLine, err)
	})
}

func (w *world) nanos() string { return strconv.FormatInt(w.start.UnixNano(), 10) }

func jsonBody(v any) client.Body {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return client.Body{ContentType: "application/json", Reader: bytes.NewReader(text)}
}

func (w *world) lines(line string) client.LokiPush {
	return client.LokiPush{Streams: []client.LokiPush_Streams{{Stream: map[string]string{"app": "web"}, Values: [][]any{{w.nanos(), line}}}}}
}

func (w *world) samples(t *testing.T) client.Body {
	t.Helper()
	return protobuf(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels: []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "job", Value: "x"}}, Samples: []prompb.Sample{{Value: 1, Timestamp: w.start.UnixMilli()}},
	}}})
}

func (w *world) readRequest(t *testing.T) client.Body {
	t.Helper()
	from, to := w.start.Add(-time.Minute).UnixMilli(), w.start.Add(time.Minute).UnixMilli()
	return protobuf(t, &prompb.ReadRequest{Queries: []*prompb.Query{{
		StartTimestampMs: from, EndTimestampMs: to, Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: "up"}},
	}}})
}

func protobuf(t *testing.T, m interface{ Marshal() ([]byte, error) }) client.Body {
	t.Helper()
	plain, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return client.Body{ContentType: "application/x-protobuf", Reader: bytes.NewReader(snappy.Encode(nil, plain))}
}

func (w *world) event() map[string]any {
	at := w.start.Format(time.RFC3339)
	return map[string]any{
		"kind": "Event", "apiVersion": "v1", "metadata": map[string]any{"name": "e", "namespace": "shop", "uid": "0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d"},
		"involvedObject": map[string]any{"kind": "Pod", "namespace": "shop", "name": "web-1"}, "reason": "BackOff", "message": "m", "type": "Warning",
		"count": 1, "source": map[string]any{"component": "kubelet"}, "firstTimestamp": at, "lastTimestamp": at,
	}
}

func (w *world) audit() map[string]any {
	at := w.start.Format(time.RFC3339Nano)
	return map[string]any{
		"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a1", "stage": "ResponseComplete", "verb": "update", "user": map[string]any{"username": "ann"},
		"responseStatus": map[string]any{"code": 200}, "requestReceivedTimestamp": at, "stageTimestamp": at,
		"objectRef": map[string]any{"resource": "deployments", "namespace": "shop", "name": "web", "apiGroup": "apps"},
	}
}

// one drops a call's result; the recorder has looked at it.
func one[T any](_ T, err error) error { return err }

// drain reads a streamed answer to its end.
func drain(s *client.Stream, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, s)
	return errors.Join(err, s.Close())
}

// asError returns the answer behind an error.
func asError(t *testing.T, err error) *client.Error {
	t.Helper()
	e, ok := errors.AsType[*client.Error](err)
	if !ok {
		t.Fatalf("got %v, want an answer", err)
	}
	return e
}

// wantStatus fails the test unless err is an answer with the status and the id.
func wantStatus(t *testing.T, err error, status int, id string) {
	t.Helper()
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Status != status || e.ID != id {
		t.Errorf("got %v, want %d %s %s", err, status, http.StatusText(status), id)
	}
}
