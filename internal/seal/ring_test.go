package seal_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const tenantA, tenantB = "01ARZ3NDEKTSV4RRFFQ69G5FAA", "01ARZ3NDEKTSV4RRFFQ69G5FBB"

// place is where the tests' secret stands.
func place() seal.Place {
	return seal.Place{Bucket: "seamark_notes", Key: tenantA + ".note", Tenant: tenantA, Field: "note"}
}

// rig is a store of its own with a root file.
type rig struct {
	js    jetstream.JetStream
	root  string
	clock *testkit.Clock
}

func newRig(t *testing.T) *rig {
	t.Helper()
	nc, err := testkit.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{js: js, root: filepath.Join(t.TempDir(), "root.key"), clock: testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))}
}

func (r *rig) try(t *testing.T, source seal.RootSource) (*seal.Ring, error) {
	t.Helper()
	return seal.Open(t.Context(), seal.Options{JS: r.js, Root: source, Now: r.clock.Now})
}

// open returns another process's ring.
func (r *rig) open(t *testing.T) *seal.Ring {
	t.Helper()
	ring, err := r.try(t, seal.RootSource{File: r.root, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// notes returns a bucket whose documents hold secrets.
func (r *rig) notes(t *testing.T) jetstream.KeyValue {
	t.Helper()
	kv, err := r.js.CreateOrUpdateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: place().Bucket, History: 1})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func sealNote(t *testing.T, ring *seal.Ring, at seal.Place, plain string) string {
	t.Helper()
	sealed, err := ring.Seal(t.Context(), at, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func putNote(t *testing.T, kv jetstream.KeyValue, key, sealed string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"before": "<&>", "sealed": sealed, "zed": "é"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), key, body); err != nil {
		t.Fatal(err)
	}
}

func readNote(t *testing.T, kv jetstream.KeyValue, key string) string {
	t.Helper()
	entry, err := kv.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Sealed string }
	if err := json.Unmarshal(entry.Value(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Sealed
}

func TestSealRoundTrip(t *testing.T) {
	r := newRig(t)
	first, second := r.open(t), r.open(t)
	for _, plain := range []string{"", "a secret!", strings.Repeat("long ", 20_000)} {
		sealed := sealNote(t, first, place(), plain)
		if !seal.IsSealed(sealed) || plain != "" && strings.Contains(sealed, plain) {
			t.Fatalf("sealed form %.80q tells the secret or has another form", sealed)
		}
		if sealed == sealNote(t, first, place(), plain) {
			t.Error("the same secret was sealed the same way twice")
		}
		got, err := second.Unseal(t.Context(), place(), sealed)
		if err != nil || string(got) != plain {
			t.Errorf("the other process read %.20q, %v", got, err)
		}
	}
	info, err := os.Stat(r.root)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("root file: %v, %v; want mode 0600", info.Mode(), err)
	}
}

// TestMovedValues puts a sealed value into every other place that it must not open in.
func TestMovedValues(t *testing.T) {
	ring := newRig(t).open(t)
	sealed := sealNote(t, ring, place(), "secret")
	for name, change := range map[string]func(*seal.Place){
		"bucket": func(p *seal.Place) { p.Bucket = "seamark_other" },
		"key":    func(p *seal.Place) { p.Key = tenantB + ".note" },
		"tenant": func(p *seal.Place) { p.Tenant = tenantB },
		"nobody": func(p *seal.Place) { p.Tenant = "" },
		"field":  func(p *seal.Place) { p.Field = "other" },
		"shift":  func(p *seal.Place) { p.Bucket, p.Key = p.Bucket+p.Key[:1], p.Key[1:] },
	} {
		at := place()
		change(&at)
		if got, err := ring.Unseal(t.Context(), at, sealed); err == nil {
			t.Errorf("%s: the value opened as %q", name, got)
		}
		// The parts that stand in the envelope are changed with the place, as somebody with access to the store would.
		forged := strings.Replace(strings.Replace(sealed, ".note.", "."+at.Field+".", 1), tenantA, string(at.Tenant), 1)
		if got, err := ring.Unseal(t.Context(), at, forged); err == nil {
			t.Errorf("%s: the forged value opened as %q", name, got)
		}
	}
}

// TestTamperedValues changes each byte of a sealed value and cuts it at each length.
func TestTamperedValues(t *testing.T) {
	ring := newRig(t).open(t)
	sealed := sealNote(t, ring, place(), "secret")
	head, body := sealed[:strings.LastIndexByte(sealed, '.')+1], sealed[strings.LastIndexByte(sealed, '.')+1:]
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 0x10
		if got, err := ring.Unseal(t.Context(), place(), head+base64.RawURLEncoding.EncodeToString(raw)); err == nil {
			t.Errorf("byte %d changed: opened as %q", i, got)
		}
		raw[i] ^= 0x10
	}
	for n := range raw {
		if got, err := ring.Unseal(t.Context(), place(), head+base64.RawURLEncoding.EncodeToString(raw[:n])); err == nil {
			t.Errorf("cut to %d bytes: opened as %q", n, got)
		}
	}
}

// TestRootKeys opens a sealed store with what is not its root key.
func TestRootKeys(t *testing.T) {
	r := newRig(t)
	if _, err := r.try(t, seal.RootSource{File: r.root}); err == nil || !strings.Contains(err.Error(), "seamark keys generate") {
		t.Errorf("no root key and none may be made: got %v, want what to do", err)
	}
	ring := r.open(t)
	sealed := sealNote(t, ring, place(), "secret")
	text, err := os.ReadFile(r.root)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.key")
	if err := os.WriteFile(broken, []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.key")
	for name, c := range map[string]struct {
		source seal.RootSource
		want   string
	}{
		"missing": {seal.RootSource{File: missing, Create: true}, "no other key is made"},
		"other":   {seal.RootSource{Text: seal.GenerateRoot()}, "put the right one in place"},
		"broken":  {seal.RootSource{File: broken}, "32 bytes"},
		"nothing": {seal.RootSource{}, "there is no root key"},
	} {
		if _, err := r.try(t, c.source); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
	if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a root key was made although another one sealed the store: %v", err)
	}
	again, err := r.try(t, seal.RootSource{Text: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unseal(t.Context(), place(), sealed); err != nil || string(got) != "secret" {
		t.Errorf("under the right key: got %q, %v", got, err)
	}
	if strings.Contains(again.Root().String(), strings.TrimSpace(string(text))) {
		t.Error("printing the root key tells it")
	}
}

// TestLostRing loses the data keys alone: new ones would make what is sealed unreadable for ever.
func TestLostRing(t *testing.T) {
	r := newRig(t)
	putNote(t, r.notes(t), place().Key, sealNote(t, r.open(t), place(), "secret"))
	if err := r.js.DeleteKeyValue(t.Context(), seal.Bucket); err != nil {
		t.Fatal(err)
	}
	if _, err := r.try(t, seal.RootSource{File: r.root, Create: true}); err == nil || !strings.Contains(err.Error(), "Restore a backup") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// TestForget gives up what is sealed under a root key that is lost, and only then.
func TestForget(t *testing.T) {
	r := newRig(t)
	ring, kv := r.open(t), r.notes(t)
	lost := ring.Root().ID()
	if _, err := kv.Put(t.Context(), "look.alike", []byte(`{"text":"`+sealNote(t, ring, place(), "a customer's text")+`"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "plain", []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "sealed", []byte(`{"sealed":"`+sealNote(t, ring, place(), "secret")+`"}`)); err != nil {
		t.Fatal(err)
	}
	keys := func() string {
		list, err := kv.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	source := func(file string) seal.RootSource { return seal.RootSource{File: file, Create: true} }
	other := filepath.Join(t.TempDir(), "other.key")
	for name, o := range map[string]seal.Options{
		"key at hand": {Root: source(r.root), Forget: lost}, "another id": {Root: source(other), Forget: "0123456789abcdef"}, "no id": {Root: source(other)},
	} {
		o.JS = r.js
		if _, err := seal.Open(t.Context(), o); (err == nil) != (name == "key at hand") {
			t.Errorf("%s: got %v", name, err)
		}
		if got := keys(); got != "look.alike plain sealed" {
			t.Fatalf("%s: left %s", name, got)
		}
	}
	fresh, err := seal.Open(t.Context(), seal.Options{JS: r.js, Root: source(other), Forget: lost})
	if err != nil {
		t.Fatal(err)
	}
	if got := keys(); got != "look.alike plain" || fresh.Root().ID() == lost {
		t.Errorf("left %s under %s, want look.alike plain under a new root key", got, fresh.Root())
	}
	sealNote(t, fresh, place(), "again")
}

// TestRewrap changes the root key under a process that runs.
func TestRewrap(t *testing.T) {
	r := newRig(t)
	ring, running := r.open(t), r.open(t)
	before := sealNote(t, ring, place(), "before")
	text := seal.GenerateRoot()
	next, err := seal.ParseRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Rewrap(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	after := sealNote(t, running, place(), "after")
	var wrong *seal.WrongRootError
	if _, err := r.try(t, seal.RootSource{File: r.root}); !errors.As(err, &wrong) || wrong.Want != next.ID() {
		t.Errorf("a start with the old root key: got %v", err)
	}
	if _, err := running.Rotate(t.Context()); !errors.As(err, &wrong) {
		t.Errorf("a rotation with the old root key: got %v", err)
	}
	again, err := r.try(t, seal.RootSource{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	for _, ring := range []*seal.Ring{running, again} {
		for sealed, want := range map[string]string{before: "before", after: "after"} {
			if got, err := ring.Unseal(t.Context(), place(), sealed); err != nil || string(got) != want {
				t.Errorf("got %q, %v; want %s", got, err, want)
			}
		}
	}
	if err := again.Rewrap(t.Context(), seal.RootKey{}); err == nil {
		t.Error("the data keys were wrapped under no key")
	}
}

// TestRotation rotates while other processes read and write, and retires the old key once it is safe.
func TestRotation(t *testing.T) {
	r := newRig(t)
	ring, other := r.open(t), r.open(t)
	kv := r.notes(t)
	for _, tenant := range []string{tenantA, tenantB} {
		at := place()
		at.Key, at.Tenant = tenant+".note", seamark.TenantID(tenant)
		putNote(t, kv, at.Key, sealNote(t, ring, at, "secret of "+tenant))
	}
	before := sealNote(t, ring, place(), "in flight")

	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := other.Unseal(t.Context(), place(), readNote(t, kv, place().Key))
				if err != nil || string(got) != "secret of "+tenantA {
					t.Errorf("a reader got %q, %v", got, err)
					return
				}
			}
		})
	}
	for range 5 {
		if _, err := ring.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		report, err := ring.Reseal(t.Context())
		if err != nil || report.Values != 2 || report.Resealed != 2 || len(report.Broken) != 0 || len(report.Retired) != 0 {
			t.Fatalf("reseal: got %+v, %v; want 2 of 2 values and no key retired yet", report, err)
		}
	}
	close(stop)
	readers.Wait()

	if got, err := other.Unseal(t.Context(), place(), before); err != nil || string(got) != "in flight" {
		t.Errorf("a value sealed before the rotation: got %q, %v", got, err)
	}
	r.clock.Advance(seal.Grace)
	report, err := ring.Reseal(t.Context())
	if err != nil || report.Resealed != 0 || len(report.Retired) != 5 {
		t.Fatalf("after the grace: got %+v, %v; want 5 keys retired", report, err)
	}
	keys, err := ring.Keys(t.Context())
	if err != nil || len(keys) != 1 || !keys[0].Current || keys[0].Values != 2 {
		t.Errorf("got the keys %+v, %v; want one with 2 values", keys, err)
	}
	if got, err := r.open(t).Unseal(t.Context(), place(), readNote(t, kv, place().Key)); err != nil || string(got) != "secret of "+tenantA {
		t.Errorf("a new process read %q, %v", got, err)
	}
}

// TestRetireKeepsUsedKeys leaves a value behind that cannot be sealed anew: its key stays.
func TestRetireKeepsUsedKeys(t *testing.T) {
	r := newRig(t)
	ring, kv := r.open(t), r.notes(t)
	putNote(t, kv, tenantB+".note", sealNote(t, ring, place(), "moved")) // stands where it does not open
	if _, err := ring.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(2 * seal.Grace)
	report, err := ring.Reseal(t.Context())
	if err != nil || len(report.Broken) != 1 || len(report.Retired) != 0 {
		t.Errorf("got %+v, %v; want one broken value and its key kept", report, err)
	}
}

// TestMergeRings takes a backup's keys into the ring of a fresh installation under the same root key.
func TestMergeRings(t *testing.T) {
	old, fresh := newRig(t), newRig(t)
	sealed := sealNote(t, old.open(t), place(), "secret")
	backup := ringOf(t, old.js)
	text, err := os.ReadFile(old.root)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := fresh.try(t, seal.RootSource{Text: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.CheckRing(backup, ring.Root()); err != nil {
		t.Fatal(err)
	}
	merged, err := seal.MergeRings(ringOf(t, fresh.js), backup)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := fresh.js.KeyValue(t.Context(), seal.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), seal.RingKey, merged); err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Unseal(t.Context(), place(), sealed); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
	stranger := newRig(t).open(t)
	var wrong *seal.WrongRootError
	if err := seal.CheckRing(backup, stranger.Root()); !errors.As(err, &wrong) {
		t.Errorf("under another root key: got %v", err)
	}
}

func ringOf(t *testing.T, js jetstream.JetStream) []byte {
	t.Helper()
	kv, err := js.KeyValue(t.Context(), seal.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := kv.Get(t.Context(), seal.RingKey)
	if err != nil {
		t.Fatal(err)
	}
	return entry.Value()
}
