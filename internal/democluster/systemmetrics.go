package democluster

import (
	"time"
)

// uptime is how long a node has been up when the story begins.
func uptime(ordinal int) time.Duration { return time.Duration(9+ordinal*4) * 24 * time.Hour }

// apiCall is what clients ask of the API server.
type apiCall struct {
	verb, group, version, resource, scope, code string
	rate                                        float64 // per second
	median                                      time.Duration
}

func apiCalls() []apiCall {
	return []apiCall{
		{"GET", "", "v1", "pods", "resource", "200", 1.1, 2 * time.Millisecond},
		{"LIST", "", "v1", "pods", "cluster", "200", 0.2, 24 * time.Millisecond},
		{"LIST", "", "v1", "pods", "namespace", "200", 0.3, 9 * time.Millisecond},
		{"WATCH", "", "v1", "pods", "cluster", "200", 0.05, 400 * time.Second},
		{"PATCH", "", "v1", "pods", "resource", "200", 0.3, 9 * time.Millisecond},
		{"GET", "", "v1", "nodes", "resource", "200", 0.8, 2 * time.Millisecond},
		{"PATCH", "", "v1", "nodes", "resource", "200", 0.4, 8 * time.Millisecond},
		{"POST", "", "v1", "events", "resource", "201", 0.2, 7 * time.Millisecond},
		{"GET", "", "v1", "configmaps", "resource", "200", 0.5, 2 * time.Millisecond},
		{"LIST", "", "v1", "secrets", "cluster", "200", 0.02, 38 * time.Millisecond},
		{"GET", "coordination.k8s.io", "v1", "leases", "resource", "200", 2.4, 2 * time.Millisecond},
		{"PUT", "coordination.k8s.io", "v1", "leases", "resource", "200", 2.2, 6 * time.Millisecond},
		{"LIST", "apps", "v1", "deployments", "cluster", "200", 0.05, 11 * time.Millisecond},
		{"PATCH", "apps", "v1", "deployments", "resource", "200", 0.1, 9 * time.Millisecond},
		{"GET", "apps", "v1", "replicasets", "resource", "404", 0.03, 2 * time.Millisecond},
		{"PUT", "apps", "v1", "replicasets", "resource", "409", 0.02, 5 * time.Millisecond},
		{"POST", "authentication.k8s.io", "v1", "tokenreviews", "cluster", "201", 0.3, 3 * time.Millisecond},
	}
}

// apiBounds are a part of the API server's own buckets, in seconds.
func apiBounds() []float64 {
	return []float64{.005, .025, .05, .1, .2, .4, .6, .8, 1, 1.5, 2, 5, 10, 30, 60}
}

// addAPIServer makes the API server's series.
func (r *registry) addAPIServer(w *world) {
	g := r.newGroup(w, "job", "apiserver", "instance", w.nodes[0].ip+":6443")
	g.constant(1, "up")
	type counted struct {
		apiCall
		total     *series
		durations *histogram
	}
	var calls []counted
	for _, c := range apiCalls() {
		what := []string{"verb", c.verb, "group", c.group, "version", c.version, "resource", c.resource, "scope", c.scope, "subresource", "", "component", "apiserver", "dry_run", ""}
		calls = append(calls, counted{c, g.newSeries("apiserver_request_total", append(what[:len(what):len(what)], "code", c.code)...),
			g.newHistogram("apiserver_request_duration_seconds", apiBounds(), what...)})
	}
	r.addAPIServerQueues(w)
	reading, mutating := g.newSeries("apiserver_current_inflight_requests", "request_kind", "readOnly"), g.newSeries("apiserver_current_inflight_requests", "request_kind", "mutating")
	g.collect = func(seconds float64) {
		for _, c := range calls {
			for range w.poisson(c.rate * seconds * w.traffic()) {
				c.total.add(1)
				c.durations.observe(w.latency(c.median).Seconds())
			}
		}
		reading.set(float64(1 + w.poisson(2*w.traffic())))
		mutating.set(float64(w.poisson(0.8 * w.traffic())))
	}
}

// addSmallTargets makes a few series of etcd, CoreDNS, scheduler and controller manager.
func (r *registry) addSmallTargets(w *world) {
	control := w.nodes[0].ip
	etcd := r.newGroup(w, "job", "etcd", "instance", control+":2381")
	etcd.constant(1, "up")
	etcd.constant(1, "etcd_server_has_leader")
	size, commits := etcd.newSeries("etcd_mvcc_db_total_size_in_bytes"), etcd.newHistogram("etcd_disk_wal_fsync_duration_seconds", []float64{.001, .002, .004, .008, .016, .032, .064, .128})
	size.set(41 * mib)
	etcd.collect = func(seconds float64) {
		size.add(seconds * 30)
		for range w.poisson(min(4*seconds, 200)) {
			commits.observe(w.latency(1500 * time.Microsecond).Seconds())
		}
	}
	r.addEtcd(w)
	r.addScheduler(w, control)
	r.addControllers(w, control)
}

// addDNS makes CoreDNS' series.
func (r *registry) addDNS(w *world) {
	for _, p := range w.find("coredns").pods {
		dns := r.newGroup(w, "job", "coredns", "instance", p.ip+":9153", "namespace", p.workload.namespace, "pod", p.name, "service", "kube-dns")
		dns.constant(1, "up")
		answered := dns.newSeries("coredns_dns_requests_total", "server", "dns://:53", "zone", ".", "type", "A", "proto", "udp")
		good, absent := dns.newSeries("coredns_dns_responses_total", dnsAnswer("NOERROR")...), dns.newSeries("coredns_dns_responses_total", dnsAnswer("NXDOMAIN")...)
		took := dns.newHistogram("coredns_dns_request_duration_seconds", []float64{.00025, .0005, .001, .002, .004, .008, .016, .032, .064, .128}, "server", "dns://:53", "zone", ".")
		hits, misses := dns.newSeries("coredns_cache_hits_total", "server", "dns://:53", "type", "success", "zones", "."), dns.newSeries("coredns_cache_misses_total", "server", "dns://:53", "zones", ".")
		dns.collect = func(seconds float64) {
			n := w.poisson(7 * seconds * w.traffic())
			missed := w.poisson(0.15 * float64(n))
			answered.add(float64(n))
			good.add(float64(n - n/5))
			absent.add(float64(n / 5))
			misses.add(float64(min(missed, n)))
			hits.add(float64(n - min(missed, n)))
			for range min(n, 200) {
				took.observe(w.latency(600 * time.Microsecond).Seconds())
			}
		}
	}
}
