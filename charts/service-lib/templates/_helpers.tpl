{{/* Name of the objects of one service in a release. */}}
{{- define "service-lib.fullname" -}}
{{ .Release.Name }}-{{ .Chart.Name }}
{{- end }}

{{/* Selector labels. Selectors are immutable, so these labels never change. */}}
{{- define "service-lib.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Common labels. */}}
{{- define "service-lib.labels" -}}
{{ include "service-lib.selectorLabels" . }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Name and labels. */}}
{{- define "service-lib.metadata" -}}
name: {{ include "service-lib.fullname" . }}
labels:
  {{- include "service-lib.labels" . | nindent 2 }}
{{- end }}

{{/* Image reference with registry and tag. */}}
{{- define "service-lib.image" -}}
{{- $registry := .Values.image.registry | default ((.Values.global).image).registry -}}
{{- $tag := .Values.image.tag | default ((.Values.global).image).tag | default .Chart.AppVersion -}}
{{ with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ $tag }}
{{- end }}

{{/* Name of the Secret with DATABASE_URL: the configured one, or that of the bundled PostgreSQL. */}}
{{- define "service-lib.databaseSecretName" -}}
{{- if .Values.database.existingSecret -}}
{{ .Values.database.existingSecret }}
{{- else if ((.Values.global).postgresql).enabled -}}
{{ include "service-lib.fullname" . }}-database
{{- else -}}
{{ fail (printf "%s needs a database: set database.existingSecret to the name of a Secret with the URL as DATABASE_URL" .Chart.Name) }}
{{- end -}}
{{- end }}

{{/* Name of the Secret with the OAuth client secrets, one key for each service. */}}
{{- define "service-lib.oauthSecretName" -}}
{{- if .Values.oauthClients.existingSecret -}}
{{ .Values.oauthClients.existingSecret }}
{{- else if (.Values.global).generateSecrets -}}
{{ .Release.Name }}-oauth-clients
{{- else -}}
{{ fail (printf "%s needs OAuth client secrets: set oauthClients.existingSecret to the name of a Secret with a key for each service" .Chart.Name) }}
{{- end -}}
{{- end }}

{{/* URL of a peer service: the configured one, or that of the same release. Takes "root" and "peer". */}}
{{- define "service-lib.peerUrl" -}}
{{ index .root.Values.peers .peer | default (printf "http://%s-%s:8000" .root.Release.Name .peer) | trimSuffix "/" }}
{{- end }}

{{/* Port of a URL. */}}
{{- define "service-lib.urlPort" -}}
{{- $parts := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $parts.host) | default (eq $parts.scheme "https" | ternary "443" "80") -}}
{{- end }}
