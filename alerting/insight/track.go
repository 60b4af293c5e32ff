package insight

import "time"

// Phase is where an alert stands.
type Phase string

// The phases.
const (
	Calm    Phase = ""
	Pending Phase = "pending"
	Firing  Phase = "firing"
)

// Sight is what one look at a series says.
type Sight uint8

// The sights. Between Outside and Inside there is a margin: what lies in it changes nothing, so that a value that wanders about the
// edge neither rings nor falls silent with each step.
const (
	Inside Sight = iota
	Margin
	Outside
	Missing
)

// Hold says how long a sight must last to change a phase.
type Hold struct {
	For  time.Duration // outside before it fires
	Keep time.Duration // inside before it ends
	Lost time.Duration // without a value before it ends
}

// Track is where one alert stands. Its zero is calm.
type Track struct {
	Phase Phase     `json:"phase,omitempty"`
	Since time.Time `json:"since,omitzero"` // first look outside
	Fired time.Time `json:"fired,omitzero"`
	Quiet time.Time `json:"quiet,omitzero"` // first look inside, or without a value, since it was outside last
	Last  time.Time `json:"last,omitzero"`  // last look with a value
}

// Advance takes one look into account; looks come in the order of their times.
func (t Track) Advance(at time.Time, sight Sight, h Hold) Track {
	switch sight {
	case Outside:
		if t.Phase == Calm {
			t = Track{Phase: Pending, Since: at}
		}
		if t.Phase == Pending && at.Sub(t.Since) >= h.For {
			t.Phase, t.Fired = Firing, at
		}
		t.Quiet, t.Last = time.Time{}, at
		return t
	case Margin:
		t.Quiet, t.Last = time.Time{}, at
		return t
	case Inside:
		t.Last = at
		return t.rest(at, h.Keep)
	case Missing:
	}
	return t.rest(at, h.Lost)
}

// rest counts the time that an alert has no reason any more.
func (t Track) rest(at time.Time, enough time.Duration) Track {
	if t.Phase == Calm {
		return t
	}
	if t.Quiet.IsZero() {
		t.Quiet = at
	}
	if t.Phase == Pending && t.Last.Equal(at) || at.Sub(t.Quiet) >= enough {
		return Track{Last: t.Last}
	}
	return t
}
