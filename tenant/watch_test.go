package tenant_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

func openBucket(t testing.TB, js jetstream.JetStream, name string) jetstream.KeyValue {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), "seamark_"+name)
	if err != nil {
		t.Fatalf("bucket %s: %v", name, err)
	}
	return kv
}

// putRaw writes a value past the directory, as a broken node or a person with a NATS client would.
func putRaw(t testing.TB, js jetstream.JetStream, bucket, key, value string) {
	t.Helper()
	if _, err := openBucket(t, js, bucket).Put(t.Context(), key, []byte(value)); err != nil {
		t.Fatalf("put %s %s: %v", bucket, key, err)
	}
}

func keysOf(t testing.TB, kv jetstream.KeyValue) []string {
	t.Helper()
	keys, err := kv.Keys(t.Context())
	if err != nil {
		t.Fatalf("keys: %v", err)
	}
	return keys
}

// TestPoisonValuesKeepTheLastGoodOnes overwrites every key of every bucket with garbage of several sorts.
func TestPoisonValuesKeepTheLastGoodOnes(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js)
	acme := newTenant(t, d, "acme")
	prod := newCluster(t, d, acme.ID, "prod")
	_, ingest := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: prod.ID})
	newUser(t, d, tenant.UserSpec{Login: "ann", Password: "long enough!!", Memberships: map[seamark.TenantID]seamark.Role{acme.ID: seamark.RoleOwner}})
	session := signIn(t, d, tenant.Credentials{Login: "ann", Password: "long enough!!"})
	d.Arrived(acme.ID, prod.ID, seamark.Logs, time.Now())
	if err := d.FlushArrivals(t.Context()); err != nil {
		t.Fatal(err)
	}

	poisons := []string{"", "\x00\xff", "null", "[]", "{}", `{"v":1}`, `{"v":2,"id":"x"}`, `{"v":"1"}`, `{"v":1,"id":7,"tenant":[],"key_id":{}}`, "{"}
	for _, poison := range poisons {
		poisoned := map[string]bool{}
		for _, bucket := range []string{"tenants", "clusters", "tokens", "users", "sessions", "keys", "arrivals"} {
			kv := openBucket(t, js, bucket)
			for _, key := range append(keysOf(t, kv), "junk", "unknown.key") {
				if key == "beat" {
					continue // overwritten within a second anyway
				}
				putRaw(t, js, bucket, key, poison)
				poisoned[bucket+" "+key] = true
			}
		}
		eventually(t, func() error {
			faults := d.Faults()
			for key := range poisoned {
				if !slices.ContainsFunc(faults, func(f tenant.Fault) bool { return f.Bucket+" "+f.Key == key && f.Reason != "" }) {
					return fmt.Errorf("%q has no fault yet", key)
				}
			}
			return nil
		})
		if _, err := d.Authenticate(t.Context(), ingest); err != nil {
			t.Fatalf("poison %q: token refused: %v", poison, err)
		}
		if _, err := d.VerifySession(t.Context(), session.Text); err != nil {
			t.Fatalf("poison %q: session refused: %v", poison, err)
		}
		if got := d.ListArrivals(t.Context(), acme.ID); len(got) != 1 {
			t.Fatalf("poison %q: arrivals are %v", poison, got)
		}
	}

	// The next write heals a poisoned key, so a revocation works on one, too.
	token := d.ListTokens(t.Context(), acme.ID)[0]
	if err := d.RevokeToken(t.Context(), acme.ID, token.KeyID); err != nil {
		t.Fatal(err)
	}
	_, err := d.Authenticate(t.Context(), ingest)
	wantError(t, err, seamark.Unauthenticated, "seamark-token-revoked")
	eventually(t, func() error {
		if slices.ContainsFunc(d.Faults(), func(f tenant.Fault) bool { return f.Key == "token."+token.KeyID }) {
			return fmt.Errorf("token %s still has a fault", token.KeyID)
		}
		return nil
	})
}

func TestPoisonBeatDoesNotLookFresh(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, js, withClock(clock))
	for _, poison := range []string{"garbage", `{"v":1}`, `{"v":9,"at":"2026-11-01T12:00:00Z"}`} {
		putRaw(t, js, "tokens", "beat", poison)
		eventually(t, func() error {
			if len(d.Faults()) != 1 {
				return fmt.Errorf("faults are %v", d.Faults())
			}
			return nil
		})
		// The clock stands, so our own beat is not due; a beat from a clock that runs ahead counts as of now only.
		putRaw(t, js, "tokens", "beat", `{"v":1,"at":"2126-11-01T12:00:00Z"}`)
		eventually(t, func() error {
			if len(d.Faults()) != 0 {
				return fmt.Errorf("faults are %v", d.Faults())
			}
			return nil
		})
	}
	if got := d.Freshness(); got != 0 {
		t.Errorf("freshness is %s, want 0", got)
	}
}

func TestManyChangesArriveInOrder(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js)
	acme := newTenant(t, d, "acme")
	const changes = 2000
	for i := range changes {
		name := fmt.Sprintf("name %d", i)
		future, err := js.PublishAsync("$KV.seamark_tenants.tenant."+string(acme.ID), []byte(fmt.Sprintf(
			`{"v":1,"id":%q,"number":%d,"slug":"acme","name":%q,"state":"active","generation":%d}`, acme.ID, acme.Number, name, i)))
		if err != nil || future == nil {
			t.Fatalf("publish: %v", err)
		}
	}
	eventually(t, func() error {
		got, err := d.FindTenant(t.Context(), acme.ID)
		if err != nil || got.Generation != changes-1 {
			return fmt.Errorf("generation is %d, %w", got.Generation, errOrNone(err))
		}
		return nil
	})
}

// TestChangesMadeWhileDisconnectedAreSeen restarts the server under one node while another writes.
func TestChangesMadeWhileDisconnectedAreSeen(t *testing.T) {
	n := newFragileNATS(t)
	d := openDirectory(t, n.connect(t))
	acme := newTenant(t, d, "acme")
	token, secret := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	for range 3 {
		n.stop()
		if _, err := d.Authenticate(t.Context(), secret); err != nil {
			t.Fatalf("without KV: %v", err)
		}
		n.start(t, n.folder)
	}
	other := openDirectory(t, n.connect(t))
	if err := other.RevokeToken(t.Context(), acme.ID, token.KeyID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := d.Authenticate(t.Context(), secret)
		return refused(err, "seamark-token-revoked")
	})
}

// TestLostStoreIsNotMixedWithTheOldOne gives the node a server without any data: what it knew must go, although the new
// store counts its revisions from one.
func TestLostStoreIsNotMixedWithTheOldOne(t *testing.T) {
	n := newFragileNATS(t)
	d := openDirectory(t, n.connect(t), func(o *tenant.Options) { o.BeatInterval = 50 * time.Millisecond })
	acme := newTenant(t, d, "acme")
	_, secret := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	n.stop()
	n.start(t, t.TempDir())
	eventually(t, func() error {
		_, err := d.Authenticate(t.Context(), secret)
		return refused(err, "seamark-token-unknown")
	})
	eventually(t, func() error { // both buckets are made anew, in any order
		_, err := d.FindTenant(t.Context(), acme.ID)
		return refused(err, "seamark-tenant-unknown")
	})
	newTenant(t, d, "acme")
}

func TestWatchersAreNotLeaked(t *testing.T) {
	n := newFragileNATS(t)
	js := n.connect(t)
	d := openDirectory(t, js)
	for range 5 {
		n.stop()
		n.start(t, n.folder)
		eventually(t, func() error {
			if age := d.Freshness(); age > 3*time.Second || !js.Conn().IsConnected() {
				return fmt.Errorf("freshness is %s", age)
			}
			return nil
		})
	}
	eventually(t, func() error {
		for _, bucket := range []string{"tenants", "clusters", "tokens", "users", "sessions", "keys", "arrivals"} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			stream, err := js.Stream(ctx, "KV_seamark_"+bucket)
			cancel()
			if err != nil {
				return err
			}
			if got := stream.CachedInfo().State.Consumers; got != 1 {
				return fmt.Errorf("bucket %s has %d consumers, want 1", bucket, got)
			}
		}
		return nil
	})
}

// TestSilentWatchIsMadeAnew takes the consumer away behind the client's back. The client alone needs two missed heartbeats
// of 5 s to notice; the beat needs StallTimeout.
func TestSilentWatchIsMadeAnew(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js, func(o *tenant.Options) {
		o.BeatInterval, o.StallTimeout = 50*time.Millisecond, 300*time.Millisecond
	})
	acme := newTenant(t, d, "acme")
	token, secret := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken})
	stream, err := js.Stream(t.Context(), "KV_seamark_tokens")
	if err != nil {
		t.Fatal(err)
	}
	for name := range stream.ConsumerNames(t.Context()).Name() {
		if err := stream.DeleteConsumer(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	other := openDirectory(t, jetStream(t, n))
	start := time.Now()
	if err := other.RevokeToken(t.Context(), acme.ID, token.KeyID); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		_, err := d.Authenticate(t.Context(), secret)
		return refused(err, "seamark-token-revoked")
	})
	if took := time.Since(start); took > 9*time.Second {
		t.Errorf("the revocation took %s, so it was the client that noticed", took)
	}
}
