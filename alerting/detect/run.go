package detect

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// tick is how often detectors that are due are looked for.
	tick = time.Second
	// missed is how many evaluations may fail before an alert ends by itself.
	missed = 4
	// shown is how old what is stored of a detector's health may become; changes of alerts are stored at once.
	shown = 2 * time.Minute
)

// Run follows the buckets and evaluates detectors until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	defer parts.Wait()
	parts.Go(func() { _ = k.specs.Run(ctx) })
	parts.Go(func() { _ = k.states.Run(ctx) })
	work := make(chan job)
	for range k.opts.Limits.Workers {
		parts.Go(func() {
			for j := range work {
				k.evaluate(ctx, &j)
				k.free(j.tenant)
			}
		})
	}
	defer close(work)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		for _, j := range k.ready(ctx) {
			select {
			case work <- j:
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// job is one evaluation that is due, or with spec nil the end of what a detector raised that is no more.
type job struct {
	tenant seamark.TenantID
	key    string
	spec   *bus.Posted[Document]
}

func (k *Keeper) free(tenant seamark.TenantID) {
	k.mu.Lock()
	delete(k.busy, tenant)
	k.mu.Unlock()
}

// ready returns what is due, one job of each tenant that has none under way.
func (k *Keeper) ready(ctx context.Context) []job {
	specs := k.specs.List()
	now := k.opts.Now()
	var due []job
	add := func(at string, spec *bus.Posted[Document]) {
		id, _, _ := strings.Cut(at, ".")
		tenant, err := seamark.ParseTenantID(id)
		if err != nil || !k.claim(tenant) {
			return
		}
		// Nothing is raised to ask whether this process is the one to evaluate the tenant.
		if !k.opts.Runs(tenant) || k.opts.Raise(ctx, tenant, nil, 0) != nil {
			k.free(tenant)
			return
		}
		due = append(due, job{tenant, at, spec})
	}
	for at, s := range k.states.List() {
		if spec, ok := specs[at]; !ok || spec.Doc.Disabled || spec.Revision != s.Doc.Detector.Revision {
			if !ok || len(s.Doc.State.Alerts) > 0 {
				add(at, nil)
			}
		}
	}
	live := map[string]bool{}
	for at, spec := range specs {
		live[spec.Doc.ID] = true
		for _, signal := range spec.Doc.Signals {
			live[arrivalsID(spec.Doc.ID, signal)], live[newestID(spec.Doc.ID, signal)] = true, true
		}
		if !spec.Doc.Disabled && k.isDue(at, &spec, now) {
			add(at, &spec)
		}
	}
	k.evaluator.models.retain(live)
	k.mu.Lock()
	maps.DeleteFunc(k.due, func(at string, _ time.Time) bool { _, ok := specs[at]; return !ok })
	maps.DeleteFunc(k.last, func(at string, _ Health) bool { _, ok := specs[at]; return !ok })
	k.mu.Unlock()
	return due
}

func (k *Keeper) claim(tenant seamark.TenantID) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.busy[tenant] {
		return false
	}
	k.busy[tenant] = true
	return true
}

// isDue reports whether a detector is to be evaluated. Detectors begin at different moments of their intervals, so that not all of
// them ask at once.
func (k *Keeper) isDue(at string, spec *bus.Posted[Document], now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	due, known := k.due[at]
	if !known {
		h := fnv.New32a()
		_, _ = h.Write([]byte(at))
		first := min(seconds(spec.Doc.Interval), 10*time.Second)
		due = now.Add(time.Duration(h.Sum32()) % first)
		k.due[at] = due
	}
	return !now.Before(due)
}

// evaluate does one job, and stores and raises what follows.
func (k *Keeper) evaluate(ctx context.Context, j *job) {
	if j.spec == nil {
		k.end(ctx, j)
		return
	}
	began := k.opts.Now()
	k.mu.Lock()
	k.due[j.key] = began.Add(seconds(j.spec.Doc.Interval))
	k.mu.Unlock()
	d := &Detector{ID: j.spec.Doc.ID, Revision: j.spec.Revision, Spec: j.spec.Doc.Spec}
	was, err := k.states.Fetch(ctx, j.key)
	if err != nil {
		k.fail(ctx, j, err)
		return
	}
	next := stateDoc{Detector: *d, Health: Health{State: "ok", Looked: began.UTC()}}
	if was.Doc.Detector.Revision == d.Revision {
		next.State = was.Doc.State
	}
	within, cancel := context.WithTimeout(ctx, k.opts.Limits.Timeout)
	o, err := k.evaluator.Evaluate(within, j.tenant, d, &next.State, began)
	cancel()
	if ctx.Err() != nil {
		return
	}
	next.Health.Took = k.opts.Now().Sub(began)
	k.seconds.Observe(next.Health.Took.Seconds())
	if err != nil {
		k.fail(ctx, j, err)
		next.Health.State, next.Health.Fault = "failing", faultWords(err)
		next.Health.Firing = next.State.firing()
	} else {
		next.State = *o.State
		next.Health.Series, next.Health.Learning, next.Health.Firing = o.Series, o.Learning, o.State.firing()
		if o.Learning > 0 && o.Learning == o.Series {
			next.Health.State = "learning"
		}
	}
	if k.keep(ctx, j, &was, &next) && err == nil {
		k.tell(ctx, j, &next.Detector, &o)
	}
}

// keep stores what an evaluation gave before its alerts are raised: a process that is no longer the one loses at the store and
// raises nothing.
func (k *Keeper) keep(ctx context.Context, j *job, was *bus.Posted[stateDoc], next *stateDoc) bool {
	k.mu.Lock()
	k.last[j.key] = next.Health
	k.mu.Unlock()
	if changed(&was.Doc, next) || next.Health.Looked.Sub(was.Doc.Health.Looked) >= shown || was.Revision == 0 {
		if _, err := k.states.Save(ctx, j.key, *next, was.Revision); err != nil {
			k.fail(ctx, j, err)
			return false
		}
	}
	return true
}

// tell raises the alerts of an evaluation.
func (k *Keeper) tell(ctx context.Context, j *job, d *Detector, o *Outcome) {
	if list := d.Alerts(o); len(list) > 0 {
		lasts := missed * max(seconds(d.Interval), time.Minute)
		if err := k.opts.Raise(ctx, j.tenant, list, lasts); err != nil {
			k.fail(ctx, j, err)
		}
	}
}

// changed reports whether something happened that must survive a restart. That time has passed while an alert is pending is among it:
// a restart would begin to wait anew.
func changed(was, now *stateDoc) bool {
	if was.Detector.Revision != now.Detector.Revision || len(was.State.Alerts) != len(now.State.Alerts) || was.Health.State != now.Health.State || was.Health.Fault != now.Health.Fault {
		return true
	}
	for key, a := range now.State.Alerts {
		old := was.State.Alerts[key]
		if old == nil || old.Phase != a.Phase || !old.Since.Equal(a.Since) || old.Quiet.IsZero() != a.Quiet.IsZero() {
			return true
		}
	}
	return false
}

// end tells that the alerts of a detector that was changed, disabled or deleted have ended, and forgets them.
func (k *Keeper) end(ctx context.Context, j *job) {
	was, err := k.states.Fetch(ctx, j.key)
	spec, specErr := k.specs.Fetch(ctx, j.key)
	if specErr != nil || spec.Revision == was.Doc.Detector.Revision && spec.Revision > 0 && !spec.Doc.Disabled {
		return // the detector is there: this process did not know it yet
	}
	if err == nil && was.Revision > 0 {
		o := Outcome{State: &State{}}
		for _, a := range was.Doc.State.Alerts {
			o.Ended = append(o.Ended, a)
		}
		if list := was.Doc.Detector.Alerts(&o); len(list) > 0 {
			err = k.opts.Raise(ctx, j.tenant, list, missed*time.Minute)
		}
		if err == nil {
			err = k.states.Delete(ctx, j.key, was.Revision)
		}
	}
	if err != nil && !errors.Is(err, bus.ErrConflict) {
		k.fail(ctx, j, err)
	}
}

func (k *Keeper) fail(ctx context.Context, j *job, err error) {
	if ctx.Err() != nil || seamark.KindOf(err) == seamark.Unavailable {
		return // another process is the one, or the next evaluation tells
	}
	k.faults.Inc()
	level := slog.LevelDebug // what the tenant's detector does wrong is shown to the tenant
	if seamark.KindOf(err) == seamark.Internal {
		level = slog.LevelWarn
	}
	k.opts.Logger.Log(ctx, level, "a detector was not evaluated", slog.String("tenant", string(j.tenant)), slog.String("detector", j.key), slog.Any("err", err))
}

// faultWords says why an evaluation failed, in words for the customer.
func faultWords(err error) string {
	if known, ok := errors.AsType[*seamark.Error](err); ok {
		return known.Message
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "The evaluation took longer than it may."
	}
	return "The evaluation failed for a reason of our own, which was logged."
}
