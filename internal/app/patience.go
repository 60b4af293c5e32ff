package app

import (
	"runtime"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// patience has the queries of a tenant that crowds this node run on threads of their own, which the system runs after all others.
// Go has no priorities: queries that compute for seconds share its processors with everything that has to be quick, and each of the
// dozens of steps of a push or a small query would wait for turns of all of them. So there are more of Go's processors than of the
// machine's, and which threads have the machine's is the system's choice.
type patience struct {
	on      bool
	now     func() time.Time
	mu      sync.Mutex
	flights int // queries of all tenants that wait or run
	tenants map[seamark.TenantID]*flights
}

// flights is a tenant's queries that wait or run, and when there was one last.
type flights struct {
	count int
	last  time.Time
}

const (
	// crowdedFlights is from how many queries at once on a tenant can crowd a node.
	crowdedFlights = 3
	// companyFor is how long after its last query a tenant counts as one of the others.
	companyFor = 10 * time.Second
	// spareProcessors are Go's beyond the machine's, for threads that wait for the machine. Each makes Go's garbage collector a quarter
	// of a thread wider.
	spareProcessors = 4
)

func newPatience(on bool, now func() time.Time) *patience {
	return &patience{on: on, now: now, tenants: map[seamark.TenantID]*flights{}}
}

// run runs a query of the tenant and returns its error. A panic in it is one of the caller.
func (p *patience) run(tenant seamark.TenantID, query func() error) error {
	crowds := p.enter(tenant)
	defer p.leave(tenant)
	if !crowds || !p.on {
		return query()
	}
	type outcome struct {
		err    error
		thrown any
	}
	done := make(chan outcome, 1)
	go func() {
		// The goroutine ends without unlocking, and its thread with it: a thread's priority can be lowered by anybody and raised only
		// by the privileged.
		runtime.LockOSThread()
		lowerThread()
		var o outcome
		defer func() {
			o.thrown = recover()
			done <- o
		}()
		o.err = query()
	}()
	o := <-done
	if o.thrown != nil {
		panic(o.thrown)
	}
	return o.err
}

// enter counts a query and reports whether its tenant has more of those under way than its part, while others are there, too.
func (p *patience) enter(tenant seamark.TenantID) (crowds bool) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flights++
	company := 0
	for id, f := range p.tenants {
		switch {
		case f.count == 0 && now.Sub(f.last) > companyFor:
			delete(p.tenants, id)
		case id != tenant:
			company++
		}
	}
	f := p.tenants[tenant]
	if f == nil {
		f = &flights{}
		p.tenants[tenant] = f
	}
	f.count++
	f.last = now
	return company > 0 && f.count >= crowdedFlights && f.count*(company+1) > p.flights
}

func (p *patience) leave(tenant seamark.TenantID) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flights--
	f := p.tenants[tenant]
	f.count--
	f.last = now
}

// SpareProcessors gives Go's scheduler the processors for threads that wait for those of the machine. It is for the process that
// serves, after New, which sizes by the machine.
func (o *Options) SpareProcessors() {
	if o.Query.Admission && o.has(RoleQuerier) {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spareProcessors)
	}
}
