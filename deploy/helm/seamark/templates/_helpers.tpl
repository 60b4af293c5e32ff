{{- define "seamark.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "seamark.selector" -}}
app.kubernetes.io/name: seamark
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "seamark.labels" -}}
{{ include "seamark.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: seamark
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "seamark.image" -}}
{{- $i := .image -}}
{{- if $i.digest }}{{ $i.repository }}@{{ $i.digest }}{{ else }}{{ $i.repository }}:{{ default .default $i.tag }}{{ end -}}
{{- end -}}

{{- define "seamark.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "seamark.fullname" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end -}}
{{- end -}}

{{/* What a pod of any component has beside its containers. */}}
{{- define "seamark.pod" -}}
{{- $v := .root.Values -}}
serviceAccountName: {{ include "seamark.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $v.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- if $v.topologySpread }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "seamark.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "seamark.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The command line of a role. Secrets are not on it: it stands in the process list. */}}
{{- define "seamark.args" -}}
{{- $v := .root.Values -}}
{{- $set := dict
  "data-dir" "/var/lib/seamark"
  "http.listen" ":4480"
  "http.allow-plaintext" true
  "http.trusted-proxies" (join "," $v.trustedProxies)
  "admin.listen" ":4481"
  "log.format" "json"
  "nats.replicas" $v.nats.replicas
  "clickhouse.http-addrs" (join " " (required "clickhouse.httpAddrs is required: host:8123 of the servers in the DSN" $v.clickhouse.httpAddrs))
  "clickhouse.tenant-users" $v.clickhouse.tenantUsers
-}}
{{- if not $v.nats.urlKey }}{{ $_ := set $set "nats.url" (required "nats.url or nats.urlKey is required: the NATS servers, such as nats://nats.nats.svc:4222" $v.nats.url) }}{{ end -}}
{{- if $v.nats.credentials }}{{ $_ := set $set "nats.creds-file" "/etc/seamark/secret/nats.creds" }}{{ end -}}
{{- if $v.externalURL }}{{ $_ := set $set "http.external-url" $v.externalURL }}{{ $_ := set $set "alerting.external-url" $v.externalURL }}{{ end -}}
{{- if has .role (list "api" "alerting" "forwarder") }}{{ $_ := set $set "keys.root-file" "/etc/seamark/secret/root-key" }}{{ end -}}
{{- $set = merge (deepCopy .values.flags) (deepCopy $v.flags) $set -}}
- {{ .role }}
{{- range $name := keys $set | sortAlpha }}
{{- $value := get $set $name }}
{{- if and (kindIs "float64" $value) (eq $value (floor $value)) }}{{ $value = printf "%.0f" $value }}{{ end }}
- {{ printf "--%s=%v" $name $value | quote }}
{{- end }}
{{- end -}}
