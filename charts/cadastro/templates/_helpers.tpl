{{/* Name of the bundled PostgreSQL and of its objects. */}}
{{- define "cadastro.postgresqlName" -}}
{{ .Release.Name }}-postgresql
{{- end }}

{{- define "cadastro.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Path prefixes of each service, for the Ingress and the HTTPRoute. */}}
{{- define "cadastro.routes" -}}
auth: [/users, /user]
clients: [/clients, /address]
products: [/products]
inventory: [/inventory]
{{- end }}

{{- define "cadastro.services" -}}
{{ fromYaml (include "cadastro.routes" .) | keys | sortAlpha | join "," }}
{{- end }}

{{/* Peak number of connections from all services that use the bundled PostgreSQL. */}}
{{- define "cadastro.peakConnections" -}}
{{- $held := 0 }}
{{- range splitList "," (include "cadastro.services" .) }}
{{- $values := index $.Values . }}
{{- if not $values.database.existingSecret }}
{{- $held = add $held (include "service-lib.peakConnections" (dict "values" $values)) }}
{{- end }}
{{- end }}
{{- $held }}
{{- end }}

{{- define "cadastro.validateConnections" -}}
{{- $advice := "lower a service's replicas (or autoscaling.maxReplicas), workers or threads, or raise the limit" }}
{{- include "service-lib.failOverConnectionLimit" (dict "held" (include "cadastro.peakConnections" .) "allowed" .Values.postgresql.maxConnections "setting" "postgresql.maxConnections" "advice" $advice) }}
{{- end }}

{{/* External URL of the release; empty if the values do not define one. */}}
{{- define "cadastro.url" -}}
{{- if .Values.test.url -}}
{{ .Values.test.url }}
{{- else if .Values.ingress.host -}}
{{ .Values.ingress.tlsSecret | empty | ternary "http" "https" }}://{{ .Values.ingress.host }}
{{- end -}}
{{- end }}
