package syslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/syslog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// appendAll parses and appends messages as a connection does.
func appendAll(t testing.TB, b *seamark.Batch, texts ...string) {
	t.Helper()
	d := syslog.NewDecoder()
	d.Begin(syslog.DecodeOptions{Now: now})
	defer d.Release()
	cat := catalogtest.New()
	for _, text := range texts {
		var m syslog.Message
		if !syslog.Parse([]byte(text), syslog.Clock{Now: now}, &m) {
			t.Fatalf("%q was refused", text)
		}
		if err := d.Append(&m, cat, b); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAppendLevels: the severity of the priority, by RFC 5424's table; without one the text tells.
func TestAppendLevels(t *testing.T) {
	want := []seamark.Level{seamark.LevelCritical, seamark.LevelCritical, seamark.LevelCritical, seamark.LevelError, seamark.LevelWarn,
		seamark.LevelInfo, seamark.LevelInfo, seamark.LevelDebug}
	for severity, level := range want {
		var b seamark.Batch
		appendAll(t, &b, fmt.Sprintf("<%d>app: hello", 8+severity))
		if b.Logs.Level[0] != level {
			t.Errorf("severity %d gives %v, want %v", severity, b.Logs.Level[0], level)
		}
	}
	var b seamark.Batch
	appendAll(t, &b, "level=error msg=hello")
	if b.Logs.Level[0] != seamark.LevelError {
		t.Errorf("a line without a priority gives %v", b.Logs.Level[0])
	}
}

func TestAppendTime(t *testing.T) {
	var b seamark.Batch
	appendAll(t, &b, "<14>1 2026-08-21T11:00:00.5Z - - - - - told", "<14>not told")
	if want := at(t, "2026-08-21T11:00:00.5Z"); b.Logs.TimeNano[0] != want {
		t.Errorf("got %d, want %d", b.Logs.TimeNano[0], want)
	}
	if want := now.UnixNano(); b.Logs.TimeNano[1] != want {
		t.Errorf("got %d, want now, %d", b.Logs.TimeNano[1], want)
	}
}

// TestAppendNotUTF8: RFC 3164 senders write any encoding; what is stored is UTF-8.
func TestAppendNotUTF8(t *testing.T) {
	var b seamark.Batch
	appendAll(t, &b, "<14>Aug 11 22:14:15 host app: caf\xe9", "<14>Aug 11 22:14:15 h\xe9st \xe9pp: x")
	if got := b.Logs.Body[0]; got != "caf\ufffd" {
		t.Errorf("got %q", got)
	}
	if b.Logs.Len() != 2 || b.Rejected.Rows() != 0 {
		t.Errorf("%d rows, rejected %+v", b.Logs.Len(), b.Rejected)
	}
}

func TestAppendManyAttrs(t *testing.T) {
	var b seamark.Batch
	var data strings.Builder
	for i := range 200 {
		fmt.Fprintf(&data, ` p%d="v"`, i)
	}
	appendAll(t, &b, "<14>1 - - - - - [x@1"+data.String()+"] hello")
	if n := len(b.Logs.AttrsOf(0)); n > seamark.DefaultLimits().MaxAttrs {
		t.Errorf("a row has %d attributes", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	const lines = 1000
	for name, line := range map[string]string{
		"rfc5424": `<165>1 2026-08-21T11:14:15.003Z node-1 api 4711 ID47 [meta@32473 sequenceId="17" region="eu"] GET /api/v1/orders 200 in 12ms for customer 4711`,
		"rfc3164": "<30>Aug 21 11:14:15 node-1 api[4711]: GET /api/v1/orders 200 in 12ms for customer 4711",
	} {
		b.Run(name, func(b *testing.B) {
			d, cat := syslog.NewDecoder(), catalogtest.New()
			var batch seamark.Batch
			var m syslog.Message
			text := []byte(line)
			b.SetBytes(int64(lines * len(line)))
			b.ReportAllocs()
			began := time.Now()
			for b.Loop() {
				batch.Reset()
				d.Begin(syslog.DecodeOptions{Now: now})
				for range lines {
					syslog.Parse(text, syslog.Clock{Now: now}, &m)
					if err := d.Append(&m, cat, &batch); err != nil {
						b.Fatal(err)
					}
				}
				d.Release()
			}
			b.ReportMetric(float64(time.Since(began).Nanoseconds())/float64(b.N*lines), "ns/row")
		})
	}
}
