package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Bucket is the KV bucket of the jobs. Keys begin with the tenant, so that the purge of a deleted tenant finds them.
const Bucket = "seamark_query_jobs"

// maxRequestBytes bounds a request that is kept: a form of a query is small, and all jobs are in every node's memory.
const maxRequestBytes = 32 << 10

// maxAttempts is how many nodes may die under a job: after that it is likely to be what kills them.
const maxAttempts = 2

// Performer sends a job's request again and writes its answer to w. The error
// is one that nothing was written for: a refusal is an answer.
type Performer func(ctx context.Context, job *Job, w *Result) error

// Options configures a Keeper. All fields but Replicas are required.
type Options struct {
	JS       jetstream.JetStream
	Replicas int
	Node     string // stays the same over restarts
	// Concurrent is how many jobs this node runs at once.
	Concurrent int
	// StoreBytes bounds the results of all tenants together.
	StoreBytes int64
	Limits     func(seamark.TenantID) Limits
	// Stand refuses a job whose owner may not run it any more. It is asked before the job runs and while it does.
	Stand   func(ctx context.Context, job *Job) error
	Perform Performer
	// Beat is how often a running job shows where it is. A job that shows nothing for Lost is run by another node.
	Beat, Lost time.Duration
	Logger     *slog.Logger
	Now        func() time.Time
}

// Default times of Options.
const (
	DefaultBeat = 2 * time.Second
	DefaultLost = 20 * time.Second
)

func (o *Options) validate() error {
	switch {
	case o.JS == nil || o.Node == "" || o.Limits == nil || o.Stand == nil || o.Perform == nil || o.Logger == nil || o.Now == nil:
		return errors.New("jobs: JS, Node, Limits, Stand, Perform, Logger and Now are required")
	case o.Concurrent < 1 || o.StoreBytes < 1 || o.Beat <= 0 || o.Lost < 3*o.Beat:
		return errors.New("jobs: Concurrent, StoreBytes and Beat must be positive, and Lost at least three beats")
	}
	return nil
}

// Keeper makes, runs and keeps jobs. It is safe for concurrent use.
type Keeper struct {
	opts    Options
	board   *bus.Board[Job]
	results *results
	wake    chan struct{}

	mu      sync.Mutex // guards running
	running map[string]context.CancelCauseFunc
}

// Open opens the keeper's bucket and stream, which it makes when they are missing. It knows and runs nothing before Run.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	k := &Keeper{opts: o, wake: make(chan struct{}, 1), running: map[string]context.CancelCauseFunc{}}
	var err error
	if k.results, err = openResults(ctx, o.JS, o.Replicas, o.StoreBytes); err != nil {
		return nil, err
	}
	k.board, err = bus.OpenBoard[Job](ctx, bus.BoardOptions{
		JS: o.JS, Bucket: Bucket, Description: "Seamark queries in the background", Replicas: o.Replicas, Changed: k.changed,
	})
	return k, err
}

func keyOf(tenant seamark.TenantID, id string) string { return string(tenant) + "." + id }

// changed ends what runs here and is not this node's any more, and has new jobs looked at.
func (k *Keeper) changed(key string) {
	p, ok := k.board.Find(key)
	if !ok || p.Doc.State != Running || p.Doc.Node != k.opts.Node {
		k.mu.Lock()
		cancel := k.running[key]
		k.mu.Unlock()
		if cancel != nil {
			cancel(errTaken)
		}
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// errTaken says that a job is not this node's any more: it was cancelled, deleted, or another node runs it.
var errTaken = errors.New("the job was taken from this node")

// Start queues a job. The error is of kind TooLarge for a request that is too long, RateLimited when the tenant has too many that
// are not finished, and Conflict when it keeps too many.
func (k *Keeper) Start(ctx context.Context, tenant seamark.TenantID, by Owner, r Request) (Job, error) {
	if n := r.bytes(); n > maxRequestBytes {
		return Job{}, seamark.Errorf(seamark.TooLarge, "seamark-job-request", "The request has %d bytes; a background job keeps at most %d.", n, maxRequestBytes)
	}
	if err := k.admit(tenant); err != nil {
		return Job{}, err
	}
	now := k.opts.Now().UTC()
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil {
		return Job{}, err
	}
	job := Job{ID: id.String(), Tenant: tenant, State: Queued, Owner: by, Request: r, Created: now}
	if _, err := k.board.Save(ctx, keyOf(tenant, job.ID), job, 0); err != nil {
		return Job{}, unreachable(err)
	}
	return job, nil
}

func (k *Keeper) admit(tenant seamark.TenantID) error {
	limits, active, kept := k.opts.Limits(tenant), 0, 0
	for _, p := range k.board.List() {
		if p.Doc.Tenant == tenant {
			kept++
			if !p.Doc.State.ended() {
				active++
			}
		}
	}
	switch {
	case active >= limits.MaxQueued:
		e := seamark.Errorf(seamark.RateLimited, "seamark-job-many",
			"%d background jobs of your tenant wait or run; the limit is %d (query_job_queued). Wait for one to end, or cancel one: GET /api/v1/query-jobs lists them.", active, limits.MaxQueued)
		e.RetryAfter = 30 * time.Second
		return e
	case kept >= limits.MaxKept:
		return seamark.Errorf(seamark.Conflict, "seamark-job-kept",
			"Your tenant keeps %d background jobs; the limit is %d (query_job_kept). Delete some that you do not need: DELETE /api/v1/query-jobs/{id}.", kept, limits.MaxKept)
	}
	return nil
}

// List returns the tenant's jobs, the newest first; with the zero TenantID those of all.
func (k *Keeper) List(tenant seamark.TenantID) []Job {
	var list []Job
	for _, p := range k.board.List() {
		if tenant == "" || p.Doc.Tenant == tenant {
			list = append(list, p.Doc)
		}
	}
	slices.SortFunc(list, func(a, b Job) int { return cmp.Or(cmp.Compare(b.ID, a.ID), cmp.Compare(a.Tenant, b.Tenant)) })
	return list
}

// Find returns a job. The error is of kind NotFound.
func (k *Keeper) Find(ctx context.Context, tenant seamark.TenantID, id string) (Job, error) {
	p, err := k.find(ctx, tenant, id)
	return p.Doc, err
}

func (k *Keeper) find(ctx context.Context, tenant seamark.TenantID, id string) (bus.Posted[Job], error) {
	var p bus.Posted[Job]
	if _, err := ulid.ParseStrict(id); err != nil || strings.ToUpper(id) != id {
		return p, Unknown()
	}
	if err := tenant.Validate(); err != nil {
		return p, err
	}
	p, err := k.board.Fetch(ctx, keyOf(tenant, id))
	switch {
	case err != nil:
		return p, unreachable(err)
	case p.Revision == 0:
		return p, Unknown()
	}
	return p, nil
}

// Unknown is the error of a job that is not there for whoever asks.
func Unknown() error {
	return seamark.Errorf(seamark.NotFound, "seamark-job-unknown", "There is no such background job; it may have expired.")
}

func unreachable(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-job-unreachable", "Background jobs cannot be reached right now. Retry in some seconds.")
}

// Remove cancels a job that waits or runs, naming who did, and deletes one that has ended with its result.
func (k *Keeper) Remove(ctx context.Context, tenant seamark.TenantID, id, by string) error {
	for {
		p, err := k.find(ctx, tenant, id)
		if err != nil {
			return err
		}
		if job := p.Doc; job.State.ended() {
			if err := k.results.purge(ctx, &job); err != nil {
				return unreachable(err)
			}
			err = k.board.Delete(ctx, keyOf(tenant, id), p.Revision)
		} else {
			now := k.opts.Now().UTC()
			job.State, job.Canceler, job.Finished, job.Expires = Canceled, by, now, now.Add(k.opts.Limits(tenant).Keep)
			job.Fault = &Fault{ID: "seamark-query-canceled", Message: "The background job was cancelled by " + by + "."}
			_, err = k.board.Save(ctx, keyOf(tenant, id), job, p.Revision)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, bus.ErrConflict):
			return unreachable(err)
		}
	}
}

// Read calls begin with what a finished job was answered and then write with the answer's body, piece by piece. The error is of
// kind NotFound, or Conflict when there is no answer (yet).
func (k *Keeper) Read(ctx context.Context, tenant seamark.TenantID, id string, begin func(Answer), write func([]byte) error) error {
	job, err := k.Find(ctx, tenant, id)
	switch {
	case err != nil:
		return err
	case job.State == Expired:
		return seamark.Errorf(seamark.NotFound, "seamark-job-expired", "The result was deleted at %s. Run the query again.", job.Expires.Format(time.RFC3339))
	case !job.State.ended():
		e := seamark.Errorf(seamark.Conflict, "seamark-job-unfinished", "The background job is %s, %.0f %% done. Ask again when it is done.", job.State, 100*job.Progress.Share)
		e.RetryAfter = 5 * time.Second
		return e
	case job.Answer.Status == 0:
		e := seamark.Errorf(seamark.Unprocessable, "seamark-job-unanswered", "The background job has no result.")
		if job.Fault != nil {
			e.ID, e.Message = job.Fault.ID, job.Fault.Message
		}
		return e
	}
	return k.results.read(ctx, &job, func() { begin(job.Answer) }, write)
}

func asError(err error) *seamark.Error {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		return e
	}
	return seamark.Wrap(err, seamark.Internal, "seamark-internal", "Internal error.")
}
