package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// dropAction removes every record that the step takes.
type dropAction struct{}

func (c *compiler) compileDrop(s *Step) action {
	if len(s.Match) == 0 {
		c.fault("match", -1, 0, errors.New(`a drop step without a condition would remove everything; if that is meant, write "true"`))
	}
	return dropAction{}
}

// apply implements action.
func (dropAction) apply(w *run, i int) (bool, error) {
	w.drop(i)
	return false, nil
}

// sampleAction keeps a share of the records. Which ones is a matter of their content, so that a repeated request and
// every node decide alike; the seed is the step's number, so that a second sample step takes its share of what the first
// one left.
type sampleAction struct {
	limit   uint64 // a record stays when its hash is below
	all     bool   // ratio 1: no hash is below a limit that does not fit
	byTrace bool
	seed    uint64
}

func (c *compiler) compileSample(s *Step) action {
	a := &sampleAction{byTrace: s.By == "trace"}
	if s.By != "" && s.By != "trace" && s.By != "record" {
		c.fault("by", -1, 0, fmt.Errorf("%.40q is unknown; use record or trace", s.By))
	}
	if s.Ratio == nil || !(*s.Ratio >= 0 && *s.Ratio <= 1) {
		c.fault("ratio", -1, 0, errors.New("a sample step needs a ratio from 0 to 1, the share that is kept"))
		return a
	}
	a.all = *s.Ratio == 1
	if !a.all {
		a.limit = uint64(*s.Ratio * math.MaxUint64)
	}
	return a
}

// apply implements action.
func (a *sampleAction) apply(w *run, i int) (bool, error) {
	if !a.all && a.hash(w, i) >= a.limit {
		w.drop(i)
	}
	return false, nil
}

// hash is the same for the same record on every node and in every version: a change would let a repeated request give
// other rows.
func (a *sampleAction) hash(w *run, i int) uint64 {
	l, d := &w.batch.Logs, w.digest
	d.ResetWithSeed(a.seed)
	if a.byTrace && l.TraceID[i] != [16]byte{} {
		_, _ = d.Write(l.TraceID[i][:])
		return d.Sum64()
	}
	var head [16]byte
	binary.LittleEndian.PutUint64(head[:8], l.Streams[l.Stream[i]].FP)
	binary.LittleEndian.PutUint64(head[8:], uint64(l.TimeNano[i]))
	_, _ = d.Write(head[:])
	_, _ = d.WriteString(l.Body[i])
	for _, attr := range w.attrs(i) {
		_, _ = d.WriteString(attr.Name)
		_, _ = d.Write([]byte{0xff})
		_, _ = d.WriteString(attr.Value)
		_, _ = d.Write([]byte{0xfe})
	}
	return d.Sum64()
}
