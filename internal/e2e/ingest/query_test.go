package ingest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// line is a log line as LogQL shows it, with stream labels and structured metadata in one set.
type line struct {
	Body   string
	Labels map[string]string
}

// logs returns the lines that a log query finds around now, oldest first.
func (x *account) logs(t *testing.T, query string) []line {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	x.Get(t, "/loki/api/v1/query_range", url.Values{
		"query": {query}, "start": {nano(now().Add(-2 * time.Hour))}, "end": {nano(now().Add(time.Minute))}, "limit": {"1000"}, "direction": {"forward"},
	}, &answer)
	type timed struct {
		at string
		line
	}
	var found []timed
	for _, s := range answer.Data.Result {
		for _, v := range s.Values {
			found = append(found, timed{v[0], line{v[1], s.Stream}})
		}
	}
	slices.SortStableFunc(found, func(a, b timed) int { return strings.Compare(a.at, b.at) })
	lines := make([]line, len(found))
	for i := range found {
		lines[i] = found[i].line
	}
	return lines
}

// bodies returns the text of the lines that a log query finds.
func (x *account) bodies(t *testing.T, query string) []string {
	t.Helper()
	list := []string{}
	for _, l := range x.logs(t, query) {
		list = append(list, l.Body)
	}
	return list
}

// awaitBodies waits until a query finds exactly these lines.
func (x *account) awaitBodies(t *testing.T, query string, want ...string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, x.bodies(t, query)); diff != "" {
			return fmt.Errorf("%s (-want +got):\n%s", query, diff)
		}
		return nil
	})
}

// samples returns what a PromQL query finds at a time: values by the labels that are named.
func (x *account) samples(t *testing.T, query string, at time.Time, by ...string) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	x.Get(t, "/prometheus/api/v1/query", url.Values{"query": {query}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)}}, &answer)
	found := map[string]string{}
	for _, s := range answer.Data.Result {
		var names []string
		for _, name := range by {
			names = append(names, s.Metric[name])
		}
		found[strings.Join(names, " ")] = fmt.Sprint(s.Value[1])
	}
	return found
}

// awaitSamples waits until a query finds exactly these values.
func (x *account) awaitSamples(t *testing.T, query string, want map[string]string, by ...string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, x.samples(t, query, now(), by...)); diff != "" {
			return fmt.Errorf("%s (-want +got):\n%s", query, diff)
		}
		return nil
	})
}

// metric returns the sum of the server's own counters of a name whose label text holds a part.
func (x *account) metric(t *testing.T, name, labels string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + x.App.AdminAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	sum, lines := 0.0, bufio.NewScanner(answer.Body)
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), " ")
		bare, _, _ := strings.Cut(series, "{")
		if bare != name || !strings.Contains(series, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%s: %v", series, err)
		}
		sum += v
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return sum
}

func nano(at time.Time) string { return strconv.FormatInt(at.UnixNano(), 10) }

// lokiBody is a push of one stream, one line a nanosecond from start on.
func lokiBody(t testing.TB, labels map[string]string, start time.Time, lines ...string) string {
	t.Helper()
	values := [][2]string{}
	for i, text := range lines {
		values = append(values, [2]string{nano(start.Add(time.Duration(i))), text})
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": labels, "values": values}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const lokiPath, jsonMedia = "/loki/api/v1/push", "application/json"

// pushLines pushes lines of one app and fails the test unless the status is want.
func (x *account) pushLines(t *testing.T, app string, want int, lines ...string) {
	t.Helper()
	x.Post(t, x.Ingest, lokiPath, jsonMedia, lokiBody(t, map[string]string{"app": app}, now(), lines...), want)
}

// series is one series with one sample.
type series struct {
	labels []string // names and values in turn
	at     time.Time
	value  float64
}

// writeBody is a remote-write request of version 1.
func writeBody(t testing.TB, list ...series) string {
	t.Helper()
	var request prompb.WriteRequest
	for _, s := range list {
		ts := prompb.TimeSeries{Samples: []prompb.Sample{{Value: s.value, Timestamp: s.at.UnixMilli()}}}
		for i := 0; i < len(s.labels); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: s.labels[i], Value: s.labels[i+1]})
		}
		request.Timeseries = append(request.Timeseries, ts)
	}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(snappy.Encode(nil, body))
}

const writePath, protoMedia = "/api/v1/push", "application/x-protobuf"
