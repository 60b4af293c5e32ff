{{/* The configuration of the one collector of the cluster. */}}
{{- define "agent.centralConfig" -}}
{{- $interval := .Values.metrics.interval -}}
extensions:
  health_check: {endpoint: "0.0.0.0:13133"}
  file_storage: {directory: /var/lib/seamark-agent, create_directory: true, compaction: {on_start: true, directory: /var/lib/seamark-agent}}
receivers:
  {{- if .Values.events.enabled }}
  # Both words of Kubernetes for events; Seamark keeps each update once, so a restart repeats nothing.
  k8sobjects:
    auth_type: serviceAccount
    objects:
      - {name: events, mode: watch, group: events.k8s.io}
  {{- end }}
  prometheus:
    config:
      scrape_configs:
        {{- if .Values.apiserver.enabled }}
        - job_name: apiserver
          scrape_interval: {{ $interval }}
          scheme: https
          tls_config: {ca_file: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt, server_name: kubernetes.default.svc}
          authorization: {credentials_file: /var/run/secrets/kubernetes.io/serviceaccount/token}
          kubernetes_sd_configs: [{role: endpointslice, namespaces: {names: [default]}}]
          relabel_configs:
            - {source_labels: [__meta_kubernetes_service_name, __meta_kubernetes_endpointslice_port_name], regex: "kubernetes;https", action: keep}
          metric_relabel_configs:
            # Nine tenths of an API server's series are buckets that no rule reads.
            - {source_labels: [__name__], regex: "(apiserver_request_duration_seconds|apiserver_request_body_size_bytes|apiserver_response_sizes|apiserver_watch_events_sizes|apiserver_watch_cache_.*|etcd_request_duration_seconds)_bucket", action: drop}
        {{- end }}
        {{- if .Values.coredns.enabled }}
        - job_name: coredns
          scrape_interval: {{ $interval }}
          kubernetes_sd_configs: [{role: pod, namespaces: {names: [kube-system]}}]
          relabel_configs:
            - {source_labels: [__meta_kubernetes_pod_label_k8s_app, __meta_kubernetes_pod_container_port_name], regex: "kube-dns;metrics", action: keep}
            - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
            - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
        {{- end }}
        - job_name: kube-state-metrics
          scrape_interval: {{ $interval }}
          # Its series are about other objects, whose namespace and pod they name.
          honor_labels: true
          kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: "app.kubernetes.io/name in (kube-state-metrics, seamark-agent-kube-state-metrics)"}]}]
          relabel_configs:
            - {source_labels: [__meta_kubernetes_pod_container_port_name], regex: "http-metrics|http", action: keep}
        - job_name: seamark-agent
          scrape_interval: {{ $interval }}
          static_configs: [{targets: ["127.0.0.1:8888"]}]
          relabel_configs:
            - {target_label: instance, replacement: central}
processors: {{ include "agent.processors" . | nindent 2 }}
exporters: {{ include "agent.exporters" . | nindent 2 }}
service:
  {{- include "agent.service" . | nindent 2 }}
  pipelines:
    {{- if .Values.events.enabled }}
    logs: {receivers: [k8sobjects], processors: [memory_limiter, resource/cluster], exporters: [otlphttp/seamark]}
    {{- end }}
    metrics: {receivers: [prometheus], processors: [memory_limiter, batch], exporters: [prometheusremotewrite/seamark]}
{{- end -}}
