package metering

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Held is what the meter and the store say of one signal's rows with times of one day (of events: of one week).
type Held struct {
	Metered  uint64
	SetAside uint64 // of Metered: the store refused them
	Stored   uint64
	Changed  time.Time // when the store last wrote or merged them; zero when it holds none
}

// HeldKey names one of them.
type HeldKey struct {
	Tenant seamark.TenantID
	Signal seamark.Signal
	Day    int32
}

// Line compares the meter with the store for one signal and day. Metered - Stored is Difference, and the reasons add up to it.
type Line struct {
	HeldKey
	Metered, Stored int64
	Difference      int64
	SetAside        int64 // acknowledged, refused by the store, kept in the dead-letter stream
	Expired         int64 // older than the signal is kept
	Replaced        int64 // updates of events, of which the store keeps the newest
	Unmetered       int64 // negative: stored before the meter began
	InFlight        int64 // being written: ask again in a minute
	Unexplained     int64
}

// settled is how long a day must rest for a difference to count as unexplained: blocks of one batch become visible one after the
// other, and the meter's last.
const settled = time.Minute

// ReconcileOptions is what differences may be explained by.
type ReconcileOptions struct {
	Now time.Time
	// Kept returns how long a signal's rows are kept.
	Kept func(tenant seamark.TenantID, signal seamark.Signal) time.Duration
	// Began is the first day whose rows were metered from its start, by tenant; days before it may hold rows that were not.
	Began map[seamark.TenantID]int32
}

// Reconcile returns a line for each key, by tenant, day and signal.
func Reconcile(held map[HeldKey]Held, o *ReconcileOptions) []Line {
	list := make([]Line, 0, len(held))
	for key, h := range held {
		list = append(list, reconcile(key, h, o))
	}
	slices.SortFunc(list, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Signal, b.Signal))
	})
	return list
}

func reconcile(key HeldKey, h Held, o *ReconcileOptions) Line {
	l := Line{HeldKey: key, Metered: int64(h.Metered), Stored: int64(h.Stored)}
	l.Difference = l.Metered - l.Stored
	rest := l.Difference
	take := func(to *int64, most int64) {
		*to = max(min(rest, most), 0)
		rest -= *to
	}
	take(&l.SetAside, int64(h.SetAside))
	began, known := o.Began[key.Tenant]
	switch {
	case rest == 0:
	case rest > 0 && o.Now.Sub(timeOf(key.Day)) > o.Kept(key.Tenant, key.Signal):
		take(&l.Expired, rest)
	case rest > 0 && key.Signal == seamark.Events:
		take(&l.Replaced, rest)
	case rest < 0 && (!known || key.Day < began):
		l.Unmetered, rest = rest, 0
	case o.Now.Sub(h.Changed) < settled:
		l.InFlight, rest = rest, 0
	}
	l.Unexplained = rest
	return l
}

// Unexplained adds up, by signal, how many rows of the lines nothing explains, missing and surplus alike.
func Unexplained(lines []Line) map[seamark.Signal]int64 {
	sums := map[seamark.Signal]int64{}
	for i := range lines {
		n := lines[i].Unexplained
		sums[lines[i].Signal] += max(n, -n)
	}
	return sums
}

// Tenants returns the tenants of the keys, sorted.
func Tenants(held map[HeldKey]Held) []seamark.TenantID {
	set := map[seamark.TenantID]bool{}
	for key := range held {
		set[key.Tenant] = true
	}
	return slices.Sorted(maps.Keys(set))
}
