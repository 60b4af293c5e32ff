package level

import (
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// known are lines as the named programs print them.
var known = []struct {
	name string
	line string
	want seamark.Level
}{
	{"klog info", `I1120 22:31:00.623049   21757 handler.go:288] Adding GroupVersion authorization.k8s.io v1 to ResourceManager`, seamark.LevelInfo},
	{"klog warning", `W1120 22:31:00.630269   21757 genericapiserver.go:778] Skipping API node.k8s.io/v1beta1 because it has no resources.`, seamark.LevelWarn},
	{"klog error", `E1120 22:32:28.583467   22021 configmap_cafile_content.go:246] "Unhandled Error" err="level=debug" logger="UnhandledError"`, seamark.LevelError},
	{"klog fatal", `F0102 15:04:05.000000       1 main.go:10] cannot start`, seamark.LevelCritical},
	{"etcd", `{"level":"info","ts":"2026-11-20T22:41:00.372734Z","caller":"mvcc/kvstore_compaction.go:70","msg":"finished scheduled compaction"}`, seamark.LevelInfo},
	{"slog JSON", `{"time":"2026-11-20T22:47:12.73659948Z","level":"ERROR","source":{"function":"sigs.k8s.io/kwok/pkg/kwok/controllers.(*PodController).playStageWorker"},"msg":"Error playing stage"}`, seamark.LevelError},
	{"slog text", `time=2024-05-01T10:00:00.000Z level=WARN msg="slow query" took=2s`, seamark.LevelWarn},
	{"logrus", `time="2024-05-01T10:00:00Z" level=error msg="connection refused" component=db`, seamark.LevelError},
	{"logfmt short key", `ts=2024-05-01T10:00:00Z lvl=dbug msg="x" lvl=dbg`, seamark.LevelDebug},
	{"logfmt first", `level=info ts=2024-05-01T10:00:00Z caller=main.go:1 msg=ready`, seamark.LevelInfo},
	{"go-kit quoted", `ts=1 level="warn" msg=x`, seamark.LevelWarn},
	{"pino", `{"level":30,"time":1714557600000,"pid":1,"hostname":"api","msg":"listening"}`, seamark.LevelInfo},
	{"pino fatal", `{"level":60,"time":1714557600000,"msg":"out of memory"}`, seamark.LevelCritical},
	{"GCP", `{"severity":"WARNING","message":"quota nearly used","time":"2024-05-01T10:00:00Z"}`, seamark.LevelWarn},
	{"JSON with blanks", `{"ts": 1, "level" : "Debug", "msg": "x"}`, seamark.LevelDebug},
	{"ECS", `{"@timestamp":"2024-05-01T10:00:00.000Z","log.level":"ERROR","message":"x"}`, seamark.LevelError},
	{".NET JSON", `{"EventId":0,"LogLevel":"Information","Category":"Microsoft.Hosting.Lifetime"}`, seamark.LevelInfo},
	{"Serilog", `{"Timestamp":"2024-05-01","Level":"Warning","MessageTemplate":"x"}`, seamark.LevelWarn},
	{"Python JSON", `{"asctime": "2024-05-01 10:00:00", "levelname": "CRITICAL", "message": "x"}`, seamark.LevelCritical},
	{"OpenTelemetry text", `{"severity_text":"Error","body":"x"}`, seamark.LevelError},
	{"JSON inside JSON", `{"log":"{\"level\":\"warn\",\"msg\":\"x\"}\n","stream":"stderr"}`, seamark.LevelWarn},
	{"Kubernetes audit", `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"0"}`, seamark.LevelUnknown},
	{"JSON, level after text", `{"msg":"ERROR level of water","level":"info"}`, seamark.LevelInfo},
	{"JSON without", `{"msg":"ERROR is only a word here"}`, seamark.LevelUnknown},
	{"zap console", "2024-05-01T10:00:00.000Z\tINFO\tserver/main.go:42\tlistening", seamark.LevelInfo},
	{"zerolog console", `10:00AM ERR cannot connect error="refused"`, seamark.LevelError},
	{"logback", `2024-05-01 10:00:00.123  WARN 1 --- [nio-8080-exec-1] c.e.shop.OrderController  : retrying`, seamark.LevelWarn},
	{"log4j", `2024-05-01 10:00:00,123 [main] DEBUG org.example.App - starting`, seamark.LevelDebug},
	{"Python", `2024-05-01 10:00:00,123 - orders.worker - ERROR - job failed`, seamark.LevelError},
	{"Python basic", `WARNING:root:disk is filling`, seamark.LevelWarn},
	{"Celery", `[2024-05-01 10:00:00,000: ERROR/MainProcess] Task failed`, seamark.LevelError},
	{"nginx error log", `2024/05/01 10:00:00 [error] 29#29: *1 connect() failed (111: Connection refused)`, seamark.LevelError},
	{"nginx notice", `2024/05/01 10:00:00 [notice] 1#1: start worker processes`, seamark.LevelInfo},
	{"Apache", `[Wed May 01 10:00:00.000000 2024] [core:warn] [pid 1] [ warn ] AH00098`, seamark.LevelWarn},
	{"bracketed", `[ERROR] plugin/errors: 2 example.org. A: read udp: i/o timeout`, seamark.LevelError},
	{"env_logger", `[2024-05-01T10:00:00Z INFO  my_crate] hello`, seamark.LevelInfo},
	{"tracing in colour", "\x1b[2m2024-05-01T10:00:00.000000Z\x1b[0m \x1b[33m WARN\x1b[0m app: slow", seamark.LevelWarn},
	{"colour around the word", "\x1b[1;31mERROR\x1b[0m[0000] failed", seamark.LevelError},
	{"PostgreSQL", `2024-05-01 10:00:00.000 UTC [42] FATAL:  password authentication failed`, seamark.LevelCritical},
	{"PostgreSQL log", `2024-05-01 10:00:00.000 UTC [42] LOG:  checkpoint starting: time`, seamark.LevelUnknown},
	{"syslog priority", `<11>May  1 10:00:00 host app[1]: failed`, seamark.LevelError},
	{"syslog debug", `<191>1 2024-05-01T10:00:00Z host app - - - x`, seamark.LevelDebug},
	{"git", `error: pathspec 'x' did not match`, seamark.LevelError},
	{".NET console", `info: Microsoft.Hosting.Lifetime[14]`, seamark.LevelInfo},
	{"compiler", `Warning: deprecated`, seamark.LevelWarn},
	{"after a level word that says nothing", `loglevel=unset then level=error`, seamark.LevelError},
	{"only the word", `ERROR`, seamark.LevelError},
	{"capitals end at 64", strings.Repeat(".", 58) + " ERROR x", seamark.LevelError},

	{"nothing", ``, seamark.LevelUnknown},
	{"too short", `ok`, seamark.LevelUnknown},
	{"access log", `10.0.0.1 - - [01/May/2024:10:00:00 +0000] "GET /error HTTP/1.1" 200 512 "-" "curl/8.0"`, seamark.LevelUnknown},
	{"flag", `starting with --log-level=debug --v=4`, seamark.LevelUnknown},
	{"other key", `sublevel=error waterlevel=warn level_max=error`, seamark.LevelUnknown},
	{"word inside", `INFORMATION_SCHEMA ERRORS X-ERROR ERROR_CODE`, seamark.LevelUnknown},
	{"prose", `the previous error level of the river was never severe`, seamark.LevelUnknown},
	{"word too far", strings.Repeat(".", 64) + " ERROR x", seamark.LevelUnknown},
	{"word cut at 64", strings.Repeat(".", 60) + " ERROR x", seamark.LevelUnknown},
	{"key too far", strings.Repeat(".", 256) + " level=error", seamark.LevelUnknown},
	{"key at the end", `x level`, seamark.LevelUnknown},
	{"key without value", `x level=`, seamark.LevelUnknown},
	{"not a klog date", `Invalid or 2`, seamark.LevelUnknown},
	{"not a priority", `<999>x`, seamark.LevelUnknown},
	{"tag", `<b>bold</b>`, seamark.LevelUnknown},
	{"other number", `{"level":300}`, seamark.LevelUnknown},
	{"fraction", `{"level":30.5}`, seamark.LevelUnknown},
	{"stray brackets", `[[[ [`, seamark.LevelUnknown},
}

func TestDetectLevel(t *testing.T) {
	for _, c := range known {
		if got := DetectLevel(c.line); got != c.want {
			t.Errorf("%s: got %s, want %s\n%s", c.name, got, c.want, c.line)
		}
	}
}

func TestParse(t *testing.T) {
	for _, word := range []string{"", "info", "INFO", "warn", "Warning", "Error", "DEBUG", "err", "EMERGENCY", "information", "INFORMATIONS", "verbose", "nonsense", "É"} {
		if got, want := Parse(word), seamark.ParseLevel(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

func TestDetectAllocatesNothing(t *testing.T) {
	for _, c := range known {
		if n := testing.AllocsPerRun(10, func() { DetectLevel(c.line); FindTraceID(c.line) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func FuzzDetectLevel(f *testing.F) {
	for _, c := range known {
		f.Add(c.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := DetectLevel(line)
		if int(got) >= len(seamark.LevelNames()) {
			t.Fatalf("level %d does not exist", got)
		}
		if cut := DetectLevel(line[:min(len(line), scanBytes)]); cut != got {
			t.Fatalf("got %s from the line and %s from its first %d bytes", got, cut, scanBytes)
		}
		want := uint64(0)
		for i := range min(len(line), wordBytes) {
			if line[i] >= 'A' && line[i] <= 'Z' {
				want |= 1 << i
			}
		}
		if capitals := capitalsOf(line); capitals != want {
			t.Fatalf("capitals: got %064b, want %064b", capitals, want)
		}
		if id, ok := FindTraceID(line); ok == (id == [16]byte{}) {
			t.Fatalf("trace id %x, %v", id, ok)
		}
	})
}

func BenchmarkDetectLevel(b *testing.B) {
	bytes := 0
	for _, c := range known {
		bytes += len(c.line)
	}
	for b.Loop() {
		for _, c := range known {
			DetectLevel(c.line)
		}
	}
	lines := float64(len(known))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
	b.ReportMetric(float64(bytes)/lines, "B/line")
}

// BenchmarkDetectLevelNone is the most expensive kind of line: plain text without any level.
func BenchmarkDetectLevelNone(b *testing.B) {
	for b.Loop() {
		DetectLevel(prose)
	}
}

const prose = `10.42.3.17 - - [01/May/2024:10:00:00 +0000] "GET /v1/orders/48151623?expand=items HTTP/1.1" 200 5120 ` +
	`"https://shop.example.org/checkout" "Mozilla/5.0 (X11; Linux x86_64) Chrome/124.0 Safari/537.36" 0.012`
