package democluster

import (
	"time"
)

// dnsAnswer are the labels of CoreDNS' answers with a code.
func dnsAnswer(code string) []string {
	return []string{"server", "dns://:53", "zone", ".", "rcode", code, "plugin", "loadbalance"}
}

// secondsBounds are buckets for what takes milliseconds to seconds.
func secondsBounds() []float64 { return []float64{.001, .004, .016, .064, .256, 1.024, 4.096} }

// addAPIServerQueues makes the series of the API server's priority levels, and of what it refuses.
func (r *registry) addAPIServerQueues(w *world) {
	g := r.newGroup(w, "job", "apiserver", "instance", w.nodes[0].ip+":6443")
	g.constant(0, "apiserver_flowcontrol_rejected_requests_total", "priority_level", "workload-low", "flow_schema", "service-accounts", "reason", "queue-full")
	type level struct{ running, queued *series }
	var levels []level
	for _, name := range []string{"workload-high", "workload-low", "leader-election", "system"} {
		levels = append(levels, level{
			g.newSeries("apiserver_flowcontrol_current_executing_requests", "priority_level", name, "flow_schema", name),
			g.newSeries("apiserver_flowcontrol_current_inqueue_requests", "priority_level", name, "flow_schema", name),
		})
	}
	objects := g.newSeries("apiserver_storage_objects", "resource", "pods")
	g.constant(24, "apiserver_storage_objects", "resource", "secrets")
	g.constant(38, "apiserver_storage_objects", "resource", "configmaps")
	watches := g.newSeries("apiserver_longrunning_requests", "verb", "WATCH", "resource", "pods", "scope", "cluster", "component", "apiserver")
	g.collect = func(float64) {
		for _, l := range levels {
			l.running.set(float64(w.poisson(0.7 * w.traffic())))
			l.queued.set(float64(w.poisson(0.02)))
		}
		pods := 0
		for _, l := range w.workloads {
			pods += len(l.pods)
		}
		objects.set(float64(pods))
		watches.set(float64(18 + w.poisson(2)))
	}
}

// addEtcd makes further series of etcd.
func (r *registry) addEtcd(w *world) {
	g := r.newGroup(w, "job", "etcd", "instance", w.nodes[0].ip+":2381")
	g.constant(2*gib, "etcd_server_quota_backend_bytes")
	g.constant(1, "etcd_server_leader_changes_seen_total")
	g.constant(0, "etcd_server_proposals_failed_total")
	pending := g.newSeries("etcd_server_proposals_pending")
	used := g.newSeries("etcd_mvcc_db_total_size_in_use_in_bytes")
	committed, applied := g.newSeries("etcd_server_proposals_committed_total"), g.newSeries("etcd_server_proposals_applied_total")
	commits := g.newHistogram("etcd_disk_backend_commit_duration_seconds", []float64{.001, .002, .004, .008, .016, .032, .064, .128})
	unary := g.newSeries("grpc_server_handled_total", "grpc_type", "unary", "grpc_service", "etcdserverpb.KV", "grpc_method", "Txn", "grpc_code", "OK")
	ranges := g.newSeries("grpc_server_handled_total", "grpc_type", "unary", "grpc_service", "etcdserverpb.KV", "grpc_method", "Range", "grpc_code", "OK")
	g.collect = func(seconds float64) {
		n := w.poisson(3.4 * seconds)
		committed.add(float64(n))
		applied.add(float64(n))
		unary.add(float64(n))
		ranges.add(float64(w.poisson(6 * seconds)))
		pending.set(float64(w.poisson(0.1)))
		used.set(29 * mib)
		for range min(n, 200) {
			commits.observe(w.latency(3 * time.Millisecond).Seconds())
		}
	}
}

// addScheduler makes kube-scheduler's series.
func (r *registry) addScheduler(w *world, control string) {
	g := r.newGroup(w, "job", "kube-scheduler", "instance", control+":10259")
	g.constant(1, "up")
	unschedulable := g.newSeries("scheduler_pending_pods", "queue", "unschedulable")
	g.constant(0, "scheduler_pending_pods", "queue", "active")
	g.constant(0, "scheduler_pending_pods", "queue", "backoff")
	scheduled := g.newSeries("scheduler_schedule_attempts_total", "profile", "default-scheduler", "result", "scheduled")
	refused := g.newSeries("scheduler_schedule_attempts_total", "profile", "default-scheduler", "result", "unschedulable")
	attempts := g.newHistogram("scheduler_scheduling_attempt_duration_seconds", secondsBounds(), "profile", "default-scheduler", "result", "scheduled")
	g.collect = func(seconds float64) {
		waiting := 0
		for _, l := range w.workloads {
			if l.unschedulable {
				waiting += len(l.pods)
			}
		}
		unschedulable.set(float64(waiting))
		n := w.poisson(0.03 * seconds)
		scheduled.add(float64(n))
		refused.add(float64(w.poisson(0.01 * seconds * float64(waiting))))
		for range n {
			attempts.observe(w.latency(3 * time.Millisecond).Seconds())
		}
	}
}

// addControllers makes kube-controller-manager's series: its work queues.
func (r *registry) addControllers(w *world, control string) {
	g := r.newGroup(w, "job", "kube-controller-manager", "instance", control+":10257")
	g.constant(1, "up")
	type queue struct {
		depth, added, retries *series
		waited                *histogram
		rate                  float64
	}
	var queues []queue
	for i, name := range []string{"deployment", "replicaset", "endpoint_slice", "node_lifecycle_controller", "job"} {
		queues = append(queues, queue{
			g.newSeries("workqueue_depth", "name", name), g.newSeries("workqueue_adds_total", "name", name), g.newSeries("workqueue_retries_total", "name", name),
			g.newHistogram("workqueue_queue_duration_seconds", secondsBounds(), "name", name), 0.6 / float64(i+1),
		})
	}
	g.collect = func(seconds float64) {
		for _, q := range queues {
			n := w.poisson(q.rate * seconds)
			q.added.add(float64(n))
			q.retries.add(float64(w.poisson(0.02 * seconds * q.rate)))
			q.depth.set(float64(w.poisson(0.05)))
			for range n {
				q.waited.observe(w.latency(2 * time.Millisecond).Seconds())
			}
		}
	}
}

// addKubelet makes the series that a kubelet has about itself.
func (r *registry) addKubelet(w *world, n *node) {
	g := r.newGroup(w, "job", "kubelet", "metrics_path", "/metrics", "instance", n.ip+":10250", "node", n.name)
	pods, containers := g.newSeries("kubelet_running_pods"), g.newSeries("kubelet_running_containers", "container_state", "running")
	operations := g.newSeries("kubelet_runtime_operations_total", "operation_type", "container_status")
	g.constant(0, "kubelet_runtime_operations_errors_total", "operation_type", "container_status")
	relist := g.newHistogram("kubelet_pleg_relist_duration_seconds", secondsBounds())
	g.collect = func(seconds float64) {
		alive := 0
		for _, p := range n.pods {
			if p.alive() {
				alive++
			}
		}
		pods.set(float64(len(n.pods)))
		containers.set(float64(alive))
		operations.add(float64(w.poisson(0.4 * seconds)))
		for range int(min(seconds, 60)) {
			relist.observe(w.latency(9 * time.Millisecond).Seconds())
		}
	}
}
