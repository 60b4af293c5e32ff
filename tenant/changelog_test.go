package tenant_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const (
	chainA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	chainB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

func openChangeLog(t *testing.T, js jetstream.JetStream, change ...func(*tenant.ChangeLogOptions)) *tenant.ChangeLog {
	t.Helper()
	o := tenant.ChangeLogOptions{JS: js, Retention: 24 * time.Hour}
	for _, c := range change {
		c(&o)
	}
	l, err := tenant.OpenChangeLog(t.Context(), o)
	if err != nil {
		t.Fatalf("open change log: %v", err)
	}
	return l
}

func record(t *testing.T, l *tenant.ChangeLog, c tenant.Change) {
	t.Helper()
	if err := l.Record(t.Context(), c); err != nil {
		t.Fatalf("record %s: %v", c.Action, err)
	}
}

func verify(t *testing.T, l *tenant.ChangeLog, id seamark.TenantID) tenant.ChangeProof {
	t.Helper()
	proof, err := l.Verify(t.Context(), id)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return proof
}

// done is a change of chain A by a person.
func done(action, object string) tenant.Change {
	return tenant.Change{
		Tenant: chainA, Actor: tenant.Actor{Kind: "session", ID: "s1", Login: "ada"}, Action: action, Object: object, Result: tenant.ChangeDone,
	}
}

// TestChangesOfManyNodes has several nodes append to one chain at once: every record is there, in one chain.
func TestChangesOfManyNodes(t *testing.T) {
	js := testkit.JetStream(t)
	const nodes, each = 4, 25
	var running sync.WaitGroup
	for n := range nodes {
		l := openChangeLog(t, js)
		running.Go(func() {
			for i := range each {
				if err := l.Record(t.Context(), done("token.create", fmt.Sprintf("token/%d-%d", n, i))); err != nil {
					t.Errorf("node %d: %v", n, err)
				}
			}
		})
	}
	running.Wait()
	l := openChangeLog(t, js)
	proof := verify(t, l, chainA)
	if proof.Fault != "" || proof.Records != nodes*each || proof.First != 1 || proof.Last != nodes*each {
		t.Fatalf("got %+v, want %d records from 1 on without a fault", proof, nodes*each)
	}
	seen := map[string]bool{}
	for cursor := uint64(0); ; {
		page, err := l.List(t.Context(), tenant.ChangeQuery{Tenant: chainA, Limit: 7, Backlog: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			seen[r.Object] = true
		}
		if cursor = page.Next; cursor == 0 {
			break
		}
	}
	if len(seen) != nodes*each {
		t.Fatalf("pages show %d records, want %d", len(seen), nodes*each)
	}
}

func TestChangesAreTheirTenants(t *testing.T) {
	js := testkit.JetStream(t)
	l := openChangeLog(t, js, func(o *tenant.ChangeLogOptions) { o.Living = func(id seamark.TenantID) bool { return id != chainB } })
	record(t, l, done("token.create", "token/1"))
	byOperator := done("tenant.suspend", "tenant/x")
	byOperator.Actor = tenant.Actor{Kind: tenant.ActorOperator, Login: "op"}
	record(t, l, byOperator)
	gone := done("token.create", "token/2")
	gone.Tenant = chainB
	record(t, l, gone)
	gone.Actor.Kind = tenant.ActorSystem
	record(t, l, gone)
	failed := tenant.Change{Actor: tenant.Actor{Kind: tenant.ActorAnonymous, Login: "ada"}, Action: "session.create", Result: "seamark-password-wrong"}
	record(t, l, failed)
	for _, c := range []struct {
		query tenant.ChangeQuery
		want  string
	}{
		{tenant.ChangeQuery{Tenant: chainA}, "tenant.suspend token.create"},
		{tenant.ChangeQuery{Tenant: chainB}, ""},
		{tenant.ChangeQuery{}, "session.create token.create tenant.suspend"},
		{tenant.ChangeQuery{About: chainA}, "tenant.suspend"},
		{tenant.ChangeQuery{Result: "refused"}, "session.create"},
		{tenant.ChangeQuery{Tenant: chainA, Action: "token"}, "token.create"},
		{tenant.ChangeQuery{Tenant: chainA, Action: "tok"}, ""},
		{tenant.ChangeQuery{Tenant: chainA, Object: "token/1"}, "token.create"},
		{tenant.ChangeQuery{Tenant: chainA, Actor: "op"}, "tenant.suspend"},
		{tenant.ChangeQuery{Tenant: chainA, Since: time.Now().Add(time.Hour)}, ""},
		{tenant.ChangeQuery{Tenant: chainA, Until: time.Now().Add(-time.Hour)}, ""},
	} {
		page, err := l.List(t.Context(), c.query)
		if err != nil {
			t.Fatal(err)
		}
		var actions []string
		for _, r := range page.Records {
			actions = append(actions, r.Action)
		}
		if got := strings.Join(actions, " "); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.query, got, c.want)
		}
	}
}

// TestCursorOfAnotherChain must not read a record of another tenant.
func TestCursorOfAnotherChain(t *testing.T) {
	l := openChangeLog(t, testkit.JetStream(t))
	record(t, l, done("token.create", "token/1"))
	_, err := l.List(t.Context(), tenant.ChangeQuery{Tenant: chainB, Backlog: 1})
	wantError(t, err, seamark.Invalid, "seamark-change-cursor")
}

// TestTamperedChain changes the stream behind the log's back in every way that a chain can show.
func TestTamperedChain(t *testing.T) {
	subject := "seamark.changes." + string(chainA)
	for name, tamper := range map[string]func(t *testing.T, js jetstream.JetStream, s jetstream.Stream){
		"removed from the middle": func(t *testing.T, _ jetstream.JetStream, s jetstream.Stream) {
			if err := s.DeleteMsg(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
		},
		"put beside": func(t *testing.T, js jetstream.JetStream, s jetstream.Stream) {
			last, err := s.GetMsg(t.Context(), 4)
			if err != nil {
				t.Fatal(err)
			}
			forged := strings.Replace(string(last.Data), `token/4`, `token/9`, 1)
			if _, err := js.Publish(t.Context(), subject, []byte(forged)); err != nil {
				t.Fatal(err)
			}
		},
		"changed": func(t *testing.T, js jetstream.JetStream, s jetstream.Stream) {
			var bodies []string
			for n := uint64(1); n <= 4; n++ {
				m, err := s.GetMsg(t.Context(), n)
				if err != nil {
					t.Fatal(err)
				}
				bodies = append(bodies, string(m.Data))
			}
			if err := s.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			bodies[1] = strings.Replace(bodies[1], "ada", "eve", 1)
			for i, body := range bodies {
				body = strings.Replace(body, fmt.Sprintf(`"previous_sequence":%d`, i), fmt.Sprintf(`"previous_sequence":%d`, i+4), 1)
				if _, err := js.Publish(t.Context(), subject, []byte(body)); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			js := testkit.JetStream(t)
			l := openChangeLog(t, js)
			for i := 1; i <= 4; i++ {
				record(t, l, done("token.create", fmt.Sprintf("token/%d", i)))
			}
			if proof := verify(t, l, chainA); proof.Fault != "" || proof.Records != 4 {
				t.Fatalf("before: got %+v, want 4 records without a fault", proof)
			}
			s, err := js.Stream(t.Context(), "SEAMARK_CHANGES")
			if err != nil {
				t.Fatal(err)
			}
			tamper(t, js, s)
			if proof := verify(t, l, chainA); proof.Fault == "" {
				t.Fatalf("got %+v, want a fault", proof)
			}
		})
	}
}

// TestRefusalsAreBounded keeps who repeats a forbidden request from pushing out what was done.
func TestRefusalsAreBounded(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	l := openChangeLog(t, testkit.JetStream(t), func(o *tenant.ChangeLogOptions) { o.Now = clock.Now })
	refusal := done("token.create", "")
	refusal.Result = "seamark-permission-missing"
	for range 100 {
		record(t, l, refusal)
	}
	record(t, l, done("token.create", "token/1"))
	clock.Advance(10 * time.Second)
	record(t, l, refusal)
	if got := verify(t, l, chainA).Records; got != 62 {
		t.Errorf("the chain has %d records, want the first 60 refusals, the change and one refusal more", got)
	}
	page, err := l.List(t.Context(), tenant.ChangeQuery{Tenant: chainA, Limit: 1})
	if err != nil || len(page.Records) != 1 || page.Records[0].Suppressed != 40 {
		t.Errorf("got %+v, %v, want the newest record to tell of 40 that were left out", page.Records, err)
	}
}

// TestDifferencesAreBounded keeps who changes a large document over and over from pushing out the records of others.
func TestDifferencesAreBounded(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	l := openChangeLog(t, testkit.JetStream(t), func(o *tenant.ChangeLogOptions) { o.Now = clock.Now })
	large := done("dashboard.update", "dashboard/1")
	large.Differences = []tenant.Difference{{Path: ".a", After: json.RawMessage(`"` + strings.Repeat("x", 400<<10) + `"`)}}
	newest := func() tenant.ChangeRecord {
		t.Helper()
		page, err := l.List(t.Context(), tenant.ChangeQuery{Tenant: chainA, Limit: 1})
		if err != nil || len(page.Records) != 1 {
			t.Fatalf("got %d records, %v, want the newest", len(page.Records), err)
		}
		return page.Records[0]
	}
	for i := range 11 {
		record(t, l, large)
		if r, fits := newest(), i < 10; (len(r.Differences) == 1) != fits || r.DifferencesTruncated == fits {
			t.Fatalf("record %d has %d differences, truncated %v, want them only while 4 MiB last", r.Number, len(r.Differences), r.DifferencesTruncated)
		}
	}
	small := done("dashboard.update", "dashboard/2")
	small.Differences = []tenant.Difference{{Path: ".a", Before: json.RawMessage("1")}}
	record(t, l, small)
	if r := newest(); len(r.Differences) != 1 || r.Differences[0].Path != ".a" || string(r.Differences[0].Before) != "1" || r.Differences[0].After != nil {
		t.Errorf("got %+v, want the small difference that still fits", r.Differences)
	}
	clock.Advance(time.Hour)
	record(t, l, large)
	if r := newest(); len(r.Differences) != 1 {
		t.Error("an hour later there is no room again")
	}
	if proof := verify(t, l, chainA); proof.Fault != "" || proof.Records != 13 {
		t.Errorf("got %+v, want 13 records without a fault", proof)
	}
}

func TestForgetChain(t *testing.T) {
	l := openChangeLog(t, testkit.JetStream(t))
	record(t, l, done("token.create", "token/1"))
	other := done("token.create", "token/2")
	other.Tenant = chainB
	record(t, l, other)
	head := verify(t, l, chainA).Head
	if n, got, err := l.Forget(t.Context(), chainA); err != nil || n != 1 || got != head {
		t.Fatalf("got %d records, head %s, %v, want 1 and %s", n, got, err, head)
	}
	if got := verify(t, l, chainA).Records + verify(t, l, chainB).Records; got != 1 {
		t.Errorf("%d records are left, want the other tenant's one", got)
	}
	if _, _, err := l.Forget(t.Context(), ""); err == nil {
		t.Error("the installation's chain was deleted")
	}
}
