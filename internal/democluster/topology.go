package democluster

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is a workload's kind, as Kubernetes spells it.
type kind string

const (
	deployment  kind = "Deployment"
	statefulSet kind = "StatefulSet"
	daemonSet   kind = "DaemonSet"
	staticPod   kind = "Node" // its pods belong to their node
)

// node is one machine of the cluster.
type node struct {
	name, uid, ip string
	controlPlane  bool
	cores         int
	memoryBytes   float64
	diskBytes     float64
	pods          []*pod
	cpuUsed       float64 // cores, by pods, at the last scrape
}

// workload is what runs pods.
type workload struct {
	namespace, name string
	kind            kind
	container       string
	image           string
	replicas        int
	port            int
	cores           float64 // what a pod takes at rest
	memoryBytes     float64
	limitBytes      float64
	otlp            bool // logs by OpenTelemetry's SDK and not by the node's agent
	// unschedulable and badImage keep its pods from ever running.
	unschedulable, badImage bool

	uid, hash string // hash: of the ReplicaSet
	created   time.Time
	pods      []*pod
	handlers  []*handler
	logHit    func(*world, *hit)
}

// phase is a pod's phase.
type phase string

const (
	pending phase = "Pending"
	running phase = "Running"
)

// pod is one pod with one container.
type pod struct {
	workload      *workload
	name, uid, ip string
	node          *node // nil while it is not scheduled
	phase         phase
	ready         bool
	waiting       string // the reason why the container waits
	lastExit      string // the reason why the container ended last
	restarts      int
	created       time.Time
	started       time.Time // of the container
	busySeconds   float64   // spent on requests since the last scrape
	bytes         float64   // through the network since the last scrape
	swell         float64   // memory beyond the usual, as a share of the limit
	drift         float64   // of the usual memory, as a share of it

	logs    podLogs
	metrics podMetrics
}

const (
	gib = float64(1 << 30)
	mib = float64(1 << 20)
)

// newNodes makes a control plane and three workers.
func newNodes(w *world) []*node {
	pool, subnet := letters(w.rand, 5), fmt.Sprintf("10.%d.%d", 64+w.rand.IntN(64), w.rand.IntN(256))
	var nodes []*node
	for i := range 4 {
		n := &node{uid: newUID(w.rand), ip: fmt.Sprintf("%s.%d", subnet, 10+i), cores: 4, memoryBytes: 16 * gib, diskBytes: 100 * gib}
		if i == 0 {
			n.name, n.controlPlane, n.cores, n.memoryBytes = "control-"+pool+"-0", true, 2, 8*gib
		} else {
			n.name = fmt.Sprintf("worker-%s-%d", pool, i)
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// newWorkloads is what the cluster runs. Names of handlers and callers stand in traffic.go.
func newWorkloads() []*workload {
	return []*workload{
		{namespace: "ingress-nginx", name: "ingress-nginx-controller", kind: deployment, container: "controller", image: "registry.k8s.io/ingress-nginx/controller:v1.13.2", replicas: 2, port: 10254, cores: .04, memoryBytes: 180 * mib, limitBytes: 512 * mib, logHit: logIngress},
		{namespace: "shop", name: "frontend", kind: deployment, container: "frontend", image: "registry.example.com/shop/frontend:2.14.3", replicas: 3, port: 3000, cores: .08, memoryBytes: 210 * mib, limitBytes: 512 * mib, logHit: logFrontend},
		{namespace: "shop", name: "catalog", kind: deployment, container: "catalog", image: "registry.example.com/shop/catalog:1.9.0", replicas: 2, port: 8080, cores: .05, memoryBytes: 90 * mib, limitBytes: 256 * mib, logHit: logCatalog},
		{namespace: "shop", name: "cart", kind: deployment, container: "cart", image: "registry.example.com/shop/cart:3.2.1", replicas: 2, port: 8080, cores: .12, memoryBytes: 480 * mib, limitBytes: 768 * mib, logHit: logCart},
		{namespace: "shop", name: "checkout", kind: deployment, container: "checkout", image: "registry.example.com/shop/checkout:5.0.2", replicas: 2, port: 8080, cores: .06, memoryBytes: 110 * mib, limitBytes: 256 * mib, otlp: true, logHit: logCheckout},
		{namespace: "shop", name: "cart-redis", kind: statefulSet, container: "redis", image: "redis:8.2-alpine", replicas: 1, port: 6379, cores: .02, memoryBytes: 60 * mib, limitBytes: 128 * mib},
		{namespace: "shop", name: "recommender", kind: deployment, container: "recommender", image: "registry.example.com/shop/recommender:0.3.0", replicas: 1, port: 8080, limitBytes: 24 * gib, unschedulable: true},
		{namespace: "shop", name: "search-canary", kind: deployment, container: "search", image: "registry.example.com/shop/search:4.0.0-rc7", replicas: 1, port: 8080, limitBytes: 256 * mib, badImage: true},
		{namespace: "payments", name: "payments-api", kind: deployment, container: "payments-api", image: "registry.example.com/payments/api:7.21.4", replicas: 3, port: 8080, cores: .07, memoryBytes: 140 * mib, limitBytes: 384 * mib, otlp: true, logHit: logPayments},
		{namespace: "payments", name: "ledger", kind: deployment, container: "ledger", image: "registry.example.com/payments/ledger:2.8.0", replicas: 2, port: 8080, cores: .15, memoryBytes: 620 * mib, limitBytes: gib, logHit: logLedger},
		{namespace: "payments", name: "postgres", kind: statefulSet, container: "postgres", image: "postgres:17.6", replicas: 1, port: 5432, cores: .2, memoryBytes: 900 * mib, limitBytes: 2 * gib},
		{namespace: "monitoring", name: "prometheus", kind: statefulSet, container: "prometheus", image: "quay.io/prometheus/prometheus:v3.5.0", replicas: 1, port: 9090, cores: .15, memoryBytes: 700 * mib, limitBytes: 2 * gib},
		{namespace: "monitoring", name: "kube-state-metrics", kind: deployment, container: "kube-state-metrics", image: "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.17.0", replicas: 1, port: 8080, cores: .01, memoryBytes: 45 * mib, limitBytes: 128 * mib},
		{namespace: "monitoring", name: "node-exporter", kind: daemonSet, container: "node-exporter", image: "quay.io/prometheus/node-exporter:v1.9.1", port: 9100, cores: .01, memoryBytes: 22 * mib, limitBytes: 64 * mib},
		{namespace: "kube-system", name: "coredns", kind: deployment, container: "coredns", image: "registry.k8s.io/coredns/coredns:v1.12.1", replicas: 2, port: 9153, cores: .02, memoryBytes: 30 * mib, limitBytes: 170 * mib},
		{namespace: "kube-system", name: "kube-proxy", kind: daemonSet, container: "kube-proxy", image: "registry.k8s.io/kube-proxy:v1.33.4", port: 10249, cores: .01, memoryBytes: 28 * mib, limitBytes: 128 * mib},
		{namespace: "kube-system", name: "kube-apiserver", kind: staticPod, container: "kube-apiserver", image: "registry.k8s.io/kube-apiserver:v1.33.4", replicas: 1, port: 6443, cores: .2, memoryBytes: 620 * mib, limitBytes: 2 * gib},
		{namespace: "kube-system", name: "kube-controller-manager", kind: staticPod, container: "kube-controller-manager", image: "registry.k8s.io/kube-controller-manager:v1.33.4", replicas: 1, port: 10257, cores: .03, memoryBytes: 95 * mib, limitBytes: 512 * mib},
		{namespace: "kube-system", name: "kube-scheduler", kind: staticPod, container: "kube-scheduler", image: "registry.k8s.io/kube-scheduler:v1.33.4", replicas: 1, port: 10259, cores: .01, memoryBytes: 48 * mib, limitBytes: 256 * mib},
		{namespace: "kube-system", name: "etcd", kind: staticPod, container: "etcd", image: "registry.k8s.io/etcd:3.5.21-0", replicas: 1, port: 2381, cores: .07, memoryBytes: 160 * mib, limitBytes: gib},
	}
}

// populate makes the pods that ran already when the story begins.
func (w *world) populate() {
	for _, l := range w.workloads {
		l.uid, l.hash = newUID(w.rand), newHash(w.rand)
		l.created = w.at.Add(-time.Duration(20+w.rand.IntN(60)) * 24 * time.Hour)
		for i := range w.replicasOf(l) {
			p := w.newPod(l, i)
			p.created = w.at.Add(-time.Duration(2+w.rand.IntN(200)) * time.Hour)
			switch {
			case l.unschedulable:
				w.leaveNode(p)
			case l.badImage:
				p.waiting = "ImagePullBackOff"
			default:
				w.startContainer(p, p.created.Add(4*time.Second))
				p.ready = true
			}
			w.metrics.addPod(w, p)
		}
	}
}

func (w *world) replicasOf(l *workload) int {
	if l.kind == daemonSet {
		return len(w.nodes)
	}
	return l.replicas
}

// newPod makes the workload's pod of the given ordinal and places it on a node.
func (w *world) newPod(l *workload, ordinal int) *pod {
	p := &pod{workload: l, uid: newUID(w.rand), created: w.at, phase: pending}
	switch l.kind {
	case deployment:
		p.name = l.name + "-" + l.hash + "-" + letters(w.rand, 5)
		p.node = w.nodes[1+w.placed%(len(w.nodes)-1)]
		w.placed++
	case statefulSet:
		p.name = fmt.Sprintf("%s-%d", l.name, ordinal)
		p.node = w.nodes[1+w.placed%(len(w.nodes)-1)]
		w.placed++
	case daemonSet:
		p.name, p.node = l.name+"-"+letters(w.rand, 5), w.nodes[ordinal%len(w.nodes)]
	case staticPod:
		p.name, p.node = l.name+"-"+w.nodes[0].name, w.nodes[0]
	}
	w.addresses++
	p.ip = fmt.Sprintf("10.244.%d.%d", w.addresses/250, 2+w.addresses%250)
	if l.kind == staticPod || l.name == "kube-proxy" || l.name == "node-exporter" {
		p.ip = p.node.ip // these use the host's network
	}
	p.node.pods = append(p.node.pods, p)
	l.pods = append(l.pods, p)
	return p
}

func (w *world) leaveNode(p *pod) {
	if p.node == nil {
		return
	}
	p.node.pods = remove(p.node.pods, p)
	p.node = nil
}

// startContainer begins the container's life, the first or the next.
func (w *world) startContainer(p *pod, at time.Time) {
	p.phase, p.waiting, p.started, p.swell = running, "", at, 0
	w.metrics.resetPod(w, p)
}

// find returns the workload of that name.
func (w *world) find(name string) *workload {
	for _, l := range w.workloads {
		if l.name == name {
			return l
		}
	}
	panic("democluster: no workload " + name) // a fault of this package's tables, met by every test
}

// letters draws n letters as Kubernetes' name generator does, without vowels.
func letters(r *rand.Rand, n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// newHash draws a ReplicaSet's pod-template-hash.
func newHash(r *rand.Rand) string { return letters(r, 10) }

// newUID draws a random (version 4) UUID.
func newUID(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a>>32), uint16(a>>16), uint16(a)&0xfff, 0x8000|uint16(b>>48)&0x3fff, b&0xffff_ffff_ffff)
}

func remove[T comparable](s []T, x T) []T {
	kept := s[:0]
	for _, y := range s {
		if y != x {
			kept = append(kept, y)
		}
	}
	return kept
}
