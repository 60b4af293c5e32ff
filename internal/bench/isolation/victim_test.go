package isolation_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/bench"
	"github.com/seamarkhq/seamark/internal/child"
)

// The languages.
const (
	promQL = "PromQL"
	logQL  = "LogQL"
	sql    = "SQL"
)

// panel is one of the victim's, refreshed again and again.
type panel struct {
	language, query string
	limit           int
}

var panels = []panel{
	{promQL, `sum by (namespace) (rate(container_ops_1_total[2m]))`, 0},
	{logQL, `sum by (app) (count_over_time({namespace="ns-1"}[1m]))`, 0},
	{promQL, `avg by (pod) (container_gauge_3)`, 0},
	{logQL, `{namespace="ns-3"} |= "error"`, 50},
	{promQL, `histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))`, 0},
	{logQL, `{app="app-0"} | json | status >= 500`, 20},
}

const (
	queriesPerSecond = 20
	pushesPerSecond  = 20
	linesPerPush     = 100
	probeSlice       = 500 * time.Microsecond
	// patience is when the victim takes a request for failed.
	patience = 10 * time.Second
)

// seen is what the victim has noticed in a cell.
type seen struct {
	mu            sync.Mutex
	queries, acks []time.Duration
	faults        []error
	answered      int // requests of the noisy tenant
	refused       int
}

func (s *seen) add(to *[]time.Duration, took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*to = append(*to, took)
	if err != nil {
		s.faults = append(s.faults, err)
	}
}

// live has the victim refresh its panels and push its rows until ctx ends. Both are open loops: a request is due at its time
// whatever became of those before, and its time counts from when it was due.
func (r *rig) live(ctx context.Context, s *seen) {
	defer r.runAtOnce()()
	var requests sync.WaitGroup
	defer requests.Wait()
	logs := bench.NewLogs(bench.LogsOptions{Seed: uint64(time.Now().UnixNano()), Rows: 1 << 20, Streams: 60, End: time.Now()})
	metrics := bench.NewMetrics(bench.MetricsOptions{Seed: uint64(r.victim.Number), Pods: 1, Scrapes: 1, End: time.Now()})
	requests.Go(func() {
		paced(ctx, queriesPerSecond, func(i int, due time.Time) {
			p := &panels[i%len(panels)]
			requests.Go(func() {
				err := r.refresh(p)
				s.add(&s.queries, time.Since(due), err)
			})
		})
	})
	requests.Go(func() {
		paced(ctx, pushesPerSecond, func(i int, due time.Time) {
			p := freshPush(i, due, logs, metrics)
			requests.Go(func() {
				within, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				err := r.push(within, r.victim, p)
				s.add(&s.acks, time.Since(due), err)
			})
		})
	})
}

// runAtOnce has this process run as soon as it wakes up, as a machine of its own would, until ordinary is called: what is measured is the
// server. Processes that are started meanwhile would be the same.
func (r *rig) runAtOnce() (ordinary func()) {
	if err := child.SetProcess(child.Scheduling{RealTime: true}); err == nil {
		return func() {
			if err := child.SetProcess(child.Scheduling{}); err != nil {
				r.b.Error(err)
			}
		}
	}
	r.b.Log("the client that measures shares the processors with what it measures: it takes CAP_SYS_NICE to run first")
	if err := child.SetSlice(probeSlice); err != nil {
		r.b.Error(err)
	}
	return func() {}
}

// freshPush is a push of lines, and every other time of samples, of this moment.
func freshPush(i int, at time.Time, logs *bench.Logs, metrics *bench.Metrics) push {
	if i%2 == 0 {
		records := logs.Next(linesPerPush)
		for k := range records {
			records[k].At = at.Add(time.Duration(k) * time.Microsecond)
		}
		return push{lokiPath, bench.LokiPush(records)}
	}
	samples := metrics.Scrape()
	for k := range samples {
		samples[k].At = at
	}
	return push{writePath, bench.RemoteWrite1(samples)}
}

// paced calls fn so many times a second until ctx ends.
func paced(ctx context.Context, perSecond int, fn func(i int, due time.Time)) {
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		timer.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			fn(i, due)
		}
	}
}

// refresh asks for one panel as Grafana does.
func (r *rig) refresh(p *panel) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rangeQuery(r.server.URL, p.language, p.query, 30*time.Minute, 30*time.Second, max(p.limit, 1)), http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.victim.Query)
	req.Header.Set("X-Dashboard-Uid", "small")
	req.Header.Set("X-Panel-Id", "1")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s %.200s", p.query, resp.Status, body)
	}
	return err
}
