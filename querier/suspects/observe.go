package suspects

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// observation is one thing that was seen, about the object that key names.
type observation struct {
	Evidence
	key                        string
	kind                       Kind
	cluster, namespace, object string
	relation                   Relation
}

// near says how much a time says about the start: what comes before it fades over an hour, what comes after over minutes. The
// beginning of an alert lags behind what it rings for by the time that it waits.
func (h *hunt) near(t time.Time) float64 {
	const (
		lag    = 10 * time.Minute
		before = 60 * time.Minute
		later  = 8 * time.Minute
		known  = 0.5 // of what is told after the start
	)
	d := h.q.Start.Sub(t)
	switch {
	case d < 0:
		return known * math.Exp(d.Minutes()/later.Minutes())
	case d < lag:
		return 1
	}
	return math.Exp(-(d - lag).Minutes() / before.Minutes())
}

// rare takes back what happened before the window as well: n times in the day before.
func rare(n int) float64 { return 1 / (1 + float64(n)) }

// resources are the objects whose writes are changes that somebody made, with how much each can do.
var resources = map[string]struct {
	kind   Kind
	object string
	weight float64
}{
	"deployments": {Deploy, "Deployment", 1}, "statefulsets": {Deploy, "StatefulSet", 1}, "daemonsets": {Deploy, "DaemonSet", 1},
	"cronjobs": {Deploy, "CronJob", 0.95}, "jobs": {Deploy, "Job", 0.6}, "configmaps": {Config, "ConfigMap", 1}, "secrets": {Config, "Secret", 0.95},
	"ingresses": {Config, "Ingress", 1}, "services": {Config, "Service", 0.9}, "networkpolicies": {Config, "NetworkPolicy", 1},
	"resourcequotas": {Config, "ResourceQuota", 1}, "limitranges": {Config, "LimitRange", 1}, "horizontalpodautoscalers": {Config, "HorizontalPodAutoscaler", 0.95},
	"nodes": {NodeProblem, "Node", 0.8}, "persistentvolumeclaims": {Config, "PersistentVolumeClaim", 0.7}, "rolebindings": {Config, "RoleBinding", 0.8},
	"clusterrolebindings": {Config, "ClusterRoleBinding", 0.8}, "validatingwebhookconfigurations": {Config, "ValidatingWebhookConfiguration", 1},
	"mutatingwebhookconfigurations": {Config, "MutatingWebhookConfiguration", 1}, "poddisruptionbudgets": {Config, "PodDisruptionBudget", 0.7},
}

func resourceNames() []string {
	names := make([]string, 0, len(resources))
	for name := range resources {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// writes observes changes of objects.
func (h *hunt) writes(ctx context.Context) ([]observation, error) {
	ask := WriteQuery{Cluster: h.alert.cluster, Resources: resourceNames(), Range: h.around, Limit: h.finder.opts.MaxRows}
	found, err := h.finder.opts.Source.Writes(ctx, h.scope, ask)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	ask.Range = seamark.TimeRange{Start: h.around.Start.Add(-routine), End: h.around.Start}
	earlier, err := h.finder.opts.Source.Writes(ctx, h.scope, ask)
	if err != nil {
		return nil, err
	}
	often := map[string]int{}
	key := func(w *Write) string {
		return strings.Join([]string{w.Cluster, w.Namespace, w.Resource, w.Name, w.User}, "\x00")
	}
	for i := range earlier {
		often[key(&earlier[i])]++
	}
	var list []observation
	for i := range found {
		w := &found[i]
		known, ok := resources[w.Resource]
		if !ok || w.Subresource == "status" {
			continue
		}
		p := place{cluster: w.Cluster, namespace: w.Namespace, workload: w.Name}
		if w.Resource == "nodes" {
			p.node, p.workload = w.Name, ""
		}
		relation := h.alert.to(&p)
		if relation == SameNamespace && strings.HasPrefix(w.Name, h.alert.workload+"-") && h.alert.workload != "" {
			relation = SameWorkload // checkout-config, checkout-tls
		}
		o := observation{
			kind: known.kind, cluster: w.Cluster, namespace: w.Namespace, object: known.object + " " + w.Name, relation: relation,
			key: objectKey(w.Cluster, w.Namespace, known.object, w.Name),
			Evidence: Evidence{
				Source: "audit", Time: w.Time, Weight: known.weight * h.near(w.Time) * relation.weight() * rare(often[key(w)]) * verbWeight(w),
				Text: fmt.Sprintf("%s %s %s %s%s with %s, %s.", w.User, pastVerb(w.Verb), known.object, qualified(w.Namespace, w.Name), subresource(w), orUnknown(w.UserAgent), h.when(w.Time)),
			},
		}
		list = append(list, o)
	}
	return list, nil
}

func verbWeight(w *Write) float64 {
	if strings.HasPrefix(w.User, "system:serviceaccount:kube-system:") || strings.HasPrefix(w.User, "system:node:") {
		return 0.3 // a controller that follows what somebody else has done
	}
	return 1
}

func pastVerb(verb string) string {
	switch verb {
	case "create":
		return "created"
	case "update":
		return "updated"
	case "patch":
		return "patched"
	case "delete", "deletecollection":
		return "deleted"
	}
	return "changed (" + verb + ")"
}

func subresource(w *Write) string {
	if w.Subresource == "" {
		return ""
	}
	return " (" + w.Subresource + ")"
}

func orUnknown(s string) string {
	if s == "" {
		return "an unknown client"
	}
	name, _, _ := strings.Cut(s, " ")
	return name
}

func qualified(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// when writes a time beside the start.
func (h *hunt) when(t time.Time) string {
	d := h.q.Start.Sub(t).Round(time.Minute)
	switch {
	case d >= time.Minute:
		return fmt.Sprintf("%d min before the start", d/time.Minute)
	case d <= -time.Minute:
		return fmt.Sprintf("%d min after the start", -d/time.Minute)
	}
	return "at the start"
}

// objectKey names an object; what is told of the pods, replica sets and deployments of a workload is told of one thing.
func objectKey(cluster, namespace, kind, name string) string {
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "CronJob", "Job":
		kind = "workload"
	}
	return strings.Join([]string{cluster, namespace, kind, name}, "\x00")
}
