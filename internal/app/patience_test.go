package app

import (
	"errors"
	"testing"
)

// TestPatienceHandsBackWhatHappens runs queries on threads of their own, which end well, with an error and in a panic.
func TestPatienceHandsBackWhatHappens(t *testing.T) {
	fault := errors.New("fault")
	for _, want := range []error{nil, fault} {
		if got := (patience{}).run(func() error { return want }); !errors.Is(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	defer func() {
		if got, _ := recover().(error); !errors.Is(got, fault) {
			t.Errorf("recovered %v, want %v", got, fault)
		}
	}()
	_ = patience{}.run(func() error { panic(fault) })
}
