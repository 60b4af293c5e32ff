package record

import "strings"

// The slots: the parts of the normal form that a field can give. The first ones are the labels of the stream.
const (
	serviceSlot = iota
	namespaceSlot
	workloadSlot
	podSlot
	containerSlot
	nodeSlot
	clusterSlot
	labelCount

	hostSlot         = iota - 1 // the machine's name, which is the node's outside of pods
	ownerSlot                   // "ReplicaSet/name" or owner references
	replicaSetSlot              // the ReplicaSet's name
	templateHashSlot            // labels of pods that tell their owner's kind, see derivedWorkload
	jobLabelSlot
	statefulLabelSlot
	daemonLabelSlot
	bodySlot
	timeSlot
	levelSlot    // a word, or a number of syslog, pino or bunyan
	severitySlot // OpenTelemetry's severity number
	statusSlot   // Datadog's status, which elsewhere is a result
	traceSlot
	spanSlot
	slotCount

	extraSlot = 0xfe // a label of the mapping; the rank is its number
	noSlot    = 0xff
)

// spelling is what a field's name means.
type spelling struct {
	slot uint8
	// rank orders the spellings of one slot; the lowest that a record has counts. A mapping's is 0, the table's are higher.
	rank uint8
	// keep says that the field is an attribute as well.
	keep bool
}

// spellingOf returns what a path means; its slot is noSlot when it is just an attribute.
func spellingOf(path string) spelling {
	name := strings.ToLower(AttrName(path))
	for _, prefix := range [...]string{"resource_attributes_", "resource_", "attributes_"} { // OTLP as documents
		name = strings.TrimPrefix(name, prefix)
	}
	if s, ok := spellings[name]; ok {
		return s
	}
	for i, prefix := range labelPrefixes {
		label, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if s, ok := podLabels[label]; ok {
			s.rank += uint8(i)
			return s
		}
	}
	return spelling{slot: noSlot}
}

// labelPrefixes are what the labels of a pod stand under, the sure ones first.
var labelPrefixes = [...]string{"kubernetes_labels_", "kubernetes_pod_labels_", "k8s_pod_labels_", "k8s_pod_label_", "labels_"}

// podLabels are the labels of pods that mean something to us.
var podLabels = map[string]spelling{
	"app_kubernetes_io_name":             {slot: serviceSlot, rank: 10},
	"k8s_app":                            {slot: serviceSlot, rank: 20},
	"app":                                {slot: serviceSlot, rank: 30},
	"pod_template_hash":                  {slot: templateHashSlot, rank: 1, keep: true},
	"job_name":                           {slot: jobLabelSlot, rank: 1, keep: true},
	"batch_kubernetes_io_job_name":       {slot: jobLabelSlot, rank: 1, keep: true},
	"statefulset_kubernetes_io_pod_name": {slot: statefulLabelSlot, rank: 1, keep: true},
	"pod_template_generation":            {slot: daemonLabelSlot, rank: 1, keep: true},
}

// spellings maps names, in lower case and with underscores for what is no letter or digit, to their meaning. The comment
// says whose they are; a plain word ranks last, because a program may mean something else by it.
var spellings = map[string]spelling{
	"service_name": {slot: serviceSlot, rank: 1}, // OpenTelemetry, ECS
	"servicename":  {slot: serviceSlot, rank: 2},
	"service":      {slot: serviceSlot, rank: 3}, // Datadog
	"application":  {slot: serviceSlot, rank: 40},
	"app":          {slot: serviceSlot, rank: 41},

	"k8s_namespace_name":        {slot: namespaceSlot, rank: 1}, // OpenTelemetry
	"kubernetes_namespace_name": {slot: namespaceSlot, rank: 1}, // Fluent Bit, Fluentd
	"kubernetes_namespace":      {slot: namespaceSlot, rank: 1}, // ECS
	"kubernetes_pod_namespace":  {slot: namespaceSlot, rank: 1}, // Vector
	"kube_namespace":            {slot: namespaceSlot, rank: 2}, // Datadog
	"orchestrator_namespace":    {slot: namespaceSlot, rank: 3}, // ECS
	"namespace_name":            {slot: namespaceSlot, rank: 4}, // the members of "kubernetes" lifted to the top
	"pod_namespace":             {slot: namespaceSlot, rank: 4},
	"namespace":                 {slot: namespaceSlot, rank: 5},

	"k8s_pod_name":        {slot: podSlot, rank: 1},
	"kubernetes_pod_name": {slot: podSlot, rank: 1}, // Fluent Bit, Fluentd, ECS, Vector
	"kubernetes_pod":      {slot: podSlot, rank: 2},
	"pod_name":            {slot: podSlot, rank: 3}, // Datadog
	"pod":                 {slot: podSlot, rank: 4},

	"k8s_container_name":        {slot: containerSlot, rank: 1},
	"kubernetes_container_name": {slot: containerSlot, rank: 1},
	"kubernetes_container":      {slot: containerSlot, rank: 2},
	"kube_container_name":       {slot: containerSlot, rank: 2}, // Datadog
	"container_name":            {slot: containerSlot, rank: 3}, // ECS and Datadog, Docker's log driver
	"container":                 {slot: containerSlot, rank: 4},

	"k8s_node_name":            {slot: nodeSlot, rank: 1},
	"kubernetes_host":          {slot: nodeSlot, rank: 1}, // Fluent Bit, Fluentd
	"kubernetes_node_name":     {slot: nodeSlot, rank: 1}, // ECS
	"kubernetes_pod_node_name": {slot: nodeSlot, rank: 1}, // Vector
	"kube_node":                {slot: nodeSlot, rank: 2}, // Datadog
	"pod_node_name":            {slot: nodeSlot, rank: 3},
	"node_name":                {slot: nodeSlot, rank: 3},
	"node":                     {slot: nodeSlot, rank: 4},

	"k8s_cluster_name":          {slot: clusterSlot, rank: 1},
	"orchestrator_cluster_name": {slot: clusterSlot, rank: 2}, // ECS
	"kubernetes_cluster_name":   {slot: clusterSlot, rank: 2},
	"kubernetes_cluster":        {slot: clusterSlot, rank: 2},
	"kube_cluster_name":         {slot: clusterSlot, rank: 3}, // Datadog
	"cluster_name":              {slot: clusterSlot, rank: 4},
	"cluster":                   {slot: clusterSlot, rank: 5},

	// The kinds of workload rank as in OTLP: a Job of a CronJob has both names, and the CronJob's stays.
	"k8s_deployment_name":         {slot: workloadSlot, rank: 1},
	"kubernetes_deployment_name":  {slot: workloadSlot, rank: 1},
	"kube_deployment":             {slot: workloadSlot, rank: 1},
	"k8s_statefulset_name":        {slot: workloadSlot, rank: 2},
	"kubernetes_statefulset_name": {slot: workloadSlot, rank: 2},
	"kube_stateful_set":           {slot: workloadSlot, rank: 2},
	"k8s_daemonset_name":          {slot: workloadSlot, rank: 3},
	"kubernetes_daemonset_name":   {slot: workloadSlot, rank: 3},
	"kube_daemon_set":             {slot: workloadSlot, rank: 3},
	"k8s_cronjob_name":            {slot: workloadSlot, rank: 4},
	"kubernetes_cronjob_name":     {slot: workloadSlot, rank: 4},
	"kube_cronjob":                {slot: workloadSlot, rank: 4},
	"kube_cron_job":               {slot: workloadSlot, rank: 4},
	"k8s_job_name":                {slot: workloadSlot, rank: 5},
	"kubernetes_job_name":         {slot: workloadSlot, rank: 5},
	"kube_job":                    {slot: workloadSlot, rank: 5},
	"workload":                    {slot: workloadSlot, rank: 6},

	"k8s_replicaset_name":        {slot: replicaSetSlot, rank: 1, keep: true},
	"kubernetes_replicaset_name": {slot: replicaSetSlot, rank: 1, keep: true},
	"kube_replica_set":           {slot: replicaSetSlot, rank: 1, keep: true},
	"kubernetes_pod_owner":       {slot: ownerSlot, rank: 1, keep: true}, // Vector
	"pod_owner":                  {slot: ownerSlot, rank: 2, keep: true},
	"kubernetes_ownerrefs":       {slot: ownerSlot, rank: 3, keep: true}, // Fluentd
	"kubernetes_ownerreferences": {slot: ownerSlot, rank: 3, keep: true}, // Fluent Bit

	"host_name":       {slot: hostSlot, rank: 1}, // ECS, OpenTelemetry
	"host_hostname":   {slot: hostSlot, rank: 2},
	"hostname":        {slot: hostSlot, rank: 3}, // Datadog, syslog
	"host":            {slot: hostSlot, rank: 4}, // Logstash, Fluentd, Vector
	"_hostname":       {slot: hostSlot, rank: 5}, // journald
	"syslog_hostname": {slot: hostSlot, rank: 6},

	"message":        {slot: bodySlot, rank: 1}, // ECS, Logstash, Vector, journald
	"log":            {slot: bodySlot, rank: 2}, // Fluent Bit, Fluentd, Docker
	"msg":            {slot: bodySlot, rank: 3}, // zap, pino, logrus, slog
	"body":           {slot: bodySlot, rank: 4}, // OpenTelemetry
	"body_text":      {slot: bodySlot, rank: 4}, // OpenTelemetry as Elasticsearch has it
	"event_original": {slot: bodySlot, rank: 5}, // ECS
	"short_message":  {slot: bodySlot, rank: 6}, // GELF
	"full_message":   {slot: bodySlot, rank: 7},

	"_timestamp":                 {slot: timeSlot, rank: 1}, // @timestamp: ECS, Logstash, Fluent Bit
	"timestamp":                  {slot: timeSlot, rank: 2}, // Vector, OpenTelemetry
	"time":                       {slot: timeSlot, rank: 3}, // Fluentd, slog, pino
	"ts":                         {slot: timeSlot, rank: 4}, // zap
	"date":                       {slot: timeSlot, rank: 5}, // Fluent Bit
	"__realtime_timestamp":       {slot: timeSlot, rank: 6}, // journald
	"_source_realtime_timestamp": {slot: timeSlot, rank: 7},

	"level":           {slot: levelSlot, rank: 1},
	"log_level":       {slot: levelSlot, rank: 1}, // ECS
	"severity":        {slot: levelSlot, rank: 2},
	"severity_number": {slot: severitySlot, rank: 3}, // OpenTelemetry
	"severitynumber":  {slot: severitySlot, rank: 3},
	"severity_text":   {slot: levelSlot, rank: 4},
	"severitytext":    {slot: levelSlot, rank: 4},
	"loglevel":        {slot: levelSlot, rank: 5},
	"levelname":       {slot: levelSlot, rank: 5}, // Python
	"lvl":             {slot: levelSlot, rank: 5},
	"priority":        {slot: levelSlot, rank: 6},  // syslog, journald
	"status":          {slot: statusSlot, rank: 7}, // Datadog

	"trace_id":    {slot: traceSlot, rank: 1}, // OpenTelemetry; trace.id of ECS
	"traceid":     {slot: traceSlot, rank: 1},
	"oteltraceid": {slot: traceSlot, rank: 1},
	"dd_trace_id": {slot: traceSlot, rank: 1}, // of 128 bits; 64-bit ones stay attributes
	"span_id":     {slot: spanSlot, rank: 1},
	"spanid":      {slot: spanSlot, rank: 1},
	"otelspanid":  {slot: spanSlot, rank: 1},
}
