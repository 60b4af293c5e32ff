package democluster

import "strings"

// stateTarget are the labels of everything that kube-state-metrics exports.
func stateTarget() []string {
	return []string{"job", "kube-state-metrics", "instance", "kube-state-metrics.monitoring.svc:8080"}
}

// addState makes kube-state-metrics' series about a pod.
func (r *registry) addState(w *world, p *pod) {
	l := p.workload
	g := r.newGroup(w, append(stateTarget(), "namespace", l.namespace, "pod", p.name, "uid", p.uid)...)
	p.metrics.state = g
	nodeName, hostIP := "", ""
	if p.node != nil {
		nodeName, hostIP = p.node.name, p.node.ip
	}
	ownerKind, owner := p.owner()
	g.constant(1, "kube_pod_info", "node", nodeName, "host_ip", hostIP, "pod_ip", p.ip, "created_by_kind", ownerKind, "created_by_name", owner)
	g.constant(1, "kube_pod_owner", "owner_kind", ownerKind, "owner_name", owner, "owner_is_controller", "true")
	g.constant(float64(p.created.Unix()), "kube_pod_created")
	g.constant(l.cores*1.5+0.01, "kube_pod_container_resource_requests", "container", l.container, "node", nodeName, "resource", "cpu", "unit", "core")
	g.constant(l.limitBytes/2, "kube_pod_container_resource_requests", "container", l.container, "node", nodeName, "resource", "memory", "unit", "byte")
	g.constant(l.limitBytes, "kube_pod_container_resource_limits", "container", l.container, "node", nodeName, "resource", "memory", "unit", "byte")
	g.constant(l.cores*3+0.05, "kube_pod_container_resource_limits", "container", l.container, "node", nodeName, "resource", "cpu", "unit", "core")
	restarts := g.newSeries("kube_pod_container_status_restarts_total", "container", l.container)
	ready := g.newSeries("kube_pod_status_ready", "condition", "true")
	phases := []phase{pending, running, "Succeeded", "Failed", "Unknown"}
	states := make([]*series, len(phases))
	for i, ph := range phases {
		states[i] = g.newSeries("kube_pod_status_phase", "phase", string(ph))
	}
	reasons := make(map[string]*series) // made when a reason first comes up, as kube-state-metrics does
	g.collect = func(float64) {
		restarts.set(float64(p.restarts))
		ready.set(boolean(p.ready))
		for i, ph := range phases {
			states[i].set(boolean(p.phase == ph))
		}
		p.collectReasons(g, reasons)
	}
}

func (p *pod) collectReasons(g *group, reasons map[string]*series) {
	for _, r := range [...]struct{ metric, reason string }{
		{"kube_pod_container_status_waiting_reason", p.waiting}, {"kube_pod_container_status_last_terminated_reason", p.lastExit},
	} {
		if r.reason != "" && reasons[r.metric+r.reason] == nil {
			reasons[r.metric+r.reason] = g.newSeries(r.metric, "container", p.workload.container, "reason", r.reason)
		}
	}
	for key, s := range reasons {
		s.set(boolean(strings.HasSuffix(key, "_waiting_reason"+p.waiting) && p.waiting != "" || strings.HasSuffix(key, "_terminated_reason"+p.lastExit) && p.lastExit != ""))
	}
}

// owner is the kind and name of what made the pod.
func (p *pod) owner() (string, string) {
	l := p.workload
	switch l.kind {
	case deployment:
		return "ReplicaSet", p.name[:strings.LastIndexByte(p.name, '-')]
	case staticPod:
		return "Node", p.node.name
	}
	return string(l.kind), l.name
}

// addWorkloads makes kube-state-metrics' series about Deployments, their ReplicaSets, StatefulSets and DaemonSets, and about
// namespaces.
func (r *registry) addWorkloads(w *world) {
	r.addDeployments(w)
	namespaces := make(map[string]bool)
	for _, l := range w.workloads {
		if !namespaces[l.namespace] {
			namespaces[l.namespace] = true
			g := r.newGroup(w, append(stateTarget(), "namespace", l.namespace)...)
			g.constant(1, "kube_namespace_status_phase", "phase", "Active")
			g.constant(float64(l.created.Unix()), "kube_namespace_created")
		}
		switch l.kind {
		case deployment:
			g := r.newGroup(w, append(stateTarget(), "namespace", l.namespace, "replicaset", l.name+"-"+l.hash)...)
			g.constant(1, "kube_replicaset_owner", "owner_kind", "Deployment", "owner_name", l.name, "owner_is_controller", "true")
		case statefulSet:
			r.addReplicas(w, l, "statefulset", "kube_statefulset_replicas", "kube_statefulset_status_replicas_ready")
		case daemonSet:
			r.addReplicas(w, l, "daemonset", "kube_daemonset_status_desired_number_scheduled", "kube_daemonset_status_number_ready")
		}
	}
}

// addReplicas makes the series of a workload's replicas, those wanted and those ready.
func (r *registry) addReplicas(w *world, l *workload, label, wanted, ready string) {
	g := r.newGroup(w, append(stateTarget(), "namespace", l.namespace, label, l.name)...)
	want, have := g.newSeries(wanted), g.newSeries(ready)
	g.collect = func(float64) {
		want.set(float64(w.replicasOf(l)))
		have.set(float64(l.readyPods()))
	}
}

func (l *workload) readyPods() int {
	n := 0
	for _, p := range l.pods {
		if p.ready {
			n++
		}
	}
	return n
}

// addDeployments makes kube-state-metrics' series about Deployments.
func (r *registry) addDeployments(w *world) {
	for _, l := range w.workloads {
		if l.kind != deployment {
			continue
		}
		g := r.newGroup(w, append(stateTarget(), "namespace", l.namespace, "deployment", l.name)...)
		spec, total := g.newSeries("kube_deployment_spec_replicas"), g.newSeries("kube_deployment_status_replicas")
		available, unavailable := g.newSeries("kube_deployment_status_replicas_available"), g.newSeries("kube_deployment_status_replicas_unavailable")
		g.collect = func(float64) {
			ready := l.readyPods()
			spec.set(float64(l.replicas))
			total.set(float64(len(l.pods)))
			available.set(float64(ready))
			unavailable.set(float64(max(l.replicas-ready, 0)))
		}
	}
}

// addNodeStates makes kube-state-metrics' series about nodes, and its own target's up.
func (r *registry) addNodeStates(w *world) {
	g := r.newGroup(w, stateTarget()...)
	g.constant(1, "up")
	for _, n := range w.nodes {
		g.constant(1, "kube_node_info", "node", n.name, "internal_ip", n.ip, "kubelet_version", "v1.33.4", "container_runtime_version", "containerd://2.1.4", "kernel_version", "6.8.0-79-generic", "os_image", "Ubuntu 24.04.3 LTS")
		g.constant(float64(n.cores), "kube_node_status_allocatable", "node", n.name, "resource", "cpu", "unit", "core")
		g.constant(n.memoryBytes*0.94, "kube_node_status_allocatable", "node", n.name, "resource", "memory", "unit", "byte")
		g.constant(110, "kube_node_status_allocatable", "node", n.name, "resource", "pods", "unit", "integer")
		g.constant(float64(n.cores), "kube_node_status_capacity", "node", n.name, "resource", "cpu", "unit", "core")
		g.constant(n.memoryBytes, "kube_node_status_capacity", "node", n.name, "resource", "memory", "unit", "byte")
		g.constant(0, "kube_node_spec_unschedulable", "node", n.name)
		for _, c := range []string{"Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"} {
			for _, status := range []string{"true", "false", "unknown"} {
				holds := status == "false"
				if c == "Ready" {
					holds = status == "true"
				}
				g.constant(boolean(holds), "kube_node_status_condition", "node", n.name, "condition", c, "status", status)
			}
		}
	}
}
