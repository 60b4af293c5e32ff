package incidents

import (
	"slices"
	"time"
)

// makers lists the kinds. Sizes are drawn from what is moderate: an incident that everybody sees needs no detector.
func makers() []maker {
	return slices.Concat(deploys(), changes(), machines(), parts())
}

// deploys are incidents that a change of a workload or of its configuration made.
func deploys() []maker {
	return []maker{
		{"bad deploy", func(b *builder) {
			b.rollout(b.s, b.at(b.minutes(1, 5)))
			b.cause(b.s.Namespace, "Deployment "+b.s.Name)
			b.effect(effect{family: "errors", who: b.s.Name, plus: b.between(0.006, 0.08)})
			b.effect(effect{family: "logerrors", who: b.s.Name, factor: b.between(1.5, 8)})
			b.effect(effect{family: "latency", who: b.s.Name, factor: b.between(1.1, 1.6)})
			b.pattern(b.s, "panic recovered in handler <*>: nil pointer dereference", "error", b.between(3, 10), 0)
		}},
		{"configuration change", func(b *builder) {
			b.write(b.at(b.minutes(1, 8)), "update", "configmaps", b.s.Namespace, b.s.Name+"-config")
			b.cause(b.s.Namespace, "ConfigMap "+b.s.Name+"-config")
			b.effect(effect{family: "latency", who: b.s.Name, factor: b.between(1.35, 2.5), ramp: 5 * time.Minute})
			b.effect(effect{family: "cpu", who: b.s.Name, factor: b.between(1.1, 1.4)})
		}},
		{"memory leak", func(b *builder) {
			b.rollout(b.s, b.at(b.minutes(1, 10)))
			b.cause(b.s.Namespace, "Deployment "+b.s.Name)
			b.effect(effect{family: "memlimit", who: b.s.Name, perHour: b.between(0.06, 0.3), most: 1})
			b.effect(effect{family: "podmemory", who: b.s.Name, perHour: b.between(200, 500) * 1024 * 1024})
		}},
		{"image pull failures", func(b *builder) {
			at := b.at(b.minutes(1, 4))
			b.write(at, "patch", "deployments", b.s.Namespace, b.s.Name)
			b.event(at.Add(2*time.Second), "+Deployment", "ScalingReplicaSet", b.s.Namespace, b.s.Name, "Scaled up replica set "+b.s.Name+"-77f6d9c5b to 1")
			b.event(b.at(-30*time.Second), "Pod", "Failed", b.s.Namespace, b.s.Name+"-77f6d9c5b4-k2x9z", "Failed to pull image: not found")
			b.cause(b.s.Namespace, "Deployment "+b.s.Name)
			b.effect(effect{family: "unavailable", who: b.s.Name, plus: 1})
		}},
		{"crash loop", func(b *builder) {
			b.write(b.at(b.minutes(1, 8)), "update", "secrets", b.s.Namespace, b.s.Name+"-credentials")
			b.event(b.at(-2*time.Minute), "Pod", "BackOff", b.s.Namespace, b.s.Pod(0), "Back-off restarting failed container")
			b.cause(b.s.Namespace, "Secret "+b.s.Name+"-credentials")
			b.effect(effect{family: "restarts", who: b.s.Name, plus: b.between(1, 4)})
			b.effect(effect{family: "unavailable", who: b.s.Name, plus: 1})
			b.effect(effect{family: "logerrors", who: b.s.Name, factor: b.between(2, 4)})
		}},
	}
}

// changes are incidents that a change of something beside a workload made.
func changes() []maker {
	return []maker{
		{"traffic drops to nothing", func(b *builder) {
			b.write(b.at(b.minutes(1, 4)), "update", "ingresses", b.s.Namespace, b.s.Name)
			b.cause(b.s.Namespace, "Ingress "+b.s.Name)
			b.effect(effect{family: "requests", who: b.s.Name, factor: 0.002, ramp: 2 * time.Minute})
			b.effect(effect{family: "cpu", who: b.s.Name, factor: 0.3})
		}},
		{"cron job storm", func(b *builder) {
			b.write(b.at(b.minutes(1, 6)), "create", "cronjobs", "media", "reindex")
			for i := range 8 {
				b.event(b.at(-time.Duration(i)*time.Minute), "+CronJob", "SuccessfulCreate", "media", "reindex", "Created job reindex")
			}
			b.cause("media", "CronJob reindex")
			b.effect(effect{family: "activejobs", who: "", plus: b.between(6, 25), ramp: 10 * time.Minute})
			b.effect(effect{family: "nodecpu", who: "node-1", plus: b.between(0.1, 0.3)})
		}},
		{"quota too small", func(b *builder) {
			b.write(b.at(b.minutes(1, 10)), "update", "resourcequotas", "billing", "compute")
			b.event(b.at(-time.Minute), "ReplicaSet", "FailedCreate", "billing", "invoices-66b8f7d9c", "exceeded quota: compute")
			b.cause("billing", "ResourceQuota compute")
			b.effect(effect{family: "quota", who: "billing", set: 1, replaces: true})
			b.effect(effect{family: "unavailable", who: "invoices", plus: 2})
		}},
		{"DNS failures", func(b *builder) {
			b.write(b.at(b.minutes(1, 6)), "update", "configmaps", "kube-system", "coredns")
			b.cause("kube-system", "ConfigMap coredns")
			b.effect(effect{family: "dnserrors", who: "", plus: b.between(0.5, 8)})
			b.effect(effect{family: "errors", who: b.s.Name, plus: b.between(0.004, 0.05)})
			b.pattern(b.s, "dial tcp: lookup <*> on 10.96.0.10:53: no such host", "error", b.between(3, 8), 0)
		}},
	}
}

// machines are incidents of nodes and of what shares them.
func machines() []maker {
	return []maker{
		{"disk filling", func(b *builder) {
			s, node := b.w.service("encoder"), b.w.service("encoder").Nodes[0]
			b.cause("media", "Deployment encoder")
			b.effect(effect{family: "nodedisk", who: node, perHour: b.between(0.06, 0.16), most: 1})
			b.effect(effect{family: "podwrites", who: s.Name, plus: b.between(20, 60) * 1e6, node: node})
			b.effect(effect{family: "writes", who: s.Name, plus: b.between(20, 60) * 1e6})
		}},
		{"node not ready", func(b *builder) {
			node := b.w.Nodes[b.r.IntN(len(b.w.Nodes))]
			b.event(b.at(0), "Node", "NodeNotReady", "", node, "Node "+node+" status is now: NodeNotReady")
			b.cause("", "Node "+node)
			b.effect(effect{family: "readynodes", who: "", plus: -1})
			b.effect(effect{family: "targets", who: node, silent: true})
			b.effect(effect{family: "unavailable", who: b.s.Name, plus: 1, after: 5 * time.Minute})
		}},
		{"noisy neighbour", func(b *builder) {
			encoder := b.w.service("encoder")
			node := encoder.Nodes[0]
			b.s = b.w.neighbour("encoder", node)
			b.cause("media", "Deployment encoder")
			b.effect(effect{family: "podcpu", who: "encoder", plus: b.between(1.5, 5), node: node})
			b.effect(effect{family: "nodecpu", who: node, plus: b.between(0.35, 0.5), most: 1})
			b.effect(effect{family: "latency", who: b.s.Name, factor: b.between(1.4, 2.5)})
		}},
		{"agent silent", func(b *builder) {
			s := b.w.service("agent")
			b.write(b.at(b.minutes(1, 3)), "patch", "daemonsets", "kube-system", "agent")
			b.event(b.at(0), "+Pod", "Killing", "kube-system", s.Pod(0), "Stopping container agent")
			b.cause("kube-system", "DaemonSet agent")
			b.effect(effect{family: "targets", who: "node-2", factor: 0.5})
			b.effect(effect{family: "arrivals", who: "node-2", silent: true})
		}},
		{"slow disk of etcd", func(b *builder) {
			b.event(b.at(b.minutes(0, 2)), "Node", "DiskSlow", "", "node-1", "disk latency is high")
			b.cause("", "Node node-1")
			b.cause("", "fsync time of etcd")
			b.effect(effect{family: "fsync", who: "", factor: b.between(1.8, 8)})
			b.effect(effect{family: "apilatency", who: "", factor: b.between(1.2, 2.2)})
			b.effect(effect{family: "nodeio", who: "node-1", set: 0.95, replaces: true})
		}},
	}
}

// parts are incidents of what workloads depend on.
func parts() []maker {
	return []maker{
		{"certificate expired", func(b *builder) {
			b.cause(b.s.Namespace, "x509: certificate has expired")
			b.effect(effect{family: "errors", who: b.s.Name, plus: b.between(0.02, 0.5)})
			b.pattern(b.s, "x509: certificate has expired or is not yet valid: current time <*> is after <*>", "error", b.between(4, 20), 0)
		}},
		{"slow upstream", func(b *builder) {
			b.s = b.w.service("checkout")
			b.cause("billing", "Service payments")
			b.cause("", "Service payments")
			factor := b.between(1.6, 4)
			b.effect(effect{family: "latency", who: "payments", factor: factor})
			b.effect(effect{family: "calls", who: "payments", factor: factor})
			b.effect(effect{family: "latency", who: "checkout", factor: 1 + (factor-1)*0.7, after: time.Minute})
		}},
		{"traffic spike", func(b *builder) {
			b.s = b.w.service("frontend")
			b.cause("ingress-nginx", "Service controller")
			b.cause("shop", "Service frontend")
			factor := b.between(1.5, 3)
			b.effect(effect{family: "requests", who: "controller", factor: factor, ramp: 5 * time.Minute})
			b.effect(effect{family: "requests", who: "frontend", factor: factor, ramp: 5 * time.Minute})
			b.effect(effect{family: "cpu", who: "frontend", factor: 1 + (factor-1)*0.8, ramp: 5 * time.Minute})
		}},
		{"API server throttles", func(b *builder) {
			b.rollout(&Service{Namespace: "operators", Name: "operator"}, b.at(b.minutes(1, 8)))
			b.cause("operators", "Deployment operator")
			b.cause("", "API requests by client operator")
			b.effect(effect{family: "clients", who: "operator", factor: b.between(3, 15)})
			b.effect(effect{family: "rejected", who: "", plus: b.between(1, 20)})
			b.effect(effect{family: "apilatency", who: "", factor: b.between(1.2, 2.2)})
		}},
		{"log error spike", func(b *builder) {
			b.cause(b.s.Namespace, "context deadline exceeded while calling")
			b.effect(effect{family: "logerrors", who: b.s.Name, factor: b.between(3, 12)})
			b.pattern(b.s, "context deadline exceeded while calling <*>", "error", b.between(5, 20), 0)
		}},
		{"database connections exhausted", func(b *builder) {
			b.write(b.at(b.minutes(2, 10)), "patch", "horizontalpodautoscalers", b.s.Namespace, b.s.Name)
			b.cause(b.s.Namespace, "HorizontalPodAutoscaler "+b.s.Name)
			b.cause(b.s.Namespace, "remaining connection slots are reserved")
			b.effect(effect{family: "dbconns", who: "postgres", set: 1, replaces: true, ramp: time.Duration(b.between(5, 40)) * time.Minute})
			b.effect(effect{family: "errors", who: b.s.Name, plus: b.between(0.01, 0.1), after: 10 * time.Minute})
			b.pattern(b.s, "FATAL: remaining connection slots are reserved for roles with <*>", "error", b.between(3, 10), 10*time.Minute)
		}},
	}
}

func (b *builder) minutes(low, high float64) time.Duration {
	return time.Duration(b.between(low, high) * float64(time.Minute)).Truncate(time.Second)
}

// neighbour returns a service that answers requests and has a pod on a node, or else one whose pod is moved there.
func (w *World) neighbour(not, node string) *Service {
	var last *Service
	for i := range w.Services {
		s := &w.Services[i]
		if !s.web || s.Name == not || s.Namespace == "ingress-nginx" {
			continue
		}
		last = s
		for _, n := range s.Nodes {
			if n == node {
				return s
			}
		}
	}
	last.Nodes[0] = node
	return last
}
