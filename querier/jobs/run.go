package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// sweepEvery is how often jobs are looked at whose node is lost or whose time is over.
const sweepEvery = time.Second

// Run runs jobs until ctx ends, and then gives those that are not finished back to the queue.
func (k *Keeper) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { _ = k.board.Run(ctx) })
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	slots := make(chan struct{}, k.opts.Concurrent)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			k.sweep(ctx)
		case <-k.wake:
		}
		for len(slots) < cap(slots) && ctx.Err() == nil {
			key, p, ok := k.next()
			if !ok {
				break
			}
			job, revision, ok := k.claim(ctx, key, p)
			if !ok {
				break // the next tick, or the change that was in the way, looks again
			}
			slots <- struct{}{}
			work.Go(func() {
				k.work(ctx, job, revision)
				<-slots
				k.changed(key)
			})
		}
	}
}

// next returns the job to run next: of the tenant that has the fewest running, the oldest. A job that runs on a node that is lost
// counts as one that waits.
func (k *Keeper) next() (key string, best bus.Posted[Job], ok bool) {
	list := k.board.List()
	busy := map[seamark.TenantID]int{}
	for _, p := range list {
		if p.Doc.State == Running {
			busy[p.Doc.Tenant]++
		}
	}
	for at, p := range list {
		job := &p.Doc
		if job.State != Queued && (job.State != Running || !k.lost(at, p)) {
			continue
		}
		if first := busy[job.Tenant] < busy[best.Doc.Tenant] || busy[job.Tenant] == busy[best.Doc.Tenant] && job.ID < best.Doc.ID; !ok || first {
			key, best, ok = at, p, true
		}
	}
	return key, best, ok
}

// lost reports whether nobody runs a job that is marked as running: its node has shown nothing for long, or it was this node
// before a restart.
func (k *Keeper) lost(key string, p bus.Posted[Job]) bool {
	if p.Doc.Node == k.opts.Node {
		k.mu.Lock()
		_, here := k.running[key]
		k.mu.Unlock()
		return !here
	}
	return time.Since(p.Seen) > k.opts.Lost
}

// claim makes a job this node's. It fails one that has had its attempts.
func (k *Keeper) claim(ctx context.Context, key string, p bus.Posted[Job]) (job Job, revision uint64, ok bool) {
	job = p.Doc
	if job.Attempt++; job.State == Running && job.Attempt > maxAttempts {
		job.Attempt--
		k.end(ctx, &job, p.Revision, seamark.Errorf(seamark.Unprocessable, "seamark-job-lost",
			"The background job ended %d times with the node that ran it. Ask for a shorter range, a larger step or fewer series.", maxAttempts))
		return job, 0, false
	}
	job.State, job.Node, job.Started, job.Progress = Running, k.opts.Node, k.opts.Now().UTC(), Progress{}
	k.mu.Lock()
	k.running[key] = func(error) {} // so that it does not look lost before it runs
	k.mu.Unlock()
	revision, err := k.board.Save(ctx, key, job, p.Revision)
	if err == nil {
		return job, revision, true
	}
	k.mu.Lock()
	delete(k.running, key)
	k.mu.Unlock()
	if !errors.Is(err, bus.ErrConflict) {
		k.opts.Logger.WarnContext(ctx, "a background job cannot be claimed", slog.String("job", job.ID), slog.Any("err", err))
		return job, 0, false
	}
	_, _ = k.board.Fetch(ctx, key) // what was known of it is old
	return job, 0, false
}

// errStopping says that the process ends.
var errStopping = errors.New("the process stops")

// work runs one attempt.
func (k *Keeper) work(ctx context.Context, job Job, revision uint64) {
	key, limits := keyOf(job.Tenant, job.ID), k.opts.Limits(job.Tenant)
	// The attempt ends with the process, but what becomes of the job is still written then.
	within, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(errStopping) })()
	k.mu.Lock()
	k.running[key] = cancel
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		delete(k.running, key)
		k.mu.Unlock()
	}()
	timed, done := context.WithTimeoutCause(within, limits.Timeout, seamark.Errorf(seamark.Timeout, "seamark-job-timeout",
		"The background job ran out of its time; the limit is %s (query_job_seconds). Ask for a shorter range, a larger step or fewer series.", limits.Timeout))
	defer done()
	result := &Result{ctx: timed, js: k.opts.JS, job: &job, limit: limits.MaxResultBytes}
	var beats sync.WaitGroup
	beating, stop := context.WithCancel(timed)
	beats.Go(func() { revision = k.beat(beating, &job, revision, result, cancel) })
	err := k.perform(timed, &job, result)
	stop()
	beats.Wait()
	job.Progress = result.progress()

	final, finish := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer finish()
	switch cause := context.Cause(timed); {
	case errors.Is(cause, errTaken):
		if perr := k.results.purgeAttempt(final, &job); perr != nil {
			k.opts.Logger.WarnContext(ctx, "a result that nobody needs stays until its job expires", slog.String("job", job.ID), slog.Any("err", perr))
		}
		return
	case errors.Is(cause, errStopping):
		job.State, job.Node, job.Attempt = Queued, "", job.Attempt-1
		_ = k.results.purge(final, &job)
		if _, serr := k.board.Save(final, key, job, revision); serr != nil {
			k.opts.Logger.WarnContext(ctx, "a background job was not given back; another node takes it when this one is lost", slog.String("job", job.ID), slog.Any("err", serr))
		}
		return
	case cause != nil && err != nil:
		err = cause
	}
	if err == nil {
		job.Answer, job.Fault = result.answer, result.fault
	}
	k.end(final, &job, revision, err)
}

// perform checks that the owner may still run the job, and runs it.
func (k *Keeper) perform(ctx context.Context, job *Job, result *Result) error {
	if err := k.results.purge(ctx, job); err != nil { // of the attempt before
		return unreachable(err)
	}
	if err := k.opts.Stand(ctx, job); err != nil {
		return err
	}
	if err := k.opts.Perform(ctx, job, result); err != nil {
		return err
	}
	return result.flush()
}

// beat shows how far a job is, and asks whether its owner may go on, until ctx ends. It returns the last revision.
func (k *Keeper) beat(ctx context.Context, job *Job, revision uint64, result *Result, cancel context.CancelCauseFunc) uint64 {
	tick := time.NewTicker(k.opts.Beat)
	defer tick.Stop()
	shown := *job
	for {
		select {
		case <-ctx.Done():
			return revision
		case <-tick.C:
		}
		if err := k.opts.Stand(ctx, job); err != nil && ctx.Err() == nil && seamark.KindOf(err) != seamark.Unavailable {
			cancel(err)
			return revision
		}
		shown.Progress = result.progress()
		next, err := k.board.Save(context.WithoutCancel(ctx), keyOf(job.Tenant, job.ID), shown, revision)
		switch {
		case err == nil:
			revision = next
		case errors.Is(err, bus.ErrConflict):
			cancel(errTaken)
			return revision
		}
	}
}

// end writes how a job ended.
func (k *Keeper) end(ctx context.Context, job *Job, revision uint64, err error) {
	now := k.opts.Now().UTC()
	job.State, job.Finished, job.Expires = Done, now, now.Add(k.opts.Limits(job.Tenant).Keep)
	job.Progress.Share = 1
	switch {
	case err != nil:
		job.State, job.Fault, job.Answer = Failed, faultOf(err), Answer{}
		if perr := k.results.purge(ctx, job); perr != nil {
			k.opts.Logger.WarnContext(ctx, "half a result stays until its job expires", slog.String("job", job.ID), slog.Any("err", perr))
		}
	case job.Answer.Status >= 400:
		job.State = Failed
	}
	if e := asError(err); err != nil && e.Kind == seamark.Internal {
		k.opts.Logger.ErrorContext(ctx, "a background job failed", slog.String("tenant", string(job.Tenant)), slog.String("job", job.ID), slog.Any("err", err))
	}
	if _, err := k.board.Save(ctx, keyOf(job.Tenant, job.ID), *job, revision); err != nil && !errors.Is(err, bus.ErrConflict) {
		k.opts.Logger.WarnContext(ctx, "the end of a background job is not on record", slog.String("job", job.ID), slog.Any("err", err))
	}
}

// sweep deletes results whose time is over, and after as long again their jobs.
func (k *Keeper) sweep(ctx context.Context) {
	now := k.opts.Now()
	for key, p := range k.board.List() {
		job := p.Doc
		if !job.State.ended() || now.Before(job.Expires) || ctx.Err() != nil {
			continue
		}
		var err error
		if keep := job.Expires.Sub(job.Finished); now.Sub(job.Expires) >= keep {
			err = k.board.Delete(ctx, key, p.Revision)
		} else if job.State != Expired {
			if err = k.results.purge(ctx, &job); err == nil {
				job.State, job.Answer = Expired, Answer{}
				_, err = k.board.Save(ctx, key, job, p.Revision)
			}
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, bus.ErrConflict) {
			k.opts.Logger.WarnContext(ctx, "an old background job is still there", slog.String("job", job.ID), slog.Any("err", err))
		}
	}
}
