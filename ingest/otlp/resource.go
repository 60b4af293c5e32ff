package otlp

import (
	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// resourceAttrs are the attributes of a Resource that mean something to us, and the rest. Values are rendered; "" is
// the same as absent.
type resourceAttrs struct {
	serviceName, serviceNamespace, serviceInstance string
	cluster, namespace, pod, container, node       string
	workloads                                      [len(workloadKeys)]string
	rest                                           []rawAttr // the others, in the sender's order
}

// rawAttr is an attribute with its rendered value and the key as the sender wrote it.
type rawAttr struct{ key, value string }

// workloadKeys are the kinds of workload in the order in which they name it. A Job of a CronJob carries both, and the
// CronJob's name is the one that does not change with each run.
var workloadKeys = [...]string{
	"k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name",
}

// field returns where the value of key belongs, nil when it is one of the rest.
func (r *resourceAttrs) field(key string) *string {
	switch key {
	case "service.name":
		return &r.serviceName
	case "service.namespace":
		return &r.serviceNamespace
	case "service.instance.id":
		return &r.serviceInstance
	case "k8s.cluster.name":
		return &r.cluster
	case "k8s.namespace.name":
		return &r.namespace
	case "k8s.pod.name":
		return &r.pod
	case "k8s.container.name":
		return &r.container
	case "k8s.node.name":
		return &r.node
	}
	for i, k := range workloadKeys {
		if k == key {
			return &r.workloads[i]
		}
	}
	return nil
}

// workload returns the name of the workload and the index of its key, -1 when the resource has none.
func (r *resourceAttrs) workload() (string, int) {
	for i, name := range r.workloads {
		if name != "" {
			return name, i
		}
	}
	return "", -1
}

// parseResource reads the occurrences of a Resource message. It keeps the memory of r.rest.
func (w *wire) parseResource(parts [][]byte, r *resourceAttrs) error {
	*r = resourceAttrs{rest: r.rest[:0]}
	for _, src := range parts {
		err := w.eachOf("Resource", src, 1, func(data []byte) error {
			var a attribute
			if err := w.parseAttribute(data, &a); err != nil {
				return err
			}
			text, err := w.text(&a.val)
			if err != nil {
				return err
			}
			if field := r.field(a.key); field != nil {
				*field = text
			} else if text != "" && a.key != "" {
				r.rest = append(r.rest, rawAttr{a.key, text})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// appendStreamLabels appends the labels that name the resource's log stream.
func (r *resourceAttrs) appendStreamLabels(dst []seamark.Label) []seamark.Label {
	workload, _ := r.workload()
	service := r.serviceName
	for _, fallback := range []string{r.container, workload, "unknown_service"} {
		if service == "" {
			service = fallback
		}
	}
	dst = append(dst, seamark.Label{Name: "service_name", Value: service})
	if workload != "" {
		dst = append(dst, seamark.Label{Name: "workload", Value: workload})
	}
	return r.appendPlaceLabels(dst)
}

// appendPlaceLabels appends the labels that say where in Kubernetes the resource runs, as logs and metrics share them.
func (r *resourceAttrs) appendPlaceLabels(dst []seamark.Label) []seamark.Label {
	for _, l := range [...]seamark.Label{
		{Name: seamark.ClusterLabel, Value: r.cluster}, {Name: "namespace", Value: r.namespace}, {Name: "pod", Value: r.pod},
		{Name: "container", Value: r.container}, {Name: "node", Value: r.node},
	} {
		if l.Value != "" {
			dst = append(dst, l)
		}
	}
	return dst
}

// eachOther calls f for the attributes that are not in the stream labels.
func (r *resourceAttrs) eachOther(f func(key, value string)) {
	for _, a := range []rawAttr{{"service.namespace", r.serviceNamespace}, {"service.instance.id", r.serviceInstance}} {
		if a.value != "" {
			f(a.key, a.value)
		}
	}
	_, used := r.workload()
	for i, name := range r.workloads {
		if name != "" && i != used {
			f(workloadKeys[i], name)
		}
	}
	for _, a := range r.rest {
		f(a.key, a.value)
	}
}

// maxParts bounds the pieces that a message may come in, which protobuf allows and no sender does. Without it a body of
// empty pieces takes twelve times its size.
const maxParts = 64

// findParts walks a ResourceLogs or ResourceMetrics, which are built alike: it appends the occurrences of the resource
// to parts and returns the field number under which the scopes stand: 2, or 1000 in requests of senders from before 2022.
func (w *wire) findParts(message string, src []byte, parts [][]byte) (_ [][]byte, scopes uint32, err error) {
	scopes = 1000
	var fc easyproto.FieldContext
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return parts, 0, w.broken(message, src, err)
		}
		switch fc.FieldNum {
		case 1:
			data, ok := fc.MessageData()
			if !ok {
				return parts, 0, w.mistyped(message, fc.FieldNum, src)
			}
			if len(parts) == maxParts {
				return parts, 0, seamark.Errorf(seamark.Invalid, bodyFault,
					"Field 1 of message %s stands more than %d times at byte %d of %d; it stands once.", message, maxParts, w.offset(src), len(w.body))
			}
			parts = append(parts, data)
		case 2:
			scopes = 2
		}
	}
	return parts, scopes, nil
}
