package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/testkit"
)

type note struct{ Text string }

func openBoard(t *testing.T, js jetstream.JetStream) *bus.Board[note] {
	t.Helper()
	b, err := bus.OpenBoard[note](t.Context(), bus.BoardOptions{JS: js, Bucket: "seamark_notes"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func awaitNote(t *testing.T, b *bus.Board[note], want string) bus.Posted[note] {
	t.Helper()
	var found bus.Posted[note]
	testkit.Eventually(t, time.Minute, func() error {
		var ok bool
		if found, ok = b.Find("k"); found.Doc.Text != want || ok != (want != "") {
			return fmt.Errorf("got %q, %t, want %q", found.Doc.Text, ok, want)
		}
		return nil
	})
	return found
}

// TestBoardIsSharedByProcesses writes on one board and reads on another; writes on both sides are seen, and one of two loses.
func TestBoardIsSharedByProcesses(t *testing.T) {
	js := testkit.JetStream(t)
	one, two := openBoard(t, js), openBoard(t, js)
	first, err := one.Save(t.Context(), "k", note{"a"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := one.Find("k"); !ok || found.Doc.Text != "a" {
		t.Errorf("got %+v, %t, want what was just written", found, ok)
	}
	seen := awaitNote(t, two, "a")
	if _, err := two.Save(t.Context(), "k", note{"b"}, seen.Revision); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Save(t.Context(), "k", note{"c"}, first); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("a write over another's: got %v, want a conflict", err)
	}
	last := awaitNote(t, one, "b")
	if err := two.Delete(t.Context(), "k", seen.Revision); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("a deletion of what was changed: got %v, want a conflict", err)
	}
	if err := two.Delete(t.Context(), "k", last.Revision); err != nil {
		t.Fatal(err)
	}
	if _, ok := two.Find("k"); ok {
		t.Error("what was just deleted is still there")
	}
	awaitNote(t, one, "")
	testkit.Eventually(t, time.Minute, func() error {
		if !one.Empty() || !two.Empty() {
			return errors.New("an empty board is not empty")
		}
		return nil
	})
	if _, err := one.Save(t.Context(), "k", note{"d"}, 0); err != nil {
		t.Fatal(err)
	}
	awaitNote(t, two, "d")
	if found, err := openBoard(t, js).Fetch(t.Context(), "k"); err != nil || found.Doc.Text != "d" {
		t.Errorf("a process that starts: got %+v, %v", found, err)
	}
}
