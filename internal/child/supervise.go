package child

import (
	"context"
	"runtime"
	"time"
)

const (
	// firstBackoff and mostBackoff bound the pause before what ended is started again. The first is short because one OOM kill should
	// cost a second; the last keeps recovery under ten seconds once a lasting cause is gone.
	firstBackoff = 100 * time.Millisecond
	mostBackoff  = 5 * time.Second
	// steadyAfter is how long a run must have lasted before its end counts as the first again.
	steadyAfter = time.Minute
)

// Supervisor keeps a process running, run after run.
type Supervisor[R any] struct {
	// Start starts a run and waits until it is ready. When it fails nothing is left of the run.
	Start func(ctx context.Context) (R, error)
	// Watch waits for the run's end, which it brings about when ctx ends, and says why it ended.
	Watch func(ctx context.Context, run R) error
	// Ended is told of each end, and of the pause before the next start, unless ctx has ended.
	Ended func(err error, pause time.Duration)
}

// Run keeps runs going until ctx ends. It reports the outcome of the first start on started and gives up when that fails; later
// failures are tried again for ever.
func (s *Supervisor[R]) Run(ctx context.Context, started chan<- error) {
	// The parent-death signal is tied to the thread that starts the child, so this goroutine keeps its thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	first, backoff := true, firstBackoff
	for ctx.Err() == nil {
		began := time.Now()
		run, err := s.Start(ctx)
		if first {
			started <- err
			if err != nil {
				return
			}
			first = false
		}
		if err == nil {
			err = s.Watch(ctx, run)
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > steadyAfter {
			backoff = firstBackoff
		}
		s.Ended(err, backoff)
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, mostBackoff)
	}
}
