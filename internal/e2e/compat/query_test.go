package compat

import (
	cmporder "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
)

// within is how long rows may take to be found. They are there after some 200 ms on an idle machine.
const within = 30 * time.Second

// pause is the time between two looks.
const pause = 50 * time.Millisecond

// eventually calls cond until it returns nil, and returns its last error after a while.
func eventually(ctx context.Context, cond func() error) error {
	deadline := time.Now().Add(within)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := cond()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// get decodes the JSON that a query route answers with into out.
func (x *account) get(ctx context.Context, path string, query url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, x.URL+path+"?"+query.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+x.Query)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, resp.StatusCode, body)
	}
	return json.Unmarshal(body, out)
}

// point is one time and value of a series, which stand as [seconds, "value"].
type point struct {
	Milli int64
	Value float64
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *point) UnmarshalJSON(text []byte) error {
	var seconds float64
	var value string
	if err := json.Unmarshal(text, &[]any{&seconds, &value}); err != nil {
		return err
	}
	var err error
	p.Milli = int64(seconds*1000 + 0.5)
	p.Value, err = strconv.ParseFloat(value, 64)
	return err
}

// series are the values of series by their names and labels, as seriesText writes them.
type series map[string]float64

// timed are the samples of series, with their times.
type timed map[string][]point

type metricSet struct {
	Metric    map[string]string
	Value     point           // of a vector
	Values    []point         // of a matrix
	Histogram *histogramPoint // of a vector, instead of a value
}

func (x *account) promQL(ctx context.Context, query string) ([]metricSet, error) {
	var answer struct {
		Data struct{ Result []metricSet }
	}
	err := x.get(ctx, "/prometheus/api/v1/query", url.Values{"query": {query}, "time": {seconds(time.Now())}}, &answer)
	return answer.Data.Result, err
}

func seconds(at time.Time) string {
	return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
}

// wantValues waits until an instant query answers with exactly the wanted series. The cluster's label is left out: every
// series has it.
func (x *account) wantValues(ctx context.Context, query string, want series) error {
	return eventually(ctx, func() error {
		list, err := x.promQL(ctx, query)
		if err != nil {
			return err
		}
		got := series{}
		for _, s := range list {
			got[seriesText(s.Metric)] = s.Value.Value
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(near)); diff != "" {
			return errors.New(query + " (-sent +read):\n" + diff)
		}
		return nil
	})
}

// nativeHistogram is what a native histogram's sample holds, but for its buckets.
type nativeHistogram struct{ Count, Sum float64 }

// wantHistogram waits until a selector's one series has a native histogram, whose buckets hold all that it counts.
func (x *account) wantHistogram(ctx context.Context, selector string, want nativeHistogram) error {
	return eventually(ctx, func() error {
		list, err := x.promQL(ctx, selector)
		if err != nil {
			return err
		}
		if len(list) != 1 || list[0].Histogram == nil {
			return fmt.Errorf("%s: got %v, want one native histogram", selector, list)
		}
		return list[0].Histogram.check(want)
	})
}

// histogramValue is a native histogram as the query API writes it: [boundary rule, from, to, count] for each bucket.
type histogramValue struct {
	Count, Sum string
	Buckets    [][4]any
}

// histogramPoint is a time and a histogram, which stand as [seconds, {...}].
type histogramPoint struct{ histogramValue }

// UnmarshalJSON implements json.Unmarshaler.
func (h *histogramPoint) UnmarshalJSON(text []byte) error {
	var at float64
	return json.Unmarshal(text, &[]any{&at, &h.histogramValue})
}

func (h *histogramValue) check(want nativeHistogram) error {
	inBuckets := 0.0
	for _, bucket := range h.Buckets {
		count, err := strconv.ParseFloat(fmt.Sprint(bucket[3]), 64)
		if err != nil {
			return err
		}
		inBuckets += count
	}
	if h.Count != fmt.Sprint(want.Count) || h.Sum != fmt.Sprint(want.Sum) || inBuckets != want.Count {
		return fmt.Errorf("got the native histogram %+v, want %+v", h, want)
	}
	return nil
}

// near lets the last digits differ, which PromQL's arithmetic rounds.
func near(a, b float64) bool {
	return a == b || max(a-b, b-a) <= 1e-9*max(a, -a)
}

// wantSamples waits until a selector's series have exactly the wanted samples of the last hour, with their times.
func (x *account) wantSamples(ctx context.Context, selector string, want timed) error {
	return eventually(ctx, func() error {
		list, err := x.promQL(ctx, selector+"[1h]")
		if err != nil {
			return err
		}
		got := timed{}
		for _, s := range list {
			got[seriesText(s.Metric)] = s.Values
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return errors.New(selector + " (-sent +read):\n" + diff)
		}
		return nil
	})
}

// seriesText writes a series as PromQL does, without the cluster's label when it is the token's.
func seriesText(metric map[string]string) string {
	var t strings.Builder
	t.WriteString(metric["__name__"])
	separator := "{"
	for _, name := range slices.Sorted(maps.Keys(metric)) {
		if name == "__name__" || name == "cluster" && metric[name] == clusterName {
			continue
		}
		fmt.Fprintf(&t, "%s%s=%q", separator, name, metric[name])
		separator = ","
	}
	if separator == "," {
		t.WriteString("}")
	}
	return t.String()
}

// line is one log line with its stream and its structured metadata together.
type line struct {
	Nano   int64
	Body   string
	Labels map[string]string
}

// lines returns the lines that LogQL finds in the last hour, in no order.
func (x *account) lines(ctx context.Context, query string) ([]line, error) {
	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
	}
	now := time.Now()
	err := x.get(ctx, "/loki/api/v1/query_range", url.Values{
		"query": {query}, "direction": {"forward"}, "limit": {"1000"},
		"start": {strconv.FormatInt(now.Add(-time.Hour).UnixNano(), 10)}, "end": {strconv.FormatInt(now.Add(time.Minute).UnixNano(), 10)},
	}, &answer)
	list := []line{}
	for _, s := range answer.Data.Result {
		for _, v := range s.Values {
			nano, err := strconv.ParseInt(v[0], 10, 64)
			if err != nil {
				return nil, err
			}
			list = append(list, line{Nano: nano, Body: v[1], Labels: s.Stream})
		}
	}
	return list, err
}

// wantLines waits until LogQL finds exactly the wanted lines. Of the labels those that want names are compared; a wanted
// time of 0 is any, and so is a wanted body of "".
func (x *account) wantLines(ctx context.Context, query string, want []line) error {
	return eventually(ctx, func() error {
		got, err := x.lines(ctx, query)
		if err != nil {
			return err
		}
		if len(want) > 0 && want[0].Nano == 0 {
			for i := range got {
				got[i].Nano = 0
			}
		}
		slices.SortFunc(got, byTime)
		want := slices.SortedFunc(slices.Values(want), byTime)
		for i := range min(len(got), len(want)) {
			named := map[string]string{}
			for name := range want[i].Labels {
				named[name] = got[i].Labels[name]
			}
			if want[i].Body == "" {
				got[i].Body = ""
			}
			if len(named) == 0 || cmp.Equal(want[i].Labels, named) {
				got[i].Labels = want[i].Labels
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return errors.New(query + " (-sent +read):\n" + diff)
		}
		return nil
	})
}

// byTime orders lines by time, and those of one time by their text.
func byTime(a, b line) int {
	return cmporder.Or(cmporder.Compare(a.Nano, b.Nano), cmporder.Compare(a.Body, b.Body))
}

// wantText reports which of the parts a text lacks.
func wantText(text string, parts ...string) error {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return fmt.Errorf("%q does not say %q", text, part)
		}
	}
	return nil
}

// stored returns how many rows of a signal the server has stored so far, by its own metrics.
func (s *server) stored(ctx context.Context, signal string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.admin+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for text := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(text, fmt.Sprintf("seamark_writer_rows_total{signal=%q} ", signal)); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, nil
}

// wantStored has send push rows of a signal that has no query API, and waits until the server has stored that many more.
func (x *account) wantStored(ctx context.Context, signal string, rows float64, send func() error) error {
	before, err := x.stored(ctx, signal)
	if err != nil {
		return err
	}
	if err := send(); err != nil {
		return err
	}
	return eventually(ctx, func() error {
		after, err := x.stored(ctx, signal)
		if err == nil && after-before != rows {
			err = fmt.Errorf("%s: %v rows are stored, %v were sent", signal, after-before, rows)
		}
		return err
	})
}
