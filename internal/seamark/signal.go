package seamark

// Signal is a kind of telemetry. Its value is stable: it stands in bus messages.
type Signal uint8

// The signals.
const (
	Logs Signal = iota + 1
	Metrics
	Events
	Traces
)

// Signals lists every signal that is stored today.
func Signals() []Signal { return []Signal{Logs, Metrics, Events, Traces} }

// String returns the signal's name as it stands in subjects, JSON and metrics.
func (s Signal) String() string {
	switch s {
	case Logs:
		return "logs"
	case Metrics:
		return "metrics"
	case Events:
		return "events"
	case Traces:
		return "traces"
	}
	return "unknown"
}

// ParseSignal is the inverse of String.
func ParseSignal(s string) (Signal, error) {
	for _, sig := range []Signal{Logs, Metrics, Events, Traces} {
		if sig.String() == s {
			return sig, nil
		}
	}
	return 0, Errorf(Invalid, "seamark-signal-unknown", "Signal %q is unknown; use logs, metrics, events or traces.", clip(s))
}

// SignalSet is a set of signals, the scope of an ingest token.
type SignalSet uint8

// AllSignals is the scope of a token that was created without one.
const AllSignals SignalSet = 0xff

// NewSignalSet makes a set of the given signals.
func NewSignalSet(signals ...Signal) SignalSet {
	var s SignalSet
	for _, sig := range signals {
		s |= 1 << sig
	}
	return s
}

// Has reports whether sig is in the set.
func (s SignalSet) Has(sig Signal) bool { return s&(1<<sig) != 0 }

// List returns the set's signals in their order.
func (s SignalSet) List() []Signal {
	var list []Signal
	for _, sig := range []Signal{Logs, Metrics, Events, Traces} {
		if s.Has(sig) {
			list = append(list, sig)
		}
	}
	return list
}
