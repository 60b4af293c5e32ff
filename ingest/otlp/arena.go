package otlp

import "github.com/seamarkhq/seamark/internal/seamark"

// The sizes of an arena's pieces, which double from the first to the last: small requests waste little, large ones
// allocate every few hundred rows.
const (
	firstLabels, lastLabels = 32, 1024
	firstBytes, lastBytes   = 1 << 10, 32 << 10
)

// arena gives a batch the memory that its rows refer to in a few large pieces. The pieces belong to the batch: a decoder
// forgets them when the request ends and never writes to them again.
type arena struct {
	labels []seamark.Label
	bytes  []byte
}

// keepLabels returns a copy of list, nil for an empty one.
func (a *arena) keepLabels(list []seamark.Label) []seamark.Label {
	if len(list) == 0 {
		return nil
	}
	if cap(a.labels)-len(a.labels) < len(list) {
		a.labels = make([]seamark.Label, 0, max(firstLabels, min(2*cap(a.labels), lastLabels), len(list)))
	}
	start := len(a.labels)
	a.labels = append(a.labels, list...)
	return a.labels[start:len(a.labels):len(a.labels)]
}

// keepText returns b's bytes as a string of its own.
func (a *arena) keepText(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if cap(a.bytes)-len(a.bytes) < len(b) {
		a.bytes = make([]byte, 0, max(firstBytes, min(2*cap(a.bytes), lastBytes), len(b)))
	}
	start := len(a.bytes)
	a.bytes = append(a.bytes, b...)
	return alias(a.bytes[start:])
}
