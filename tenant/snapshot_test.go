package tenant_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func TestStartFromTheSnapshotWhileKVIsAway(t *testing.T) {
	n := newFragileNATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	path := filepath.Join(t.TempDir(), "directory.json")
	keys := newRing(t, n.connect(t))
	options := func(o *tenant.Options) { o.SnapshotPath, o.Now, o.Keys = path, clock.Now, keys }
	first, err := tenant.Open(t.Context(), tenant.Options{
		JS: n.connect(t), Keys: keys, SnapshotPath: path, Now: clock.Now, PasswordCost: cheap(), SyncTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	acme := newTenant(t, first, "acme")
	prod := newCluster(t, first, acme.ID, "prod")
	_, ingest := newToken(t, first, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID})
	revoked, revokedText := newToken(t, first, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	if err := first.RevokeToken(t.Context(), acme.ID, revoked.KeyID); err != nil {
		t.Fatal(err)
	}
	newUser(t, first, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, first, tenant.Credentials{Login: "root", Password: goodPassword})
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkSnapshotFile(t, path, ingest[len(ingest)-36:])

	n.stop()
	clock.Advance(20 * time.Second)
	again := openDirectory(t, n.connect(t), options, func(o *tenant.Options) { o.SyncTimeout = 200 * time.Millisecond })
	if again.Synced() {
		t.Error("the directory says that it is in sync with a stopped server")
	}
	if got := again.Freshness(); got != 20*time.Second {
		t.Errorf("freshness is %s, want 20s", got)
	}
	if p, err := again.Authenticate(t.Context(), ingest); err != nil || p.ClusterName != "prod" {
		t.Errorf("ingest: got %+v, %v", p, err)
	}
	_, err = again.Authenticate(t.Context(), revokedText)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-revoked")
	if _, err := again.VerifySession(t.Context(), session.Text); err != nil {
		t.Errorf("session: %v", err)
	}
	_, err = again.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "new"})
	wantError(t, err, seamark.Unavailable, "seamark-directory-unreachable")
	_, _, created, err := again.Bootstrap(t.Context())
	if created || seamark.KindOf(err) != seamark.Unavailable {
		t.Errorf("bootstrap from a snapshot: created %t, %v", created, err)
	}

	n.start(t, n.folder)
	eventually(t, func() error {
		if !again.Synced() {
			return fmt.Errorf("not in sync, freshness %s", again.Freshness())
		}
		return nil
	})
	newTenant(t, again, "new")
	signIn(t, again, tenant.Credentials{Login: "root", Password: goodPassword}) // password and private key came back from KV
}

func checkSnapshotFile(t *testing.T, path, secret string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("snapshot has mode %o, want 600", info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{secret, secret[:30], "argon2id", `"seed"`} {
		if strings.Contains(string(text), leak) {
			t.Errorf("snapshot holds %q", leak)
		}
	}
	left, err := filepath.Glob(path + ".*")
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
}

func TestOldSnapshotFailsClosed(t *testing.T) {
	n := newFragileNATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	path := filepath.Join(t.TempDir(), "directory.json")
	first, err := tenant.Open(t.Context(), tenant.Options{JS: n.connect(t), SnapshotPath: path, Now: clock.Now, SyncTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	acme := newTenant(t, first, "acme")
	_, secret := newToken(t, first, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.stop()
	clock.Advance(time.Hour)
	again := openDirectory(t, n.connect(t), withClock(clock), func(o *tenant.Options) {
		o.SnapshotPath, o.SyncTimeout = path, 100*time.Millisecond
	})
	_, err = again.Authenticate(t.Context(), secret)
	wantError(t, err, seamark.Unavailable, "seamark-directory-stale")
}

func TestOpenWithoutKVAndWithoutUsableSnapshot(t *testing.T) {
	n := newFragileNATS(t)
	n.stop()
	for name, content := range map[string]string{"none": "", "garbage": "garbage", "newer": `{"v":99}`} {
		path := filepath.Join(t.TempDir(), "directory.json")
		if content != "" {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := tryOpen(t, n.connect(t), func(o *tenant.Options) { o.SnapshotPath, o.SyncTimeout = path, 100*time.Millisecond })
		if seamark.KindOf(err) != seamark.Unavailable || err == nil {
			t.Errorf("%s: got %v, want Unavailable", name, err)
		}
	}
}

// A node that has no snapshot has nothing to work from, so it waits longer: the buckets of a new cluster take their time.
func TestOpenWithoutASnapshotWaitsForTheStart(t *testing.T) {
	n := newFragileNATS(t)
	d, err := tryOpen(t, n.connect(t), func(o *tenant.Options) { o.SyncTimeout, o.StartTimeout = time.Nanosecond, patience })
	if err != nil || !d.Synced() {
		t.Fatalf("got %v, want a directory that knows all", err)
	}
	p, err := tenant.OpenPipelines(t.Context(), tenant.Options{JS: n.connect(t), SyncTimeout: time.Nanosecond, StartTimeout: patience})
	if err != nil {
		t.Fatalf("pipelines: %v", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSnapshotSurvivesALostStore(t *testing.T) {
	n := newFragileNATS(t)
	path := filepath.Join(t.TempDir(), "directory.json")
	options := tenant.Options{JS: n.connect(t), SnapshotPath: path, SyncTimeout: patience}
	first, err := tenant.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	acme := newTenant(t, first, "acme")
	if err := first.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.stop()
	n.start(t, t.TempDir())
	options.JS = n.connect(t)
	again, err := tenant.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.FindTenant(t.Context(), acme.ID); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("a tenant that is not in KV was found: %v", err)
	}
	if err := again.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "the store was lost") {
		t.Errorf("close: got %v, want it to say that the store was lost", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), string(acme.ID)) {
		t.Errorf("the only copy of the tenants was overwritten: %v", err)
	}
}
