package democluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"k8s.io/apimachinery/pkg/types"

	"github.com/seamarkhq/seamark/internal/democluster"
)

// TestHistory asserts what holds for any hour of a cluster, on one hour.
func TestHistory(t *testing.T) {
	s, _, _ := prime(t, nil)
	for name, check := range map[string]func(*testing.T, *server){
		"every signal is there":                           checkEverySignal,
		"timestamps lie in it":                            checkTimestamps,
		"pods are the same in all signals":                checkPodsAreTheSameInAllSignals,
		"events count up under one uid":                   checkEventsCountUpUnderOneUID,
		"counters fall only when a container starts anew": checkCountersFallOnlyWhenAContainerStartsAnew,
		"ended series are marked stale":                   checkEndedSeriesAreMarkedStale,
		"histograms are cumulative":                       checkHistogramsAreCumulative,
		"lines look real":                                 checkLinesLookReal,
		"OpenTelemetry's points look real":                checkOTelPoints,
		"incidents come by themselves":                    checkIncidentsComeByThemselves,
		"audit records fit the story":                     checkAuditFitsTheStory,
	} {
		t.Run(name, func(t *testing.T) { check(t, s) })
	}
}

// podsOf returns what each signal tells about pods: namespace and node by pod name.
func podsOf(s *server) (logs, metrics, events map[string]string) {
	logs, metrics, events = make(map[string]string), make(map[string]string), make(map[string]string)
	for _, l := range s.lines {
		logs[l.labels["pod"]] = l.labels["namespace"] + " on " + l.labels["node"]
	}
	for _, set := range s.labels {
		if set.Get("__name__") == "kube_pod_info" {
			metrics[set.Get("pod")] = set.Get("namespace") + " on " + set.Get("node")
		}
	}
	for _, e := range s.events {
		if e.InvolvedObject.Kind == "Pod" && e.Source.Host != "" {
			events[e.InvolvedObject.Name] = e.InvolvedObject.Namespace + " on " + e.Source.Host
		}
	}
	return logs, metrics, events
}

func checkPodsAreTheSameInAllSignals(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		logs, metrics, events := podsOf(s)
		require.Greater(t, len(logs), 30)
		require.Greater(t, len(events), 10)
		for pod, place := range logs {
			require.Equal(t, metrics[pod], place, "logs of pod %s", pod)
		}
		for pod, place := range events {
			require.Equal(t, metrics[pod], place, "events of pod %s", pod)
		}
		namespaces, nodes := make(map[string]bool), make(map[string]bool)
		for _, place := range metrics {
			namespace, node, _ := strings.Cut(place, " on ")
			namespaces[namespace], nodes[node] = true, true
		}
		delete(nodes, "") // of the pod that no node has room for
		require.Len(t, namespaces, 5)
		require.Len(t, nodes, 4)
	})
}

func checkEventsCountUpUnderOneUID(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		reasons, counts, names := make(map[string]bool), make(map[string]int32), make(map[string]string)
		rising := make(map[string]bool)
		for _, e := range s.events {
			reasons[e.Type+" "+e.Reason] = true
			require.Equal(t, "demo", e.ClusterName)
			require.Equal(t, "Event", e.Kind)
			count := e.Count
			if e.Series != nil {
				count = e.Series.Count
			}
			uid := string(e.UID)
			if previous, seen := counts[uid]; seen {
				require.Equal(t, max(previous, 1)+1, count, "count of %s %s", e.Name, e.Reason)
				require.Equal(t, names[uid], e.Name)
				rising[e.Reason] = true
			}
			counts[uid], names[uid] = count, e.Name
		}
		for _, want := range []string{
			"Normal Scheduled", "Normal Pulled", "Normal Created", "Normal Started", "Normal Killing", "Normal ScalingReplicaSet", "Normal SuccessfulCreate",
			"Normal SuccessfulDelete", "Warning BackOff", "Warning Unhealthy", "Warning FailedScheduling", "Warning Evicted", "Warning OOMKilling",
			"Warning KernelOops", "Warning NTPProblem", "Warning Failed",
		} {
			require.True(t, reasons[want], want)
		}
		require.Subset(t, keys(rising), []string{"BackOff", "FailedScheduling", "Unhealthy"})
	})
}

func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	return all
}

func checkCountersFallOnlyWhenAContainerStartsAnew(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		require.Positive(t, requireMonotonic(t, s), "an hour has crashes")
		restarts := 0.0
		for _, points := range s.family("kube_pod_container_status_restarts_total") {
			for _, p := range points {
				if !value.IsStaleNaN(p.value) {
					restarts = max(restarts, p.value)
				}
			}
		}
		require.Positive(t, restarts)
	})
}

func checkEndedSeriesAreMarkedStale(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		ended := 0
		for key, points := range s.family("kube_pod_info") {
			last := points[len(points)-1]
			if last.milli < start.Truncate(time.Second).UnixMilli() {
				ended++
				require.True(t, value.IsStaleNaN(last.value), key)
			}
		}
		require.Positive(t, ended, "an hour has pods that end")
	})
}

func checkHistogramsAreCumulative(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		counts := s.family("http_request_duration_seconds_count")
		require.NotEmpty(t, counts)
		for key := range counts {
			set := s.labels[key]
			same := []string{"pod", set.Get("pod"), "handler", set.Get("handler"), "method", set.Get("method")}
			previous := 0.0
			for _, le := range []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"} {
				bucket := last(s.family("http_request_duration_seconds_bucket", append(same, "le", le)...))
				require.GreaterOrEqual(t, bucket, previous, "%s le %s", key, le)
				previous = bucket
			}
			require.Equal(t, last(counts, key), previous)
		}
	})
}

// last returns the last value of the named series, or of the only one.
func last(family map[string][]point, key ...string) float64 {
	for k, points := range family {
		if len(key) > 0 && k != key[0] {
			continue
		}
		for _, p := range slices.Backward(points) {
			if !value.IsStaleNaN(p.value) {
				return p.value
			}
		}
	}
	return -1
}

func checkLinesLookReal(t *testing.T, s *server) {
	t.Helper()
	shapes := map[string]*regexp.Regexp{
		"ingress-nginx-controller": regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+ - - \[\d+/Nov/2026:\d+:\d+:\d+ \+0000\] "(GET|POST) /\S* HTTP/2\.0" \d{3} \d+ "-" ".+" \d+ \d+\.\d{3} \[[a-z-]+-\d+\] \[\] \S+ \d+ \d+\.\d{3} \d{3} [0-9a-f]{32}$`),
		"kube-apiserver":           regexp.MustCompile(`^[IWE]1120 \d{2}:\d{2}:\d{2}\.\d{6} +\d+ \S+\.go:\d+\] .+$`),
		"catalog":                  regexp.MustCompile(`^ts=\S+ level=(info|warn|error) caller=\S+ method=GET path=\S+ status=\d+ duration=\S+ cache=\w+ msg=".+"$`),
		"postgres":                 regexp.MustCompile(`^2026-11-20 \d{2}:\d{2}:\d{2}\.\d{3} UTC \[\d+\] (LOG|ERROR|FATAL):  .+$`),
		"cart-redis":               regexp.MustCompile(`^1:M 20 Nov 2026 \d{2}:\d{2}:\d{2}\.\d{3} \* .+$`),
	}
	s.read(t, func() {
		traces, stacks := 0, 0
		for _, l := range s.lines {
			app := l.labels["app"]
			if shape := shapes[app]; shape != nil && !shape.MatchString(l.text) {
				t.Fatalf("line of %s looks wrong: %s", app, l.text)
			}
			if app == "frontend" || app == "payments-api" && strings.HasPrefix(l.text, "{") || app == "etcd" {
				require.True(t, json.Valid([]byte(l.text)), l.text)
			}
			if strings.Contains(l.text, "\n\tat ") {
				stacks++
			}
			if l.otlp && len(l.trace) == 32 {
				traces++
			}
		}
		require.Greater(t, stacks, 10)
		require.Greater(t, traces, 1000)
	})
}

func checkOTelPoints(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		pods, counts := make(map[string]bool), make(map[string]uint64)
		for _, m := range s.otel {
			for _, rm := range m.ResourceMetrics().All() {
				pod := kubernetesLabels(rm.Resource().Attributes())["pod"]
				pods[pod] = true
				histogram := rm.ScopeMetrics().At(0).Metrics().At(0)
				require.Equal(t, "http.server.request.duration", histogram.Name())
				require.Equal(t, pmetric.AggregationTemporalityCumulative, histogram.Histogram().AggregationTemporality())
				for _, p := range histogram.Histogram().DataPoints().All() {
					sum := uint64(0)
					for _, n := range p.BucketCounts().All() {
						sum += n
					}
					require.Equal(t, p.Count(), sum)
					require.True(t, p.StartTimestamp() < p.Timestamp())
					counts[pod] = max(counts[pod], p.Count())
				}
			}
		}
		require.Len(t, pods, 2, "of checkout")
		for pod, n := range counts {
			require.Greater(t, n, uint64(1000), pod)
			require.Contains(t, pod, "checkout-")
		}
	})
}

// errorRatio is sum(rate(http_requests_total{namespace="payments",code=~"5.."}[d])) / sum(rate(http_requests_total{namespace="payments"}[d])).
func errorRatio(s *server, from, to time.Time) float64 {
	failed, all := 0.0, 0.0
	for key, points := range s.family("http_requests_total", "namespace", "payments") {
		for i := 1; i < len(points); i++ {
			rise := points[i].value - points[i-1].value
			if points[i-1].milli < from.UnixMilli() || points[i].milli > to.UnixMilli() || !(rise >= 0) { // not so for NaN too
				continue
			}
			all += rise
			if strings.HasPrefix(s.labels[key].Get("code"), "5") {
				failed += rise
			}
		}
	}
	return failed / all
}

func TestIncidentRaisesTheErrorRatioUntilItEnds(t *testing.T) {
	s, c, clock := prime(t, func(o *democluster.Options) { o.Backfill, o.IncidentEvery = 5*time.Minute, 0 })
	quiet := clock.Now()
	c.SetIncident(true)
	advanceLive(t, s, c, clock, 100*time.Second, func() bool { // events come one by one, each after the other's answer
		return len(poolErrors(s)) > 50 && slices.ContainsFunc(s.events, func(e event) bool { return e.Reason == "Started" && e.InvolvedObject.Namespace == "payments" })
	})
	bad := clock.Now()
	c.SetIncident(false)
	advanceLive(t, s, c, clock, 100*time.Second, nil)
	s.read(t, func() {
		require.Less(t, errorRatio(s, quiet.Add(-4*time.Minute), quiet), 0.02)
		require.Greater(t, errorRatio(s, quiet.Add(10*time.Second), bad), 0.2)
		require.Less(t, errorRatio(s, bad.Add(10*time.Second), clock.Now()), 0.02)

		for _, l := range poolErrors(s) {
			require.False(t, l.at.Before(quiet.Truncate(time.Second)) || l.at.After(bad), "%v", l)
		}
		reasons := make(map[string]bool)
		for _, e := range s.events {
			reasons[fmt.Sprint(e.InvolvedObject.Namespace, " ", e.Reason)] = true
		}
		require.Subset(t, keys(reasons), []string{"payments Unhealthy", "payments BackOff", " OOMKilling"})
		killed := s.family("kube_pod_container_status_last_terminated_reason", "namespace", "payments", "reason", "OOMKilled")
		require.Len(t, killed, 1)
		require.NotEmpty(t, s.family("kube_pod_container_status_restarts_total", "namespace", "payments"))
		ups := 0
		for _, points := range s.family("up", "namespace", "payments") {
			for _, p := range points {
				if p.value == 0 {
					ups++
				}
			}
		}
		require.Positive(t, ups, "the killed pod is not up for a while")
	})
}

// poolErrors returns the lines that tell the incident's cause.
func poolErrors(s *server) []logLine {
	var found []logLine
	for _, l := range s.lines {
		if strings.Contains(l.text, "database pool exhausted") {
			found = append(found, l)
		}
	}
	return found
}

func checkIncidentsComeByThemselves(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		// They begin half a period after the history's end, and lie before it in the same rhythm: at -50, -30 and -10 minutes.
		for _, began := range []time.Duration{50, 30, 10} {
			from := start.Add(-began * time.Minute)
			require.Greater(t, errorRatio(s, from.Add(time.Minute), from.Add(4*time.Minute)), 0.2, "%d minutes ago", began)
			require.Less(t, errorRatio(s, from.Add(6*time.Minute), from.Add(9*time.Minute)), 0.02, "after that")
		}
	})
}

// checkAuditFitsTheStory wants a record for each pod that is created or deleted, people whose rights end somewhere, writes with what they
// changed, and in each incident a burst of refusals by one stolen token, from outside.
func checkAuditFitsTheStory(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		ids, said, burst := make(map[types.UID]bool), make(map[string]bool), make(map[time.Duration]int)
		written := 0
		for i := range s.audits {
			e := &s.audits[i]
			require.False(t, ids[e.AuditID], "%s came twice", e.AuditID)
			ids[e.AuditID] = true
			said[fmt.Sprint(e.Verb, " ", e.ObjectRef.Resource, " ", e.ObjectRef.Name)] = true
			if e.RequestObject != nil {
				require.True(t, json.Valid(e.RequestObject.Raw))
				written++
			}
			if e.User.Username == "system:serviceaccount:payments:report-runner" {
				require.Equal(t, []string{"203.0.113.77"}, e.SourceIPs)
				if e.ResponseStatus.Code == http.StatusForbidden {
					burst[start.Sub(e.StageTimestamp.Time).Truncate(10*time.Minute)]++
				}
			}
		}
		for _, e := range s.events {
			switch pod := strings.TrimPrefix(e.Message, "Created pod: "); e.Reason {
			case "SuccessfulCreate":
				require.True(t, said["create pods "+pod], "%s", e.Message)
			case "SuccessfulDelete":
				require.True(t, said["delete pods "+strings.TrimPrefix(e.Message, "Deleted pod: ")], "%s", e.Message)
			}
		}
		require.True(t, said["patch deployments catalog"])
		require.True(t, said["get secrets stripe-keys"], "a developer is refused")
		require.True(t, said["get secrets postgres-credentials"], "one door was open")
		require.Positive(t, written)
		require.Len(t, burst, 3, "one burst in each incident")
		for at, n := range burst {
			require.InDelta(t, 59, n, 2, "the burst %v ago", at)
		}
	})
}

func TestNoIncidentsWhenNever(t *testing.T) {
	s, _, _ := prime(t, func(o *democluster.Options) { o.IncidentEvery = 0 })
	s.read(t, func() {
		require.Less(t, errorRatio(s, start.Add(-time.Hour), start), 0.02)
		require.Empty(t, poolErrors(s))
	})
}

func TestEqualSeedsMakeEqualClusters(t *testing.T) {
	short := func(seed uint64) func(*democluster.Options) {
		return func(o *democluster.Options) { o.Backfill, o.Seed = 5*time.Minute, seed }
	}
	one, _, _ := prime(t, short(3))
	two, _, _ := prime(t, short(3))
	other, _, _ := prime(t, short(4))
	one.read(t, func() {
		require.ElementsMatch(t, texts(one), texts(two))
		require.Len(t, two.series, len(one.series))
		for key, points := range one.series {
			require.Len(t, two.series[key], len(points), key)
		}
		require.NotContains(t, keys(other.series), keys(one.family("kube_pod_info"))[0])
	})
}

func texts(s *server) []string {
	all := make([]string, len(s.lines))
	for i, l := range s.lines {
		all[i] = l.at.String() + l.text
	}
	return all
}
