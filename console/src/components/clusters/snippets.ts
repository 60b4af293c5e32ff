import type { Target } from "./target";

/** Settings of agents that people have already, in each agent's own words. */

export function prometheus({ cluster, url, token }: Target): string {
  return `global:
  external_labels:
    cluster: ${cluster}
remote_write:
  - url: ${url}/api/v1/push
    authorization:
      credentials: ${token}
    send_exemplars: true
    queue_config:
      retry_on_http_429: true`;
}

export function fluentBit({ cluster, host, port, tls, token }: Target): string {
  return `service:
  flush: 1
  storage.path: /var/lib/fluent-bit/queue
pipeline:
  inputs:
    - name: tail
      path: /var/log/containers/*.log
      multiline.parser: docker, cri
      tag: kube.*
      db: /var/lib/fluent-bit/containers.db
      storage.type: filesystem
    - name: kubernetes_events
      tag: k8s_events
      db: /var/lib/fluent-bit/events.db
  filters:
    - name: kubernetes
      match: kube.*
      merge_log: on
  outputs:
    - name: loki
      match: kube.*
      host: ${host}
      port: ${port}
      tls: ${tls ? "on" : "off"}
      uri: /loki/api/v1/push
      bearer_token: ${token}
      labels: cluster=${cluster}, job=fluent-bit
      label_keys: $kubernetes['namespace_name'],$kubernetes['pod_name'],$kubernetes['container_name']
      compress: gzip
    - name: http
      match: k8s_events
      host: ${host}
      port: ${port}
      tls: ${tls ? "on" : "off"}
      uri: /api/v1/push/events
      format: json
      header: Authorization Bearer ${token}`;
}

export function promtail({ cluster, url, token }: Target): string {
  return `clients:
  - url: ${url}/loki/api/v1/push
    bearer_token: ${token}
    external_labels:
      cluster: ${cluster}`;
}

export function alloy({ cluster, url, token }: Target): string {
  return `discovery.kubernetes "pods" {
  role = "pod"
}

loki.source.kubernetes "pods" {
  targets    = discovery.kubernetes.pods.targets
  forward_to = [loki.write.seamark.receiver]
}

loki.write "seamark" {
  endpoint {
    url          = "${url}/loki/api/v1/push"
    bearer_token = "${token}"
  }
  external_labels = { cluster = "${cluster}" }
}

prometheus.exporter.unix "node" { }

prometheus.scrape "node" {
  targets    = prometheus.exporter.unix.node.targets
  forward_to = [prometheus.remote_write.seamark.receiver]
}

prometheus.remote_write "seamark" {
  endpoint {
    url          = "${url}/api/v1/push"
    bearer_token = "${token}"
  }
  external_labels = { cluster = "${cluster}" }
}`;
}

export function vector({ cluster, url, token }: Target): string {
  return `data_dir: /var/lib/vector
sources:
  kubernetes_logs:
    type: kubernetes_logs
sinks:
  seamark:
    type: loki
    inputs: [kubernetes_logs]
    endpoint: ${url}
    auth:
      strategy: bearer
      token: ${token}
    encoding:
      codec: json
    labels:
      cluster: ${cluster}
      namespace: "{{ kubernetes.pod_namespace }}"
      pod: "{{ kubernetes.pod_name }}"
      container: "{{ kubernetes.container_name }}"
    buffer:
      type: disk
      max_size: 1073741824`;
}

export function filebeat({ cluster, url, host, port, tls, token }: Target): string {
  // Without a port Filebeat takes Elasticsearch's.
  const address = `${tls ? "https" : "http"}://${host}:${port}/elasticsearch`;
  return `# Sends to ${url}.
filebeat.inputs:
  - type: filestream
    id: containers
    paths: [/var/log/containers/*.log]
    prospector.scanner.symlinks: true
    parsers:
      - container: ~
    processors:
      - add_kubernetes_metadata:
          host: \${NODE_NAME}
          matchers:
            - logs_path:
                logs_path: /var/log/containers/
fields_under_root: true
fields:
  cluster: ${cluster}
output.elasticsearch:
  hosts: ["${address}"]
  api_key: "seamark:${token}"
  allow_older_versions: true
  compression_level: 5
setup.ilm.enabled: false
setup.template.enabled: false`;
}

export function kubectlEvents({ url, token }: Target): string {
  return `kubectl get events --all-namespaces --watch -o json --output-watch-events |
  jq --unbuffered -c . | while read -r event; do
    curl -sS '${url}/api/v1/push/events' \\
      -H 'Authorization: Bearer ${token}' \\
      -H 'Content-Type: application/json' -d "$event"
  done`;
}

export function auditKubeconfig({ url, token }: Target): string {
  return `apiVersion: v1
kind: Config
clusters:
  - name: seamark
    cluster: { server: ${url}/api/v1/push/audit }
users:
  - name: seamark
    user: { token: ${token} }
contexts:
  - name: seamark
    context: { cluster: seamark, user: seamark }
current-context: seamark`;
}

/** Writes with what they changed, secrets without their values, and all else as one line each. */
export const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/version"]
  - level: None
    resources: [{ group: coordination.k8s.io, resources: [leases] }]
  - level: Metadata
    resources: [{ group: "", resources: [secrets, configmaps, serviceaccounts/token] }]
  - level: RequestResponse
    verbs: [create, update, patch, delete]
  - level: Metadata`;

export const auditArguments = `--audit-policy-file=/etc/kubernetes/audit-policy.yaml
--audit-webhook-config-file=/etc/kubernetes/seamark-audit.yaml
--audit-webhook-mode=batch
--audit-webhook-truncate-enabled`;
