// Package transfer exports whole tenants: their telemetry and their configuration, into a folder of parts that is handed out
// as one archive. It knows no store and no directory; app hands it a Source. An export that was cut off goes on behind the
// last part that is whole.
package transfer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// State is how far an export is.
type State string

// The states.
const (
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Job is one export.
type Job struct {
	ID        string    `json:"id"`
	Node      string    `json:"node"` // whose disk it is on
	State     State     `json:"state"`
	Created   time.Time `json:"created"`
	Finished  time.Time `json:"finished,omitzero"`
	Expires   time.Time `json:"expires,omitzero"`
	Parts     int       `json:"parts"`
	PartsDone int       `json:"parts_done"`
	Rows      uint64    `json:"rows"`
	Bytes     uint64    `json:"bytes"` // compressed
	Fault     string    `json:"fault,omitempty"`
}

// Book is the exports of one tenant, newest first.
type Book struct {
	Jobs []Job `json:"jobs"`
}

// Source is what an export reads.
type Source interface {
	// Parts names what there is, `<signal>/<day>`, in a stable order.
	Parts(ctx context.Context, tenant seamark.TenantID) ([]string, error)
	// WritePart writes the rows of one part, a JSON document per line, and returns how many.
	WritePart(ctx context.Context, tenant seamark.TenantID, part string, w io.Writer) (rows uint64, err error)
	// Config returns the tenant's configuration without any secret, as what encodes to JSON.
	Config(ctx context.Context, tenant seamark.TenantID) (any, error)
}

// Options configures a Keeper. All fields are required.
type Options struct {
	Dir      string
	Node     string
	Keep     time.Duration // of finished exports
	MaxBytes int64         // of all exports on this disk together; an export that would pass it fails
	Books    *bus.Docs[Book]
	Source   Source
	Tenants  func() []seamark.TenantID // that live
	Logger   *slog.Logger
	Now      func() time.Time
}

func (o *Options) validate() error {
	switch {
	case o.Dir == "" || o.Node == "" || o.Books == nil || o.Source == nil || o.Tenants == nil || o.Logger == nil || o.Now == nil:
		return errors.New("transfer: Dir, Node, Books, Source, Tenants, Logger and Now are required")
	case o.Keep <= 0 || o.MaxBytes <= 0:
		return errors.New("transfer: Keep and MaxBytes must be positive")
	}
	return nil
}

// maxJobs bounds the exports that a tenant keeps. Without it one owner fills the disk that all share.
const maxJobs = 3

// Keeper makes and keeps exports. It is safe for concurrent use.
type Keeper struct {
	opts Options
	wake chan struct{}

	mu     sync.Mutex // guards cancel
	cancel map[string]context.CancelFunc
}

// New returns a keeper that does nothing until Run.
func New(o Options) (*Keeper, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Keeper{opts: o, wake: make(chan struct{}, 1), cancel: map[string]context.CancelFunc{}}, nil
}

// Start begins an export on this node. The error is of kind Conflict while another one of the tenant runs or too many are kept.
func (k *Keeper) Start(ctx context.Context, tenant seamark.TenantID) (Job, error) {
	job := Job{ID: rand.Text(), Node: k.opts.Node, State: Running, Created: k.opts.Now().UTC()}
	err := k.change(ctx, tenant, func(b *Book) error {
		for _, j := range b.Jobs {
			if j.State == Running {
				return seamark.Errorf(seamark.Conflict, "seamark-export-running", "The export %s is running. Wait for it or delete it.", j.ID)
			}
		}
		if len(b.Jobs) >= maxJobs {
			return seamark.Errorf(seamark.Conflict, "seamark-export-many", "There are %d exports; the limit is %d. Delete one.", len(b.Jobs), maxJobs)
		}
		b.Jobs = slices.Insert(b.Jobs, 0, job)
		return nil
	})
	if err != nil {
		return Job{}, err
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return job, nil
}

// change changes a tenant's book by compare-and-set.
func (k *Keeper) change(ctx context.Context, tenant seamark.TenantID, change func(*Book) error) error {
	for {
		book, revision, err := k.opts.Books.Find(ctx, string(tenant))
		if err == nil {
			book.Jobs = slices.Clone(book.Jobs)
			if err := change(&book); err != nil {
				return err
			}
			_, err = k.opts.Books.Save(ctx, string(tenant), book, revision)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, bus.ErrConflict):
			return seamark.Wrap(err, seamark.Unavailable, "seamark-export-book", "The list of exports cannot be changed right now. Retry in some seconds.")
		}
	}
}

// List returns the tenant's exports, newest first.
func (k *Keeper) List(ctx context.Context, tenant seamark.TenantID) ([]Job, error) {
	book, _, err := k.opts.Books.Find(ctx, string(tenant))
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Unavailable, "seamark-export-book", "The list of exports cannot be read right now. Retry in some seconds.")
	}
	return book.Jobs, nil
}

// Find returns one export of the tenant. The error is of kind NotFound.
func (k *Keeper) Find(ctx context.Context, tenant seamark.TenantID, id string) (Job, error) {
	jobs, err := k.List(ctx, tenant)
	if err != nil {
		return Job{}, err
	}
	for _, j := range jobs {
		if j.ID == id {
			return j, nil
		}
	}
	return Job{}, seamark.Errorf(seamark.NotFound, "seamark-export-unknown", "There is no such export; it may have expired.")
}

// Remove ends and deletes an export.
func (k *Keeper) Remove(ctx context.Context, tenant seamark.TenantID, id string) error {
	if _, err := k.Find(ctx, tenant, id); err != nil {
		return err
	}
	if err := k.change(ctx, tenant, func(b *Book) error {
		b.Jobs = slices.DeleteFunc(b.Jobs, func(j Job) bool { return j.ID == id })
		return nil
	}); err != nil {
		return err
	}
	k.mu.Lock()
	cancel := k.cancel[id]
	k.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	return k.sweepTenant(tenant, nil, id) // where it is on another node, that one's sweep removes it
}

// Forget deletes the files of a tenant that is no more.
func (k *Keeper) Forget(tenant seamark.TenantID) {
	if err := tenant.Validate(); err != nil {
		return
	}
	if err := os.RemoveAll(filepath.Join(k.opts.Dir, string(tenant))); err != nil {
		k.opts.Logger.Warn("exports of a deleted tenant are still on the disk", slog.String("tenant", string(tenant)), slog.Any("err", err))
	}
}

const sweepInterval = time.Minute

// Run makes the exports that were begun on this node, and goes on with those that an earlier process has begun, until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		for _, tenant := range k.opts.Tenants() {
			if ctx.Err() != nil {
				return nil
			}
			if err := k.look(ctx, tenant); err != nil && ctx.Err() == nil {
				k.opts.Logger.WarnContext(ctx, "exports of a tenant are not looked after; the next round tries again", slog.String("tenant", string(tenant)), slog.Any("err", err))
			}
		}
		k.sweep()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-k.wake:
		}
	}
}

// look makes a tenant's export that is under way here, and removes those that are over.
func (k *Keeper) look(ctx context.Context, tenant seamark.TenantID) error {
	jobs, err := k.List(ctx, tenant)
	if err != nil || len(jobs) == 0 {
		return err
	}
	now, expired := k.opts.Now(), false
	for _, j := range jobs {
		if j.Node == k.opts.Node && j.State == Running {
			k.make(ctx, tenant, j)
		}
		expired = expired || !j.Expires.IsZero() && now.After(j.Expires)
	}
	if expired {
		return k.change(ctx, tenant, func(b *Book) error {
			b.Jobs = slices.DeleteFunc(b.Jobs, func(j Job) bool { return !j.Expires.IsZero() && now.After(j.Expires) })
			return nil
		})
	}
	return nil
}

// sweep removes the folders whose export is on no book any more, and those of tenants that are gone.
func (k *Keeper) sweep() {
	living := map[string]bool{}
	for _, tenant := range k.opts.Tenants() {
		living[string(tenant)] = true
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		jobs, err := k.List(ctx, tenant)
		cancel()
		if err == nil {
			err = k.sweepTenant(tenant, jobs, "")
		}
		if err != nil {
			k.opts.Logger.Warn("old exports are still on the disk", slog.String("tenant", string(tenant)), slog.Any("err", err))
		}
	}
	entries, err := os.ReadDir(k.opts.Dir)
	if err != nil || len(living) == 0 { // a node that knows of no tenant knows nothing
		return
	}
	for _, e := range entries {
		if id, err := seamark.ParseTenantID(e.Name()); err == nil && !living[e.Name()] {
			k.Forget(id)
		}
	}
}

// sweepTenant removes one folder of a tenant, or with only empty all but those of jobs.
func (k *Keeper) sweepTenant(tenant seamark.TenantID, jobs []Job, only string) error {
	if only != "" {
		return os.RemoveAll(k.folder(tenant, only))
	}
	entries, err := os.ReadDir(filepath.Join(k.opts.Dir, string(tenant)))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	var faults []error
	for _, e := range entries {
		if !slices.ContainsFunc(jobs, func(j Job) bool { return j.ID == e.Name() }) {
			faults = append(faults, os.RemoveAll(k.folder(tenant, e.Name())))
		}
	}
	return errors.Join(faults...)
}

func (k *Keeper) folder(tenant seamark.TenantID, id string) string {
	return filepath.Join(k.opts.Dir, string(tenant), filepath.Base(id))
}

// usedBytes returns what all exports on this disk take.
func (k *Keeper) usedBytes() (used int64) {
	_ = filepath.WalkDir(k.opts.Dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, ierr := e.Info(); ierr == nil {
				used += info.Size()
			}
		}
		return nil // what cannot be read is being removed
	})
	return used
}

func full(limit int64) error {
	return seamark.Errorf(seamark.Unprocessable, "seamark-export-full",
		"The exports of this installation would take more than %d bytes (--tenants.export-max-bytes). Delete some, or ask its operator.", limit)
}

// faultOf is what a tenant is told of a failed export.
func faultOf(err error) string {
	if e, ok := errors.AsType[*seamark.Error](err); ok && e.Kind != seamark.Internal {
		return e.Message
	}
	return fmt.Sprintf("The export failed (%s). Begin a new one.", seamark.KindOf(err))
}
