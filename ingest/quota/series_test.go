package quota_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestSeriesOverTheLimitAreRefused sends three series more than the limit: their rows go, with histograms and exemplars,
// and everybody else's stay.
func TestSeriesOverTheLimitAreRefused(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{ActiveSeries: 100})
	first := metricBatch(upTo(0, 98)...)
	l.AdmitSeries(prod, first)
	if first.Rejected.Rows() != 0 || first.Samples.Len() != 98 {
		t.Fatalf("below the limit %d rows were refused", first.Rejected.Rows())
	}
	b := metricBatch(upTo(95, 103)...) // 98 and 99 still fit, 100 to 102 do not
	for i := range 8 {
		b.Histograms.Append(&seamark.HistogramRow{Series: uint32(i), TimeMilli: int64(i), Data: fmt.Sprint(i)})
		b.Exemplars = append(b.Exemplars, seamark.Exemplar{Series: uint32(i), Value: float64(i)})
	}
	l.AdmitSeries(prod, b)
	if got := fmt.Sprint(b.Samples.Value); got != "[95 96 97 98 99]" {
		t.Errorf("got samples %s, want those of the first five series", got)
	}
	if got := fmt.Sprint(b.Histograms.Data); got != "[0 1 2 3 4]" {
		t.Errorf("got histograms %s, want those of the first five series", got)
	}
	if len(b.Exemplars) != 5 {
		t.Errorf("got %d exemplars, want those of the first five series", len(b.Exemplars))
	}
	if len(b.Rejected.Reasons) != 1 || b.Rejected.Samples != 6 || b.Rejected.Reasons[0].Reason != "seamark-series-limit" {
		t.Fatalf("got rejections %+v, want 3 samples and 3 histograms for seamark-series-limit", b.Rejected)
	}
	detail := b.Rejected.Reasons[0].Detail
	for _, words := range []string{"The tenant", "100", "active_series", "requests_total{path=/100}", "--quota.active-series", string(tenantA)} {
		if !strings.Contains(detail, words) {
			t.Errorf("the detail %q does not say %q", detail, words)
		}
	}
	known := metricBatch(upTo(0, 100)...)
	if l.AdmitSeries(prod, known); known.Rejected.Rows() != 0 {
		t.Errorf("%d rows of active series were refused at the limit", known.Rejected.Rows())
	}
}

// TestStreamsOverTheLimitAreRefused also checks that refused rows are told by their numbers as they were sent, with rows
// that an earlier check has removed.
func TestStreamsOverTheLimitAreRefused(t *testing.T) {
	w := newWorld()
	w.setCluster(quota.Limits{ActiveStreams: 2})
	l := w.node(t, "n1", quota.Limits{ActiveStreams: 1000})
	b := &seamark.Batch{}
	b.Rejected.Track = true
	for n := range 4 {
		b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: fingerprint(n), Name: "shop/cart", Labels: []seamark.Label{{Name: "pod", Value: fmt.Sprint(n)}}})
	}
	for row := range 12 {
		b.Logs.Append(&seamark.LogRow{Stream: uint32(row % 4), Body: fmt.Sprint(row)})
	}
	for _, row := range []int{0, 5} { // an earlier check
		b.Rejected.AddLog(row, "seamark-time-window", "late")
	}
	b.Logs.Select([]int{1, 2, 3, 4, 6, 7, 8, 9, 10, 11})
	l.AdmitSeries(prod, b)
	if got := fmt.Sprint(b.Logs.Body); got != "[1 4 8 9]" {
		t.Errorf("got lines %s, want those of the streams 0 and 1", got)
	}
	if got := fmt.Sprint(b.Rejected.LogRows); got != "[{0 0} {5 0} {2 1} {3 1} {6 1} {7 1} {10 1} {11 1}]" {
		t.Errorf("got refused rows %s", got)
	}
	if got := b.Rejected.Reasons[1]; got.Reason != "seamark-streams-limit" || got.Count != 6 || !strings.Contains(got.Detail, `The cluster "prod"`) {
		t.Errorf("got %+v, want 6 rows for seamark-streams-limit of the cluster", got)
	}
}

// TestClustersShareTheirTenantsSeries uses a tenant's series up in one cluster.
func TestClustersShareTheirTenantsSeries(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{ActiveSeries: 10})
	l.AdmitSeries(prod, metricBatch(upTo(0, 10)...))
	other := prod
	other.Cluster = clusterB
	b := metricBatch(100)
	if l.AdmitSeries(other, b); b.Rejected.Samples != 1 {
		t.Errorf("the other cluster's series was taken over the tenant's limit")
	}
	b, other.Tenant = metricBatch(100), tenantB
	if l.AdmitSeries(other, b); b.Rejected.Samples != 0 {
		t.Errorf("another tenant's series was refused")
	}
}

// TestSeriesAreForgotten lets series fall silent: after an hour and a quarter at most they make room.
func TestSeriesAreForgotten(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{ActiveSeries: 10})
	l.AdmitSeries(prod, metricBatch(upTo(0, 10)...))
	for minute := range 75 {
		w.clock.Advance(time.Minute)
		refresh(t, l)
		kept := metricBatch(upTo(0, 5)...)
		if l.AdmitSeries(prod, kept); kept.Rejected.Rows() != 0 {
			t.Fatalf("after %d minutes a series in use was refused", minute+1)
		}
		if minute != 58 {
			continue
		}
		b := metricBatch(20)
		if l.AdmitSeries(prod, b); b.Rejected.Rows() != 1 {
			t.Fatal("within the hour there was room for another series")
		}
	}
	b := metricBatch(upTo(20, 26)...)
	if l.AdmitSeries(prod, b); b.Rejected.Rows() != 1 {
		t.Errorf("got %d of 6 new series refused where 5 were forgotten, want 1", b.Rejected.Rows())
	}
}

// TestSprayedSeriesCountOnce sends the same series through two nodes in turn, as a load balancer does: they count once,
// although each node has seen nearly all of them.
func TestSprayedSeriesCountOnce(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{ActiveSeries: 10_000}
	nodes := []*quota.Limiter{w.node(t, "n1", limits), w.node(t, "n2", limits)}
	refused := 0
	push := func(node, lo, hi int) {
		b := metricBatch(upTo(lo, hi)...)
		if nodes[node].Admit(prod, seamark.Metrics, 100, b.Rows()) == nil {
			nodes[node].AdmitSeries(prod, b)
			refused += b.Rejected.Rows()
		}
	}
	second := func() {
		w.clock.Advance(time.Second)
		refresh(t, nodes...)
	}
	for lo := 0; lo < 8000; lo += 200 { // grows over 40 s, every series at both nodes
		push(0, lo, lo+200)
		push(1, lo, lo+200)
		second()
	}
	if refused != 0 {
		t.Errorf("%d rows of 8000 series were refused below the limit of 10000", refused)
	}
	for range 60 {
		for lo := 8000; lo < 30_000; lo += 1000 {
			push(0, lo, lo+500)
			push(1, lo+500, lo+1000)
		}
		second()
	}
	use, err := quota.NewReader(w.presence, w.usage, w.clock.Now).Find(t.Context(), tenantA)
	if err != nil {
		t.Fatal(err)
	}
	if got := use.Tenant.ActiveSeries; got < 9_000 || got > 11_500 {
		t.Errorf("got %d active series after a flood at both nodes, want about the limit of 10000", got)
	}
	known := metricBatch(upTo(0, 8000)...)
	if nodes[0].AdmitSeries(prod, known); known.Rejected.Rows() != 0 {
		t.Errorf("%d rows of active series were refused", known.Rejected.Rows())
	}
}

// TestQuietNodeTakesNewSeries sends through two nodes in turn, a minute apart, so that each is quiet when it is asked: below
// the limit nothing is refused. A third node that is asked for the first time knows what the others have.
func TestQuietNodeTakesNewSeries(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{ActiveSeries: 10_000}
	nodes := []*quota.Limiter{w.node(t, "n1", limits), w.node(t, "n2", limits)}
	push := func(l *quota.Limiter, lo, hi int) (refused int) {
		t.Helper()
		b := metricBatch(upTo(lo, hi)...)
		if err := l.Admit(prod, seamark.Metrics, 100, b.Rows()); err != nil {
			t.Fatal(err)
		}
		l.AdmitSeries(prod, b)
		return b.Rejected.Rows()
	}
	for minute := range 10 {
		if n := push(nodes[minute%2], 500*minute, 500*minute+500); n != 0 {
			t.Fatalf("minute %d: %d new series were refused below the limit", minute, n)
		}
		for range 60 {
			w.clock.Advance(time.Second)
			refresh(t, nodes...)
		}
	}
	w.setTenant(quota.Limits{ActiveSeries: 5_500})
	third := w.node(t, "n3", limits)
	if n := push(third, 10_000, 16_000); n < 5_000 {
		t.Errorf("a node that was asked for the first time refused %d of 6000 series where others have 5000 of 5500, want nearly all", n)
	}
}

// BenchmarkAdmitSeries is what an ordinary request of 2,000 samples costs: every series is known.
func BenchmarkAdmitSeries(b *testing.B) {
	w := newWorld()
	l := w.node(b, "n1", quota.Limits{ActiveSeries: 1_000_000})
	const all, perRequest = 150_000, 2000
	list := make([]*seamark.Series, all)
	for n := range list {
		list[n] = metricSeries(n)
	}
	requests := make([]*seamark.Batch, all/perRequest)
	for i := range requests {
		requests[i] = &seamark.Batch{}
		for _, s := range list[i*perRequest : (i+1)*perRequest] {
			requests[i].Samples.Append(requests[i].Samples.AddSeries(s), 0, 1)
		}
		l.AdmitSeries(prod, requests[i])
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		l.AdmitSeries(prod, requests[i%len(requests)])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perRequest), "ns/series")
}

// BenchmarkAdmit is what the rates cost per request.
func BenchmarkAdmit(b *testing.B) {
	w := newWorld()
	l := w.node(b, "n1", quota.Limits{BytesPerSecond: 1 << 40, RowsPerSecond: 1 << 40, DailyBytes: 1 << 60})
	b.ReportAllocs()
	for range b.N {
		if l.Check(prod, seamark.Logs) != nil || l.Admit(prod, seamark.Logs, 100_000, 1000) != nil {
			b.Fatal("refused")
		}
	}
}
