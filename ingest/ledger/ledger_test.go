package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seamarkhq/seamark/ingest/ledger"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	tenantA  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FBV")
	clusterA = seamark.ClusterID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// recorder is a Publish that remembers, and fails while it is told to.
type recorder struct {
	mu    sync.Mutex // guards all fields
	err   error
	tries []string
	drops map[seamark.TenantID][]seamark.Drop
}

func (r *recorder) publish(_ context.Context, tenant seamark.TenantID, cluster seamark.ClusterID, drops []seamark.Drop) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries = append(r.tries, fmt.Sprint(tenant, cluster, drops))
	if r.err != nil {
		return r.err
	}
	r.drops[tenant] = append(r.drops[tenant], drops...)
	return nil
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func newLedger(t testing.TB) (*ledger.Ledger, *recorder, *testkit.Clock, *prometheus.Registry) {
	t.Helper()
	r, clock, reg := &recorder{drops: map[seamark.TenantID][]seamark.Drop{}}, testkit.NewClock(noon), prometheus.NewRegistry()
	l, err := ledger.New(ledger.Options{Publish: r.publish, Logger: slog.New(slog.DiscardHandler), Registerer: reg, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return l, r, clock, reg
}

func flush(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func drop() ledger.Drop {
	return ledger.Drop{
		Tenant: tenantA, Cluster: clusterA, ClusterName: "prod", Token: "abcDEF012345", Protocol: "loki", Signal: seamark.Logs,
		Reason: "seamark-line-bytes", Status: 400, Rows: 2, Bytes: 100, Detail: "A line is long.", Sample: "password=hunter2",
	}
}

func TestDropsAreAddedUp(t *testing.T) {
	l, r, clock, reg := newLedger(t)
	flush(t, l)
	if len(r.tries) != 0 {
		t.Fatal("a ledger without drops published something")
	}
	for range 3 {
		l.Record(drop())
	}
	other := drop()
	other.Status, other.Detail, other.Sample, other.Rows = 413, "Another.", "", 0
	l.Record(other)
	foreign := drop()
	foreign.Tenant = tenantB
	l.Record(foreign)
	nobody := drop()
	nobody.Tenant = ""
	l.Record(nobody)
	clock.Advance(5 * time.Second)
	flush(t, l)
	flush(t, l)
	want := []seamark.Drop{{
		Time: noon, Cluster: "prod", Token: "abcDEF012345", Protocol: "loki", Signal: seamark.Logs, Reason: "seamark-line-bytes",
		Status: 400, Requests: 3, Rows: 6, Bytes: 300, Detail: "A line is long.", Sample: "password=***",
	}, {
		Time: noon, Cluster: "prod", Token: "abcDEF012345", Protocol: "loki", Signal: seamark.Logs, Reason: "seamark-line-bytes",
		Status: 413, Requests: 1, Bytes: 100, Detail: "Another.",
	}}
	if got := r.drops[tenantA]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := r.drops[tenantB]; len(got) != 1 || got[0].Requests != 1 {
		t.Errorf("got %+v of the other tenant, want one line of one request", got)
	}
	const metric = `
# HELP seamark_ingest_dropped_rows_total Rows refused, by protocol and reason, where they could be counted.
# TYPE seamark_ingest_dropped_rows_total counter
seamark_ingest_dropped_rows_total{protocol="loki",reason="seamark-line-bytes"} 10
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(metric), "seamark_ingest_dropped_rows_total"); err != nil {
		t.Error(err)
	}
}

// TestLinesAreBounded refuses with ever new tokens: what does not fit is still counted.
func TestLinesAreBounded(t *testing.T) {
	l, r, _, _ := newLedger(t)
	const all = 10_000
	for i := range all {
		d := drop()
		d.Token = fmt.Sprint("token", i)
		l.Record(d)
	}
	flush(t, l)
	got, requests, rows := r.drops[tenantA], uint64(0), uint64(0)
	for i := range got {
		requests, rows = requests+got[i].Requests, rows+got[i].Rows
	}
	if len(got) != 257 || requests != all || rows != 2*all {
		t.Fatalf("got %d lines of %d requests and %d rows, want 257 of %d and %d", len(got), requests, rows, all, 2*all)
	}
	others := 0
	for i := range got {
		if got[i].Reason == "other" {
			others++
			if got[i].Requests != all-256 || got[i].Sample != "" {
				t.Errorf("got %+v, want the %d that did not fit, without a sample", got[i], all-256)
			}
		}
	}
	if others != 1 {
		t.Errorf("got %d lines for what did not fit, want 1", others)
	}
}

// TestSamplesAreBounded counts the samples of one reason over some minutes.
func TestSamplesAreBounded(t *testing.T) {
	l, r, clock, _ := newLedger(t)
	for range 3 { // minutes
		for i := range 12 { // flushes
			d := drop()
			d.Token = fmt.Sprint(i)
			l.Record(d)
			clock.Advance(5 * time.Second)
			flush(t, l)
		}
	}
	samples := 0
	for _, d := range r.drops[tenantA] {
		if d.Sample != "" {
			samples++
		}
	}
	if samples != 9 {
		t.Errorf("got %d samples in three minutes, want 9", samples)
	}
}

// TestUnsentDropsAreKept makes publishing fail for a while: the same rows are sent again, unchanged, and what is refused
// meanwhile is counted too.
func TestUnsentDropsAreKept(t *testing.T) {
	l, r, clock, _ := newLedger(t)
	r.fail(seamark.Errorf(seamark.Unavailable, "seamark-queue-busy", "Busy."))
	l.Record(drop())
	for range 3 {
		if err := l.Flush(t.Context()); err == nil {
			t.Fatal("the flush did not tell that it failed")
		}
		clock.Advance(5 * time.Second)
		l.Record(drop())
	}
	if r.tries[0] != r.tries[1] || r.tries[1] != r.tries[2] {
		t.Errorf("the attempts differ: %q", r.tries)
	}
	r.fail(nil)
	flush(t, l)
	got := r.drops[tenantA]
	if len(got) != 2 || got[0].Requests != 1 || got[1].Requests != 3 {
		t.Errorf("got %+v, want a line of 1 and a line of 3 requests", got)
	}
}

// TestDropsOfTheDeletedAreForgotten publishes for a tenant that is gone: the others' are published all the same.
func TestDropsOfTheDeletedAreForgotten(t *testing.T) {
	l, r, _, reg := newLedger(t)
	r.fail(seamark.Errorf(seamark.NotFound, "seamark-tenant-deleted", "Deleted."))
	l.Record(drop())
	flush(t, l)
	r.fail(nil)
	flush(t, l)
	if len(r.tries) != 1 || len(r.drops) != 0 {
		t.Errorf("got %d attempts for a tenant that is gone, want 1", len(r.tries))
	}
	if got, err := testutil.GatherAndCount(reg, "seamark_ingest_drop_lines_lost_total"); err != nil || got != 1 {
		t.Errorf("got %d, %v of the metric of lost lines", got, err)
	}
}

// TestRunPublishesAtItsEnd stops the ledger: what was gathered is published.
func TestRunPublishesAtItsEnd(t *testing.T) {
	l, r, _, _ := newLedger(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.Record(drop())
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(r.drops[tenantA]) != 1 {
		t.Errorf("got %+v, want the drop of before the end", r.drops[tenantA])
	}
}

// TestRecordKeepsNothingOfTheRequest overwrites the memory that a drop's texts lie in, as the next request does.
func TestRecordKeepsNothingOfTheRequest(t *testing.T) {
	l, r, _, _ := newLedger(t)
	d := drop()
	var bodies [][]byte
	for _, text := range []*string{&d.Detail, &d.Sample, &d.Token, &d.Reason, &d.Protocol, &d.ClusterName} {
		body := []byte(*text)
		bodies = append(bodies, body)
		*text = unsafe.String(&body[0], len(body))
	}
	l.Record(d)
	for _, body := range bodies {
		clear(body)
	}
	flush(t, l)
	want := drop()
	got := r.drops[tenantA][0]
	if got.Detail != want.Detail || got.Sample != "password=***" || got.Token != want.Token || got.Reason != want.Reason ||
		got.Protocol != want.Protocol || got.Cluster != want.ClusterName {
		t.Errorf("got %+v, want the texts as they were", got)
	}
}

func TestLongDetailIsCut(t *testing.T) {
	l, r, _, _ := newLedger(t)
	d := drop()
	d.Detail = strings.Repeat("é", 5000)
	l.Record(d)
	flush(t, l)
	if got := r.drops[tenantA][0].Detail; len(got) > 1024 || !strings.HasSuffix(got, "é...") {
		t.Errorf("got %d bytes ending in %q", len(got), got[len(got)-8:])
	}
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := ledger.New(ledger.Options{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err == nil {
		t.Error("a ledger without a way to publish was made")
	}
	publish := func(context.Context, seamark.TenantID, seamark.ClusterID, []seamark.Drop) error {
		return errors.New("unused")
	}
	_, err = ledger.New(ledger.Options{
		Publish: publish, Flush: -1, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	if err == nil {
		t.Error("a negative interval was accepted")
	}
}

// BenchmarkRecord is a flood of the same refusal.
func BenchmarkRecord(b *testing.B) {
	l, _, _, _ := newLedger(b)
	d := drop()
	b.ReportAllocs()
	for range b.N {
		l.Record(d)
	}
}
