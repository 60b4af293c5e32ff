package test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// workload is what Deployments, StatefulSets and DaemonSets share.
type workload struct {
	name     string
	selector map[string]string
	template corev1.PodTemplateSpec
	claims   []string // of a StatefulSet
}

// decode decodes a manifest strictly, so that a misspelt or misplaced field is a fault.
func decode[T any](t *testing.T, o *object) *T {
	t.Helper()
	value := new(T)
	if err := yaml.UnmarshalStrict([]byte(o.text), value); err != nil {
		t.Fatalf("%s %s: %v\n%s", o.kind, o.name, err, o.text)
	}
	return value
}

// rest is a custom resource, whose types are no part of Kubernetes.
type rest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec map[string]any `json:"spec"`
}

// decodeAll decodes every manifest and returns the workloads among them.
func decodeAll(t *testing.T, list []object) (workloads []workload) {
	t.Helper()
	for i := range list {
		o := &list[i]
		switch o.apiVersion + " " + o.kind {
		case "apps/v1 Deployment":
			d := decode[appsv1.Deployment](t, o)
			workloads = append(workloads, workload{o.name, d.Spec.Selector.MatchLabels, d.Spec.Template, nil})
		case "apps/v1 StatefulSet":
			d := decode[appsv1.StatefulSet](t, o)
			w := workload{o.name, d.Spec.Selector.MatchLabels, d.Spec.Template, nil}
			for _, c := range d.Spec.VolumeClaimTemplates {
				w.claims = append(w.claims, c.Name)
			}
			workloads = append(workloads, w)
		case "apps/v1 DaemonSet":
			d := decode[appsv1.DaemonSet](t, o)
			workloads = append(workloads, workload{o.name, d.Spec.Selector.MatchLabels, d.Spec.Template, nil})
		case "v1 Service":
			decode[corev1.Service](t, o)
		case "v1 ServiceAccount":
			decode[corev1.ServiceAccount](t, o)
		case "v1 Namespace":
			decode[corev1.Namespace](t, o)
		case "v1 Secret":
			decode[corev1.Secret](t, o)
		case "v1 ConfigMap":
			decode[corev1.ConfigMap](t, o)
		case "v1 PersistentVolumeClaim":
			decode[corev1.PersistentVolumeClaim](t, o)
		case "policy/v1 PodDisruptionBudget":
			decode[policyv1.PodDisruptionBudget](t, o)
		case "autoscaling/v2 HorizontalPodAutoscaler":
			decode[autoscalingv2.HorizontalPodAutoscaler](t, o)
		case "networking.k8s.io/v1 NetworkPolicy":
			decode[networkingv1.NetworkPolicy](t, o)
		case "networking.k8s.io/v1 Ingress":
			decode[networkingv1.Ingress](t, o)
		case "rbac.authorization.k8s.io/v1 ClusterRole":
			decode[rbacv1.ClusterRole](t, o)
		case "rbac.authorization.k8s.io/v1 ClusterRoleBinding":
			decode[rbacv1.ClusterRoleBinding](t, o)
		case "monitoring.coreos.com/v1 ServiceMonitor":
			checkRest(t, o, "endpoints", "selector", "jobLabel", "targetLabels")
		case "clickhouse.altinity.com/v1 ClickHouseInstallation":
			checkRest(t, o, "defaults", "configuration", "templates")
		default:
			t.Errorf("%s %s %s is of a kind that this test does not know", o.apiVersion, o.kind, o.name)
		}
	}
	return workloads
}

// checkRest checks that a custom resource has a name, labels, and these fields alone.
func checkRest(t *testing.T, o *object, fields ...string) {
	t.Helper()
	r := decode[rest](t, o)
	if r.Metadata.Name == "" || r.Metadata.Labels["app.kubernetes.io/managed-by"] == "" {
		t.Errorf("%s %q lacks a name or labels", o.kind, o.name)
	}
	if len(r.Spec) != len(fields) {
		t.Errorf("%s has the fields %v; want %v", o.kind, r.Spec, fields)
	}
	for _, f := range fields {
		if r.Spec[f] == nil {
			t.Errorf("%s has no spec.%s", o.kind, f)
		}
	}
}

// TestManifests decodes what each set of values renders, and checks what Kubernetes would refuse or what would be unsafe.
func TestManifests(t *testing.T) {
	for _, s := range sets() {
		t.Run(s.name, func(t *testing.T) {
			list := mustRender(t, &s)
			seen := map[string]bool{}
			for _, o := range list {
				if id := o.kind + " " + o.name; seen[id] {
					t.Errorf("%s is there twice", id)
				} else {
					seen[id] = true
				}
			}
			workloads := decodeAll(t, list)
			for i := range workloads {
				checkWorkload(t, &workloads[i])
			}
			checkSelected(t, list, workloads)
		})
	}
}

// checkWorkload checks one workload.
func checkWorkload(t *testing.T, w *workload) {
	t.Helper()
	if !within(w.selector, w.template.Labels) {
		t.Errorf("%s selects %v; its pods have %v", w.name, w.selector, w.template.Labels)
	}
	volumes := map[string]bool{}
	for _, v := range w.template.Spec.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range w.claims {
		volumes[c] = true
	}
	// The one that reads the kernel's log has to be privileged, the collector of the nodes' logs root; both drop what they can.
	privileged := strings.HasSuffix(w.name, "-node-problem-detector")
	rootOnNode := privileged || strings.HasSuffix(w.name, "-node")
	pod := w.template.Spec.SecurityContext
	if !rootOnNode && (pod == nil || pod.RunAsNonRoot == nil || !*pod.RunAsNonRoot || pod.RunAsUser == nil || *pod.RunAsUser == 0) {
		t.Errorf("%s may run as root", w.name)
	}
	for _, c := range w.template.Spec.Containers {
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s mounts %s, which is no volume of the pod", w.name, m.Name)
			}
			delete(volumes, m.Name)
		}
		if c.ReadinessProbe == nil && !privileged {
			t.Errorf("%s has no readiness probe", w.name)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("%s has no limit of memory or asks for no CPU: %+v", w.name, c.Resources)
		}
		sc := c.SecurityContext
		if !privileged && (sc == nil || sc.ReadOnlyRootFilesystem == nil || !*sc.ReadOnlyRootFilesystem || *sc.AllowPrivilegeEscalation || sc.Capabilities == nil || len(sc.Capabilities.Drop) != 1 || sc.Capabilities.Drop[0] != "ALL") {
			t.Errorf("%s: container %s can write to its image, gain privileges or has capabilities", w.name, c.Name)
		}
		if strings.HasSuffix(c.Image, ":") || strings.HasSuffix(c.Image, ":latest") || !strings.ContainsAny(c.Image, ":@") {
			t.Errorf("%s has the image %q, which is no certain one", w.name, c.Image)
		}
	}
	for name := range volumes {
		t.Errorf("%s has the volume %s, which nothing mounts", w.name, name)
	}
}

// checkSelected checks that Services, budgets and policies select pods that are there, and that ports have names that those have.
func checkSelected(t *testing.T, list []object, workloads []workload) {
	t.Helper()
	find := func(selector map[string]string) *workload {
		for i := range workloads {
			if within(selector, workloads[i].template.Labels) {
				return &workloads[i]
			}
		}
		return nil
	}
	for i := range list {
		o := &list[i]
		switch o.kind {
		case "Service":
			s := decode[corev1.Service](t, o)
			w := find(s.Spec.Selector)
			if w == nil {
				t.Errorf("Service %s selects nothing", o.name)
				continue
			}
			for _, p := range s.Spec.Ports {
				if !hasPort(w, p.TargetPort.StrVal) {
					t.Errorf("Service %s leads to the port %q, which %s does not have", o.name, p.TargetPort.StrVal, w.name)
				}
			}
		case "PodDisruptionBudget":
			if find(decode[policyv1.PodDisruptionBudget](t, o).Spec.Selector.MatchLabels) == nil {
				t.Errorf("PodDisruptionBudget %s selects nothing", o.name)
			}
		case "NetworkPolicy":
			p := decode[networkingv1.NetworkPolicy](t, o)
			w := find(p.Spec.PodSelector.MatchLabels)
			if w == nil {
				t.Errorf("NetworkPolicy %s selects nothing", o.name)
				continue
			}
			for _, in := range p.Spec.Ingress {
				for _, port := range in.Ports {
					if !hasPort(w, port.Port.StrVal) {
						t.Errorf("NetworkPolicy %s opens the port %q, which %s does not have", o.name, port.Port.StrVal, w.name)
					}
				}
			}
		case "HorizontalPodAutoscaler":
			h := decode[autoscalingv2.HorizontalPodAutoscaler](t, o)
			if target := h.Spec.ScaleTargetRef; !hasObject(list, target.Kind, target.Name) || *h.Spec.MinReplicas > h.Spec.MaxReplicas {
				t.Errorf("HorizontalPodAutoscaler %s scales %s %s from %d to %d", o.name, target.Kind, target.Name, *h.Spec.MinReplicas, h.Spec.MaxReplicas)
			}
		}
	}
}

func hasPort(w *workload, name string) bool {
	for _, c := range w.template.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return true
			}
		}
	}
	return false
}

func hasObject(list []object, kind, name string) bool {
	for _, o := range list {
		if o.kind == kind && o.name == name {
			return true
		}
	}
	return false
}

func within(part, whole map[string]string) bool {
	for k, v := range part {
		if whole[k] != v {
			return false
		}
	}
	return len(part) > 0
}
