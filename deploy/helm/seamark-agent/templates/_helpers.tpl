{{- define "agent.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "agent.selector" -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end -}}

{{- define "agent.labels" -}}
{{ include "agent.selector" . }}
app.kubernetes.io/part-of: seamark-agent
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "agent.image" -}}
{{ if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag }}{{ end }}
{{- end -}}

{{- define "agent.podMeta" -}}
labels: {{ include "agent.labels" . | nindent 2 }}
  {{- with .root.Values.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with .root.Values.podAnnotations }}
annotations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "agent.pod" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "agent.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The environment of both collectors. */}}
{{- define "agent.env" -}}
- name: SEAMARK_TOKEN
  valueFrom: {secretKeyRef: {name: {{ required "tokenSecret.name is required: the Secret with the ingest token" .Values.tokenSecret.name }}, key: {{ .Values.tokenSecret.key }}}}
- name: K8S_NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
- name: K8S_NODE_IP
  valueFrom: {fieldRef: {fieldPath: status.hostIP}}
- name: GOMEMLIMIT
  valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: "1"}}
{{- end -}}

{{/* What both configurations share: how data leaves, and what bounds memory. */}}
{{- define "agent.exporters" -}}
{{- $url := required "url is required: the address of Seamark, such as https://seamark.example.com" .Values.url | trimSuffix "/" -}}
otlphttp/seamark:
  endpoint: {{ $url }}
  compression: zstd
  headers: {Authorization: "Bearer ${env:SEAMARK_TOKEN}"}
  {{- if .Values.caConfigMap.name }}
  tls: {ca_file: /etc/seamark-agent-ca/{{ .Values.caConfigMap.key }}}
  {{- end }}
  # Kept on disk and sent until it is taken: Seamark answers 503 when it wants a sender to keep its data. Batches are made behind the
  # queue: before it, what waits for its neighbours would be lost when the collector ends.
  sending_queue:
    enabled: true
    storage: file_storage
    num_consumers: 4
    queue_size: 5000
    batch: {flush_timeout: 1s, min_size: 2000, max_size: 8000, sizer: items}
  retry_on_failure: {enabled: true, initial_interval: 1s, max_interval: 30s, max_elapsed_time: 0}
prometheusremotewrite/seamark:
  http:
    endpoint: {{ $url }}/api/v1/push
    headers: {Authorization: "Bearer ${env:SEAMARK_TOKEN}"}
    {{- if .Values.caConfigMap.name }}
    tls: {ca_file: /etc/seamark-agent-ca/{{ .Values.caConfigMap.key }}}
    {{- end }}
  external_labels: {cluster: {{ .Values.cluster | quote }}}
  # Metrics keep the names and labels that they were scraped with, as rules and dashboards know them.
  translation_strategy: UnderscoreEscapingWithoutSuffixes
  disable_scope_info: true
  target_info: {enabled: false}
  remote_write_queue: {enabled: true, queue_size: 10000, num_consumers: 2}
  retry_on_failure: {enabled: true, initial_interval: 1s, max_interval: 30s, max_elapsed_time: 0}
{{- end -}}

{{- define "agent.processors" -}}
memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20}
batch: {send_batch_size: 4096, send_batch_max_size: 8192, timeout: 2s}
resource/cluster:
  attributes:
    - {key: k8s.cluster.name, action: upsert, value: {{ required "cluster is required: the name of this cluster in Seamark" .Values.cluster | quote }}}
{{- end -}}

{{- define "agent.service" -}}
extensions: [health_check, file_storage]
telemetry:
  # Its own metrics are scraped with the others.
  metrics:
    level: normal
    readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 8888, without_type_suffix: true, without_units: true, without_scope_info: true}}}}]
{{- end -}}
