package forward

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Status is how a forwarder does, over all shards.
type Status struct {
	State       string     `json:"state"` // running, retrying, waiting, paused or stopped
	LagMessages uint64     `json:"lag_messages"`
	LagSeconds  float64    `json:"lag_seconds"` // age of the oldest message that waits
	Delivered   uint64     `json:"delivered_rows"`
	Filtered    uint64     `json:"filtered_rows"`
	Failed      uint64     `json:"failed_rows"`
	Batches     uint64     `json:"batches"`
	Lost        uint64     `json:"lost_messages"`
	LastError   *Fault     `json:"last_error"` // null when the last attempt was good
	Gaps        []gap      `json:"gaps"`
	Buried      []burial   `json:"given_up"`
	Node        string     `json:"node"`       // that runs it
	Updated     *time.Time `json:"updated_at"` // null until a node runs it
}

// Fault is an error of a target.
type Fault struct {
	At       time.Time `json:"at"`
	Attempts int       `json:"attempts"` // so far
	Message  string    `json:"message"`
}

// The states.
const (
	stateRunning  = "running"
	stateRetrying = "retrying" // the target does not take a batch
	stateWaiting  = "waiting"  // the labels of streams are not known yet
	statePaused   = "paused"
	stateStopped  = "stopped" // no node runs it
)

// staleAfter is how many looks may pass without news of a forwarder until it counts as stopped.
const staleAfter = 2 * idleSaves

// Status returns how a forwarder does. What it shows is some seconds old.
func (s *Service) Status(ctx context.Context, tenant seamark.TenantID, name string) (Status, error) {
	doc, _, err := s.book.find(ctx, tenant, name)
	if err != nil {
		return Status{}, err
	}
	shards, err := s.ledger.list(ctx, tenant, doc.ID)
	if err != nil {
		return Status{}, err
	}
	out := Status{State: stateStopped, Gaps: []gap{}, Buried: []burial{}}
	now := s.opts.Now()
	for _, key := range slices.Sorted(maps.Keys(shards)) {
		p := shards[key]
		out.add(&p, now)
		if p.Node == "" || now.Sub(p.Updated) > staleAfter*s.opts.Look {
			continue
		}
		out.State = worse(out.State, p.state())
	}
	if doc.Definition.Paused {
		out.State = statePaused
	}
	slices.SortFunc(out.Gaps, func(a, b gap) int { return a.Until.Compare(b.Until) })
	slices.SortFunc(out.Buried, func(a, b burial) int { return a.At.Compare(b.At) })
	return out, nil
}

// add counts a shard in.
func (s *Status) add(p *progress, now time.Time) {
	s.LagMessages += p.Lag
	if !p.Oldest.IsZero() {
		s.LagSeconds = max(s.LagSeconds, now.Sub(p.Oldest).Seconds())
	}
	s.Delivered += p.Delivered
	s.Filtered += p.Filtered
	s.Failed += p.Failed
	s.Batches += p.Batches
	s.Lost += p.Lost + p.Missed
	s.Gaps, s.Buried = append(s.Gaps, p.Gaps...), append(s.Buried, p.Buried...)
	s.Node = cmp.Or(p.Node, s.Node)
	if p.Error != "" && (s.LastError == nil || p.ErrorAt.After(s.LastError.At)) {
		s.LastError = &Fault{At: p.ErrorAt, Attempts: p.Attempts, Message: p.Error}
	}
	if p.Node != "" && (s.Updated == nil || p.Updated.After(*s.Updated)) {
		s.Updated = &p.Updated
	}
}

func (p *progress) state() string {
	switch {
	case p.Error != "":
		return stateRetrying
	case p.Blocked != "":
		return stateWaiting
	}
	return stateRunning
}

// worse returns the state that more is to be done about.
func worse(a, b string) string {
	order := []string{stateStopped, stateRunning, stateWaiting, stateRetrying}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}
