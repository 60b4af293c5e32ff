package democluster

import (
	"fmt"
	"time"
)

// newChores is what happens in every cluster all the time. The periods have no common divisor, so that things do not
// fall together, and each happens within an hour.
func (w *world) newChores() []chore {
	list := []struct {
		every, first time.Duration
		do           func()
	}{
		{5 * time.Minute, 0, w.tellUnschedulable},
		{3 * time.Minute, 10 * time.Second, w.tellBadImage},
		{4 * time.Minute, 7 * time.Second, w.flakyProbe},
		{11 * time.Minute, 3 * time.Minute, func() { w.replaceOne("frontend", "cart", "catalog") }},
		{17 * time.Minute, 6 * time.Minute, func() { w.scaleFrontend() }},
		{29 * time.Minute, 13 * time.Minute, func() { w.rollOut("catalog") }},
		{37 * time.Minute, 19 * time.Minute, func() { w.evict("cart") }},
		{41 * time.Minute, 24 * time.Minute, func() {
			w.nodeEvent(w.nodes[2], warning, "KernelOops", "BUG: unable to handle kernel NULL pointer dereference at 0000000000000010", kernelMonitor)
		}},
		{23 * time.Minute, 9 * time.Minute, func() {
			w.nodeEvent(w.nodes[3], warning, "NTPProblem", "Node clock is not synchronised: offset 1.283 s exceeds 1 s", healthChecker)
		}},
		{19 * time.Minute, 15 * time.Minute, func() { w.crash("ledger") }},
		{97 * time.Second, 20 * time.Second, w.peopleChores},
	}
	chores := make([]chore, len(list))
	for i, c := range list {
		chores[i] = chore{every: c.every, next: w.at.Add(c.first), do: c.do}
	}
	return chores
}

func (w *world) tellUnschedulable() {
	for _, p := range w.find("recommender").pods {
		w.podEvent(p, warning, "FailedScheduling", "0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 3 Insufficient memory. "+
			"preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, 3 No preemption victims found for incoming pod.", scheduler)
	}
}

func (w *world) tellBadImage() {
	for _, p := range w.find("search-canary").pods {
		w.podEvent(p, warning, "Failed", fmt.Sprintf("Failed to pull image %q: rpc error: code = NotFound desc = failed to pull and unpack image: not found", p.workload.image), kubelet)
		w.podEvent(p, warning, "BackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull", p.workload.image), kubelet)
	}
}

func (w *world) flakyProbe() {
	if p := w.find("cart").pods[0]; p.ready {
		w.podEvent(p, warning, "Unhealthy", fmt.Sprintf("Liveness probe failed: Get \"http://%s:8080/healthz\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", p.ip), kubelet)
	}
}

// crash ends a container of the service with an error; it starts again under the same name.
func (w *world) crash(service string) {
	p := w.pick(w.find(service))
	if p == nil {
		return
	}
	p.ready, p.lastExit = false, "Error"
	w.line(p, stderr, w.at, javaTrace(w.at, "main", "java.lang.IllegalStateException: journal lease lost to another writer", ledgerFrames))
	w.after(2*time.Second, func() { w.restart(p) })
}

// replaceOne deletes a pod of one of the services; its ReplicaSet makes another.
func (w *world) replaceOne(services ...string) {
	l := w.find(pickOne(w.rand, services))
	if p := w.pick(l); p != nil {
		w.deletePod(p)
		w.createPod(l)
	}
}

// evict has a kubelet that runs short of disk end a pod.
func (w *world) evict(service string) {
	l := w.find(service)
	p := w.pick(l)
	if p == nil {
		return
	}
	w.podEvent(p, warning, "Evicted", "The node was low on resource: ephemeral-storage. Threshold quantity: 10737418240, available: 9421308Ki. Container "+
		l.container+" was using 3187204Ki, request is 0, has larger consumption of ephemeral-storage. ", kubelet)
	w.nodeEvent(p.node, warning, "EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", kubelet)
	w.deletePod(p)
	w.createPod(l)
}

// scaleFrontend has the autoscaler add a pod, and take it away some minutes later.
func (w *world) scaleFrontend() {
	l := w.find("frontend")
	l.replicas++
	w.workloadEvent(l, "Deployment", "ScalingReplicaSet", fmt.Sprintf("Scaled up replica set %s-%s from %d to %d", l.name, l.hash, l.replicas-1, l.replicas))
	w.createPod(l)
	w.after(6*time.Minute, func() {
		l.replicas--
		w.workloadEvent(l, "Deployment", "ScalingReplicaSet", fmt.Sprintf("Scaled down replica set %s-%s from %d to %d", l.name, l.hash, l.replicas+1, l.replicas))
		if p := w.pick(l); p != nil {
			w.deletePod(p)
		}
	})
}

// rollOut replaces all pods of a Deployment by those of a new ReplicaSet, one after the other.
func (w *world) rollOut(service string) {
	l := w.find(service)
	old, oldHash := append([]*pod(nil), l.pods...), l.hash
	l.hash = newHash(w.rand)
	w.auditRollOut(l)
	w.workloadEvent(l, "Deployment", "ScalingReplicaSet", fmt.Sprintf("Scaled up replica set %s-%s from 0 to 1", l.name, l.hash))
	for i, p := range old {
		w.after(time.Duration(i)*15*time.Second, func() { w.createPod(l) })
		w.after(time.Duration(i)*15*time.Second+10*time.Second, func() {
			w.workloadEvent(l, "Deployment", "ScalingReplicaSet", fmt.Sprintf("Scaled down replica set %s-%s from %d to %d", l.name, oldHash, len(old)-i, len(old)-i-1))
			w.deletePod(p)
		})
	}
}

// deletePod ends a pod for good.
func (w *world) deletePod(p *pod) {
	if p.node == nil {
		return // already gone
	}
	w.podEvent(p, normal, "Killing", "Stopping container "+p.workload.container, kubelet)
	w.workloadEvent(p.workload, "ReplicaSet", "SuccessfulDelete", "Deleted pod: "+p.name)
	w.audit(&replicaSets, request{verb: "delete", version: "v1", resource: "pods", namespace: p.workload.namespace, name: p.name})
	p.ready = false
	p.workload.pods = remove(p.workload.pods, p)
	w.leaveNode(p)
	w.metrics.removePod(p)
}

// createPod makes a pod of a Deployment and brings it up as scheduler and kubelet do.
func (w *world) createPod(l *workload) {
	p := w.newPod(l, 0)
	w.metrics.addPod(w, p)
	w.workloadEvent(l, "ReplicaSet", "SuccessfulCreate", "Created pod: "+p.name)
	w.audit(&replicaSets, request{verb: "create", version: "v1", resource: "pods", namespace: l.namespace, name: p.name})
	w.audit(&podScheduler, request{verb: "create", version: "v1", resource: "pods", subresource: "binding", namespace: l.namespace, name: p.name})
	w.podEvent(p, normal, "Scheduled", fmt.Sprintf("Successfully assigned %s/%s to %s", l.namespace, p.name, p.node.name), scheduler)
	stillThere := func(do func()) func() {
		return func() {
			if p.node != nil {
				do()
			}
		}
	}
	w.after(2*time.Second, stillThere(func() {
		w.podEvent(p, normal, "Pulled", fmt.Sprintf("Container image %q already present on machine", l.image), kubelet)
		w.podEvent(p, normal, "Created", "Created container: "+l.container, kubelet)
		w.podEvent(p, normal, "Started", "Started container "+l.container, kubelet)
		w.startContainer(p, w.at)
	}))
	w.after(6*time.Second, stillThere(func() { p.ready = true }))
}
