package alerting

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stateService is a Service whose state bucket can be written, without Run.
func (w *world) stateService(t *testing.T) *Service {
	t.Helper()
	o, _ := w.options(t, "one")
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// holds fails the test unless the bucket has body under rest.
func holds(t *testing.T, s *Service, rest, body string) {
	t.Helper()
	got := ""
	entry, err := s.state.Get(t.Context(), key(tenantA, rest))
	if err == nil {
		_, plain := openEpoch(entry.Value())
		got = string(plain)
	}
	if err != nil || got != body {
		t.Errorf("%s holds %q, %v, want %q", rest, got, err, body)
	}
}

// holdOf returns a time as the holder of tenant A's shard, which begins a new epoch, and what ends it without a word, as a pause does.
func holdOf(t *testing.T, s *Service) (held *tenure, lose func()) {
	t.Helper()
	var lost atomic.Bool
	held = &tenure{shard: shardOf(tenantA), ctx: t.Context(), current: func() bool { return !lost.Load() }, release: func() {}}
	if err := s.setFence(held); err != nil {
		t.Fatal(err)
	}
	return held, func() { lost.Store(true) }
}

// journalOf returns the journal of tenant A under a holder.
func journalOf(s *Service, held *tenure) *journal { return newJournal(tenantA, nil, s, held) }

// TestJournalOfALostTenant writes on in a process that has lost the tenant: nothing of it is stored once the process can know, and
// what was under way is void.
func TestJournalOfALostTenant(t *testing.T) {
	s := newWorld(t).stateService(t)
	was, lose := holdOf(t, s)
	old := journalOf(s, was)
	alert := func(name string) []byte { return []byte(`{"labels":{"a":"` + name + `"},"valid_for":1}`) }
	old.record("alert.x", alert("one"), time.Time{})
	old.record("alert.y", alert("one"), time.Time{})
	if !old.drain(t.Context()) {
		t.Fatal("the first write failed")
	}
	is, _ := holdOf(t, s)
	stored, err := s.loadState(t.Context(), []*tenure{is})
	if err != nil || len(stored[tenantA]) != 2 {
		t.Fatalf("loaded %v, %v", stored, err)
	}
	successor := newJournal(tenantA, stored[tenantA], s, is)
	successor.record("alert.x", alert("two"), time.Time{})
	if !successor.drain(t.Context()) {
		t.Fatal("the successor's write failed")
	}
	for rest, body := range map[string]string{"alert.x": "late", "alert.y": "late", "alert.z": "late"} { // under way when it lost the tenant
		old.record(rest, alert(body), time.Time{})
	}
	if old.drain(t.Context()) {
		t.Error("a process that lost the tenant overwrote what its successor wrote")
	}
	if err := old.sync(t.Context()); !errors.Is(err, errFenced) {
		t.Errorf("sync = %v, want %v", err, errFenced)
	}
	holds(t, s, "alert.x", string(alert("two")))
	lose() // now it knows
	old.record("alert.w", alert("later"), time.Time{})
	if old.drain(t.Context()) {
		t.Error("a process wrote that knows that it has lost the tenant")
	}
	if _, err := s.state.Get(t.Context(), key(tenantA, "alert.w")); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("its write: %v, want none", err)
	}
	next, _ := holdOf(t, s)
	for who, held := range map[string]*tenure{"the successor": is, "the one after it": next} {
		got, err := s.loadState(t.Context(), []*tenure{held})
		if err != nil {
			t.Fatal(err)
		}
		for rest, entry := range got[tenantA] {
			if bytes.Equal(entry.body, alert("late")) {
				t.Errorf("%s takes %s over as it was written too late", who, rest)
			}
		}
	}
	successor.record("alert.z", alert("two"), time.Time{})
	if !successor.drain(t.Context()) {
		t.Error("the holder did not get over a late write of its predecessor")
	}
	holds(t, s, "alert.z", string(alert("two")))
}

func TestFencesOfLongAgo(t *testing.T) {
	held := &tenure{epoch: 200, fences: []uint64{900, 800, 700}}
	for _, x := range []struct {
		epoch, revision uint64
		want            bool
	}{
		{200, 1000, false}, {199, 899, false}, {199, 901, true}, {198, 850, true}, {198, 799, false}, {5, 701, true}, {5, 699, false}, {201, 1000, false},
	} {
		if got := held.tooLate("alert.x", x.epoch, x.revision); got != x.want {
			t.Errorf("epoch %d at %d: too late is %t, want %t", x.epoch, x.revision, got, x.want)
		}
		if held.tooLate("silence.x", x.epoch, x.revision) {
			t.Errorf("epoch %d at %d: a silence was too late", x.epoch, x.revision)
		}
	}
}

func TestEpochOfABody(t *testing.T) {
	for _, x := range []struct {
		sealed string
		epoch  uint64
		body   string
	}{
		{string(sealEpoch(300, []byte("x"))), 300, "x"}, {string(sealEpoch(0, nil)), 0, ""}, {`{"a":1}`, 0, `{"a":1}`}, {"", 0, ""}, {"\x00\xff", 0, "\x00\xff"},
	} {
		if epoch, body := openEpoch([]byte(x.sealed)); epoch != x.epoch || string(body) != x.body {
			t.Errorf("%q: got %d and %q, want %d and %q", x.sealed, epoch, body, x.epoch, x.body)
		}
	}
}

func TestJournalTakesItsOwnLostAnswer(t *testing.T) {
	s := newWorld(t).stateService(t)
	held, _ := holdOf(t, s)
	j := journalOf(s, held)
	if _, err := s.state.Put(t.Context(), key(tenantA, "nflog.x"), sealEpoch(held.epoch, []byte("same"))); err != nil {
		t.Fatal(err)
	}
	j.record("nflog.x", []byte("same"), time.Time{})
	if !j.drain(t.Context()) {
		t.Fatal("the write whose answer was lost was not taken as our own")
	}
	j.record("nflog.x", []byte("next"), time.Time{})
	if !j.drain(t.Context()) {
		t.Fatal("the write after it failed")
	}
	holds(t, s, "nflog.x", "next")
}

func TestJournalJoinsChangesOfOneKey(t *testing.T) {
	s := newWorld(t).stateService(t)
	held, _ := holdOf(t, s)
	j := journalOf(s, held)
	for _, body := range []string{"a", "b", "c"} {
		j.record("nflog.x", []byte(body), time.Time{})
	}
	if !j.drain(t.Context()) {
		t.Fatal("the write failed")
	}
	status, err := s.state.Status(t.Context())
	if err != nil || status.Values() != 2 { // the fence is one
		t.Errorf("%d values, %v, want one beside the fence", status.Values(), err)
	}
	holds(t, s, "nflog.x", "c")
}

func TestJournalForgetsWhatExpired(t *testing.T) {
	s := newWorld(t).stateService(t)
	held, _ := holdOf(t, s)
	j := journalOf(s, held)
	now := time.Now()
	j.now = func() time.Time { return now }
	j.record("silence.old", []byte("x"), now.Add(-time.Second))
	j.record("silence.new", []byte("x"), now.Add(time.Hour))
	j.record("alert.firing", []byte("x"), time.Time{})
	if !j.drain(t.Context()) {
		t.Fatal("the write failed")
	}
	j.collect(t.Context())
	if _, err := s.state.Get(t.Context(), key(tenantA, "silence.old")); !errors.Is(err, jetstream.ErrKeyNotFound) {
		t.Errorf("expired state: %v, want it gone", err)
	}
	holds(t, s, "silence.new", "x")
	holds(t, s, "alert.firing", "x")
	if n := len(j.snapshot()); n != 2 {
		t.Errorf("%d entries remembered, want 2", n)
	}
	j.record("silence.old", []byte("y"), now.Add(time.Hour)) // a key may come back after its removal
	if !j.drain(t.Context()) {
		t.Fatal("the write after the removal failed")
	}
	holds(t, s, "silence.old", "y")
}

func TestUnreadableStateIsLeftOut(t *testing.T) {
	s := newWorld(t).stateService(t)
	for rest, body := range map[string]string{
		"silence.x": "\xff\xff", "nflog.x": "\x01", "alert.x": "{", "alert.y": `{"labels":{}}`, "other.x": "x",
		"alert.good": `{"labels":{"a":"b"},"valid_for":1000000000}`,
	} {
		if _, err := s.state.Put(t.Context(), key(tenantA, rest), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.state.Put(t.Context(), "nobody.alert.x", []byte(`{"labels":{"a":"b"}}`)); err != nil {
		t.Fatal(err)
	}
	held, _ := holdOf(t, s)
	all, err := s.loadState(t.Context(), []*tenure{held})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[tenantA]) != 1 || all[tenantA]["alert.good"].body == nil {
		t.Errorf("loaded %v, want the good entry alone", all)
	}
}
