// Package doctor looks at an installation from the settings that its processes get, and says of each thing whether it is as it should
// be and what to do where it is not. It only reads: it may run beside a server at any time. It takes no address, makes no file and
// writes to no engine. Only cmd imports it.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Level is how a check came out.
type Level string

// The levels, from the best to the worst.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Failure Level = "failure"
)

// Finding is the outcome of one check.
type Finding struct {
	Level   Level  `json:"level"`
	Check   string `json:"check"`
	Message string `json:"message"`
	// Advice is what to do about it; "" where nothing is to be done.
	Advice string `json:"advice,omitempty"`
}

// Report is the outcome of all checks.
type Report struct {
	Level    Level     `json:"level"` // the worst
	Findings []Finding `json:"findings"`
}

// Options are the installation's settings as far as they are looked at.
type Options struct {
	// Settings is what the product itself says of its settings; nil is good.
	Settings error
	DataDir  string
	// Socket is where the embedded NATS is reached while it runs.
	Socket string
	// Addresses are those that the process listens on, the admin address included.
	Addresses    []Address
	Admin        string
	RootKey      RootKey
	Certificates []Certificate
	NATS         NATSOptions
	ClickHouse   ClickHouseOptions
	Disk         DiskOptions
	// MemoryBytes is what the settings let the process and its engine take together.
	MemoryBytes int64
	// Files is how many file descriptors the settings let the process open.
	Files uint64
	// MaxClockDifference is how far another clock may be from ours; ten times that is a failure.
	MaxClockDifference time.Duration
	// CertificateLife is for how long a certificate has to be good.
	CertificateLife time.Duration
	// Timeout bounds each question to another process.
	Timeout time.Duration
	Now     func() time.Time
	// Root is the folder that /proc and /sys are in; "" is the machine's own.
	Root string
}

// RootKey says where the key is that secrets are sealed under.
type RootKey struct {
	Needed bool
	Given  bool   // in the environment, not in File
	File   string // "" where nobody has said
	Made   bool   // the first start makes it
}

// NATSOptions are the settings of the queue.
type NATSOptions struct {
	URL, CredsFile string // URL "" is the embedded server
	// MonitorURLs are the servers' monitoring addresses, which alone tell whether they sync.
	MonitorURLs []string
	Replicas    int
	// Streams is how many streams of MaxStreamBytes each there will be.
	Streams         int
	MaxStreamBytes  int64
	DuplicateWindow time.Duration
}

// ClickHouseOptions are the settings of the store.
type ClickHouseOptions struct {
	Shards      []ClickHouseShard // none is the embedded engine
	CreateUsers bool
	Workloads   bool
	Library     string
}

// ClickHouseShard is where the servers of one shard are.
type ClickHouseShard struct {
	DSN       string
	HTTPAddrs []string
}

// DiskOptions say how much of a disk has to be free.
type DiskOptions struct {
	// Dirs are folders that data is written to.
	Dirs                 []string
	MinFreePercent       int
	MaxReserveBytes      int64
	MinFreeInodesPercent int
}

// exam is one round of checks.
type exam struct {
	o       *Options
	report  Report
	running bool // a server works on the data folder, or answers on the admin address
	within  bool // it is this process
}

// Examine makes all checks, one after the other.
func Examine(ctx context.Context, o Options) *Report {
	e := &exam{o: &o, report: Report{Level: OK}}
	e.settings()
	e.server(ctx)
	e.addresses(ctx)
	e.certificates()
	e.rootKey()
	e.disks()
	e.memory()
	e.files()
	e.kernel()
	e.clock()
	e.nats(ctx)
	e.clickhouse(ctx)
	return &e.report
}

// ExamineProcess makes the checks that a running server makes of itself and its machine: certificates, the root key, disks, memory, file
// descriptors, the kernel and the clock.
func ExamineProcess(o Options) *Report {
	e := &exam{o: &o, report: Report{Level: OK}, running: true, within: true}
	e.certificates()
	e.rootKey()
	e.disks()
	e.memory()
	e.files()
	e.kernel()
	e.clock()
	return &e.report
}

// ExamineEngines makes the checks of the queue and the store that one running server makes for all.
func ExamineEngines(ctx context.Context, o Options) *Report {
	e := &exam{o: &o, report: Report{Level: OK}, running: true, within: true}
	e.nats(ctx)
	e.clickhouse(ctx)
	return &e.report
}

// settings tells what the product would refuse at its start.
func (e *exam) settings() {
	if e.o.Settings == nil {
		e.ok("settings", "flags, environment and file fit together")
		return
	}
	for line := range strings.Lines(e.o.Settings.Error()) {
		e.fail("settings", "Correct the flag, its environment variable or the configuration file; the server does not start with it.", "%s", strings.TrimSpace(line))
	}
}

func (e *exam) ok(check, format string, args ...any) {
	e.add(Finding{Level: OK, Check: check, Message: fmt.Sprintf(format, args...)})
}

func (e *exam) warn(check, advice, format string, args ...any) {
	e.add(Finding{Level: Warning, Check: check, Advice: advice, Message: fmt.Sprintf(format, args...)})
}

func (e *exam) fail(check, advice, format string, args ...any) {
	e.add(Finding{Level: Failure, Check: check, Advice: advice, Message: fmt.Sprintf(format, args...)})
}

func (e *exam) add(f Finding) {
	e.report.Findings = append(e.report.Findings, f)
	e.report.Level = Worst(e.report.Level, f.Level)
}

// Worst returns the worse of two levels.
func Worst(a, b Level) Level {
	if severity(b) > severity(a) {
		return b
	}
	return a
}

func severity(l Level) int {
	switch l {
	case OK:
		return 0
	case Warning:
		return 1
	}
	return 2
}

// Code is the exit code of a report: 0 where all is well, 1 with warnings, 2 with failures.
func (r *Report) Code() int { return severity(r.Level) }

// WriteText writes a line per finding.
func (r *Report) WriteText(w io.Writer) error {
	for _, f := range r.Findings {
		line := fmt.Sprintf("%-8s %-12s %s", f.Level, f.Check, f.Message)
		if f.Advice != "" {
			line += " -> " + f.Advice
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the report as one document.
func (r *Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// bounded returns a context that ends when a question has taken too long.
func (e *exam) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, e.o.Timeout)
}

// difference judges how far an engine's clock is ahead of ours, which is known up to uncertain.
func (e *exam) difference(whose string, ahead, uncertain time.Duration) {
	e.add(JudgeClock(whose, ahead, uncertain, e.o.MaxClockDifference))
}

// JudgeClock judges how far another clock is ahead of ours, which is known up to uncertain; most is how far it may be.
func JudgeClock(whose string, ahead, uncertain, most time.Duration) Finding {
	const advice = "Let NTP or chrony keep the clocks of all machines: rows and alerts are judged by them."
	off := max(ahead.Abs()-uncertain/2, 0)
	text := fmt.Sprintf("the clock of %s is %s from this machine's", whose, ahead.Round(time.Millisecond).Abs())
	switch {
	case off > 10*most:
		return Finding{Failure, "clock", fmt.Sprintf("%s, more than ten times %s", text, most), advice}
	case off > most:
		return Finding{Warning, "clock", fmt.Sprintf("%s, more than %s", text, most), advice}
	}
	return Finding{Level: OK, Check: "clock", Message: text}
}

// some lists names, but not more than fit on a line.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// bytesText writes a number of bytes for people.
func bytesText[N int64 | uint64](n N) string {
	const unit = 1024
	f, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	for len(units) > 1 && f >= unit {
		f, units = f/unit, units[1:]
	}
	if f == float64(int64(f)) {
		return fmt.Sprintf("%d %s", int64(f), units[0])
	}
	return fmt.Sprintf("%.1f %s", f, units[0])
}
