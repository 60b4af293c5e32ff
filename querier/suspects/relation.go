package suspects

import (
	"regexp"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Relation is how something stands to what an alert is about.
type Relation string

// The relations, the closest first.
const (
	SameWorkload  Relation = "same_workload"
	SameNode      Relation = "same_node"
	Upstream      Relation = "upstream"
	SameNamespace Relation = "same_namespace"
	SharedPart    Relation = "shared" // what all of the cluster uses: DNS, the API server, ingress
	SameCluster   Relation = "same_cluster"
	Elsewhere     Relation = "elsewhere"
)

// weight is how much of a suspicion a relation leaves.
func (r Relation) weight() float64 {
	switch r {
	case SameWorkload:
		return 1
	case SameNode:
		return 0.85
	case Upstream:
		return 0.85
	case SameNamespace:
		return 0.75
	case SharedPart:
		return 0.6
	case SameCluster:
		return 0.25
	case Elsewhere:
	}
	return 0
}

// alert is what an alert's labels say.
type alert struct {
	cluster, namespace, node string
	workload                 string
	upstream                 string
	nodes                    map[string]bool // that its pods run on, and its own
}

// workloadLabels name a workload, or what has its name as a rule.
var workloadLabels = [...]string{"workload", "deployment", "statefulset", "daemonset", "cronjob", "job_name", "service", "app", "container", "horizontalpodautoscaler"}

func readAlert(labels map[string]string) alert {
	a := alert{cluster: labels[seamark.ClusterLabel], namespace: labels[seamark.NamespaceLabel], nodes: map[string]bool{}}
	a.node = first(labels, "node", "nodename", "kubernetes_node")
	a.upstream = first(labels, "upstream", "destination_service", "destination_workload", "peer_service")
	if pod := labels["pod"]; pod != "" {
		a.workload = workloadOf(pod)
	} else {
		a.workload = first(labels, workloadLabels[:]...)
	}
	if a.namespace == "" { // of streams and patterns
		if namespace, workload, ok := strings.Cut(labels["group"], "/"); ok {
			a.namespace, a.workload = namespace, workload
		}
	}
	if a.node != "" {
		a.nodes[a.node] = true
	}
	return a
}

func first(labels map[string]string, names ...string) string {
	for _, name := range names {
		if v := labels[name]; v != "" {
			return v
		}
	}
	return ""
}

// Names of pods and replica sets end in what their owners add: a hash and five letters, a number, the minute of a cron job.
var podSuffix = regexp.MustCompile(`(-[a-f0-9]{6,10})?-[a-z0-9]{5}$|-[a-f0-9]{8,10}$|-\d{8}(-[a-z0-9]{5})?$|-\d{1,3}$`)

// workloadOf returns the name of the workload that a pod, replica set or job belongs to, as far as names tell.
func workloadOf(name string) string {
	short := podSuffix.ReplaceAllString(name, "")
	if short == "" {
		return name
	}
	return short
}

// sharedNamespaces hold what every workload of a cluster uses.
var sharedNamespaces = map[string]bool{"kube-system": true, "ingress-nginx": true, "ingress": true, "istio-system": true, "cert-manager": true}

// place is where something happened.
type place struct{ cluster, namespace, node, workload string }

// to returns how a place stands to the alert.
func (a *alert) to(p *place) Relation {
	switch {
	case a.cluster != "" && p.cluster != "" && a.cluster != p.cluster:
		return Elsewhere
	case p.workload != "" && a.workload == p.workload && (a.namespace == "" || a.namespace == p.namespace):
		return SameWorkload
	case p.workload != "" && a.upstream == p.workload:
		return Upstream
	case p.node != "" && a.nodes[p.node]:
		return SameNode
	case p.namespace != "" && a.namespace == p.namespace:
		return SameNamespace
	case sharedNamespaces[p.namespace], p.namespace == "" && p.node == "":
		return SharedPart
	case a.namespace == "" && len(a.nodes) == 0 && a.workload == "":
		return SameNamespace // the alert is about all of the cluster
	}
	return SameCluster
}
