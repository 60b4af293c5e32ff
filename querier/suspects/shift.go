package suspects

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Probe is a metric that is looked at beside an alert.
type Probe struct {
	Name string // in words: "CPU of pods"
	Expr string // PromQL; its results have labels that name what they are about
	// Weight is how much a shift of it says about a cause.
	Weight float64
}

// probes returns what is looked at, by what the alert is about. Names of metrics are those of cAdvisor, kube-state-metrics,
// node-exporter, the control plane, Prometheus' and OpenTelemetry's HTTP libraries and service graphs; what a tenant does not have
// costs a look-up.
func (h *hunt) probes() []Probe {
	a := &h.alert
	var list []Probe
	pods := func(where, sel string) {
		const by = "sum by (cluster, namespace, pod, node) "
		list = append(list,
			Probe{"CPU of pods " + where, by + "(rate(container_cpu_usage_seconds_total{container!=\"\"," + sel + "}[5m]))", 0.8},
			Probe{"memory of pods " + where, by + "(container_memory_working_set_bytes{container!=\"\"," + sel + "})", 0.75},
			Probe{"disk writes of pods " + where, by + "(rate(container_fs_writes_bytes_total{" + sel + "}[5m]))", 0.8},
		)
	}
	if a.namespace != "" {
		pods("in the namespace", h.selector("namespace", a.namespace))
	}
	if len(a.nodes) > 0 {
		pods("on the node", h.selector("node", a.nodeList()...))
		sel := h.selector("node", a.nodeList()...)
		list = append(list,
			Probe{"CPU of nodes", "1 - avg by (cluster, node) (rate(node_cpu_seconds_total{mode=\"idle\"," + sel + "}[5m]))", 0.6},
			Probe{"disk time of nodes", "max by (cluster, node) (rate(node_disk_io_time_seconds_total{" + sel + "}[5m]))", 0.7},
		)
	}
	all := h.selector("", "")
	list = append(list,
		Probe{"requests of services", "sum by (cluster, namespace, service) (rate({__name__=~\"http_requests_total|http_request_duration_seconds_count|http_server_request_duration_seconds_count\"," + all + "}[5m]))", 0.7},
		Probe{"latency of services", "sum by (cluster, namespace, service) (rate({__name__=~\"http_request_duration_seconds_sum|http_server_request_duration_seconds_sum\"," + all + "}[5m])) / sum by (cluster, namespace, service) (rate({__name__=~\"http_request_duration_seconds_count|http_server_request_duration_seconds_count\"," + all + "}[5m]))", 0.75},
		Probe{"API requests by client", "sum by (cluster, client) (rate(apiserver_request_total{" + all + "}[5m]))", 0.7},
		Probe{"fsync time of etcd", "sum by (cluster, instance) (rate(etcd_disk_wal_fsync_duration_seconds_sum{" + all + "}[5m])) / sum by (cluster, instance) (rate(etcd_disk_wal_fsync_duration_seconds_count{" + all + "}[5m]))", 0.85},
	)
	if a.workload != "" {
		sel := h.selector("client", a.workload)
		list = append(list, Probe{"latency of calls to upstreams", "sum by (cluster, client, server) (rate(traces_service_graph_request_server_seconds_sum{" + sel + "}[5m])) / sum by (cluster, client, server) (rate(traces_service_graph_request_server_seconds_count{" + sel + "}[5m]))", 0.9})
	}
	return list
}

func (a *alert) nodeList() []string {
	list := make([]string, 0, len(a.nodes))
	for node := range a.nodes {
		list = append(list, node)
	}
	slices.Sort(list)
	return list[:min(len(list), maxNodes)]
}

// maxNodes bounds the nodes whose pods are looked at.
const maxNodes = 8

// selector returns matchers for the alert's cluster, and for one label of some values.
func (h *hunt) selector(label string, values ...string) string {
	var parts []string
	if h.alert.cluster != "" {
		parts = append(parts, "cluster="+strconv.Quote(h.alert.cluster))
	}
	switch {
	case label == "":
	case len(values) == 1:
		parts = append(parts, label+"="+strconv.Quote(values[0]))
	default:
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = regexpQuote(v)
		}
		parts = append(parts, label+"=~"+strconv.Quote(strings.Join(quoted, "|")))
	}
	return strings.Join(parts, ",")
}

func regexpQuote(s string) string {
	return strings.NewReplacer(".", `\.`, "+", `\+`, "|", `\|`).Replace(s)
}

// NodesProbe is the name of the probe that tells on which nodes pods run.
const NodesProbe = "nodes of pods"

// findNodes learns on which nodes what the alert is about runs, so that its neighbours there are looked at. It is a help: without
// an answer the neighbours stay unknown.
func (h *hunt) findNodes(ctx context.Context) {
	a := &h.alert
	if len(a.nodes) > 0 || a.workload == "" || a.namespace == "" {
		return
	}
	pod := `pod=~` + strconv.Quote(regexpQuote(a.workload)+"(-.*)?")
	if name := h.q.Labels["pod"]; name != "" {
		pod = "pod=" + strconv.Quote(name)
	}
	const span = 10 * time.Minute
	found, err := h.finder.opts.Source.Series(ctx, h.scope, SeriesQuery{
		Probe: Probe{Name: NodesProbe, Expr: "group by (node) (kube_pod_info{" + h.selector("namespace", a.namespace) + "," + pod + "})"},
		Start: h.q.Start.Add(-span), End: h.q.Start, Step: span / 5, Limit: h.finder.opts.MaxRows,
	})
	if err != nil {
		h.missing = append(h.missing, NodesProbe+": "+reason(err))
		return
	}
	for i := range found {
		if node := found[i].Labels["node"]; node != "" {
			a.nodes[node] = true
		}
	}
}

// shiftPoints is about how many values a series has.
const shiftPoints = 120

// shifts observes series of a probe that left their course.
func (h *hunt) shifts(ctx context.Context, p Probe) ([]observation, error) {
	span := h.around.End.Sub(h.around.Start)
	step := max(time.Minute, (span / shiftPoints).Truncate(time.Second))
	found, err := h.finder.opts.Source.Series(ctx, h.scope, SeriesQuery{Probe: p, Start: h.around.Start, End: h.around.End, Step: step, Limit: h.finder.opts.MaxRows})
	if err != nil {
		return nil, err
	}
	var list []observation
	for i := range found {
		if s, ok := measure(&found[i], h.around.Start.Add(h.q.Window/2)); ok {
			list = append(list, h.shift(&p, &found[i], &s))
		}
	}
	return list, nil
}

// shift is how a series left its course.
type shift struct {
	onset     time.Time
	from, to  float64
	deviation float64 // standard deviations
}

const (
	// minDeviations and minChange are what counts as a shift: of a hundred series some are four deviations away by chance, and a
	// tenth more is nobody's cause.
	minDeviations = 5
	minChange     = 0.25
	settled       = 5 // values whose median must be away
	// leastScale is the least scale as a share of the middle: an hour tells too little of what the day allows.
	leastScale = 0.1
)

// measure compares the values after a time with those before it.
func measure(s *Series, split time.Time) (shift, bool) {
	var before, after []float64
	var times []time.Time
	for i, v := range s.Values {
		at := s.Start.Add(time.Duration(i) * s.Step)
		switch {
		case math.IsNaN(v):
		case at.Before(split):
			before = append(before, v)
		default:
			after, times = append(after, v), append(times, at)
		}
	}
	const fewest = 10
	if len(before) < fewest || len(after) < 2*settled {
		return shift{}, false
	}
	mid, scale := spread(before)
	scale = max(scale, leastScale*math.Abs(mid), 1e-12)
	best := shift{from: mid}
	for i := 0; i+settled <= len(after); i++ {
		v := median(after[i : i+settled])
		z := (v - mid) / scale
		if math.Abs(z) >= minDeviations && best.onset.IsZero() {
			best.onset = times[i]
		}
		if math.Abs(z) > math.Abs(best.deviation) {
			best.deviation, best.to = z, v
		}
	}
	if best.onset.IsZero() || math.Abs(best.to-mid) < minChange*max(math.Abs(mid), math.Abs(best.to)) {
		return shift{}, false
	}
	return best, true
}

func median(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func spread(values []float64) (mid, scale float64) {
	mid = median(values)
	away := make([]float64, len(values))
	for i, v := range values {
		away[i] = math.Abs(v - mid)
	}
	const normal = 1.4826 // median absolute deviations in a standard deviation
	return mid, normal * median(away)
}

// symptom is the weight of a shift of what the alert is about: it shows the trouble, and seldom why.
const symptom = 0.6

func (h *hunt) shift(p *Probe, s *Series, found *shift) observation {
	o := observation{kind: MetricShift, cluster: s.Labels["cluster"], namespace: s.Labels["namespace"]}
	where := place{cluster: o.cluster, namespace: o.namespace, node: s.Labels["node"]}
	kind := "Service"
	switch {
	case s.Labels["pod"] != "":
		kind, where.workload = "Pod", workloadOf(s.Labels["pod"])
		o.object = objectName(kind, where.workload)
	case s.Labels["server"] != "":
		where.workload = s.Labels["server"]
		o.object, o.key = "Service "+where.workload, objectKey(o.cluster, "", kind, where.workload)
	case s.Labels["service"] != "":
		where.workload = s.Labels["service"]
		o.object = "Service " + where.workload
	case where.node != "":
		kind = "Node"
		o.object = "Node " + where.node
	default:
		o.object = strings.TrimSpace(p.Name + " " + first(s.Labels, "client", "instance"))
		kind = "metric"
	}
	o.relation = h.alert.to(&where)
	weight := p.Weight * saturate(found.deviation, 12) * h.near(found.onset) * o.relation.weight()
	switch {
	case s.Labels["server"] != "":
		o.relation = Upstream
		weight = p.Weight * saturate(found.deviation, 12) * h.near(found.onset) * Upstream.weight()
	case o.relation == SameWorkload, kind == "Node":
		weight *= symptom
	}
	if o.key == "" {
		name := where.workload
		if kind == "Node" || name == "" {
			name = o.object
		}
		if kind == "Service" {
			kind = "Pod" // a service is one with the workload of its name
		}
		o.key = objectKey(o.cluster, o.namespace, kind, name)
		if kind == "Node" {
			o.key = objectKey(o.cluster, "", "Node", where.node)
		}
	}
	o.Evidence = Evidence{
		Source: "metrics", Time: found.onset, Weight: weight,
		Text: fmt.Sprintf("%s: %s went from %s to %s, %.0f standard deviations, %s.", p.Name, labelText(s.Labels), short(found.from), short(found.to),
			math.Abs(found.deviation), h.when(found.onset)),
	}
	return o
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

func labelText(labels map[string]string) string {
	var parts []string
	for name, v := range labels {
		if name != "cluster" && v != "" {
			parts = append(parts, name+" "+v)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
