// Package catalogtest is a small seamark.Catalog for tests and benchmarks of the decoders. It checks what the real
// catalogue checks only as far as decoders must react to it, and never forgets a series. Only _test.go files import it.
package catalogtest

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Catalog implements seamark.Catalog in two maps. Make one with New.
type Catalog struct {
	mu      sync.RWMutex
	byKey   map[uint64]*seamark.Series
	byFP    map[uint64]*seamark.Series
	creates int
}

// New returns an empty catalogue.
func New() *Catalog {
	return &Catalog{byKey: make(map[uint64]*seamark.Series), byFP: make(map[uint64]*seamark.Series)}
}

// Find implements seamark.Catalog.
func (c *Catalog) Find(key uint64) *seamark.Series {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byKey[key]
}

// Create implements seamark.Catalog. It refuses label sets that are empty, repeat a name or are not UTF-8, and metric
// series without a name; it drops labels whose value is empty.
func (c *Catalog) Create(key uint64, kind seamark.SeriesKind, labels []seamark.Label) (*seamark.Series, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.creates++
	seamark.SortLabels(labels)
	kept := make([]seamark.Label, 0, len(labels))
	for i, l := range labels {
		switch {
		case l.Name == "":
			return nil, seamark.Errorf(seamark.Invalid, "seamark-label-name", "A label has no name.")
		case !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value):
			return nil, seamark.Errorf(seamark.Invalid, "seamark-label-utf8", "Label %q is not valid UTF-8.", l.Name)
		case i > 0 && labels[i-1].Name == l.Name:
			return nil, seamark.Errorf(seamark.Invalid, "seamark-label-duplicate", "Label %q stands twice.", l.Name)
		case l.Value != "":
			kept = append(kept, seamark.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
		}
	}
	if len(kept) == 0 {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-labels-empty", "The label set is empty.")
	}
	s := &seamark.Series{Kind: kind, FP: fingerprint(kind, kept), Labels: kept}
	if kind == seamark.MetricSeries {
		if s.Name = s.Label(seamark.MetricNameLabel); s.Name == "" {
			return nil, seamark.Errorf(seamark.Invalid, "seamark-series-unnamed", "The series has no %s label.", seamark.MetricNameLabel)
		}
	}
	if known := c.byFP[s.FP]; known != nil {
		s = known
	}
	c.byFP[s.FP], c.byKey[key] = s, s
	return s, nil
}

// Creates returns how often Create was called, so that a test can see that a warm catalogue is not asked to parse again.
func (c *Catalog) Creates() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.creates
}

// Len returns how many different series the catalogue holds.
func (c *Catalog) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.byFP)
}

func fingerprint(kind seamark.SeriesKind, labels []seamark.Label) uint64 {
	text := []byte{byte(kind)}
	for _, l := range labels {
		text = append(append(text, l.Name...), 0xff)
		text = append(append(text, l.Value...), 0xff)
	}
	return xxhash.Sum64(text)
}
