package admit

import (
	"container/heap"
	"math"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// lane is where a query waits and runs: those that read little never wait behind those that read much.
type lane uint8

const (
	lightLane lane = iota
	scanLane
	lanes
)

// Within a tenant a class waits as if it had come so much later than it did, so that a lower one goes first, and none starves: a
// query that has waited long enough goes before one that has just come.
var delays = [...]time.Duration{RuleQuery: 0, DashboardQuery: time.Second, AdHocQuery: 5 * time.Second, ExportQuery: 20 * time.Second}

// overDelay stands in the place of the class where the tenant is over its budget.
const overDelay = 25 * time.Second

// Between tenants the class of what waits first counts as so much that the tenant had already, in seconds of a place. It is little:
// a tenant that calls all that it asks a rule gets no more than others.
var handicaps = [...]float64{RuleQuery: 0, DashboardQuery: 0.05, AdHocQuery: 0.25, ExportQuery: 1}

// overHandicap stands in the place of the class where the tenant is over its budget.
const overHandicap = 2

// maxDebt bounds how far a tenant's tag is ahead of the clock, in seconds of a place: a tenant that has scanned for an hour comes
// after others for this long and not for an hour.
const maxDebt = 20

// A tenant is greedy that has had, of late, more than this part of the processors: of as many scans as may be. The panels of a dashboard
// take less than that together.
const (
	greedyShare  = 0.35
	greedyMemory = 10 * time.Second
)

// A query that is let in is charged so much at once: many that are let in together must not all look as if they cost nothing.
const (
	lightAdvance = 0.02
	scanAdvance  = 1
)

// state is what the admission knows of one query.
type state struct {
	origin   func(field string) string
	unbind   func()
	ended    bool
	over     bool
	lane     lane
	estimate Estimate
	ticket   *ticket // while it waits
	held     int     // Enters without a Leave
	entered  time.Time
	ran      time.Duration // with the places that it has given back
	settled  time.Time     // until when its place was charged
	credit   float64       // charged in advance and not yet used
	inflight uint64        // what it counts among the scans
	counted  lane          // where its place counts: a query that turns out to read much becomes a scan
	waited   time.Duration
	timer    *time.Timer
}

// companyFor is how long after its last query a tenant is still there.
const companyFor = 10 * time.Second

// ticket is a query that waits.
type ticket struct {
	query  *Query
	tenant *tenant
	seq    uint64
	queued time.Time
	order  time.Time
	index  int
	let    bool
	ready  chan struct{} // closed when it is let in
}

// queue is a tenant's tickets of one lane. It implements heap.Interface.
type queue []*ticket

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if c := q[i].order.Compare(q[j].order); c != 0 {
		return c < 0
	}
	return q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i]; q[i].index, q[j].index = i, j }
func (q *queue) Push(x any)   { k := x.(*ticket); k.index = len(*q); *q = append(*q, k) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	k := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return k
}

// tenant is what a node knows of one tenant's queries.
type tenant struct {
	id      seamark.TenantID
	queries map[string]*Query
	tickets [lanes]queue
	at      [lanes]int // index in the lane, -1 where none of its queries waits there
	queued  [ExportQuery + 1]int
	running int
	scans   int
	tag     float64 // start tag of its next query, in virtual time
	limits  Limits  // of its latest query
	taken   float64 // seconds of places and of the store's processors, decayed to takenAt
	takenAt time.Time
	budget  budget
}

// tenantLocked returns a tenant with its limits as they are now.
func (a *Admission) tenantLocked(id seamark.TenantID) *tenant {
	if a.opts.Off {
		id = "" // all wait in one queue; List and Cancel know nobody then
	}
	t := a.tenants[id]
	if t == nil {
		t = &tenant{id: id, queries: map[string]*Query{}, at: [lanes]int{-1, -1}}
		a.tenants[id] = t
	}
	return t
}

// positionsLocked returns the places of a tenant's waiting queries.
func (t *tenant) positionsLocked() map[*Query]int {
	all := slices.Concat(t.tickets[lightLane], t.tickets[scanLane])
	slices.SortFunc(all, func(x, y *ticket) int {
		if c := x.order.Compare(y.order); c != 0 {
			return c
		}
		return int(int64(x.seq) - int64(y.seq))
	})
	positions := make(map[*Query]int, len(all))
	for i, k := range all {
		positions[k.query] = i + 1
	}
	return positions
}

// line is the tenants with queries that wait in a lane. It implements heap.Interface.
type line struct {
	lane    lane
	tenants []*tenant
}

func (l *line) Len() int { return len(l.tenants) }
func (l *line) Less(i, j int) bool {
	x, y := l.tenants[i], l.tenants[j]
	kx, ky := x.tickets[l.lane][0], y.tickets[l.lane][0]
	if fx, fy := x.tag+kx.handicap(), y.tag+ky.handicap(); fx != fy {
		return fx < fy
	}
	return kx.seq < ky.seq
}
func (l *line) Swap(i, j int) {
	l.tenants[i], l.tenants[j] = l.tenants[j], l.tenants[i]
	l.tenants[i].at[l.lane], l.tenants[j].at[l.lane] = i, j
}
func (l *line) Push(x any) {
	t := x.(*tenant)
	t.at[l.lane] = len(l.tenants)
	l.tenants = append(l.tenants, t)
}
func (l *line) Pop() any {
	last := len(l.tenants) - 1
	t := l.tenants[last]
	l.tenants[last] = nil
	l.tenants, t.at[l.lane] = l.tenants[:last], -1
	return t
}

func (k *ticket) handicap() float64 {
	if k.query.state.over {
		return overHandicap
	}
	return handicaps[k.query.Request.Class]
}

// fix puts a tenant where it belongs after its tag or its queue has changed.
func (l *line) fix(t *tenant) {
	waits := len(t.tickets[l.lane]) > 0
	switch at := t.at[l.lane]; {
	case waits && at < 0:
		heap.Push(l, t)
	case waits:
		heap.Fix(l, at)
	case at >= 0:
		// The order of an empty queue is not asked for: the tenant goes to the end and off.
		last := len(l.tenants) - 1
		if at != last {
			l.Swap(at, last)
		}
		l.Pop()
		if at != last {
			heap.Fix(l, at)
		}
	}
}

// dispatchLocked lets in all that may run now: those that read little first.
func (a *Admission) dispatchLocked() {
	for let := true; let; {
		let = a.running < a.places && a.nextLocked(lightLane)
	}
	for let := true; let; {
		let = a.running < a.places-a.calm && a.scans < a.opts.MaxScans && a.nextLocked(scanLane)
	}
}

// nextLocked lets in the first query of a lane that may run, and reports whether there was one. The tenants that are passed over
// hold a place each, so that they are no more than the places.
func (a *Admission) nextLocked(in lane) bool {
	l := &a.lanes[in]
	var passed []*tenant
	defer func() {
		for _, t := range passed {
			heap.Push(l, t)
		}
	}()
	for l.Len() > 0 {
		t := l.tenants[0]
		if !a.mayRunLocked(t, in) {
			passed = append(passed, t)
			heap.Pop(l)
			continue
		}
		k := t.tickets[in][0]
		if in == scanLane && a.inflight > 0 && a.inflight+k.query.state.estimate.Bytes > a.opts.MaxInflightBytes {
			return false // it keeps its turn: smaller ones that overtake it would do so for ever
		}
		a.letLocked(k)
		return true
	}
	return false
}

// mayRunLocked says whether a tenant may have one more place. Beside its own limit a tenant has no more places than it leaves free,
// so that one that has none always finds one: alone it has half of them, two have a third each, and so on.
func (a *Admission) mayRunLocked(t *tenant, in lane) bool {
	if a.opts.Off {
		return true
	}
	if t.running > 0 && t.running >= a.places-a.running {
		return false
	}
	if most := t.limits.QueryConcurrency; most > 0 && int64(t.running) >= most {
		return false
	}
	if in == lightLane && t.tickets[in][0].query.Request.Class != RuleQuery && a.crowdsLocked(t) {
		return false
	}
	return in == lightLane || t.scans == 0 || t.scans < a.opts.MaxScans-a.scans
}

// crowdsLocked reports whether a tenant's queries take what processors there are, so that more of them would only take from others who
// are there: what reads little may compute for seconds all the same. They are as many as scans may be, and one more; of a tenant that has
// had much of late one less, so that one of the processors is the others'.
func (a *Admission) crowdsLocked(t *tenant) bool {
	most := a.opts.MaxScans + 1
	if t.takenLocked(a.opts.Now()) > greedyShare*float64(a.opts.MaxScans) {
		most = max(1, a.opts.MaxScans-1)
	}
	crowds := t.running >= most && a.companyLocked(t)
	if crowds && !a.waking { // the others may be gone before any query ends
		a.waking = true
		time.AfterFunc(companyFor, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.waking = false
			a.dispatchLocked()
		})
	}
	return crowds
}

// crowdedQueries is from how many queries at once on, waiting ones included, a tenant can crowd a node.
const crowdedQueries = 3

// Crowds reports whether the query's tenant has more of the queries that wait and run than its part, while others are there: what is
// computed for it may then go behind everything else. Rules are crowded by rules alone: alerts are not late because somebody searches.
func (q *Query) Crowds() bool {
	if q == nil || q.owner.opts.Off {
		return false
	}
	a := q.owner
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenantLocked(q.Request.Tenant)
	own, others := len(t.queries), a.listed-len(t.queries)
	if q.Request.Class == RuleQuery {
		own = 0
		for _, one := range t.queries {
			if one.Request.Class == RuleQuery {
				own++
			}
		}
	}
	return own >= crowdedQueries && own*max(a.present, 2) > own+others && a.companyLocked(t)
}

// Run does work of the query and returns its error, behind all other work while its tenant crowds the node. Each goroutine that computes
// for a query is to go through it: what is begun from within is not behind others by itself. A panic in it is one of the caller.
func (q *Query) Run(work func() error) error {
	if q.Crowds() && q.owner.opts.Patiently != nil {
		return q.owner.opts.Patiently(work)
	}
	return work()
}

// listLocked and unlistLocked keep count of the queries that wait and run, and of the tenants that have some.
func (a *Admission) listLocked(t *tenant, q *Query) {
	if len(t.queries) == 0 {
		a.present++
	}
	a.listed++
	t.queries[q.ID] = q
}

func (a *Admission) unlistLocked(t *tenant, q *Query) {
	delete(t.queries, q.ID)
	a.listed--
	if len(t.queries) == 0 {
		a.present--
	}
}

// companyLocked reports whether another tenant was let in not long ago.
func (a *Admission) companyLocked(t *tenant) bool {
	for _, v := range a.visits {
		if v.tenant != t && v.tenant != nil && a.opts.Now().Sub(v.at) < companyFor {
			return true
		}
	}
	return false
}

// visit is when a tenant was let in last.
type visit struct {
	tenant *tenant
	at     time.Time
}

// visitLocked notes who was let in, and who before of another tenant.
func (a *Admission) visitLocked(t *tenant) {
	if a.visits[0].tenant != t {
		a.visits[1] = a.visits[0]
	}
	a.visits[0] = visit{t, a.opts.Now()}
}

// letLocked gives a query its place.
func (a *Admission) letLocked(k *ticket) {
	q, t := k.query, k.tenant
	s := &q.state
	a.clock = max(a.clock, t.tag)
	s.credit = lightAdvance
	if s.lane == scanLane {
		s.credit = scanAdvance
	}
	s.entered, s.counted, s.held = a.opts.Now(), s.lane, 1
	s.settled = s.entered
	a.running++
	t.running++
	if s.counted == scanLane {
		a.scanLocked(t, s)
	}
	a.payLocked(t, s.credit)
	a.removeLocked(k)
	a.visitLocked(t)
	k.let = true
	close(k.ready)
	q.startLocked()
}

func (a *Admission) scanLocked(t *tenant, s *state) {
	s.counted, s.inflight = scanLane, s.estimate.Bytes
	a.scans++
	t.scans++
	a.inflight += s.inflight
}

// leaveLocked gives back a query's place. all gives it back whatever it was taken for.
func (a *Admission) leaveLocked(q *Query, all bool) {
	s := &q.state
	if s.held == 0 {
		return
	}
	if s.held--; s.held > 0 && !all {
		return
	}
	s.held = 0
	t, held := a.tenantLocked(q.Request.Tenant), a.opts.Now().Sub(s.entered)
	s.ran += held
	a.heldLocked(s.counted, held)
	a.settleLocked(t, q, 0)
	a.payLocked(t, -s.credit) // what it did not use
	s.credit = 0
	if s.timer != nil {
		s.timer.Stop()
	}
	a.running--
	t.running--
	if s.counted == scanLane {
		a.scans--
		t.scans--
		a.inflight -= s.inflight
	}
	a.restLocked()
	a.dispatchLocked()
}

// heldMemory is how much the latest place counts in how long places are held.
const heldMemory = 0.2

// heldLocked notes how long a place was held.
func (a *Admission) heldLocked(in lane, d time.Duration) {
	if a.held[in] == 0 {
		a.held[in] = d
		return
	}
	a.held[in] += time.Duration(heldMemory * float64(d-a.held[in]))
}

// settleLocked charges the time since the last settlement and some of the store's time to the tenant.
func (a *Admission) settleLocked(t *tenant, q *Query, cpu time.Duration) {
	s, now := &q.state, a.opts.Now()
	took := cpu.Seconds()
	if s.held > 0 || !s.settled.IsZero() {
		took += max(0, now.Sub(s.settled).Seconds())
	}
	s.settled = now
	used := min(took, s.credit)
	s.credit -= used
	a.payLocked(t, took-used)
}

// payLocked moves a tenant's tag.
func (a *Admission) payLocked(t *tenant, seconds float64) {
	if seconds == 0 {
		return
	}
	now := a.opts.Now()
	t.taken, t.takenAt = t.takenLocked(now)*greedyMemory.Seconds()+seconds, now
	weight := float64(t.limits.QueryWeight) / DefaultWeight
	if weight <= 0 {
		weight = 1
	}
	t.tag = max(0, min(t.tag+seconds/weight, a.clock+maxDebt))
	a.newest = max(a.newest, t.tag)
	for in := range a.lanes {
		a.lanes[in].fix(t)
	}
}

// takenLocked returns what a tenant has taken of late, in processors.
func (t *tenant) takenLocked(now time.Time) float64 {
	return t.taken * math.Exp(-now.Sub(t.takenAt).Seconds()/greedyMemory.Seconds()) / greedyMemory.Seconds()
}

// restLocked forgets all debts when nothing runs or waits: nobody was kept waiting by them.
func (a *Admission) restLocked() {
	if a.running == 0 && a.waiting == 0 {
		a.clock = max(a.clock, a.newest)
	}
}

// charge charges what the store has done for a query, and makes it a scan when it has read as much as one.
func (a *Admission) charge(q *Query, c Cost) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenantLocked(q.Request.Tenant)
	t.budget.take(a.opts.Now(), c.Bytes)
	s := &q.state
	if s.held == 0 {
		a.payLocked(t, float64(c.CPUMicros)/1e6)
		return
	}
	a.settleLocked(t, q, time.Duration(c.CPUMicros)*time.Microsecond)
	if s.counted == lightLane && !a.opts.Off && q.bytes.Load() >= a.opts.ScanBytes {
		a.scanLocked(t, s)
	}
}
