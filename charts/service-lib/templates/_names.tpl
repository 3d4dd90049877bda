{{/* The name of everything that belongs to one service of a release. */}}
{{- define "service-lib.fullname" -}}
{{ .Release.Name }}-{{ .Chart.Name }}
{{- end }}

{{/* What tells the pods of a service from others; it never changes. */}}
{{- define "service-lib.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* What is said of every object. */}}
{{- define "service-lib.labels" -}}
{{ include "service-lib.selector" . }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "service-lib.image" -}}
{{- $registry := .Values.image.registry | default ((.Values.global).image).registry -}}
{{- $tag := .Values.image.tag | default ((.Values.global).image).tag | default .Chart.AppVersion -}}
{{ with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ $tag }}
{{- end }}

{{/* The Secret that holds DATABASE_URL: the one that is named, or that of the umbrella's own PostgreSQL. */}}
{{- define "service-lib.databaseSecret" -}}
{{- if .Values.database.existingSecret -}}
{{ .Values.database.existingSecret }}
{{- else if ((.Values.global).postgresql).enabled -}}
{{ include "service-lib.fullname" . }}-database
{{- else -}}
{{ fail (printf "%s needs a database: set database.existingSecret to the name of a Secret whose key DATABASE_URL holds the URL" .Chart.Name) }}
{{- end -}}
{{- end }}

{{/* The Secret with the services' OAuth secrets, a key for each. */}}
{{- define "service-lib.oauthSecret" -}}
{{- if .Values.oauthClients.existingSecret -}}
{{ .Values.oauthClients.existingSecret }}
{{- else if (.Values.global).generateSecrets -}}
{{ .Release.Name }}-oauth-clients
{{- else -}}
{{ fail (printf "%s needs the services' secrets: set oauthClients.existingSecret to the name of a Secret with a key for each service" .Chart.Name) }}
{{- end -}}
{{- end }}

{{/* Where a peer is reached: at the URL that is set, or in the same release. Takes "root" and "peer". */}}
{{- define "service-lib.peerUrl" -}}
{{ index .root.Values.peers .peer | default (printf "http://%s-%s:8000" .root.Release.Name .peer) | trimSuffix "/" }}
{{- end }}

{{/* The port of a URL. */}}
{{- define "service-lib.port" -}}
{{- $parts := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $parts.host) | default (eq $parts.scheme "https" | ternary "443" "80") -}}
{{- end }}
