{{/* The configuration of the collector on every node. */}}
{{- define "agent.nodeConfig" -}}
{{- $interval := .Values.metrics.interval -}}
extensions:
  health_check: {endpoint: "0.0.0.0:13133"}
  file_storage: {directory: /var/lib/seamark-agent, create_directory: true, compaction: {on_start: true, directory: /var/lib/seamark-agent}}
receivers:
  {{- if .Values.logs.enabled }}
  filelog:
    include: {{ toYaml .Values.logs.include | nindent 6 }}
    {{- with .Values.logs.exclude }}
    exclude: {{ toYaml . | nindent 6 }}
    {{- end }}
    start_at: {{ .Values.logs.startAt }}
    include_file_path: true
    include_file_name: false
    storage: file_storage
    # A line is read again until the queue has it.
    retry_on_failure: {enabled: true, max_elapsed_time: 0}
    operators:
      - {type: container, id: container, max_log_size: 256KiB}
  {{- end }}
  prometheus:
    config:
      scrape_configs:
        {{- range $job, $path := dict "kubelet" "/metrics" "cadvisor" "/metrics/cadvisor" "probes" "/metrics/probes" }}
        - job_name: {{ $job }}
          scrape_interval: {{ $interval }}
          scheme: https
          metrics_path: {{ $path }}
          # Kubelets have certificates of their own making; the token goes to this node's address alone.
          tls_config: {insecure_skip_verify: true}
          authorization: {credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token}
          honor_timestamps: false
          static_configs:
            - targets: ["${env:K8S_NODE_IP}:10250"]
              labels: {node: "${env:K8S_NODE_NAME}"}
          relabel_configs:
            - {target_label: job, replacement: kubelet}
            - {target_label: metrics_path, replacement: {{ $path }}}
            - {target_label: instance, replacement: "${env:K8S_NODE_NAME}"}
          {{- if eq $job "cadvisor" }}
          metric_relabel_configs:
            # Sums over cgroups that are no container, and what nobody asks for.
            - {source_labels: [__name__], regex: "container_(tasks_state|memory_failures_total|blkio_device_usage_total|network_(tcp|udp|tcp6|udp6|advance_tcp_stats).*)", action: drop}
            - {source_labels: [id, pod], separator: ";", regex: "/.+;", action: drop}
            - {regex: "id|name", action: labeldrop}
          {{- end }}
        {{- end }}
        {{- range $job, $name := dict "node-exporter" "prometheus-node-exporter|node-exporter|seamark-agent-node-exporter" "node-problem-detector" "node-problem-detector|seamark-agent-node-problem-detector" "seamark-agent" "seamark-agent-node" }}
        - job_name: {{ $job }}
          scrape_interval: {{ $interval }}
          kubernetes_sd_configs:
            - role: pod
              selectors: [{role: pod, field: "spec.nodeName=${env:K8S_NODE_NAME}"}]
          relabel_configs:
            - {source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name], regex: {{ $name | quote }}, action: keep}
            - {source_labels: [__meta_kubernetes_pod_container_port_name], regex: "metrics|exporter", action: keep}
            - {source_labels: [__meta_kubernetes_pod_node_name], target_label: instance}
            - {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
        {{- end }}
processors: {{ include "agent.processors" . | nindent 2 }}
  {{- if .Values.logs.enabled }}
  # Workloads by their owners: a pod's name alone does not tell them.
  k8sattributes:
    auth_type: serviceAccount
    filter: {node_from_env_var: K8S_NODE_NAME}
    extract:
      metadata: [k8s.namespace.name, k8s.pod.name, k8s.pod.uid, k8s.node.name, k8s.deployment.name, k8s.statefulset.name, k8s.daemonset.name, k8s.cronjob.name, k8s.job.name]
      labels:
        - {tag_name: service.name, key: app.kubernetes.io/name, from: pod}
    pod_association:
      - sources: [{from: resource_attribute, name: k8s.pod.uid}]
  {{- end }}
exporters: {{ include "agent.exporters" . | nindent 2 }}
service:
  {{- include "agent.service" . | nindent 2 }}
  pipelines:
    {{- if .Values.logs.enabled }}
    logs: {receivers: [filelog], processors: [memory_limiter, k8sattributes, resource/cluster], exporters: [otlphttp/seamark]}
    {{- end }}
    metrics: {receivers: [prometheus], processors: [memory_limiter, batch], exporters: [prometheusremotewrite/seamark]}
{{- end -}}
