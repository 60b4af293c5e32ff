package ingest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// drop is one reason as /api/v1/drops shows it.
type drop struct {
	Reason, Detail                       string
	Requests, Rows                       int
	Statuses                             []int
	Clusters, Tokens, Protocols, Signals []string
	Samples                              []struct{ Cluster, Token, Protocol, Sample string }
}

func (x *account) drops(t *testing.T, filter url.Values) []drop {
	t.Helper()
	var list struct{ Items []drop }
	x.Get(t, "/api/v1/drops", filter, &list)
	return list.Items
}

// refusals is one tenant that has every kind of refusal happen to it.
type refusals struct {
	*account
	marker                                  string // stands in everything that is refused, where the ledger may show it
	good, revoked, expired, metrics, narrow token
}

// secret stands in bodies that are refused. No ledger may show it.
const secret = "hunter2"

func newRefusals(t *testing.T, slug string) *refusals {
	t.Helper()
	r := &refusals{account: newAccount(t, slug), marker: slug}
	_, r.good = r.newCluster(t, "good-"+slug, tenant.TokenSpec{})
	_, r.revoked = r.newCluster(t, "revoked-"+slug, tenant.TokenSpec{})
	if err := r.App.Directory().RevokeToken(t.Context(), r.ID, r.revoked.key); err != nil {
		t.Fatal(err)
	}
	_, r.expired = r.newCluster(t, "expired-"+slug, tenant.TokenSpec{Expires: now().Add(time.Second)})
	_, r.metrics = r.newCluster(t, "metrics-"+slug, tenant.TokenSpec{Signals: seamark.NewSignalSet(seamark.Metrics)})
	narrow, key := r.newCluster(t, "narrow-"+slug, tenant.TokenSpec{})
	r.narrow = key
	r.limitCluster(t, narrow, `{"rows_per_second":1,"rows_burst":1,"active_series":1}`)
	return r
}

// post pushes under a token and expects a status.
func (r *refusals) post(t *testing.T, of token, path, media, body string, want int) {
	t.Helper()
	r.Post(t, of.secret, path, media, body, want)
}

// send has everything refused once and returns what the ledger has to hold for it.
func (r *refusals) send(t *testing.T) []drop {
	t.Helper()
	app := map[string]string{"app": r.marker}
	one := func(reason, protocol, cluster string, of token, status int) drop {
		return drop{
			Reason: reason, Requests: 1, Statuses: []int{status}, Protocols: []string{protocol}, Signals: []string{"logs"},
			Clusters: []string{cluster + "-" + r.marker}, Tokens: []string{of.key},
		}
	}
	good := lokiBody(t, app, now(), "a good line")

	// A bad line among good ones, and a body that cannot be read.
	mixed := `{"streams":[{"stream":{"app":"` + r.marker + `"},"values":[["` + nano(now().AddDate(-1, 0, 0)) + `","old"],["` + nano(now()) + `","kept"]]}]}`
	r.post(t, r.good, lokiPath, jsonMedia, mixed, http.StatusBadRequest)
	broken := `{"streams":[{"stream":{"app":"` + r.marker + `","password":"` + secret + `"},"values":[["12`
	r.post(t, r.good, lokiPath, jsonMedia, broken, http.StatusBadRequest)
	// Credentials: the body is not read.
	r.post(t, r.revoked, lokiPath, jsonMedia, good, http.StatusUnauthorized)
	testkit.Eventually(t, within, func() error { // it lives for a second yet
		if answer := r.Do(t, r.expired.secret, http.MethodPost, lokiPath, http.Header{"Content-Type": {jsonMedia}}, good); answer.Status != http.StatusUnauthorized {
			return fmt.Errorf("the expired token: got %d, want 401", answer.Status)
		}
		return nil
	})
	r.post(t, r.metrics, lokiPath, jsonMedia, good, http.StatusForbidden)
	// Quotas: the series first, because the rows' budget is gone after it.
	name := strings.ReplaceAll(r.marker, "-", "_")
	two := writeBody(t, series{[]string{"__name__", name, "n", "1"}, now(), 1}, series{[]string{"__name__", name, "n", "2"}, now(), 1})
	r.post(t, r.narrow, writePath, protoMedia, two, http.StatusBadRequest)
	debt := lokiBody(t, app, now(), slices.Repeat([]string{"takes minutes of the budget"}, 300)...) // however slowly what follows comes
	r.post(t, r.narrow, lokiPath, jsonMedia, debt, http.StatusNoContent)
	r.post(t, r.narrow, lokiPath, jsonMedia, lokiBody(t, app, now(), "one too many"), http.StatusTooManyRequests)
	// gRPC and syslog.
	err := exportLogs(t.Context(), t, r.App.HTTPAddr(), r.metrics.secret, logRecord(r.marker, now(), "by gRPC"))
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("export under a token for metrics: got %v, want PermissionDenied", err)
	}
	r.sendSyslog(t, now().AddDate(-1, 0, 0), "too late")

	seriesLimit := one("seamark-series-limit", "remotewrite", "narrow", r.narrow, http.StatusBadRequest)
	seriesLimit.Signals = []string{"metrics"}
	return []drop{
		one("seamark-time-window", "loki", "good", r.good, http.StatusBadRequest),
		one("seamark-body-json", "loki", "good", r.good, http.StatusBadRequest),
		one("seamark-token-revoked", "loki", "revoked", r.revoked, http.StatusUnauthorized),
		one("seamark-token-expired", "loki", "expired", r.expired, http.StatusUnauthorized),
		one("seamark-permission-missing", "loki", "metrics", r.metrics, http.StatusForbidden),
		seriesLimit,
		one("seamark-quota-rows", "loki", "narrow", r.narrow, http.StatusTooManyRequests),
		one("seamark-permission-missing", "otlpgrpc", "metrics", r.metrics, 0), // gRPC's status is no HTTP status
		one("seamark-time-window", "syslog", "good", r.good, 0),                // nobody is answered
	}
}

// sendSyslog sends one message of RFC 5424 after the one that shows the token.
func (r *refusals) sendSyslog(t *testing.T, at time.Time, text string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.App.ListenAddr("syslog.listen"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const stamp = "2006-01-02T15:04:05.000000Z"
	_, err = fmt.Fprintf(conn, "<14>1 %s host %s 1 - [seamark@0 token=%q] hello\n<11>1 %s host %s 1 - - %s\n",
		now().UTC().Format(stamp), r.marker, r.good.secret, at.UTC().Format(stamp), r.marker, text)
	if err != nil {
		t.Fatal(err)
	}
}

// TestDropLedger refuses everything for two tenants and asks each where its data is.
func TestDropLedger(t *testing.T) {
	word := strings.ToLower(rand.Text()[:8])
	x, y := newRefusals(t, "drops-"+word), newRefusals(t, "other-"+word)
	wantX, wantY := x.send(t), y.send(t)
	for _, c := range []struct {
		of, foreign *refusals
		want        []drop
	}{{x, y, wantX}, {y, x, wantY}} {
		for _, want := range c.want {
			testkit.Eventually(t, within, func() error { return c.of.checkDrop(t, &want) })
		}
		c.of.checkSecrets(t, c.foreign)
	}
}

// checkDrop looks for one expected refusal.
func (r *refusals) checkDrop(t *testing.T, want *drop) error {
	t.Helper()
	filter := url.Values{"reason": {want.Reason}, "protocol": want.Protocols, "cluster": want.Clusters, "token": want.Tokens}
	list := r.drops(t, filter)
	if len(list) != 1 {
		return fmt.Errorf("%s of %s: got %d reasons, want one", want.Reason, want.Protocols, len(list))
	}
	got := &list[0]
	same := got.Reason == want.Reason && got.Requests == want.Requests && slices.Equal(got.Clusters, want.Clusters) && slices.Equal(got.Tokens, want.Tokens) &&
		slices.Equal(got.Protocols, want.Protocols) && slices.Equal(got.Signals, want.Signals) && slices.Equal(got.Statuses, want.Statuses)
	if !same || got.Detail == "" {
		return fmt.Errorf("got %+v, want %+v with a detail", got, want)
	}
	return nil
}

// checkSecrets reads the whole ledger: the sample of the broken body is there, redacted, and nothing is of another tenant.
func (r *refusals) checkSecrets(t *testing.T, foreign *refusals) {
	t.Helper()
	whole := r.Do(t, r.Query, http.MethodGet, "/api/v1/drops", nil, "").Body
	for _, never := range []string{secret, foreign.marker, foreign.good.key, foreign.narrow.key, string(foreign.ID), r.good.secret, r.revoked.secret} {
		if strings.Contains(whole, never) {
			t.Errorf("the ledger of %s holds %q: %s", r.marker, never, whole)
		}
	}
	list := r.drops(t, url.Values{"reason": {"seamark-body-json"}})
	if len(list) != 1 || len(list[0].Samples) != 1 {
		t.Fatalf("the broken body: got %+v, want one reason with one sample", list)
	}
	if s := list[0].Samples[0]; !strings.Contains(s.Sample, r.marker) || s.Token != r.good.key || s.Protocol != "loki" {
		t.Errorf("sample of the broken body: got %+v, want its start", s)
	}
	// The good neighbours of what was refused are stored.
	r.awaitBodies(t, `{app="`+r.marker+`", cluster="good-`+r.marker+`"}`, "kept")
	r.awaitSamples(t, `count({cluster="narrow-`+r.marker+`"})`, map[string]string{"": "1"})
}

// anonymous requests have no tenant to tell: they are refused, and no ledger changes.
func TestUnknownCredentialIsNobodys(t *testing.T) {
	x := newAccount(t, "nobodys")
	x.Post(t, "smk_ingest_unknown", lokiPath, jsonMedia, lokiBody(t, map[string]string{"app": "x"}, now(), "x"), http.StatusUnauthorized)
	x.Post(t, "", lokiPath, jsonMedia, lokiBody(t, map[string]string{"app": "x"}, now(), "x"), http.StatusUnauthorized)
	err := exportLogs(context.WithoutCancel(t.Context()), t, x.App.HTTPAddr(), "smk_ingest_unknown", logRecord("x", now(), "x"))
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("export: got %v, want Unauthenticated", err)
	}
	// A refusal that is known, to see the ledger written after those.
	x.pushLines(t, "{", http.StatusNoContent)
	x.Post(t, x.Ingest, lokiPath, jsonMedia, "{", http.StatusBadRequest)
	testkit.Eventually(t, within, func() error {
		if list := x.drops(t, nil); len(list) != 1 || list[0].Requests != 1 {
			return fmt.Errorf("got %+v, want the one refusal of the tenant's own", list)
		}
		return nil
	})
}
