package democluster

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	minIncident = time.Minute
	// poolSize is how many connections to the database each pod of payments-api may have.
	poolSize = 20
	// poolWait is how long a request waits for a connection before it fails.
	poolWait = 5 * time.Second
	// outOfMemoryAfter is when, in an incident, a pod's waiting requests have filled its memory.
	outOfMemoryAfter = 25 * time.Second
	// downFor is how long the kubelet waits before it starts that container again.
	downFor = 20 * time.Second
)

// incidentSwitch forces an incident on or off. It is safe for concurrent use.
type incidentSwitch struct{ state atomic.Int32 }

const (
	scheduled int32 = iota
	forcedOn
	forcedOff
)

func (s *incidentSwitch) set(active bool) {
	if active {
		s.state.Store(forcedOn)
	} else {
		s.state.Store(forcedOff)
	}
}

// incident is the one thing that goes badly wrong: a report's query takes the connections of the payments database, and
// those who need one wait and fail.
type incident struct {
	forced *incidentSwitch
	origin time.Time // from where the schedule counts
	every  time.Duration
	lasts  time.Duration

	active   bool
	since    time.Time
	killed   bool // a pod ran out of memory in this one
	reportID int
}

func newIncident(s *incidentSwitch, live time.Time, every time.Duration) incident {
	return incident{forced: s, origin: live.Add(every / 2), every: every, lasts: min(max(every/4, minIncident), every/2)}
}

// due tells whether there should be an incident at that time.
func (i *incident) due(at time.Time) bool {
	switch i.forced.state.Load() {
	case forcedOn:
		return true
	case forcedOff:
		return false
	}
	if i.every <= 0 {
		return false
	}
	within := at.Sub(i.origin) % i.every
	if within < 0 {
		within += i.every // the history's incidents lie before the origin
	}
	return within < i.lasts
}

// tick begins, carries on and ends the incident.
func (i *incident) tick(w *world) {
	due := i.due(w.at)
	switch {
	case due && !i.active:
		i.active, i.since, i.killed, i.reportID = true, w.at, false, 4000+w.rand.IntN(5000)
		i.begin(w)
	case !due && i.active:
		i.active = false
		i.end(w)
	}
	if i.active {
		i.goOn(w, w.at.Sub(i.since))
	}
}

func (i *incident) begin(w *world) {
	postgres := w.find("postgres").pods[0]
	w.line(postgres, stderr, w.at, pgLine(w.at, i.reportID, "LOG", "connection authorized: user=report database=payments application_name=month_end_report"))
}

func (i *incident) end(w *world) {
	postgres := w.find("postgres").pods[0]
	w.line(postgres, stderr, w.at, pgLine(w.at, i.reportID, "LOG", fmt.Sprintf("duration: %d.412 ms  statement: %s", w.at.Sub(i.since).Milliseconds(), reportQuery)))
	for _, p := range w.find("payments-api").pods {
		p.swell = 0
		if p.ready {
			w.record(p, logRecord{w.at, levelInfo, "database pool recovered", w.traceID()}, attr("pool.in_use", 4), attr("pool.max", poolSize))
		}
	}
}

const reportQuery = "SELECT a.id, sum(e.amount) FROM accounts a JOIN entries e ON e.account_id = a.id WHERE e.booked_at >= date_trunc('month', now()) GROUP BY a.id FOR UPDATE OF a"

// goOn is one second of an incident that began so long ago.
func (i *incident) goOn(w *world, age time.Duration) {
	api := w.find("payments-api")
	i.postgresLines(w)
	w.auditIncident(age)
	for _, p := range api.pods {
		if p.ready {
			p.swell = min(p.swell+0.02, 0.55)
		}
	}
	if age%(10*time.Second) == 5*time.Second {
		for _, p := range api.pods[:min(2, len(api.pods))] {
			if p.ready {
				w.podEvent(p, warning, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", kubelet)
			}
		}
	}
	if !i.killed && age >= outOfMemoryAfter {
		if p := w.pick(api); p != nil {
			i.killed = true
			w.outOfMemory(p)
		}
	}
}

func (i *incident) postgresLines(w *world) {
	postgres := w.find("postgres").pods[0]
	for range w.poisson(1.5) {
		if !w.kept(1) {
			continue
		}
		at := w.moment()
		text, severity := "remaining connection slots are reserved for roles with the SUPERUSER attribute", "FATAL"
		if w.rand.IntN(3) == 0 {
			severity, text = "LOG", fmt.Sprintf("process %d still waiting for ShareLock on transaction %d after 1000.%03d ms", 9000+w.rand.IntN(900), 88_120_000+w.rand.IntN(9000), w.rand.IntN(1000))
		}
		w.line(postgres, stderr, at, pgLine(at, 9000+w.rand.IntN(900), severity, text))
	}
}

// strike makes a request suffer from the incident; it tells whether the request failed by it.
func (i *incident) strike(w *world, r *hit) bool {
	if !i.active {
		return false
	}
	switch r.handler.workload.name {
	case "payments-api":
		if w.rand.Float64() < 0.35 {
			r.code, r.cause = http.StatusInternalServerError, fmt.Sprintf("acquire connection: database pool exhausted: %d of %d in use, waited %v", poolSize, poolSize, poolWait)
			r.latency += poolWait
			return true
		}
	case "ledger":
		if w.rand.Float64() < 0.25 {
			r.code, r.cause = http.StatusInternalServerError, "HikariPool-1 - Connection is not available, request timed out after 5000ms"
			r.latency += poolWait
			return true
		}
	default:
		return false
	}
	r.latency = r.latency*4 + time.Duration(w.rand.Int64N(int64(2*time.Second))) // it got a connection, late
	return false
}

// outOfMemory has the kernel kill a pod's container and the kubelet start it again.
func (w *world) outOfMemory(p *pod) {
	pid := 20_000 + w.rand.IntN(40_000)
	p.ready, p.lastExit, p.waiting = false, "OOMKilled", "CrashLoopBackOff"
	w.nodeEvent(p.node, warning, "OOMKilling", fmt.Sprintf("Memory cgroup out of memory: Killed process %d (%s) total-vm:%dkB, anon-rss:%dkB, file-rss:0kB",
		pid, p.workload.container, 3*int(p.workload.limitBytes)/1024, int(p.workload.limitBytes)/1024), kernelMonitor)
	text := fmt.Sprintf("Back-off restarting failed container %s in pod %s_%s(%s)", p.workload.container, p.name, p.workload.namespace, p.uid)
	w.podEvent(p, warning, "BackOff", text, kubelet)
	w.after(downFor/2, func() { w.podEvent(p, warning, "BackOff", text, kubelet) })
	w.after(downFor, func() { w.restart(p) })
}

// restart starts a pod's container anew under the same name, with counters from zero.
func (w *world) restart(p *pod) {
	if p.node == nil {
		return // the pod was removed meanwhile
	}
	p.restarts++
	w.podEvent(p, normal, "Pulled", fmt.Sprintf("Container image %q already present on machine", p.workload.image), kubelet)
	w.podEvent(p, normal, "Created", "Created container: "+p.workload.container, kubelet)
	w.podEvent(p, normal, "Started", "Started container "+p.workload.container, kubelet)
	w.startContainer(p, w.at)
	w.after(3*time.Second, func() { p.ready = p.node != nil })
}

// pgLine is a line of PostgreSQL with log_line_prefix '%m [%p] '.
func pgLine(at time.Time, pid int, severity, text string) string {
	return fmt.Sprintf("%s UTC [%d] %s:  %s", at.UTC().Format("2006-01-02 15:04:05.000"), pid, severity, text)
}

// pickOne draws one of the choices.
func pickOne[T any](r *rand.Rand, choices []T) T { return choices[r.IntN(len(choices))] }
