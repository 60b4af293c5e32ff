package tenant_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// shed is a store of telemetry: rows by tenant.
type shed struct {
	mu   sync.Mutex // guards rows
	rows map[seamark.TenantNumber]uint64
}

func (s *shed) EraseTenant(_ context.Context, n seamark.TenantNumber) ([]tenant.Erased, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows[n] == 0 {
		return nil, nil
	}
	defer delete(s.rows, n)
	return []tenant.Erased{{Place: "shed", Items: s.rows[n]}}, nil
}

func (s *shed) TenantRemains(_ context.Context, n seamark.TenantNumber) (map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows[n] == 0 {
		return nil, nil
	}
	return map[string]uint64{"shed": s.rows[n]}, nil
}

func (s *shed) add(n seamark.TenantNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[n] += 10
}

// reaper is a purger with all that it works on.
type reaper struct {
	*tenant.Purger
	d            *tenant.Directory
	js           jetstream.JetStream
	shed         *shed
	changes      *tenant.ChangeLog
	certificates *tenant.Certificates
	clock        *testkit.Clock
}

func newReaper(t *testing.T) *reaper {
	t.Helper()
	r := &reaper{js: testkit.JetStream(t), shed: &shed{rows: map[seamark.TenantNumber]uint64{}}, clock: testkit.NewClock(time.Now())}
	r.d = openDirectory(t, r.js, withClock(r.clock))
	r.changes = openChangeLog(t, r.js)
	var err error
	if r.certificates, err = tenant.OpenCertificates(t.Context(), r.js, newRing(t, r.js), 1, rand.Reader); err != nil {
		t.Fatal(err)
	}
	r.Purger, err = tenant.NewPurger(tenant.PurgeOptions{
		Directory: r.d, Eraser: tenant.NewEraser(r.js), Changes: r.changes, Warehouse: r.shed, Certificates: r.certificates, Settle: time.Minute, Now: r.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// step lets time pass and makes a step.
func (r *reaper) step(t *testing.T, passes time.Duration) {
	t.Helper()
	r.clock.Advance(passes)
	if err := r.Step(t.Context()); err != nil {
		t.Fatalf("step: %v", err)
	}
}

// TestPurge takes a tenant from its deletion to its certificate, step by step.
func TestPurge(t *testing.T) {
	r := newReaper(t)
	gone, stays := newTenant(t, r.d, "gone"), newTenant(t, r.d, "stays")
	var secrets []string
	for _, x := range []tenant.Tenant{gone, stays} {
		c := newCluster(t, r.d, x.ID, "prod")
		_, secret := newToken(t, r.d, x.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: c.ID})
		secrets = append(secrets, secret)
		r.shed.add(x.Number)
		record(t, r.changes, tenant.Change{Tenant: x.ID, Action: "token.create", Result: tenant.ChangeDone})
	}
	both := newUser(t, r.d, tenant.UserSpec{Login: "both", Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{gone.ID: seamark.RoleOwner, stays.ID: seamark.RoleViewer}})
	alone := newUser(t, r.d, tenant.UserSpec{Login: "alone", Password: goodPassword, Memberships: map[seamark.TenantID]seamark.Role{gone.ID: seamark.RoleOwner}})

	if _, err := r.d.BeginDeletion(t.Context(), gone.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err := r.d.Authenticate(t.Context(), secrets[0])
	wantError(t, err, seamark.Forbidden, "seamark-tenant-deleting")
	r.step(t, 59*time.Minute)
	if got := r.d.State(gone.ID); got != tenant.Deleting {
		t.Fatalf("within its grace the tenant is %s", got)
	}
	r.step(t, 2*time.Minute)
	if got := r.d.State(gone.ID); got != tenant.Deleted {
		t.Fatalf("after its grace the tenant is %s", got)
	}
	if n := r.shed.rows[gone.Number]; n == 0 {
		t.Fatal("it was erased before what was under way has settled")
	}
	r.step(t, 2*time.Minute) // erases
	r.shed.add(gone.Number)  // a late writer
	r.step(t, 2*time.Minute)
	r.step(t, 2*time.Minute)
	r.step(t, 2*time.Minute) // the second look that finds nothing
	signed, err := r.certificates.Find(t.Context(), gone.ID)
	if err != nil {
		t.Fatalf("no certificate: %v", err)
	}
	if _, err := tenant.VerifyCertificate(signed); err != nil {
		t.Error(err)
	}
	places := map[string]uint64{}
	for _, e := range signed.Certificate.Erased {
		places[e.Place] = e.Items
	}
	if places["shed"] != 20 || places["seamark_tokens"] != 1 || places["seamark_users"] != 2 || places["SEAMARK_CHANGES"] != 1 {
		t.Errorf("the certificate tells of %v", places)
	}
	tomb, err := r.d.Tombstone(gone.ID)
	if err != nil || tomb.Slug != "" || tomb.Name != "" || tomb.Purged.IsZero() {
		t.Errorf("the tombstone is %+v, %v, want no names", tomb, err)
	}
	eventually(t, func() error {
		_, err := r.d.Authenticate(t.Context(), secrets[0])
		return refused(err, "seamark-token-unknown")
	})
	r.checkOthers(t, stays, secrets[1], both, alone)
	if again := newTenant(t, r.d, "gone"); again.Number == gone.Number || again.ID == gone.ID {
		t.Error("the slug's next tenant is the old one")
	}
}

// checkOthers looks at what must have stayed.
func (r *reaper) checkOthers(t *testing.T, stays tenant.Tenant, secret string, both, alone tenant.User) {
	t.Helper()
	if _, err := r.d.Authenticate(t.Context(), secret); err != nil {
		t.Errorf("the other tenant's token: %v", err)
	}
	if r.shed.rows[stays.Number] != 10 || verify(t, r.changes, stays.ID).Records != 1 {
		t.Error("the other tenant's data or changes are gone")
	}
	eventually(t, func() error {
		members := r.d.ListMembers(t.Context(), stays.ID)
		if len(members) != 1 || members[0].Login != both.Login {
			return fmt.Errorf("the other tenant has the members %v", members)
		}
		if _, err := r.d.SignIn(t.Context(), tenant.Credentials{Login: alone.Login, Password: goodPassword}); err == nil {
			return fmt.Errorf("the person of the deleted tenant alone can sign in")
		}
		return nil
	})
}

// TestRestore undoes a deletion within its grace, and not after it.
func TestRestore(t *testing.T) {
	r := newReaper(t)
	x := newTenant(t, r.d, "acme")
	if _, err := r.d.RestoreTenant(t.Context(), x.ID); err == nil {
		t.Error("a tenant that is not being deleted was restored")
	}
	if _, err := r.d.SuspendTenant(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.d.BeginDeletion(t.Context(), x.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err := r.d.ResumeTenant(t.Context(), x.ID)
	wantError(t, err, seamark.Conflict, "seamark-tenant-ending")
	back, err := r.d.RestoreTenant(t.Context(), x.ID)
	if err != nil || back.State != tenant.Suspended || !back.PurgeAfter.IsZero() {
		t.Fatalf("got %+v, %v, want it suspended as before", back, err)
	}
	if _, err := r.d.BeginDeletion(t.Context(), x.ID, 0); err != nil {
		t.Fatal(err)
	}
	r.step(t, time.Second)
	_, err = r.d.RestoreTenant(t.Context(), x.ID)
	wantError(t, err, seamark.NotFound, "seamark-tenant-unknown")
}

// TestEraseSharedDocuments takes a tenant out of documents that others share, finds documents by key and field, and leaves
// alone what only looks alike.
func TestEraseSharedDocuments(t *testing.T) {
	js := testkit.JetStream(t)
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "seamark_later"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "foreign"})
	if err != nil {
		t.Fatal(err)
	}
	id, b := string(chainA), string(chainB)
	docs := map[string]string{
		"thing." + id:    `{"v":1}`,
		id + ".rules.x":  `not JSON`,
		"byfield":        `{"v":1,"tenant":"` + id + `"}`,
		"shared":         `{"by":{"` + id + `":1,"` + id + `.cluster":2,"` + b + `":3},"list":["` + id + `","` + b + `"],"big":18446744073709551615}`,
		"objects":        `{"items":[{"tenant":"` + id + `","x":1},{"tenant":"` + b + `","x":2}]}`,
		"text":           `{"note":"about ` + id + `"}`,
		"other." + b:     `{"v":1}`,
		"similar." + "x": `{"tenant":"` + id + `X"}`,
	}
	for key, doc := range docs {
		for _, bucket := range []jetstream.KeyValue{kv, other} {
			if _, err := bucket.PutString(t.Context(), key, doc); err != nil {
				t.Fatal(err)
			}
		}
	}
	eraser := tenant.NewEraser(js)
	erased, err := eraser.Documents(t.Context(), chainA)
	if err != nil || len(erased) != 1 || erased[0].Items != 5 {
		t.Fatalf("got %+v, %v, want 5 documents of one bucket", erased, err)
	}
	want := map[string]string{
		"shared": `{"big":18446744073709551615,"by":{"` + b + `":3},"list":["` + b + `"]}`, "objects": `{"items":[{"tenant":"` + b + `","x":2}]}`,
		"text": docs["text"], "other." + b: docs["other."+b], "similar.x": docs["similar.x"],
	}
	for key := range docs {
		entry, err := kv.Get(t.Context(), key)
		switch {
		case want[key] == "" && err == nil:
			t.Errorf("%s is still there: %s", key, entry.Value())
		case want[key] != "" && (err != nil || string(entry.Value()) != want[key]):
			t.Errorf("%s: got %v, %v, want %s", key, entry, err, want[key])
		}
		if entry, err := other.Get(t.Context(), key); err != nil || string(entry.Value()) != docs[key] {
			t.Errorf("%s of a bucket that is not ours was changed", key)
		}
	}
	left, err := eraser.Remaining(t.Context(), chainA)
	if err != nil || left["KV_seamark_later"] != 2 {
		t.Errorf("got %v, %v, want the markers of two deleted keys", left, err)
	}
	if _, err := eraser.Messages(t.Context(), chainA); err != nil {
		t.Fatal(err)
	}
	if left, err = eraser.Remaining(t.Context(), chainA); err != nil || len(left) != 0 {
		t.Errorf("got %v, %v, want nothing", left, err)
	}
}

// TestEraseQueue purges what the writer has stored and leaves what it has not: a hole in an open batch would have it stored
// again.
func TestEraseQueue(t *testing.T) {
	js := testkit.JetStream(t)
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "SEAMARK_LOGS_0", Subjects: []string{"seamark.logs.0.>"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []seamark.TenantID{chainA, chainB, chainA, chainA} {
		if _, err := js.Publish(t.Context(), "seamark.logs.0."+string(id), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	eraser := tenant.NewEraser(js)
	erase := func(want ...uint64) {
		t.Helper()
		if _, err := eraser.Messages(t.Context(), chainA); err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for n := uint64(1); n <= 4; n++ {
			if _, err := stream.GetMsg(t.Context(), n); err == nil {
				got = append(got, n)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the stream holds %v, want %v", got, want)
		}
	}
	erase(1, 2, 3, 4) // no checkpoint: nothing is stored
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "seamark_writer"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		checkpoint string
		want       []uint64
	}{
		{`{"sequence":3,"waiting":1}`, []uint64{1, 2, 3, 4}}, // the counts of patterns of all of them wait
		{`{"sequence":3,"waiting":3}`, []uint64{2, 3, 4}},
		{`{"sequence":3}`, []uint64{2, 4}},
		{`{"sequence":4}`, []uint64{2}},
	} {
		if _, err := kv.PutString(t.Context(), "logs.0", c.checkpoint); err != nil {
			t.Fatal(err)
		}
		erase(c.want...)
	}
}

// TestLookAfter erases what comes back to a tenant that was purged not long ago.
func TestLookAfter(t *testing.T) {
	r := newReaper(t)
	x := newTenant(t, r.d, "acme")
	if err := r.d.DeleteTenant(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		r.step(t, 2*time.Minute)
	}
	if _, err := r.certificates.Find(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	r.shed.add(x.Number)
	r.step(t, time.Hour)
	if n := r.shed.rows[x.Number]; n != 0 {
		t.Errorf("%d rows came back and stayed", n)
	}
}
