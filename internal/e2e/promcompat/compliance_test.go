package promcompat_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/promql"
)

const (
	// within is how long a test waits for its rows. They are there after some 100 ms on an idle machine.
	within = 30 * time.Second
	// askers is how many questions are asked at once: enough to keep both servers busy.
	askers = 4
	// rangeLength and rangeStep are those of the compliance test.
	rangeLength = 10 * time.Minute
	rangeStep   = 10 * time.Second
)

// question is one query at one time, or over a range of times when it has a step.
type question struct {
	expectation
	start, end time.Time
	step       time.Duration
}

func (q *question) String() string {
	if q.step == 0 {
		return fmt.Sprintf("%s at %s", q.query, q.end.Format(time.RFC3339Nano))
	}
	return fmt.Sprintf("%s from %s to %s", q.query, q.start.Format(time.RFC3339Nano), q.end.Format(time.RFC3339Nano))
}

// ends are the times up to which queries are asked: early, when an hour's range begins before the data; across midnight and so
// across two partitions; and past the last samples, when series end one by one. They lie on no sample.
func ends(start time.Time) []time.Time {
	return []time.Time{
		start.Add(17*time.Minute + 123*time.Millisecond),
		start.Add(scrapes*scrapeInterval/2 + 4*time.Minute),
		start.Add(scrapes*scrapeInterval + 4*time.Minute + 7*time.Second + 999*time.Millisecond),
	}
}

// fullVariable names the environment variable that, set to full, has every query asked at every end, as each night. Without
// it a query is asked at one moment and over one range, whose ends take turns from query to query.
const fullVariable = "SEAMARK_COMPLIANCE"

// questions returns what is asked of each query.
func questions(list []expectation, ends []time.Time) []question {
	var all []question
	full := os.Getenv(fullVariable) == "full"
	for i, e := range list {
		for k, end := range ends {
			if full || k == i%len(ends) {
				all = append(all, question{e, end.Add(-rangeLength), end, rangeStep})
			}
			if full || k == (i+1)%len(ends) {
				all = append(all, question{expectation: e, end: end})
			}
		}
	}
	return all
}

// TestCompliance asks both servers every query of the list, and wants all answers the same.
func TestCompliance(t *testing.T) {
	start := corpusStart()
	list := newCorpus(start)
	theirs := newPrometheus(t, list)
	ours := &server{inprocess.NewTenant(t, inprocess.App(t, nil), "compliance", clusterName)}
	ours.push(t, list)
	ours.settle(t, theirs, start.Add(scrapes*scrapeInterval))
	all := questions(queries(t), ends(start))
	r := &report{t: t}
	next := make(chan *question)
	var done sync.WaitGroup
	for range askers {
		done.Go(func() {
			for q := range next {
				r.add(t.Context(), q, theirs, ours)
			}
		})
	}
	for i := range all {
		next <- &all[i]
	}
	close(next)
	done.Wait()
	r.finish()
}

// report counts what came out.
type report struct {
	t *testing.T

	mu     sync.Mutex // guards counts and failed
	counts [identical + 1]int
	failed map[string]int // answers that differ, by query
}

// add asks both and compares. A query that ends otherwise than the list says is a failure even when both agree.
func (r *report) add(ctx context.Context, q *question, theirs *prometheus, ours *server) {
	how, difference, err := ask(ctx, q, theirs, ours)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		how, difference = different, err.Error()
	}
	r.counts[how]++
	if how != different {
		return
	}
	if r.failed == nil {
		r.failed = map[string]int{}
	}
	if r.failed[q.query]++; r.failed[q.query] == 1 {
		r.t.Errorf("[%s] %s:\n    %s", q.group, q, difference)
	}
}

func ask(ctx context.Context, q *question, theirs *prometheus, ours *server) (agreement, string, error) {
	want, err := theirs.ask(ctx, q)
	if err != nil {
		return different, "", fmt.Errorf("prometheus: %w", err)
	}
	if want.ErrorType != q.errorType {
		return different, "", fmt.Errorf("prometheus says %q %s, the list says %q", want.ErrorType, want.Error, q.errorType)
	}
	got, err := ours.ask(ctx, q)
	if err != nil {
		return different, "", fmt.Errorf("seamark: %w", err)
	}
	how, difference := compare(want, got, q.ordered())
	return how, difference, nil
}

func (r *report) finish() {
	all := r.counts[different] + r.counts[reordered] + r.counts[identical]
	same := all - r.counts[different]
	r.t.Logf("%d of %d answers are the same, %.2f %%: %d with every element in the same place, %d after sorting; %d queries differ",
		same, all, 100*float64(same)/float64(all), r.counts[identical], r.counts[reordered], len(r.failed))
	if same != all {
		r.t.Errorf("want 100 %%")
	}
}

// ordered reports whether the language defines the order of the result's elements: a range query sorts them by labels,
// and an instant query leaves them as they come unless its outermost operation is one that sorts.
func (q *question) ordered() bool {
	if q.step > 0 {
		return true
	}
	expr, err := promql.NewParser().ParseExpr(q.query)
	if err != nil {
		return false
	}
	switch e := expr.(type) {
	case *parser.Call:
		return strings.HasPrefix(e.Func.Name, "sort")
	case *parser.AggregateExpr:
		return (e.Op == parser.TOPK || e.Op == parser.BOTTOMK) && len(e.Grouping) == 0 && !e.Without
	}
	return false
}

// server is Seamark as a tenant sees it.
type server struct{ *inprocess.Tenant }

// push sends the series by remote write as a sender does, some scrapes a request. One request is sent again in other
// words, as after an answer that was lost.
func (s *server) push(t *testing.T, list []series) {
	t.Helper()
	const perRequest = 50
	for from := 0; from < scrapes; from += perRequest {
		s.write(t, list, from, from+perRequest)
	}
	s.write(t, list, perRequest/2, perRequest)
}

// write sends the samples of each series with the given numbers.
func (s *server) write(t *testing.T, list []series, from, to int) {
	t.Helper()
	var request prompb.WriteRequest
	for i := range list {
		one := prompb.TimeSeries{}
		list[i].labels.Range(func(l labels.Label) { one.Labels = append(one.Labels, prompb.Label{Name: l.Name, Value: l.Value}) })
		last := len(list[i].samples)
		for _, x := range list[i].samples[min(from, last):min(to, last)] {
			switch {
			case x.h != nil:
				one.Histograms = append(one.Histograms, prompb.FromIntHistogram(x.at, x.h))
			case x.fh != nil:
				one.Histograms = append(one.Histograms, prompb.FromFloatHistogram(x.at, x.fh))
			default:
				one.Samples = append(one.Samples, prompb.Sample{Timestamp: x.at, Value: x.v})
			}
		}
		request.Timeseries = append(request.Timeseries, one)
	}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"snappy"}, "X-Prometheus-Remote-Write-Version": {"0.1.0"}}
	answer := s.Do(t, s.Ingest, http.MethodPost, "/api/v1/write", header, string(snappy.Encode(nil, body)))
	if answer.Status/100 != 2 {
		t.Fatalf("remote write: got %d %s, want 2xx", answer.Status, answer.Body)
	}
}

// settle waits until Seamark has every sample that Prometheus has.
func (s *server) settle(t *testing.T, theirs *prometheus, end time.Time) {
	t.Helper()
	q := &question{expectation: expectation{query: `{cluster="` + clusterName + `"}[2h]`}, end: end.Add(time.Minute)}
	testkit.Eventually(t, within, func() error {
		how, difference, err := ask(t.Context(), q, theirs, s)
		if err == nil && how == different {
			err = errors.New(difference)
		}
		return err
	})
}

// ask sends a question as Grafana does.
func (s *server) ask(ctx context.Context, q *question) (*answer, error) {
	path, form := "/prometheus/api/v1/query", url.Values{"query": {q.query}}
	if q.step == 0 {
		form.Set("time", seconds(q.end))
	} else {
		path += "_range"
		form.Set("start", seconds(q.start))
		form.Set("end", seconds(q.end))
		form.Set("step", strconv.FormatFloat(q.step.Seconds(), 'f', -1, 64))
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.App.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+s.Query)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	a := &answer{status: response.StatusCode}
	if err := json.Unmarshal(body, &a.Envelope); err != nil {
		return nil, fmt.Errorf("%w in %.200s", err, body)
	}
	return a, nil
}

// seconds writes a time as Grafana does, exact to the millisecond.
func seconds(at time.Time) string {
	return fmt.Sprintf("%d.%03d", at.Unix(), at.Nanosecond()/1e6)
}
