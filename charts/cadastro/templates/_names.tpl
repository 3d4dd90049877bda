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
