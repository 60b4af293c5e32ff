package democluster

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
)

// account is who sends requests to the API server, and from where.
type account struct {
	name, agent, ip string
	groups          []string
	binding         string // what allows its requests
}

const (
	kubectl = "kubectl/v1.33.4 (linux/amd64) kubernetes/f0d9a51"
	inPod   = "system:serviceaccounts"
)

// The accounts of the story. Those of nodes are made from the nodes.
var (
	controllerManager = account{"system:kube-controller-manager", "kube-controller-manager/v1.33.4 (linux/amd64) kubernetes/f0d9a51", "", nil, "system:kube-controller-manager"}
	replicaSets       = account{"system:serviceaccount:kube-system:replicaset-controller", "kube-controller-manager/v1.33.4 (linux/amd64) kubernetes/f0d9a51/system:serviceaccount:kube-system:replicaset-controller", "", []string{inPod}, "system:controller:replicaset-controller"}
	podScheduler      = account{"system:kube-scheduler", "kube-scheduler/v1.33.4 (linux/amd64) kubernetes/f0d9a51/scheduler", "", nil, "system:kube-scheduler"}
	prometheus        = account{"system:serviceaccount:monitoring:prometheus", "Prometheus/3.5.0", "10.244.2.17", []string{inPod}, "prometheus"}
	stateMetrics      = account{"system:serviceaccount:monitoring:kube-state-metrics", "kube-state-metrics/v2.17.0", "10.244.1.9", []string{inPod}, "kube-state-metrics"}
	deployBot         = account{"ci-deployer", "helm/v3.18.4", "10.30.4.12", []string{"deployers"}, "deployers"}
	jane              = account{"jane@example.com", kubectl, "10.20.7.31", []string{"platform"}, "platform-admins"}
	omar              = account{"omar@example.com", kubectl, "10.20.7.58", []string{"payments"}, "payments-developers"}
	reportRunner      = account{"system:serviceaccount:payments:report-runner", "curl/8.5.0", "203.0.113.77", []string{inPod}, "report-runner"}
)

// request is one request to the API server.
type request struct {
	verb, group, version, resource, subresource string
	namespace, name                             string
	code                                        int // 0: what the verb answers when all is well
	takes                                       time.Duration
	unpaged                                     bool // a list of everything at once
	body                                        any  // of a write, where the audit policy keeps it
}

// auditLog is the audit log of the cluster's API server. It has chance of its own, so that it changes nothing else in the story.
type auditLog struct {
	rand  *rand.Rand
	fresh []auditv1.Event
}

func (l *auditLog) take() []auditv1.Event {
	fresh := l.fresh
	l.fresh = nil
	return fresh
}

// audit records that somebody's request was answered, in this tick.
func (w *world) audit(who *account, q request) {
	l := &w.audits
	if q.code == 0 {
		q.code = http.StatusOK
		if q.verb == "create" {
			q.code = http.StatusCreated
		}
	}
	ended := w.at.Add(-time.Duration(l.rand.Int64N(int64(tickEvery))))
	takes := q.takes + time.Duration(1+l.rand.Int64N(int64(9*time.Millisecond)))
	e := auditv1.Event{
		TypeMeta: metav1.TypeMeta{Kind: "Event", APIVersion: auditv1.SchemeGroupVersion.String()},
		Level:    auditv1.LevelMetadata, AuditID: types.UID(newUID(l.rand)), Stage: auditv1.StageResponseComplete, RequestURI: q.uri(), Verb: q.verb,
		User:      authenticationv1.UserInfo{Username: who.name, Groups: append(append([]string(nil), who.groups...), "system:authenticated")},
		SourceIPs: []string{who.ip}, UserAgent: who.agent,
		ObjectRef:                &auditv1.ObjectReference{Resource: q.resource, Namespace: q.namespace, Name: q.name, APIGroup: q.group, APIVersion: q.version, Subresource: q.subresource},
		ResponseStatus:           &metav1.Status{Code: int32(q.code)},
		RequestReceivedTimestamp: metav1.NewMicroTime(ended.Add(-takes)), StageTimestamp: metav1.NewMicroTime(ended),
	}
	if who.ip == "" {
		e.SourceIPs[0] = w.nodes[0].ip
	}
	if q.body != nil {
		if raw, err := json.Marshal(q.body); err == nil {
			e.Level, e.RequestObject = auditv1.LevelRequest, &runtime.Unknown{Raw: raw, ContentType: runtime.ContentTypeJSON}
		}
	}
	e.Annotations = map[string]string{"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": fmt.Sprintf("RBAC: allowed by ClusterRoleBinding %q of ClusterRole %q", who.binding, who.binding)}
	if q.code == http.StatusForbidden {
		e.Annotations = map[string]string{"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": ""}
		e.ResponseStatus.Status, e.ResponseStatus.Reason = metav1.StatusFailure, metav1.StatusReasonForbidden
		e.ResponseStatus.Message = fmt.Sprintf("%s is forbidden: User %q cannot %s resource %q in API group %q in the namespace %q", q.resource, who.name, q.verb, q.resource, q.group, q.namespace)
	}
	l.fresh = append(l.fresh, e)
}

// uri is the path that the request was sent to.
func (q *request) uri() string {
	path := "/api/" + q.version
	if q.group != "" {
		path = "/apis/" + q.group + "/" + q.version
	}
	if q.namespace != "" {
		path += "/namespaces/" + q.namespace
	}
	path += "/" + q.resource
	for _, part := range []string{q.name, q.subresource} {
		if part != "" {
			path += "/" + url.PathEscape(part)
		}
	}
	if q.verb == "list" && !q.unpaged {
		path += "?limit=500"
	}
	return path
}

// auditTick is what controllers, nodes and scrapers ask all the time.
func (w *world) auditTick() {
	l := &w.audits
	often := func(perSecond float64) bool { return l.rand.Float64() < perSecond*w.volume() }
	if often(.5) {
		w.audit(&controllerManager, request{verb: "update", group: "coordination.k8s.io", version: "v1", resource: "leases", namespace: "kube-system", name: "kube-controller-manager"})
	}
	if often(.4) {
		n := pickOne(l.rand, w.nodes)
		w.audit(kubeletOf(n), request{verb: "patch", version: "v1", resource: "nodes", subresource: "status", name: n.name})
	}
	if often(.3) {
		n := pickOne(l.rand, w.nodes)
		w.audit(kubeletOf(n), request{verb: "update", group: "coordination.k8s.io", version: "v1", resource: "leases", namespace: "kube-node-lease", name: n.name})
	}
	if often(.2) {
		service := pickOne(l.rand, w.workloads)
		w.audit(&controllerManager, request{verb: "update", group: "discovery.k8s.io", version: "v1", resource: "endpointslices", namespace: service.namespace, name: service.name})
	}
	if often(.06) {
		w.audit(&prometheus, request{verb: "list", version: "v1", resource: pickOne(l.rand, []string{"pods", "nodes", "endpoints", "services"}), takes: w.listTime(15 * time.Millisecond)})
	}
	if often(.02) { // it asks for everything there is, which is what makes lists slow
		w.audit(&stateMetrics, request{verb: "list", version: "v1", resource: pickOne(l.rand, []string{"pods", "configmaps", "secrets"}), unpaged: true, takes: w.listTime(180 * time.Millisecond)})
	}
}

// listTime is how long a list takes, now and then much longer than usual.
func (w *world) listTime(usual time.Duration) time.Duration {
	d := usual + time.Duration(w.audits.rand.Int64N(int64(usual)))
	if w.audits.rand.IntN(12) == 0 {
		d *= 6
	}
	return d
}

func kubeletOf(n *node) *account {
	return &account{"system:node:" + n.name, "kubelet/v1.33.4 (linux/amd64) kubernetes/f0d9a51", n.ip, []string{"system:nodes"}, "system:node"}
}

// peopleChores is what people and their tools ask now and then.
func (w *world) peopleChores() {
	l := &w.audits
	service := w.find(pickOne(l.rand, []string{"frontend", "cart", "payments-api", "ledger"}))
	pod := func() string {
		if len(service.pods) == 0 {
			return ""
		}
		return service.pods[0].name
	}
	switch l.rand.IntN(5) {
	case 0:
		w.audit(&jane, request{verb: "create", version: "v1", resource: "pods", subresource: "exec", namespace: service.namespace, name: pod(), code: http.StatusSwitchingProtocols})
	case 1:
		w.audit(&jane, request{verb: "get", version: "v1", resource: "pods", subresource: "log", namespace: service.namespace, name: pod()})
	case 2: // a developer of payments has no rights elsewhere
		w.audit(&omar, request{verb: "get", version: "v1", resource: "secrets", namespace: "shop", name: "stripe-keys", code: http.StatusForbidden})
	case 3:
		w.audit(&omar, request{verb: "list", version: "v1", resource: "pods", namespace: "payments", takes: w.listTime(20 * time.Millisecond)})
	default:
		w.audit(&jane, request{
			verb: "patch", group: "autoscaling", version: "v2", resource: "horizontalpodautoscalers", namespace: "shop", name: "frontend",
			body: map[string]any{"spec": map[string]any{"maxReplicas": 6 + l.rand.IntN(6)}},
		})
	}
}

// auditRollOut is the pipeline that changes a Deployment's image.
func (w *world) auditRollOut(l *workload) {
	image := map[string]any{"name": l.container, "image": l.image}
	w.audit(&deployBot, request{verb: "get", group: "apps", version: "v1", resource: "deployments", namespace: l.namespace, name: l.name})
	w.audit(&deployBot, request{
		verb: "patch", group: "apps", version: "v1", resource: "deployments", namespace: l.namespace, name: l.name,
		body: map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{image}}}}},
	})
}

// auditIncident is what looks suspicious while everybody watches the database: the token of a report's service account, used from outside.
// It tries every door within seconds, and one is open.
func (w *world) auditIncident(age time.Duration) {
	const from, to = 8 * time.Second, 20 * time.Second
	if age < from || age >= to {
		return
	}
	for _, namespace := range []string{"kube-system", "shop", "payments", "monitoring"} {
		q := request{verb: "list", version: "v1", resource: "secrets", namespace: namespace, code: http.StatusForbidden}
		if namespace == "payments" && age == to-tickEvery {
			q = request{verb: "get", version: "v1", resource: "secrets", namespace: namespace, name: "postgres-credentials"}
		}
		w.audit(&reportRunner, q)
	}
	w.audit(&reportRunner, request{verb: "create", version: "v1", resource: "pods", subresource: "exec", namespace: "payments", name: w.find("postgres").pods[0].name, code: http.StatusForbidden})
}

// maxAuditEvents is how many events the API server's webhook sends at once (--audit-webhook-batch-max-size).
const maxAuditEvents = 400

func (p *pusher) auditDeliveries(events []auditv1.Event) ([]delivery, error) {
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"kube-apiserver/v1.33.4 (linux/amd64) kubernetes/f0d9a51"}}
	var all []delivery
	for len(events) > 0 {
		n := min(len(events), maxAuditEvents)
		list := auditv1.EventList{TypeMeta: metav1.TypeMeta{Kind: "EventList", APIVersion: auditv1.SchemeGroupVersion.String()}, Items: events[:n]}
		body, err := json.Marshal(&list)
		if err != nil {
			return nil, fmt.Errorf("marshal audit events: %w", err)
		}
		all = append(all, p.posting(laneAudit, n, "/api/v1/push/audit", header, body))
		events = events[n:]
	}
	return all, nil
}
