package doctor

import (
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/store"
)

// TestKernelAnswers gives each judgement what the kernel of this machine may not answer.
func TestKernelAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		ask  func(e *exam)
		want Level
	}{
		{"no Landlock", func(e *exam) { e.landlock(0) }, Warning},
		{"Landlock without renames", func(e *exam) { e.landlock(1) }, Warning},
		{"Landlock", func(e *exam) { e.landlock(landlockNeeded) }, OK},
		{"threads that may not come first", func(e *exam) { e.threads(syscall.EPERM) }, Warning},
		{"threads that may", func(e *exam) { e.threads(nil) }, OK},
		{"a clock on its own", func(e *exam) { e.synchronised(false) }, Warning},
		{"a clock that is kept", func(e *exam) { e.synchronised(true) }, OK},
		{"few files", func(e *exam) { e.descriptors(1023) }, Warning},
		{"files enough", func(e *exam) { e.descriptors(1024) }, OK},
		{"clocks alike", func(e *exam) { e.difference("x", 900*time.Millisecond, 0) }, OK},
		{"a slow answer", func(e *exam) { e.difference("x", -3*time.Second, 5*time.Second) }, OK},
		{"a clock behind", func(e *exam) { e.difference("x", -2*time.Second, 0) }, Warning},
		{"another hour", func(e *exam) { e.difference("x", time.Hour, time.Second) }, Failure},
		{"room in a stream", func(e *exam) { e.share("streams", "do", "s", 79, 100) }, OK},
		{"a stream that fills", func(e *exam) { e.share("streams", "do", "s", 81, 100) }, Warning},
		{"one server, asked twice", func(e *exam) { e.apart(map[string]*store.Inspection{"a": {Local: 7}}) }, OK},
		{"servers that share tables", func(e *exam) { e.apart(map[string]*store.Inspection{"a": {}, "b": {}}) }, OK},
		{"servers with rows of their own", func(e *exam) { e.apart(map[string]*store.Inspection{"a": {Local: 7}, "b": {}}) }, Failure},
		{"a full stream", func(e *exam) { e.share("streams", "do", "s", 96, 100) }, Failure},
	} {
		e := &exam{o: &Options{MaxClockDifference: time.Second, Files: 1024}, report: Report{Level: OK}}
		if c.ask(e); e.report.Level != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, e.report.Level, c.want, e.report.Findings)
		}
	}
}
