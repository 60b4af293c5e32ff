package app

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// SandboxOptions has the ingest role live where its process is stopped between requests and never told, as in AWS Lambda (decision
// 0032). It opens no listener; Front is its way in. Watches and timers stand still while the process does, so nothing that it
// promises may wait for them.
type SandboxOptions struct {
	// MaxAge is how old the process's knowledge of credentials and pipelines may be when a request comes. What is older is
	// refreshed before the credential is proven, and refused where that fails. Without it a token that was revoked while the process
	// was stopped would work once more. Less than two seconds, two beats of the directory, has processes ask that were never stopped.
	MaxAge time.Duration
	// Stores is how many ClickHouse shards there are, which ingest never talks to: their messages are in streams of their own.
	Stores int
}

const (
	// sandboxStart is what a start may take: after ten seconds Lambda begins it again, and charges for that.
	sandboxStart = 8 * time.Second
	// thawTimeout bounds a refresh, and with it how long a sender waits for a 503.
	thawTimeout = 5 * time.Second
	// thawPatience is how long a refresh may take before the connection counts as lost: while the process was stopped, what stands
	// between it and NATS may have forgotten the connection, and the client alone notices after minutes.
	thawPatience = time.Second
	// settleTimeout bounds what a request waits for after its rows are stored.
	settleTimeout = 2 * time.Second
	// directoryInterval is how often last arrivals and last uses are written between two stops.
	directoryInterval = 5 * time.Second
)

// apply makes o the options of such a process.
func (s *SandboxOptions) apply(o *Options) {
	o.Directory.MaxAdminAge, o.Directory.MaxIngestAge = s.MaxAge, s.MaxAge
	o.ClickHouse.told = s.Stores
	o.StartTimeout = min(o.StartTimeout, sandboxStart)
	now := o.Now
	// Without its monotonic part a time counts what has passed while the machine stood still.
	o.Now = func() time.Time { return now().Round(0) }
}

// lookInterval is how often the directory asks its store for news beside its watches. A sandbox asks when it is woken.
func (s *SandboxOptions) lookInterval() time.Duration {
	if s == nil {
		return 0 // the directory's own
	}
	return time.Minute
}

// chore is something that other processes do by a timer.
type chore struct {
	name  string
	every time.Duration // 0: whenever the process was stopped for a while
	do    func(ctx context.Context) error
	last  time.Time // on the wall clock; guarded by the sandbox's turn, since a sandbox has one request at a time
}

// settles has do run after a request, at most once an interval, where the process may be stopped before its timer rings.
func (a *App) settles(name string, every time.Duration, do func(context.Context) error) {
	a.chores = append(a.chores, &chore{name: name, every: every, do: do})
}

// thaws has do run before a request that comes after a stop. Its failure stops no request.
func (a *App) thaws(name string, do func(context.Context) error) {
	a.chores = append(a.chores, &chore{name: name, do: do})
}

// Front returns the handler of a process in a sandbox. It returns when all that the request has changed is stored: the process may
// be stopped right after. One request is served at a time.
func (a *App) Front() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.settle(context.WithoutCancel(r.Context()))
		a.edge.ServeHTTP(w, r)
	})
}

// settle does the chores that are due.
func (a *App) settle(ctx context.Context) {
	now := a.opts.Now()
	a.doChores(ctx, settleTimeout, func(c *chore) bool {
		due := c.every > 0 && (now.Sub(c.last) >= c.every || now.Before(c.last))
		if due {
			c.last = now
		}
		return due
	})
}

// doChores does chores side by side. They are tried again at the next chance, so a failure is only told.
func (a *App) doChores(ctx context.Context, timeout time.Duration, due func(*chore) bool) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var all sync.WaitGroup
	for _, c := range a.chores {
		if !due(c) {
			continue
		}
		all.Go(func() {
			if err := c.do(ctx); err != nil {
				a.log.WarnContext(ctx, "not done in time; the next request tries again", slog.String("chore", c.name), slog.Any("err", err))
			}
		})
	}
	all.Wait()
}

// thaw brings a process that was stopped up to date, before it proves a credential.
func (a *App) thaw(ctx context.Context) error {
	// A quarter is left for the time between this look and the check of the credential, which has the same bound.
	most := a.opts.Sandbox.MaxAge * 3 / 4
	if max(a.directory.TokenAge(), a.pipelines.store.Freshness()) <= most {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, thawTimeout)
	defer cancel()
	var shared sync.WaitGroup
	defer shared.Wait()
	shared.Go(func() { a.doChores(ctx, settleTimeout, func(c *chore) bool { return c.every == 0 }) })
	if a.nc.Status() != nats.CONNECTED {
		_ = a.nc.ForceReconnect() // at once, without the client's pause; it fails when the connection was closed for good, as what follows does
	}
	err := a.refresh(ctx, thawPatience)
	if err != nil && ctx.Err() == nil {
		_ = a.nc.ForceReconnect()
		err = a.refresh(ctx, thawTimeout)
	}
	return err
}

// refresh learns what has changed.
func (a *App) refresh(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	faults := make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() { faults[0] = a.directory.Refresh(ctx) })
	both.Go(func() { faults[1] = a.pipelines.store.Refresh(ctx) })
	both.Wait()
	if at := slices.IndexFunc(faults, func(err error) bool { return err != nil }); at >= 0 {
		return faults[at]
	}
	return nil
}

// verifier proves the credentials of this process's requests.
func (a *App) verifier() httpx.Verifier {
	if a.opts.Sandbox != nil {
		return thawing{verifier{a.directory}, a}
	}
	return verifier{a.directory}
}

// thawing is a verifier that makes sure of what it knows. It implements httpx.Verifier.
type thawing struct {
	verifier
	app *App
}

// Authenticate implements httpx.Verifier.
func (t thawing) Authenticate(ctx context.Context, token string) (seamark.Principal, error) {
	if err := t.app.thaw(ctx); err != nil {
		return seamark.Principal{}, err
	}
	return t.verifier.Authenticate(ctx, token)
}

// VerifySession implements httpx.Verifier.
func (t thawing) VerifySession(ctx context.Context, session string) (seamark.Principal, error) {
	if err := t.app.thaw(ctx); err != nil {
		return seamark.Principal{}, err
	}
	return t.verifier.VerifySession(ctx, session)
}
