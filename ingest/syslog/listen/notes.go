package listen

import (
	"sync"
	"time"
)

// noteEvery is how often the log hears of one fault. A sender that is refused connects again and again, and would
// otherwise fill the log of everybody.
const noteEvery = time.Minute

// notes decides which faults the log hears of.
type notes struct {
	mu   sync.Mutex // guards last
	last map[note]*noted
}

// note is a fault and who has it. The remote address stands for senders that are not known.
type note struct{ reason, who string }

type noted struct {
	at     time.Time
	silent int // how often it happened since
}

// maxNotes bounds what is remembered: an attacker with many addresses must not be able to fill memory.
const maxNotes = 1024

// due reports whether the log should hear of the fault now, and how often it happened unheard since the last time.
func (n *notes) due(what note, now time.Time) (silent int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if seen := n.last[what]; seen != nil {
		if now.Sub(seen.at) < noteEvery {
			seen.silent++
			return 0, false
		}
		silent = seen.silent
		seen.at, seen.silent = now, 0
		return silent, true
	}
	if len(n.last) >= maxNotes {
		n.forgetLocked(now)
	}
	if len(n.last) >= maxNotes {
		return 0, false
	}
	if n.last == nil {
		n.last = make(map[note]*noted)
	}
	n.last[what] = &noted{at: now}
	return 0, true
}

func (n *notes) forgetLocked(now time.Time) {
	for what, seen := range n.last {
		if now.Sub(seen.at) >= noteEvery {
			delete(n.last, what)
		}
	}
}
