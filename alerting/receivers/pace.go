package receivers

import (
	"context"
	"sync"
	"time"
)

// Rate is at most Count messages in any window of the length Per, counted over the last messages and not over a refilling
// bucket: services such as DingTalk block whoever sends one more for minutes.
type Rate struct {
	Count int
	Per   time.Duration
}

// Pace keeps to the services' limits: a message waits for its turn. It is safe for concurrent use, and one Pace serves all
// receivers of a tenant, so that two receivers at the same address share the address's limit.
type Pace struct {
	now  func() time.Time
	wait func(ctx context.Context, d time.Duration) error

	mu      sync.Mutex // guards targets
	targets map[string]*turn
}

// turn is what is known of one target.
type turn struct {
	sent [][]time.Time // per rate, the times of its last messages, oldest first
	held time.Time     // the service asked to be left alone until then
}

// maxTargets bounds the targets that are remembered. Without it a tenant that changes its receivers again and again fills
// the memory.
const maxTargets = 4096

// NewPace returns a Pace that has sent nothing.
func NewPace(now func() time.Time) *Pace {
	return &Pace{now: now, wait: sleep, targets: map[string]*turn{}}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// enter returns when the target may be sent one more message. When its turn would come after ctx has ended it fails at once
// and takes no turn: what is not told now is told, with all that was added meanwhile, by the group's next flush.
func (p *Pace) enter(ctx context.Context, target string, rates []Rate) *Failure {
	delay, ok := p.reserve(ctx, target, rates)
	if !ok {
		return &Failure{Reason: "the service's rate limit leaves no room now; the group is told with its next notification", RetryAfter: delay}
	}
	if delay <= 0 {
		return nil
	}
	if err := p.wait(ctx, delay); err != nil {
		return again("the notification was given up while it waited for the service's rate limit")
	}
	return nil
}

// reserve takes the next turn and returns how long to wait for it.
func (p *Pace) reserve(ctx context.Context, target string, rates []Rate) (time.Duration, bool) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.targetLocked(target, len(rates), now)
	at := now
	if t.held.After(at) {
		at = t.held
	}
	for i, r := range rates {
		if sent := t.sent[i]; len(sent) >= r.Count {
			if free := sent[len(sent)-r.Count].Add(r.Per); free.After(at) {
				at = free
			}
		}
	}
	delay := at.Sub(now)
	if deadline, ok := ctx.Deadline(); ok && delay > 0 && time.Until(deadline) < delay {
		return delay, false
	}
	for i, r := range rates {
		t.sent[i] = append(t.sent[i], at)
		if extra := len(t.sent[i]) - r.Count; extra > 0 {
			t.sent[i] = append(t.sent[i][:0], t.sent[i][extra:]...)
		}
	}
	return delay, true
}

func (p *Pace) targetLocked(target string, rates int, now time.Time) *turn {
	if t, ok := p.targets[target]; ok && len(t.sent) == rates {
		return t
	}
	if len(p.targets) >= maxTargets {
		p.forgetLocked(now)
	}
	t := &turn{sent: make([][]time.Time, rates)}
	p.targets[target] = t
	return t
}

// forgetLocked drops the targets that have been quiet for longer than any service's window.
func (p *Pace) forgetLocked(now time.Time) {
	const quiet = 10 * time.Minute
	for name, t := range p.targets {
		idle := now.Sub(t.held) > quiet
		for _, sent := range t.sent {
			idle = idle && (len(sent) == 0 || now.Sub(sent[len(sent)-1]) > quiet)
		}
		if idle {
			delete(p.targets, name)
		}
	}
}

// hold leaves a target alone for d, as it asked.
func (p *Pace) hold(target string, d time.Duration) {
	if d <= 0 {
		return
	}
	until := p.now().Add(d)
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.targets[target]; ok && t.held.Before(until) {
		t.held = until
	}
}

// Take takes one of count turns in any window of the length per, and reports false when there is none now.
func (p *Pace) Take(target string, count int, per time.Duration) bool {
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancel()
	_, ok := p.reserve(ctx, target, []Rate{{count, per}})
	return ok
}
