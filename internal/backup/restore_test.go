package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/backup"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const tenantA = "01ARZ3NDEKTSV4RRFFQ69G5FAA"

// place is where the tests' secret stands.
func place() seal.Place {
	return seal.Place{Bucket: "seamark_alertmanager", Key: tenantA + ".config", Tenant: tenantA, Field: "config"}
}

// cell is one installation.
type cell struct {
	js   jetstream.JetStream
	ring *seal.Ring
}

func newCell(t *testing.T, root string) *cell {
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
	ring, err := seal.Open(t.Context(), seal.Options{JS: js, Root: seal.RootSource{Text: root}})
	if err != nil {
		t.Fatal(err)
	}
	c := &cell{js: js, ring: ring}
	c.put(t, "seamark_users", map[string]string{"user.ab": `{"login":"operator","operator":true,"password":"fresh"}`}) // as a first start makes it
	return c
}

func (c *cell) put(t *testing.T, bucket string, docs map[string]string) {
	t.Helper()
	kv, err := c.js.CreateOrUpdateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: bucket, History: 1, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(docs)) {
		if _, err := kv.Put(t.Context(), key, []byte(docs[key])); err != nil {
			t.Fatal(err)
		}
	}
}

// fill makes a control plane with a tenant, a secret, and state that no backup has.
func (c *cell) fill(t *testing.T) {
	t.Helper()
	sealed, err := c.ring.Seal(t.Context(), place(), []byte("hook-secret"))
	if err != nil {
		t.Fatal(err)
	}
	c.put(t, "seamark_tenants", map[string]string{
		"tenant." + tenantA: `{"v":1,"slug":"acme"}`, "slug.acme": `{"v":1}`, "counter.number": `{"v":1,"last":7}`, "beat": `{"v":1}`,
	})
	c.put(t, "seamark_users", map[string]string{"user.ab": `{"login":"operator","operator":true,"password":"old"}`, "user.cd": `{"login":"ann"}`})
	c.put(t, "seamark_alertmanager", map[string]string{tenantA + ".config": fmt.Sprintf(`{"sealed":%q}`, sealed)})
	c.put(t, "seamark_alertstate", map[string]string{tenantA + ".silence.x": "s", tenantA + ".nflog.x": "n", tenantA + ".alert.x": "a"})
	c.put(t, "seamark_sessions", map[string]string{"session.x": `{"v":1}`})
	c.put(t, "seamark_writer", map[string]string{"logs-0": `{}`})
	c.put(t, "seamark_futurething", map[string]string{"thing.x": `{}`})
	c.put(t, "elsewhere", map[string]string{"x": "y"})
}

// collect takes a backup through a file.
func (c *cell) collect(t *testing.T) *backup.Backup {
	t.Helper()
	buckets, docs, err := backup.Collect(t.Context(), c.js)
	if err != nil {
		t.Fatal(err)
	}
	b, err := backup.New("v1", time.Now(), buckets, docs)
	if err != nil {
		t.Fatal(err)
	}
	file := written(t, b)
	if bytes.Contains([]byte(strings.Join(inflate(t, file), "")), []byte("hook-secret")) {
		t.Error("the backup holds the secret in plain")
	}
	b, err = backup.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (c *cell) restore(t *testing.T, b *backup.Backup, force bool) (*backup.Report, error) {
	t.Helper()
	return backup.Restore(t.Context(), b, backup.RestoreOptions{JS: c.js, Root: c.ring.Root(), Force: force, Reserve: 100})
}

// contents returns every document of the cell but beats and data keys.
func (c *cell) contents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	names := c.js.KeyValueStoreNames(t.Context())
	for name := range names.Name() {
		kv, err := c.js.KeyValue(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := kv.Keys(t.Context())
		if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
			t.Fatal(err)
		}
		for _, key := range keys {
			entry, err := kv.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if key != "beat" && name != seal.Bucket {
				all[name+" "+key] = string(entry.Value())
			}
		}
	}
	return all
}

func TestRestoreIntoAnEmptyControlPlane(t *testing.T) {
	root := seal.GenerateRoot()
	old, fresh := newCell(t, root), newCell(t, root)
	old.fill(t)
	b := old.collect(t)
	report, err := fresh.restore(t, b, false)
	if err != nil {
		t.Fatal(err)
	}
	if report.LastNumber != 107 {
		t.Errorf("the last number is %d, want 107", report.LastNumber)
	}
	want := old.contents(t)
	for _, gone := range []string{
		"seamark_sessions session.x", "seamark_writer logs-0", "elsewhere x", "seamark_alertstate " + tenantA + ".nflog.x", "seamark_alertstate " + tenantA + ".alert.x",
	} {
		delete(want, gone)
	}
	want["seamark_tenants counter.number"] = `{"v":1,"last":107}`
	if diff := cmp.Diff(want, fresh.contents(t)); diff != "" {
		t.Errorf("the restored control plane (-want +got):\n%s", diff)
	}
	sealed := strings.TrimSuffix(strings.TrimPrefix(want["seamark_alertmanager "+place().Key], `{"sealed":"`), `"}`)
	if got, err := fresh.ring.Unseal(t.Context(), place(), sealed); err != nil || string(got) != "hook-secret" {
		t.Errorf("the restored secret is %q, %v", got, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	root := seal.GenerateRoot()
	old := newCell(t, root)
	old.fill(t)
	b := old.collect(t)

	stranger := newCell(t, seal.GenerateRoot())
	before := stranger.contents(t)
	var wrong *seal.WrongRootError
	if _, err := stranger.restore(t, b, true); !errors.As(err, &wrong) {
		t.Errorf("under another root key: got %v", err)
	}
	if diff := cmp.Diff(before, stranger.contents(t)); diff != "" {
		t.Errorf("a refused restore changed (-before +after):\n%s", diff)
	}

	busy := newCell(t, root)
	busy.put(t, "seamark_tenants", map[string]string{"tenant.other": `{"v":1}`, "slug.other": `{"v":1}`, "counter.number": `{"v":1,"last":900}`})
	busy.put(t, "seamark_sessions", map[string]string{"session.y": `{"v":1}`})
	before = busy.contents(t)
	var notEmpty *backup.NotEmptyError
	if _, err := busy.restore(t, b, false); !errors.As(err, &notEmpty) || notEmpty.Documents["seamark_tenants"] != 3 {
		t.Errorf("into a control plane with tenants: got %v", err)
	}
	if diff := cmp.Diff(before, busy.contents(t)); diff != "" {
		t.Errorf("a refused restore changed (-before +after):\n%s", diff)
	}
	report, err := busy.restore(t, b, true)
	if err != nil {
		t.Fatal(err)
	}
	got := busy.contents(t)
	if got["seamark_tenants tenant.other"] != "" || got["seamark_tenants slug.acme"] == "" || got["seamark_sessions session.y"] != "" || report.SessionsEnded != 1 {
		t.Errorf("after the forced restore: %+v in %v", report, slices.Sorted(maps.Keys(got)))
	}
	if report.LastNumber != 900 {
		t.Errorf("the last number is %d, want 900: numbers are never given twice", report.LastNumber)
	}
}
