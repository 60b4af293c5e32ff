package compat

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
)

const (
	prometheusModule = "github.com/prometheus/prometheus"
	queryProtocol    = "Prometheus query API"
)

// promtools is promtool, built from the module in the folder promtool: it needs another version of client_golang than the
// clients here.
func promtools() []client {
	return []client{{
		protocol: queryProtocol, name: "promtool", modules: []string{prometheusModule}, prepare: buildPromtool,
		checks: []check{
			{"query instant: vector, scalar, native histogram; bearer token from --http.config.file", checkToolInstant},
			{"query range", checkToolRange},
			{"query series, two selectors", checkToolSeries},
			{"query labels, with a selector", checkToolLabels},
			{"query analyze: classic and native histograms", checkToolAnalyze},
			{"a query that is no PromQL and a token that is none end it with 1 and the reason", checkToolFaults},
			{"push metrics: what it pushed is read back", checkToolPush},
		},
	}}
}

// promtoolPath is where the built program stands: beside the server's data.
func (s *server) promtoolPath() string { return filepath.Join(s.dataDir, "promtool") }

// buildPromtool builds promtool without the discovery of targets, which takes most of the time and which no query uses.
func buildPromtool(t *testing.T, x *account) {
	t.Helper()
	if tool, here := readVersions(t, "promtool/go.mod")[prometheusModule], readVersions(t, "go.mod")[prometheusModule]; tool != here {
		t.Fatalf("promtool/go.mod has version %s, go.mod %s", tool, here)
	}
	cmd := exec.Command("go", "build", "-tags", "remove_all_sd", "-o", x.promtoolPath(), prometheusModule+"/cmd/promtool")
	cmd.Dir = "promtool"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build promtool: %v: %s", err, out)
	}
	if err := toolData(t.Context(), x); err != nil {
		t.Fatalf("push what promtool asks for: %v", err)
	}
}

// toolStep lies between the samples that promtool asks for. The first is at a whole minute, so that times read the same
// however they are written.
const toolStep = 15 * time.Second

// toolData pushes a counter, a classic histogram of three buckets and a native histogram, each with three samples.
func toolData(ctx context.Context, x *account) error {
	x.start = time.Now().Truncate(time.Minute).Add(-10 * time.Minute)
	request := &prompb.WriteRequest{}
	add := func(values []float64, pairs ...string) {
		s := prompb.TimeSeries{Labels: prompb.FromLabels(labels.FromStrings(pairs...), nil)}
		for i := range 3 {
			at := x.start.Add(time.Duration(i) * toolStep).UnixMilli()
			if values == nil {
				s.Histograms = append(s.Histograms, prompb.FromIntHistogram(at, someHistogram()))
				continue
			}
			s.Samples = append(s.Samples, prompb.Sample{Timestamp: at, Value: values[i]})
		}
		request.Timeseries = append(request.Timeseries, s)
	}
	add([]float64{1, 2.5, 4}, "__name__", "jobs_total", "queue", "mail")
	add([]float64{0, 0, 10}, "__name__", "jobs_total", "queue", "print")
	for le, values := range map[string][]float64{"0.1": {0, 0, 0}, "1": {2, 3, 4}, "+Inf": {2, 4, 8}} {
		add(values, "__name__", "wait_seconds_bucket", "le", le)
	}
	add(nil, "__name__", "spread_seconds")
	if _, err := storeV1(ctx, x, request); err != nil {
		return err
	}
	query := fmt.Sprintf(`count({__name__=~"jobs_total|wait_seconds_bucket|spread_seconds"} @ %s)`, seconds(x.start.Add(2*toolStep)))
	return x.wantValues(ctx, query, series{"": float64(len(request.Timeseries))})
}

// promtool runs a command of promtool and returns what it prints and, when it fails, what it complains of.
func (x *account) promtool(ctx context.Context, token string, args ...string) (string, error) {
	config := filepath.Join(x.dataDir, "promtool.yaml")
	if err := os.WriteFile(config, []byte("authorization: {type: Bearer, credentials: "+token+"}\ntls_config: {ca_file: "+authority.certificate+"}\n"), 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, x.promtoolPath(), append(slices.Clone(args[:2]), append([]string{"--http.config.file=" + config}, args[2:]...)...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// wantTool compares what a command prints, line by line in any order: of the series of a vector none is defined.
func (x *account) wantTool(ctx context.Context, want []string, args ...string) error {
	text, err := x.promtool(ctx, x.Query, args...)
	got := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(got)
	if diff := gocmp.Diff(slices.Sorted(slices.Values(want)), got); diff != "" {
		err = errors.Join(err, fmt.Errorf("promtool %s (-want +got):\n%s", strings.Join(args[:2], " "), diff))
	}
	return err
}

// toolTime writes a time of toolData as promtool takes it and as it prints it.
func (x *account) toolTime(steps int) string {
	return fmt.Sprint(x.start.Add(time.Duration(steps) * toolStep).Unix())
}

func checkToolInstant(ctx context.Context, x *account) error {
	ask := func(query string, steps int, want ...string) error {
		return x.wantTool(ctx, want, "query", "instant", "--time="+x.toolTime(steps), x.URL+"/prometheus", query)
	}
	at := x.toolTime(2)
	return errors.Join(
		ask("jobs_total", 2, `jobs_total{cluster="eu-1", queue="mail"} => 4 @[`+at+`]`, `jobs_total{cluster="eu-1", queue="print"} => 10 @[`+at+`]`),
		ask("1 + 1", 2, `scalar: 2 @[`+at+`]`),
		ask("none", 2, ""),
		ask("histogram_count(spread_seconds)", 2, `{cluster="eu-1"} => 6 @[`+at+`]`),
		ask("spread_seconds", 2, `spread_seconds{cluster="eu-1"} => Count: 6.000000, Sum: 15.000000, Buckets: [[-0.001,0.001]:1 (1,2]:3 (2,4]:2] @[`+at+`]`),
	)
}

func checkToolRange(ctx context.Context, x *account) error {
	want := []string{`{queue="mail"} =>`, "1 @[" + x.toolTime(0) + "]", "2.5 @[" + x.toolTime(1) + "]", "4 @[" + x.toolTime(2) + "]"}
	return x.wantTool(ctx, want, "query", "range", "--start="+x.toolTime(0), "--end="+x.toolTime(2), "--step=15s", x.URL+"/prometheus",
		`sum by (queue) (jobs_total{queue="mail"})`)
}

func checkToolSeries(ctx context.Context, x *account) error {
	want := []string{`{__name__="jobs_total", cluster="eu-1", queue="mail"}`, `{__name__="spread_seconds", cluster="eu-1"}`}
	return x.wantTool(ctx, want, "query", "series", "--match=jobs_total{queue!=\"print\"}", "--match=spread_seconds", x.URL+"/prometheus")
}

func checkToolLabels(ctx context.Context, x *account) error {
	return errors.Join(
		x.wantTool(ctx, []string{"mail", "print"}, "query", "labels", x.URL+"/prometheus", "queue"),
		x.wantTool(ctx, []string{"jobs_total"}, "query", "labels", "--match=jobs_total", x.URL+"/prometheus", "__name__"),
	)
}

func checkToolAnalyze(ctx context.Context, x *account) error {
	text, err := x.promtool(ctx, x.Query, "query", "analyze", "--server="+x.URL+"/prometheus", "--type=histogram", "--duration=5m", "--time="+x.toolTime(2),
		"--match=wait_seconds_bucket", "--match=spread_seconds")
	return errors.Join(err, wantText(text, `wait_seconds_bucket{cluster="eu-1"} (classic): 1/1.667/2/3`, `spread_seconds{cluster="eu-1"} (native): 3/3.000/3`))
}

func checkToolFaults(ctx context.Context, x *account) error {
	fault := func(token, query, want string) error {
		_, err := x.promtool(ctx, token, "query", "instant", x.URL+"/prometheus", query)
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.ExitCode() != 1 {
			return fmt.Errorf("got %w, want the exit status 1", cmp.Or(err, errors.New("no error")))
		}
		return wantText(err.Error(), want)
	}
	return errors.Join(fault(x.Query, "up{", `bad_data: invalid parameter "query": 1:4: parse error`), fault("smk_query_none", "up", "401"))
}

func checkToolPush(ctx context.Context, x *account) error {
	file := filepath.Join(x.dataDir, "promtool.prom")
	if err := os.WriteFile(file, []byte("# TYPE pushed_total counter\npushed_total{shop=\"a\"} 7\n# TYPE pushed_rows gauge\npushed_rows 0.5\n"), 0o600); err != nil {
		return err
	}
	for _, message := range []string{"prometheus.WriteRequest", "io.prometheus.write.v2.Request"} {
		if _, err := x.promtool(ctx, x.Ingest, "push", "metrics", "--protobuf_message="+message, x.URL, file); err != nil {
			return fmt.Errorf("%s: %w", message, err)
		}
	}
	return x.wantValues(ctx, `{__name__=~"pushed_.+"}`, series{`pushed_total{job="promtool",shop="a"}`: 7, `pushed_rows{job="promtool"}`: 0.5})
}
