package app

import (
	"errors"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	smallTenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAX")
	bigTenant   = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAY")
)

// TestPatienceTellsWhoCrowds has one tenant begin query after query, alone and beside another.
func TestPatienceTellsWhoCrowds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	p := newPatience(true, func() time.Time { return now })
	begin := func(tenant seamark.TenantID, n int) (crowds bool) {
		for range n {
			crowds = p.enter(tenant)
		}
		return crowds
	}
	if begin(bigTenant, 10) {
		t.Error("a tenant that is alone crowds")
	}
	if begin(smallTenant, 2) {
		t.Error("a tenant with two queries of twelve crowds")
	}
	if !begin(bigTenant, 1) {
		t.Error("a tenant with eleven queries of thirteen does not crowd")
	}
	for range 2 {
		p.leave(smallTenant)
	}
	now = now.Add(companyFor / 2)
	if !begin(bigTenant, 1) {
		t.Error("the other is forgotten at once")
	}
	now = now.Add(companyFor)
	if begin(bigTenant, 1) {
		t.Error("the other is not forgotten")
	}
}

// TestPatienceHandsBackWhatHappens runs queries of a tenant that crowds, which end well, with an error and in a panic.
func TestPatienceHandsBackWhatHappens(t *testing.T) {
	p := newPatience(true, time.Now)
	p.enter(smallTenant)
	for range crowdedFlights {
		p.enter(bigTenant)
	}
	fault := errors.New("fault")
	for _, want := range []error{nil, fault} {
		if got := p.run(bigTenant, func() error { return want }); !errors.Is(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	defer func() {
		if got, _ := recover().(error); !errors.Is(got, fault) {
			t.Errorf("recovered %v, want %v", got, fault)
		}
		if p.flights != 1+crowdedFlights {
			t.Errorf("%d queries under way, want %d", p.flights, 1+crowdedFlights)
		}
	}()
	_ = p.run(bigTenant, func() error { panic(fault) })
}
