package replay_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/replay"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const tenantA, tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAA"), seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBB")

type rig struct {
	js    jetstream.JetStream
	clock *testkit.Clock
	store *replay.Store
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{js: testkit.JetStream(t), clock: testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))}
	ring, err := seal.Open(t.Context(), seal.Options{JS: r.js, Root: seal.RootSource{File: filepath.Join(t.TempDir(), "root.key"), Create: true}, Now: r.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if r.store, err = replay.Open(t.Context(), replay.Options{JS: r.js, Keys: ring, Now: r.clock.Now}); err != nil {
		t.Fatal(err)
	}
	return r
}

func key(tenant seamark.TenantID, name, fingerprint string) *httpx.ReplayKey {
	return &httpx.ReplayKey{Tenant: tenant, Name: name, Fingerprint: fingerprint}
}

// wantNew claims a key that must be free.
func (r *rig) wantNew(t *testing.T, k *httpx.ReplayKey) {
	t.Helper()
	if before, err := r.store.Claim(t.Context(), k); err != nil || before != nil {
		t.Fatalf("claim %s: got %v, %v; want a new one", k.Name, before, err)
	}
}

func (r *rig) wantError(t *testing.T, k *httpx.ReplayKey, kind seamark.Kind) {
	t.Helper()
	if _, err := r.store.Claim(t.Context(), k); seamark.KindOf(err) != kind {
		t.Fatalf("claim %s: got %v, want kind %s", k.Name, err, kind)
	}
}

func TestAnswersAreKept(t *testing.T) {
	r := newRig(t)
	for _, tenant := range []seamark.TenantID{tenantA, ""} {
		k := key(tenant, "aa11", "f1")
		r.wantNew(t, k)
		r.wantError(t, k, seamark.Conflict)
		const secret = "smk_ingest_shownonce"
		answer := &httpx.Answer{Status: 201, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte(`{"token":"` + secret + `"}`)}
		if err := r.store.Keep(t.Context(), k, answer); err != nil {
			t.Fatal(err)
		}
		got, err := r.store.Claim(t.Context(), k)
		if err != nil || got == nil || got.Status != 201 || !bytes.Equal(got.Body, answer.Body) || got.Header["Content-Type"] != "application/json" {
			t.Fatalf("got %+v, %v", got, err)
		}
		r.wantError(t, key(tenant, "aa11", "f2"), seamark.Unprocessable)
		r.wantNew(t, key(tenantB, "aa11", "f2"))
		if err := r.store.Release(t.Context(), key(tenantB, "aa11", "f2")); err != nil {
			t.Fatal(err)
		}
		r.wantNothingInClear(t, secret, "f1")
	}
}

// wantNothingInClear looks for what only the keys' owner may read.
func (r *rig) wantNothingInClear(t *testing.T, texts ...string) {
	t.Helper()
	kv, err := r.js.KeyValue(t.Context(), replay.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := kv.Keys(t.Context())
	if err != nil || len(keys) == 0 {
		t.Fatalf("got keys %v, %v", keys, err)
	}
	for _, k := range keys {
		entry, err := kv.Get(t.Context(), k)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if strings.Contains(string(entry.Value()), `"`+text) || strings.Contains(string(entry.Value()), text+`"`) {
				t.Errorf("%s is in clear: %s", text, entry.Value())
			}
		}
	}
}

func TestReleasedKeysAreFree(t *testing.T) {
	r := newRig(t)
	r.wantNew(t, key(tenantA, "aa", "f1"))
	if err := r.store.Release(t.Context(), key(tenantA, "aa", "f1")); err != nil {
		t.Fatal(err)
	}
	r.wantNew(t, key(tenantA, "aa", "f2"))
}

func TestClaimsOfDeadNodesAreTakenOver(t *testing.T) {
	r := newRig(t)
	k := key(tenantA, "aa", "f1")
	r.wantNew(t, k)
	r.clock.Advance(time.Minute)
	r.wantError(t, k, seamark.Conflict)
	r.clock.Advance(2 * time.Minute)
	r.wantNew(t, k)
	r.wantError(t, k, seamark.Conflict)
}

// TestOneOfManyCreates claims the same key at once from many requests: one of them may create.
func TestOneOfManyCreates(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	made := 0
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			before, err := r.store.Claim(t.Context(), key(tenantA, "aa", "f1"))
			switch {
			case err == nil && before == nil:
				mu.Lock()
				defer mu.Unlock()
				made++
			case seamark.KindOf(err) != seamark.Conflict:
				t.Errorf("got %v, %v", before, err)
			}
		})
	}
	all.Wait()
	if made != 1 {
		t.Errorf("%d requests may create, want 1", made)
	}
}
