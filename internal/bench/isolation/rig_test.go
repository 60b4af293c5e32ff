package isolation_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/bench"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// rig is the whole product as one process, restarted with other flags on the same data.
type rig struct {
	b             *testing.B
	folder        string
	server        *harness.Server
	victim, noisy *harness.Account
	client        *http.Client // of the victim
	noise         *http.Client // of the noisy tenant, whose connections are its own
}

func newRig(b *testing.B, f *form) *rig {
	b.Helper()
	r := &rig{b: b, folder: b.TempDir(), client: newClient(), noise: newClient()}
	r.start([]string{ownProcess})
	r.victim, r.noisy = harness.NewAccount(r.server.Admin(b), "victim"), harness.NewAccount(r.server.Admin(b), "noisy")
	begin := time.Now()
	r.fill(r.victim, 40_000, 4, 240)
	r.fill(r.noisy, f.lines, f.pods, f.scrapes)
	b.Logf("%d lines and %d samples of the noisy tenant stored in %v", f.lines, f.pods*80*f.scrapes, time.Since(begin).Round(time.Second))
	r.stop()
	return r
}

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
}

func (r *rig) start(flags []string) {
	r.b.Helper()
	r.server = harness.Serve(r.b, r.folder, slices.Concat([]string{"serve"}, noQuotas, flags)...)
}

func (r *rig) stop() {
	r.b.Helper()
	r.client.CloseIdleConnections()
	r.noise.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.server.Terminate(ctx); err != nil {
		r.b.Fatalf("stop the server: %v", err)
	}
}

// fill pushes lines of three hours and scrapes of every fifteen seconds, and waits until queries see them.
func (r *rig) fill(who *harness.Account, lines, pods, scrapes int) {
	const senders, perRequest, perScrape = 4, 1000, 2000
	logs := bench.NewLogs(bench.LogsOptions{Seed: uint64(who.Number), Rows: lines, Streams: 60, End: time.Now()})
	metrics := bench.NewMetrics(bench.MetricsOptions{Seed: uint64(who.Number), Pods: pods, Scrapes: scrapes, End: time.Now()})
	bodies := make(chan push, senders)
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for p := range bodies {
				if err := r.push(context.Background(), who, p); err != nil {
					r.b.Error(err)
				}
			}
		})
	}
	for done := 0; done < lines && !r.b.Failed(); done += perRequest {
		bodies <- push{lokiPath, bench.LokiPush(logs.Next(perRequest))}
	}
	for range scrapes {
		samples := metrics.Scrape()
		for first := 0; first < len(samples) && !r.b.Failed(); first += perScrape {
			bodies <- push{writePath, bench.RemoteWrite1(samples[first:min(first+perScrape, len(samples))])}
		}
	}
	close(bodies)
	sending.Wait()
	r.until(func() (bool, error) {
		n, err := r.count(harness.LogQL, who, `sum(count_over_time({namespace=~".+"}[4h]))`)
		return n >= float64(lines), err
	})
	r.until(func() (bool, error) {
		n, err := r.count(harness.PromQL, who, `sum(count_over_time(http_request_duration_seconds_bucket[4h]))`)
		return n >= float64(pods*40*scrapes), err // half of each pod's series
	})
}

func (r *rig) count(ask func(ctx context.Context, url, token, query string) ([]harness.Series, error), who *harness.Account, query string) (float64, error) {
	found, err := ask(context.Background(), r.server.URL, who.Query, query)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	return found[0].Point.Value, nil
}

func (r *rig) until(done func() (bool, error)) {
	r.b.Helper()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for range 800 {
		ok, err := done()
		if err != nil {
			r.b.Fatal(err)
		}
		if ok {
			return
		}
		<-tick.C
	}
	r.b.Fatal("the rows did not arrive in time")
}

// The paths of pushes.
const (
	lokiPath  = "/loki/api/v1/push"
	writePath = "/api/v1/push"
)

// push is one body and where it goes.
type push struct {
	path string
	body []byte
}

func (r *rig) push(ctx context.Context, who *harness.Account, p push) error {
	answer, err := harness.Do(ctx, r.client, &harness.Request{URL: r.server.URL + p.path, Token: who.Ingest, Type: "application/x-protobuf", Encoding: "snappy", Body: p.body})
	if err == nil && answer.Status/100 != 2 {
		err = fmt.Errorf("push: %d %.200s", answer.Status, answer.Body)
	}
	return err
}

// rangeQuery returns the address of a query over the time before now.
func rangeQuery(server, language, query string, back, step time.Duration, limit int) string {
	path := "/prometheus/api/v1/query_range"
	if language == logQL {
		path = "/loki/api/v1/query_range"
	}
	now := time.Now()
	values := url.Values{"query": {query}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)}, "limit": {strconv.Itoa(limit)}}
	// Dashboards ask for whole steps.
	end := now.Truncate(step)
	values.Set("start", strconv.FormatInt(end.Add(-back).Unix(), 10))
	values.Set("end", strconv.FormatInt(end.Unix(), 10))
	return server + path + "?" + values.Encode()
}
