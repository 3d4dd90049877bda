{{- define "cadastro.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* The paths of each service, whole segments. */}}
{{- define "cadastro.routes" -}}
auth: [/users, /user]
clients: [/clients, /address]
products: [/products]
inventory: [/inventory]
{{- end }}

{{- define "cadastro.services" -}}
{{ fromYaml (include "cadastro.routes" .) | keys | sortAlpha | join "," }}
{{- end }}

{{/* Connections that the services on the umbrella's own PostgreSQL may hold together. */}}
{{- define "cadastro.connections" -}}
{{- $held := 0 }}
{{- range splitList "," (include "cadastro.services" .) }}
{{- $values := index $.Values . }}
{{- if not $values.database.existingSecret }}
{{- $held = add $held (include "service-lib.connections" (dict "values" $values)) }}
{{- end }}
{{- end }}
{{- $held }}
{{- end }}

{{- define "cadastro.checkConnections" -}}
{{- $advice := "lower a service's replicas (or autoscaling.maxReplicas), workers or threads, or raise it" }}
{{- include "service-lib.refuseTooMany" (dict "held" (include "cadastro.connections" .) "allowed" .Values.postgresql.maxConnections "setting" "postgresql.maxConnections" "advice" $advice) }}
{{- end }}

{{/* Where users reach the release, as far as values tell. */}}
{{- define "cadastro.url" -}}
{{- if .Values.test.url -}}
{{ .Values.test.url }}
{{- else if .Values.ingress.host -}}
{{ .Values.ingress.tlsSecret | empty | ternary "http" "https" }}://{{ .Values.ingress.host }}
{{- end -}}
{{- end }}
