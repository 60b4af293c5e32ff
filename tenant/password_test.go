package tenant

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestPasswordHashRoundTrip(t *testing.T) {
	gate := newHashGate(PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}, rand.Reader)
	stored, err := gate.hash(t.Context(), "correct")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parsePasswordHash(stored)
	if err != nil || parsed.String() != stored {
		t.Errorf("parse and String turn %q into %q, %v", stored, parsed, err)
	}
	for password, want := range map[string]bool{"correct": true, "Correct": false, "": false} {
		if ok, outdated, err := gate.verify(t.Context(), stored, password); ok != want || outdated || err != nil {
			t.Errorf("verify %q: got %t, %t, %v; want %t", password, ok, outdated, err, want)
		}
	}
	if ok, _, err := gate.verify(t.Context(), "", "correct"); ok || err != nil {
		t.Errorf("an empty hash matches: %t, %v", ok, err)
	}
	if other, _ := gate.hash(t.Context(), "correct"); other == stored {
		t.Error("two hashes share their salt")
	}
}

func TestParsePasswordHashRefusesPoison(t *testing.T) {
	const salt, hash = "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if _, err := parsePasswordHash("$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash); err != nil {
		t.Fatalf("the good one is refused: %v", err)
	}
	for _, text := range []string{
		"", "plain", "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + hash, "$argon2id$v=18$m=64,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=64,t=1000,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + hash, "$argon2id$v=19$m=-1,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=1,p=1$AA$" + hash, "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$", "$argon2id$v=19$x$" + salt + "$" + hash,
	} {
		if h, err := parsePasswordHash(text); err == nil {
			t.Errorf("%q is taken as %+v", text, h)
		}
	}
}

func TestHashGateBoundsTheQueue(t *testing.T) {
	gate := newHashGate(PasswordCost{MemoryKiB: 64, Passes: 1, Threads: 1}, rand.Reader)
	for range cap(gate.slots) { // everybody in a slot is slow
		gate.slots <- struct{}{}
		gate.waiting.Add(1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	for range hashQueue {
		go func() {
			_, err := gate.hash(ctx, "x")
			ended <- err
		}()
	}
	for gate.waiting.Load() != int64(cap(gate.slots)+hashQueue) {
		select {
		case err := <-ended:
			t.Fatalf("a waiter left early: %v", err)
		default:
		}
	}
	_, err := gate.hash(t.Context(), "x")
	if e, ok := errors.AsType[*seamark.Error](err); !ok || e.Kind != seamark.RateLimited || e.RetryAfter == 0 {
		t.Errorf("one too many: got %v, want RateLimited with a time", err)
	}
	cancel()
	for range hashQueue {
		if err := <-ended; seamark.KindOf(err) != seamark.Canceled {
			t.Errorf("canceled waiter: got %v", err)
		}
	}
	<-gate.slots
	gate.waiting.Add(-1)
	if _, err := gate.hash(t.Context(), "x"); err != nil {
		t.Errorf("a free slot is not given: %v", err)
	}
}

func TestPasswordRules(t *testing.T) {
	for _, password := range []string{
		"", "1234567", "ÄÖÜäöüß", "password", "PASSWORD", "Password1", "P4ssw0rd!", "12345678", "qwertyuiop", "seamark2026!", "aaaaaaaaaaaa",
		"ann-smith", "ann-smith2026", "letmein!!", "Summer2026", strings.Repeat("long ", 300),
	} {
		if err := checkPassword("ann-smith@example.org", password); err == nil {
			t.Errorf("%q is accepted", password)
		}
	}
	for _, password := range []string{
		"correct horse battery", "8274619305", "xK2!mQ9w", "ÄÖÜäöüßÄ", "日本語日本語日本", "passwordless future", strings.Repeat("long ", 200),
	} {
		if err := checkPassword("ann-smith@example.org", password); err != nil {
			t.Errorf("%q is refused: %v", password, err)
		}
	}
}

func BenchmarkPasswordHash(b *testing.B) {
	gate := newHashGate(DefaultPasswordCost(), rand.Reader)
	for b.Loop() {
		if _, err := gate.hash(b.Context(), "correct"); err != nil {
			b.Fatal(err)
		}
	}
}
