package democluster

import (
	"fmt"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
)

// podMetrics is the series that end with a pod.
type podMetrics struct {
	cadvisor *group
	state    *group // kube-state-metrics' about it
	own      *group // its own /metrics
	otel     *otelPod

	container []*series // of cadvisor's, those that a new container begins anew
	requests  map[requestKey]*series
	durations map[*handler]*histogram
	poolInUse *series
	process   []*series
}

type requestKey struct {
	handler *handler
	code    int
}

// durationBounds are client_golang's default buckets, in seconds.
func durationBounds() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// addPod makes a pod's series.
func (r *registry) addPod(w *world, p *pod) {
	r.addState(w, p)
	if p.node == nil || p.workload.badImage {
		return // no container has ever run
	}
	r.addContainer(w, p)
	switch {
	case len(p.workload.handlers) == 0 && p.workload.name != "ingress-nginx-controller":
	case p.workload.name == "checkout":
		p.metrics.otel = newOTelPod(w, p)
		r.otel = append(r.otel, p.metrics.otel)
	default:
		r.addOwn(w, p)
	}
}

// removePod ends a pod's series.
func (r *registry) removePod(p *pod) {
	m := &p.metrics
	r.removeGroup(m.cadvisor)
	r.removeGroup(m.state)
	r.removeGroup(m.own)
	r.otel = remove(r.otel, m.otel)
}

// resetPod begins the container's series anew, as a new process does.
func (r *registry) resetPod(w *world, p *pod) {
	m := &p.metrics
	for _, s := range m.container {
		s.set(0)
	}
	for _, s := range m.process {
		s.set(0)
	}
	if m.otel != nil {
		m.otel.reset(w.at)
	}
}

// observe counts a request that the pod answered.
func (m *podMetrics) observe(h *hit) {
	if m.otel != nil {
		m.otel.observe(h)
		return
	}
	m.requestSeries(h.handler, h.code).add(1)
	m.durations[h.handler].observe(h.latency.Seconds())
}

func (m *podMetrics) requestSeries(h *handler, code int) *series {
	key := requestKey{h, code}
	s := m.requests[key]
	if s == nil {
		s = m.own.newSeries("http_requests_total", "method", h.method, "handler", h.path, "code", strconv.Itoa(code))
		m.requests[key] = s
		m.process = append(m.process, s)
	}
	return s
}

// addOwn makes what the service itself exports. Its counters begin at 0, so that rates see the first errors.
func (r *registry) addOwn(w *world, p *pod) {
	l, m := p.workload, &p.metrics
	g := r.newGroup(w, "job", l.namespace+"/"+l.name, "instance", fmt.Sprintf("%s:%d", p.ip, l.port), "namespace", l.namespace, "pod", p.name, "container", l.container, "service", l.name, "node", p.node.name)
	m.own, m.requests, m.durations = g, make(map[requestKey]*series), make(map[*handler]*histogram)
	before := len(g.series)
	if l.name == "ingress-nginx-controller" {
		m.addIngress(w)
	} else {
		for _, h := range l.handlers {
			m.requestSeries(h, successCode(h))
			m.requestSeries(h, 500)
			m.durations[h] = g.newHistogram("http_request_duration_seconds", durationBounds(), "method", h.method, "handler", h.path)
		}
	}
	m.process = append([]*series(nil), g.series[before:]...)
	if l.name == "payments-api" {
		g.constant(poolSize, "db_pool_connections", "state", "max")
		m.poolInUse = g.newSeries("db_pool_connections", "state", "in_use")
	}
	g.up, g.down = g.newSeries("up"), true // until it was up once, there is no end to tell
	memory, start := g.newSeries("process_resident_memory_bytes"), g.newSeries("process_start_time_seconds")
	g.collect = func(float64) {
		g.up.set(boolean(p.alive()))
		memory.set(p.memory())
		start.set(float64(p.started.Unix()))
		if m.poolInUse != nil {
			inUse := float64(2 + w.rand.IntN(5))
			if w.incident.active {
				inUse = poolSize
			}
			m.poolInUse.set(inUse)
		}
	}
}

// addIngress makes ingress-nginx' series: by ingress and service, with the status for a code.
func (m *podMetrics) addIngress(w *world) {
	for _, r := range w.edge {
		h := r.handler
		pairs := []string{"ingress", h.workload.namespace, "exported_namespace", h.workload.namespace, "exported_service", h.workload.name, "host", h.workload.namespace + ".example.com", "path", h.path, "method", h.method}
		for _, code := range []int{successCode(h), 404, 500, 502, 503} {
			m.requests[requestKey{h, code}] = m.own.newSeries("nginx_ingress_controller_requests", append(pairs[:len(pairs):len(pairs)], "status", strconv.Itoa(code))...)
		}
		m.durations[h] = m.own.newHistogram("nginx_ingress_controller_request_duration_seconds", durationBounds(), pairs...)
	}
}

func successCode(h *handler) int {
	if h.method == "POST" {
		return 201
	}
	return 200
}

// alive tells whether the pod's container runs.
func (p *pod) alive() bool { return p.phase == running && p.waiting == "" }

// memory is what the container holds at the moment.
func (p *pod) memory() float64 {
	if !p.alive() {
		return 0
	}
	l := p.workload
	return min(l.memoryBytes*(1+p.drift)+p.swell*l.limitBytes, 0.99*l.limitBytes)
}

// addContainer makes cAdvisor's series, which the node's kubelet exports.
func (r *registry) addContainer(w *world, p *pod) {
	l, m := p.workload, &p.metrics
	g := r.newGroup(w, "job", "kubelet", "metrics_path", "/metrics/cadvisor", "instance", p.node.ip+":10250", "node", p.node.name, "namespace", l.namespace, "pod", p.name)
	m.cadvisor = g
	own := []string{"container", l.container, "image", l.image}
	cpu, memory := g.newSeries("container_cpu_usage_seconds_total", own...), g.newSeries("container_memory_working_set_bytes", own...)
	g.constant(l.limitBytes, "container_spec_memory_limit_bytes", own...)
	received, sent := g.newSeries("container_network_receive_bytes_total", "interface", "eth0"), g.newSeries("container_network_transmit_bytes_total", "interface", "eth0")
	periods, throttled := g.newSeries("container_cpu_cfs_periods_total", own...), g.newSeries("container_cpu_cfs_throttled_periods_total", own...)
	m.container = []*series{cpu, periods, throttled}
	// A pod that ran before the story has used its share already; resetPod sets a new one's to 0.
	cpu.set(l.cores * max(w.at.Sub(p.created).Seconds(), 0))
	received.set(4000 * max(w.at.Sub(p.created).Seconds(), 0))
	sent.set(6000 * max(w.at.Sub(p.created).Seconds(), 0))
	g.collect = func(seconds float64) {
		busy, bytes := p.busySeconds, p.bytes
		p.busySeconds, p.bytes = 0, 0
		p.drift = 0.95*p.drift + 0.01*w.rand.NormFloat64()
		memory.set(p.memory())
		if !p.alive() || p.node == nil {
			return
		}
		used := l.cores*seconds*(0.8+0.4*w.rand.Float64()) + busy
		cpu.add(used)
		p.node.cpuUsed += used / seconds
		// A container is throttled in some of its periods of 100 ms as it comes near its limit.
		periods.add(seconds * 10)
		throttled.add(seconds * 10 * max(0, used/seconds/(l.cores*3+0.05)-0.4) * w.rand.Float64())
		received.add(0.4*bytes + seconds*900*(1+w.rand.Float64()))
		sent.add(0.6*bytes + seconds*1200*(1+w.rand.Float64()))
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func attr[T string | int | float64](key string, v T) attribute.KeyValue {
	switch v := any(v).(type) {
	case string:
		return attribute.String(key, v)
	case int:
		return attribute.Int(key, v)
	case float64:
		return attribute.Float64(key, v)
	}
	return attribute.KeyValue{}
}
