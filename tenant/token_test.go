package tenant_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestTokenProvesItsPrincipal(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	prod := newCluster(t, d, acme.ID, "prod")
	someSignals := seamark.NewSignalSet(seamark.Logs, seamark.Events)
	for name, spec := range map[string]tenant.TokenSpec{
		"ingest all":  {Kind: seamark.IngestToken, Cluster: prod.ID},
		"ingest some": {Kind: seamark.IngestToken, Cluster: prod.ID, Signals: someSignals},
		"query":       {Kind: seamark.QueryToken, Name: "grafana"},
		"admin":       {Kind: seamark.AdminToken, Expires: time.Now().Add(time.Hour)},
	} {
		made, secret := newToken(t, d, acme.ID, spec)
		want := seamark.Principal{Tenant: acme.ID, Kind: spec.Kind, CredentialID: made.KeyID}
		if spec.Kind == seamark.IngestToken {
			want.Cluster, want.ClusterName, want.Signals = prod.ID, "prod", spec.Signals
			if spec.Signals == 0 {
				want.Signals = seamark.AllSignals
			}
		}
		if got, err := d.Authenticate(t.Context(), secret); err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
		if !regexp.MustCompile(`^` + tenant.TokenPattern + `$`).MatchString(secret) {
			t.Errorf("%s: token does not match the published pattern", name)
		}
		if strings.Contains(secret, "=") {
			t.Errorf("%s: token holds an equals sign", name)
		}
	}
}

func TestCreateTokenRefusesBadSpecs(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	prod, foreign := newCluster(t, d, acme.ID, "prod"), newCluster(t, d, umbra.ID, "prod")
	for name, c := range map[string]struct {
		spec tenant.TokenSpec
		id   string
	}{
		"no kind":          {tenant.TokenSpec{}, "seamark-token-invalid"},
		"session":          {tenant.TokenSpec{Kind: seamark.Session}, "seamark-token-invalid"},
		"no cluster":       {tenant.TokenSpec{Kind: seamark.IngestToken}, "seamark-token-invalid"},
		"query on cluster": {tenant.TokenSpec{Kind: seamark.QueryToken, Cluster: prod.ID}, "seamark-token-invalid"},
		"admin signals":    {tenant.TokenSpec{Kind: seamark.AdminToken, Signals: seamark.AllSignals}, "seamark-token-invalid"},
		"empty signals":    {tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID, Signals: 1}, "seamark-token-invalid"},
		"expired":          {tenant.TokenSpec{Kind: seamark.QueryToken, Expires: time.Now().Add(-time.Second)}, "seamark-token-invalid"},
		"name":             {tenant.TokenSpec{Kind: seamark.QueryToken, Name: "a\x00b"}, "seamark-token-invalid"},
		"foreign cluster":  {tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: foreign.ID}, "seamark-cluster-unknown"},
	} {
		_, secret, err := d.CreateToken(t.Context(), acme.ID, c.spec)
		if err == nil || secret != "" {
			t.Errorf("%s: got a token", name)
			continue
		}
		if e := refused(err, c.id); e != nil {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestAuthenticateRefusals(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	acme := newTenant(t, d, "acme")
	prod := newCluster(t, d, acme.ID, "prod")
	ingest, ingestText := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID})
	_, shortText := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken, Expires: clock.Now().Add(time.Hour)})
	_, otherText := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.AdminToken})

	for name, text := range map[string]string{
		"empty": "", "junk": "junk", "cut": ingestText[:len(ingestText)-1], "longer": ingestText + "0", "bad crc": flipLast(ingestText),
		"kind swapped": strings.Replace(ingestText, "_ingest_", "_admin_", 1), "spaces": " " + ingestText,
	} {
		if _, err := d.Authenticate(t.Context(), text); refused(err, "seamark-token-malformed") != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}

	// A well-formed token with an unknown key and one with a known key and a wrong secret must look the same.
	keyID := ingest.KeyID
	otherSecret := otherText[len(otherText)-36 : len(otherText)-6]
	_, unknown := d.Authenticate(t.Context(), tenant.FormatToken(seamark.IngestToken, "AAAAAAAAAAAA", otherSecret))
	_, wrong := d.Authenticate(t.Context(), tenant.FormatToken(seamark.IngestToken, keyID, otherSecret))
	ownSecret := ingestText[len(ingestText)-36 : len(ingestText)-6]
	_, wrongKind := d.Authenticate(t.Context(), tenant.FormatToken(seamark.AdminToken, keyID, ownSecret))
	for _, err := range []error{unknown, wrong, wrongKind} {
		wantError(t, err, seamark.Unauthenticated, "seamark-token-unknown")
		if err.Error() != unknown.Error() {
			t.Errorf("refusals differ: %q and %q", err, unknown)
		}
	}

	if err := d.RevokeToken(t.Context(), acme.ID, keyID); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), ingestText)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-revoked")
	if !strings.Contains(err.Error(), keyID) {
		t.Errorf("the refusal %q does not name the token", err)
	}

	clock.Advance(time.Hour - time.Second)
	eventually(t, func() error { _, err := d.Authenticate(t.Context(), shortText); return err }) // once a beat has followed the clock
	clock.Advance(time.Second)
	_, err = d.Authenticate(t.Context(), shortText)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-expired")
}

// flipLast changes the last character.
func flipLast(s string) string {
	last := byte('0')
	if s[len(s)-1] == '0' {
		last = '1'
	}
	return s[:len(s)-1] + string(last)
}

func TestRevokeTokenNeedsItsTenant(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	token, secret := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	for _, keyID := range []string{token.KeyID, "AAAAAAAAAAAA", "", "a.b", "*", ">"} {
		err := d.RevokeToken(t.Context(), umbra.ID, keyID)
		wantError(t, err, seamark.NotFound, "seamark-token-absent")
	}
	if _, err := d.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("another tenant's revocation counted: %v", err)
	}
	for range 2 { // idempotent
		if err := d.RevokeToken(t.Context(), acme.ID, token.KeyID); err != nil {
			t.Fatal(err)
		}
	}
	list := d.ListTokens(t.Context(), acme.ID)
	if len(list) != 1 || list[0].KeyID != token.KeyID || list[0].Revoked.IsZero() {
		t.Errorf("got %+v", list)
	}
	if list := d.ListTokens(t.Context(), umbra.ID); len(list) != 0 {
		t.Errorf("another tenant's tokens: %+v", list)
	}
}

func TestFindTokenNeedsItsTenant(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme, umbra := newTenant(t, d, "acme"), newTenant(t, d, "umbra")
	token, _ := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken, Name: "grafana"})
	key, _ := newKey(t, d, actor(acme.ID, seamark.RoleAdmin), tenant.KeySpec{Role: seamark.RoleViewer})
	for _, keyID := range []string{"AAAAAAAAAAAA", "", "a.b", "*", ">", key.KeyID} {
		_, err := d.FindToken(t.Context(), acme.ID, keyID)
		wantError(t, err, seamark.NotFound, "seamark-token-absent")
	}
	_, err := d.FindToken(t.Context(), umbra.ID, token.KeyID)
	wantError(t, err, seamark.NotFound, "seamark-token-absent")
	d.Used(token.KeyID, "192.0.2.1", "grafana")
	if err := d.RevokeToken(t.Context(), acme.ID, token.KeyID); err != nil {
		t.Fatal(err)
	}
	found, err := d.FindToken(t.Context(), acme.ID, token.KeyID) // a token that is over can be looked at
	if err != nil || found.Name != "grafana" || found.Revoked.IsZero() || found.Used.ClientIP != "192.0.2.1" {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestClusterHasTwoLiveIngestTokens(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, testkit.JetStream(t), withClock(clock))
	acme := newTenant(t, d, "acme")
	prod := newCluster(t, d, acme.ID, "prod")
	spec := tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID}
	first, _ := newToken(t, d, acme.ID, spec)
	short := spec
	short.Expires = clock.Now().Add(time.Minute)
	newToken(t, d, acme.ID, short)
	_, _, err := d.CreateToken(t.Context(), acme.ID, spec)
	wantError(t, err, seamark.Conflict, "seamark-token-limit")
	clock.Advance(2 * time.Minute) // the second token expires
	newToken(t, d, acme.ID, spec)
	_, _, err = d.CreateToken(t.Context(), acme.ID, spec)
	wantError(t, err, seamark.Conflict, "seamark-token-limit")
	if err := d.RevokeToken(t.Context(), acme.ID, first.KeyID); err != nil {
		t.Fatal(err)
	}
	newToken(t, d, acme.ID, spec)
	newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken}) // others are not counted
}

func TestTokenLimitHoldsAcrossNodes(t *testing.T) {
	n := testkit.NATS(t)
	nodes := []*tenant.Directory{openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))}
	acme := newTenant(t, nodes[0], "acme")
	prod := newCluster(t, nodes[0], acme.ID, "prod")
	eventually(t, func() error { _, err := nodes[1].FindCluster(t.Context(), acme.ID, prod.ID); return err })
	eventually(t, func() error { _, err := nodes[1].FindTenant(t.Context(), acme.ID); return err })
	var mu sync.Mutex
	var made int
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			_, _, err := nodes[i%2].CreateToken(t.Context(), acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if seamark.KindOf(err) != seamark.Conflict {
				t.Errorf("got %v, want a conflict", err)
			}
		})
	}
	wg.Wait()
	if made != 2 {
		t.Errorf("%d ingest tokens were made at once, want 2", made)
	}
}

// TestRevocationReachesOtherNodes measures promise 7: from the call of RevokeToken on one node to the refusal on another.
func TestRevocationReachesOtherNodes(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	acme := newTenant(t, here, "acme")
	const rounds = 200
	took := make([]time.Duration, 0, rounds)
	for range rounds {
		token, secret := newToken(t, here, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
		eventually(t, func() error { _, err := there.Authenticate(t.Context(), secret); return err })
		refusedAt := make(chan time.Time, 1)
		go func() { refusedAt <- firstRefusal(t.Context(), there, secret) }()
		start := time.Now()
		if err := here.RevokeToken(t.Context(), acme.ID, token.KeyID); err != nil {
			t.Fatal(err)
		}
		if _, err := here.Authenticate(t.Context(), secret); refused(err, "seamark-token-revoked") != nil {
			t.Fatalf("here the token lives on after RevokeToken: %v", err)
		}
		took = append(took, (<-refusedAt).Sub(start))
	}
	slices.Sort(took)
	p50, p99 := took[rounds/2], took[rounds*99/100]
	t.Logf("revoke -> refused on another node, %d rounds: p50 %s, p99 %s, max %s", rounds, p50, p99, took[rounds-1])
	if p99 > time.Second {
		t.Errorf("p99 is %s, want at most 1s", p99)
	}
}

// firstRefusal asks again and again until the token is refused.
func firstRefusal(ctx context.Context, d *tenant.Directory, secret string) time.Time {
	tick := time.NewTicker(100 * time.Microsecond)
	defer tick.Stop()
	for {
		if _, err := d.Authenticate(ctx, secret); err != nil || ctx.Err() != nil {
			return time.Now()
		}
		<-tick.C
	}
}

func TestStaleKnowledgeFailsClosed(t *testing.T) {
	n := newFragileNATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, n.connect(t), withClock(clock))
	acme := newTenant(t, d, "acme")
	prod := newCluster(t, d, acme.ID, "prod")
	secrets := map[seamark.CredentialKind]string{}
	_, secrets[seamark.IngestToken] = newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID})
	_, secrets[seamark.QueryToken] = newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	_, secrets[seamark.AdminToken] = newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.AdminToken})
	check := func(at string, want map[seamark.CredentialKind]bool) {
		t.Helper()
		for kind, secret := range secrets {
			_, err := d.Authenticate(t.Context(), secret)
			if want[kind] && err != nil {
				t.Errorf("%s: %s token refused: %v", at, kind, err)
			}
			if !want[kind] && refused(err, "seamark-directory-stale") != nil {
				t.Errorf("%s: %s token: got %v, want stale", at, kind, err)
			}
		}
	}
	all := map[seamark.CredentialKind]bool{seamark.IngestToken: true, seamark.QueryToken: true, seamark.AdminToken: true}
	readers := map[seamark.CredentialKind]bool{seamark.IngestToken: true, seamark.QueryToken: true}
	check("fresh", all)

	n.stop()
	clock.Advance(30 * time.Second)
	check("after 30s", all)
	if got := d.Freshness(); got != 30*time.Second {
		t.Errorf("freshness is %s, want 30s", got)
	}
	clock.Advance(time.Second)
	check("after 31s", readers)
	_, err := d.Authenticate(t.Context(), tenant.FormatToken(seamark.IngestToken, "AAAAAAAAAAAA", strings.Repeat("a", 30)))
	wantError(t, err, seamark.Unavailable, "seamark-directory-stale") // it may be new, so the sender must not drop its data
	clock.Advance(5*time.Minute - 31*time.Second)
	check("after 5m", readers)
	clock.Advance(time.Second)
	check("after 5m1s", nil)

	n.start(t, n.folder)
	eventually(t, func() error {
		for kind, secret := range secrets {
			if _, err := d.Authenticate(t.Context(), secret); err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
		}
		return nil
	})
}

func BenchmarkAuthenticate(b *testing.B) {
	d := openDirectory(b, testkit.JetStream(b))
	acme := newTenant(b, d, "acme")
	prod := newCluster(b, d, acme.ID, "prod")
	_, secret := newToken(b, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Authenticate(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}
