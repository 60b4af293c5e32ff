package alerting

import (
	"errors"
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
	entry, err := s.state.Get(t.Context(), key(tenantA, rest))
	if err != nil || string(entry.Value()) != body {
		t.Errorf("%s holds %q, %v, want %q", rest, valueOf(entry), err, body)
	}
}

func valueOf(e jetstream.KeyValueEntry) string {
	if e == nil {
		return ""
	}
	return string(e.Value())
}

func TestJournalIsFencedByRevision(t *testing.T) {
	s := newWorld(t).stateService(t)
	old, successor := newJournal(tenantA, nil, s), newJournal(tenantA, nil, s)
	old.record("silence.x", []byte("one"), time.Time{})
	if !old.drain(t.Context()) {
		t.Fatal("the first write failed")
	}
	holds(t, s, "silence.x", "one")
	entry, err := s.state.Get(t.Context(), key(tenantA, "silence.x"))
	if err != nil {
		t.Fatal(err)
	}
	successor.stored["silence.x"] = stateEntry{body: entry.Value(), revision: entry.Revision()}
	successor.record("silence.x", []byte("two"), time.Time{})
	if !successor.drain(t.Context()) {
		t.Fatal("the successor's write failed")
	}
	old.record("silence.x", []byte("three"), time.Time{})
	old.patience = time.Hour
	if old.drain(t.Context()) {
		t.Fatal("a process that lost its lease wrote")
	}
	if err := old.sync(t.Context()); !errors.Is(err, errFenced) {
		t.Errorf("sync = %v, want %v", err, errFenced)
	}
	holds(t, s, "silence.x", "two")
	old.patience = 0 // whoever still runs after the lease's time holds it
	if !old.drain(t.Context()) {
		t.Fatal("the holder did not get over a late write of its predecessor")
	}
	holds(t, s, "silence.x", "three")
	if err := old.sync(t.Context()); err != nil {
		t.Errorf("sync = %v, want nil", err)
	}
}

func TestJournalTakesItsOwnLostAnswer(t *testing.T) {
	s := newWorld(t).stateService(t)
	j := newJournal(tenantA, nil, s)
	j.patience = time.Hour
	if _, err := s.state.Put(t.Context(), key(tenantA, "nflog.x"), []byte("same")); err != nil {
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
	j := newJournal(tenantA, nil, s)
	for _, body := range []string{"a", "b", "c"} {
		j.record("nflog.x", []byte(body), time.Time{})
	}
	if !j.drain(t.Context()) {
		t.Fatal("the write failed")
	}
	status, err := s.state.Status(t.Context())
	if err != nil || status.Values() != 1 {
		t.Errorf("%d values, %v, want one", status.Values(), err)
	}
	holds(t, s, "nflog.x", "c")
}

func TestJournalForgetsWhatExpired(t *testing.T) {
	s := newWorld(t).stateService(t)
	j := newJournal(tenantA, nil, s)
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
	all, err := loadState(t.Context(), s.state, s.metrics, s.opts.Logger)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || len(all[tenantA]) != 1 || all[tenantA]["alert.good"].body == nil {
		t.Errorf("loaded %v, want the good entry alone", all)
	}
}
