package seamark

import "sync/atomic"

// LogPattern is the template of log lines: their text with <_> for what differs. Apart from its mark it never changes after it
// was made, so batches of concurrent requests share it.
type LogPattern struct {
	ID   uint64 // a hash of Text, the same everywhere and at all times
	Text string

	ackedDay atomic.Int32
}

// Acked reports whether the bus has acknowledged this template's text for the given day (days since 1970, UTC).
func (p *LogPattern) Acked(day int32) bool { return p.ackedDay.Load() == day }

// MarkAcked remembers that the bus holds this template's text for day. It is called only after the acknowledgement.
func (p *LogPattern) MarkAcked(day int32) { p.ackedDay.Store(day) }
