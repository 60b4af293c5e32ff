package tenant_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// TestSessionKeysAreSealed reads what a sign-in leaves in the store.
func TestSessionKeysAreSealed(t *testing.T) {
	js := jetStream(t, testkit.NATS(t))
	d := openDirectory(t, js)
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	entry, err := openBucket(t, js, "keys").Get(t.Context(), "key.k1")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(entry.Value(), &doc); err != nil {
		t.Fatal(err)
	}
	if _, plain := doc["seed"]; plain {
		t.Errorf("the seed stands in plain: %s", entry.Value())
	}
	// A process without the root key verifies sessions and makes none.
	reader, err := tenant.Open(t.Context(), tenant.Options{JS: js, PasswordCost: cheap(), SyncTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(t.Context())
	if _, err := reader.VerifySession(t.Context(), session.Text); err != nil {
		t.Errorf("without the root key: verify: %v", err)
	}
	_, err = reader.SignIn(t.Context(), tenant.Credentials{Login: "root", Password: goodPassword})
	wantError(t, err, seamark.Unavailable, "seamark-keys-absent")
}

// TestPlainSessionKeysAreSealedAtStart opens a store that was written before there was sealing.
func TestPlainSessionKeysAreSealedAtStart(t *testing.T) {
	js := jetStream(t, testkit.NATS(t))
	before := openDirectory(t, js)
	newUser(t, before, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	session := signIn(t, before, tenant.Credentials{Login: "root", Password: goodPassword})
	key := sessionKey(t, js)
	kv := openBucket(t, js, "keys")
	plain, err := json.Marshal(map[string]any{
		"v": 1, "kid": "k1", "created": time.Now(), "public": []byte(key.Public().(ed25519.PublicKey)), "seed": key.Seed(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "key.k1", plain); err != nil {
		t.Fatal(err)
	}
	after := openDirectory(t, js)
	if got := sessionKey(t, js); !bytes.Equal(got, key) {
		t.Error("the sealed key is another one than the plain one was")
	}
	for name, d := range map[string]*tenant.Directory{"before": before, "after": after} {
		if _, err := d.VerifySession(t.Context(), session.Text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	}
}

// TestSealedKeyOfAnotherPlace puts one key's sealed seed into another key's document: the document is refused and the good
// one stays.
func TestSealedKeyOfAnotherPlace(t *testing.T) {
	js := jetStream(t, testkit.NATS(t))
	d := openDirectory(t, js)
	newUser(t, d, tenant.UserSpec{Login: "root", Password: goodPassword, Operator: true})
	signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	if err := d.RotateSessionKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	kv := openBucket(t, js, "keys")
	docs := map[string]map[string]any{}
	for _, kid := range []string{"k1", "k2"} {
		entry, err := kv.Get(t.Context(), "key."+kid)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal(entry.Value(), &doc); err != nil {
			t.Fatal(err)
		}
		docs[kid] = doc
	}
	docs["k2"]["sealed"], docs["k2"]["public"] = docs["k1"]["sealed"], docs["k1"]["public"]
	body, err := json.Marshal(docs["k2"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "key.k2", body); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		faults := d.Faults()
		if len(faults) != 1 || faults[0].Key != "key.k2" {
			return fmt.Errorf("faults: %+v", faults)
		}
		return nil
	})
	session := signIn(t, d, tenant.Credentials{Login: "root", Password: goodPassword})
	if _, err := d.VerifySession(t.Context(), session.Text); err != nil {
		t.Error(errors.Join(errors.New("the last good key does not sign"), err))
	}
}
