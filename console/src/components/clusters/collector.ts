import type { Target } from "./target";

/**
 * The OpenTelemetry Collector as one document for kubectl: an agent on each node for container logs and the kubelet's metrics, and
 * one for the whole cluster for events and the states of its objects. What waits is kept on disk, so that nothing is lost while the
 * server is away.
 */

const image = "otel/opentelemetry-collector-contrib:0.162.0";

const exporter = (url: string) => `    exporters:
      otlphttp/seamark:
        endpoint: ${url}
        compression: zstd
        headers:
          Authorization: Bearer \${env:SEAMARK_TOKEN}
        sending_queue:
          enabled: true
          storage: file_storage
          batch: { flush_timeout: 1s, min_size: 2000, max_size: 8000, sizer: items }
        retry_on_failure: { enabled: true, max_elapsed_time: 0 }
    extensions:
      file_storage: { directory: /var/lib/otelcol }`;

// Batches are made behind the queue: what a processor of batches holds would be lost with the process.
const limits =
  "      memory_limiter: { check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 15 }";

const access = `apiVersion: v1
kind: Namespace
metadata: { name: seamark }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: seamark-agent, namespace: seamark }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: seamark-agent }
rules:
  - apiGroups: [""]
    resources: [events, namespaces, namespaces/status, nodes, nodes/spec, nodes/stats, nodes/proxy, pods, pods/status,
      replicationcontrollers, replicationcontrollers/status, resourcequotas, services]
    verbs: [get, list, watch]
  - apiGroups: [apps]
    resources: [daemonsets, deployments, replicasets, statefulsets]
    verbs: [get, list, watch]
  - apiGroups: [batch]
    resources: [jobs, cronjobs]
    verbs: [get, list, watch]
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [get, list, watch]
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: seamark-agent }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: seamark-agent }
subjects:
  - { kind: ServiceAccount, name: seamark-agent, namespace: seamark }`;

const secret = (token: string) => `apiVersion: v1
kind: Secret
metadata: { name: seamark-token, namespace: seamark }
stringData: { token: ${token} }`;

const configs = (url: string) => `apiVersion: v1
kind: ConfigMap
metadata: { name: seamark-agent, namespace: seamark }
data:
  node.yaml: |
    receivers:
      filelog:
        include: [/var/log/pods/*/*/*.log]
        exclude: [/var/log/pods/seamark_*/*/*.log]
        include_file_path: true
        storage: file_storage
        operators:
          - type: container
      kubeletstats:
        auth_type: serviceAccount
        endpoint: https://\${env:NODE_NAME}:10250
        insecure_skip_verify: true
        collection_interval: 30s
    processors:
      k8sattributes:
        filter: { node_from_env_var: NODE_NAME }
        extract:
          metadata: [k8s.namespace.name, k8s.pod.name, k8s.pod.uid, k8s.node.name, k8s.deployment.name,
            k8s.statefulset.name, k8s.daemonset.name, k8s.job.name, k8s.cronjob.name]
        pod_association:
          - sources: [{ from: resource_attribute, name: k8s.pod.uid }]
${limits}
${exporter(url)}
    service:
      extensions: [file_storage]
      pipelines:
        logs: { receivers: [filelog], processors: [memory_limiter, k8sattributes], exporters: [otlphttp/seamark] }
        metrics: { receivers: [kubeletstats], processors: [memory_limiter, k8sattributes], exporters: [otlphttp/seamark] }
  cluster.yaml: |
    receivers:
      k8s_cluster: { collection_interval: 30s }
      k8sobjects:
        objects: [{ name: events, mode: watch }]
    processors:
${limits}
${exporter(url)}
    service:
      extensions: [file_storage]
      pipelines:
        logs: { receivers: [k8sobjects], processors: [memory_limiter], exporters: [otlphttp/seamark] }
        metrics: { receivers: [k8s_cluster], processors: [memory_limiter], exporters: [otlphttp/seamark] }`;

const container = (config: string) => `      serviceAccountName: seamark-agent
      containers:
        - name: collector
          image: ${image}
          args: [--config=/etc/seamark/${config}]
          securityContext: { runAsUser: 0 }
          env:
            - { name: SEAMARK_TOKEN, valueFrom: { secretKeyRef: { name: seamark-token, key: token } } }
            - { name: NODE_NAME, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
          resources:
            requests: { cpu: 50m, memory: 128Mi }
            limits: { memory: 512Mi }
          volumeMounts:
            - { name: config, mountPath: /etc/seamark }
            - { name: queue, mountPath: /var/lib/otelcol }`;

const workloads = `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: seamark-node, namespace: seamark }
spec:
  selector: { matchLabels: { app: seamark-node } }
  template:
    metadata: { labels: { app: seamark-node } }
    spec:
${container("node.yaml")}
            - { name: logs, mountPath: /var/log/pods, readOnly: true }
            - { name: containers, mountPath: /var/lib/docker/containers, readOnly: true }
      tolerations: [{ operator: Exists }]
      volumes:
        - { name: config, configMap: { name: seamark-agent } }
        - { name: queue, hostPath: { path: /var/lib/seamark-node, type: DirectoryOrCreate } }
        - { name: logs, hostPath: { path: /var/log/pods } }
        - { name: containers, hostPath: { path: /var/lib/docker/containers, type: DirectoryOrCreate } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: seamark-cluster, namespace: seamark }
spec:
  replicas: 1
  strategy: { type: Recreate }
  selector: { matchLabels: { app: seamark-cluster } }
  template:
    metadata: { labels: { app: seamark-cluster } }
    spec:
${container("cluster.yaml")}
      volumes:
        - { name: config, configMap: { name: seamark-agent } }
        - { name: queue, emptyDir: {} }`;

/** collectorCommand is the whole of it as one command for a shell. */
export function collectorCommand({ url, token }: Target): string {
  return `kubectl apply -f - <<'EOF'\n${collectorManifest(url, token)}\nEOF`;
}

export function collectorManifest(url: string, token: string): string {
  return [access, secret(token), configs(url), workloads].join("\n---\n");
}
