{{/*
Environment of a container: its own variables and those of extraEnv, with values as strings. Takes "root" and "own" as YAML.
A variable that is set twice fails: a server-side apply would reject it.
*/}}
{{- define "service-lib.envField" -}}
env:
  {{- .own | nindent 2 }}
  {{- include "service-lib.extraEnv" (dict "extra" .root.Values.extraEnv "own" .own "value" "extraEnv") | nindent 2 }}
{{- end }}

{{/* Takes "extra", "own" as YAML, and the name of the "value" for errors. */}}
{{- define "service-lib.extraEnv" -}}
{{- $set := dict -}}
{{- range .own | fromYamlArray }}{{ $_ := set $set .name true }}{{ end -}}
{{- range $variable := .extra | default list -}}
{{- if hasKey $set $variable.name -}}
{{ fail (printf "%s: the chart already sets %s: use the chart's value for it, or remove the duplicate" $.value $variable.name) }}
{{- end -}}
{{- $_ := set $set $variable.name true }}
- name: {{ toYaml $variable.name }}
  {{- if hasKey $variable "value" }}
  value: {{ include "service-lib.string" $variable.value | quote }}
  {{- else }}
  {{- with omit $variable "name" }}{{ toYaml . | nindent 2 }}{{ end }}
  {{- end }}
{{- end -}}
{{- end }}

{{- define "service-lib.databaseEnv" -}}
{{ include "service-lib.databaseUrlEnv" (dict "name" "DATABASE_URL" "secret" (include "service-lib.databaseSecretName" .)) }}
{{- end }}

{{/* Environment variable with the URL in a Secret of a database. Takes its "name" and the "secret". */}}
{{- define "service-lib.databaseUrlEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ toYaml .secret }}
      key: DATABASE_URL
{{- end }}

{{/*
Environment of the pods that serve requests. The others bypass a pooler, since LISTEN and session locks need a session, and
read no replica.
*/}}
{{- define "service-lib.requestEnv" -}}
{{- $secret := .Values.database.poolerSecret | default (include "service-lib.databaseSecretName" .) -}}
{{ include "service-lib.databaseUrlEnv" (dict "name" "DATABASE_URL" "secret" $secret) }}
{{- with .Values.database.replicaSecret }}
{{ include "service-lib.databaseUrlEnv" (dict "name" "READ_DATABASE_URL" "secret" .) }}
{{- end }}
{{ include "service-lib.settingsEnv" . }}
{{- end }}

{{/* Environment of the relay and the CronJobs, with a direct database connection. */}}
{{- define "service-lib.env" -}}
{{ include "service-lib.databaseEnv" . }}
{{ include "service-lib.settingsEnv" . }}
{{- end }}

{{- define "service-lib.settingsEnv" -}}
- name: LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: THREADS
  value: {{ .Values.threads | quote }}
- name: WORKERS
  value: {{ .Values.workers | quote }}
{{- if hasKey .Values "tokenLeeway" }}{{/* --reuse-values from an older chart lacks it */}}
- name: JWT_LEEWAY
  value: {{ .Values.tokenLeeway | quote }}
{{- end }}
{{- with .Values.validation }}
- name: VALIDATION
  value: {{ . | quote }}
{{- end }}
{{- if eq .Chart.Name "auth" }}
- name: KEYS_DIR
  value: /run/secrets/cadastro/signing-keys
- name: OAUTH_CLIENTS_DIR
  value: /run/secrets/cadastro/oauth-clients
- name: OPEN_REGISTRATION
  value: {{ .Values.openRegistration | quote }}
- name: TOKEN_TTL
  value: {{ .Values.tokenTtl | quote }}
- name: TRUSTED_PROXIES
  value: {{ .Values.trustedProxies | quote }}
{{- else }}
- name: JWKS_URL
  value: {{ include "service-lib.peerUrl" (dict "root" . "peer" "auth") }}/users/jwks.json
- name: TOKEN_URL
  value: {{ include "service-lib.peerUrl" (dict "root" . "peer" "auth") }}/users/token
- name: SERVICE_CLIENT_ID
  value: {{ .Chart.Name }}
- name: SERVICE_CLIENT_SECRET_FILE
  value: /run/secrets/cadastro/oauth-clients/{{ .Chart.Name }}
{{- end }}
{{- with .Values.tracing.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $.Values.tracing.ratio | quote }}
{{- end }}
{{- range $peer, $_ := omit (.Values.peers | default dict) "auth" }}
- name: {{ upper $peer }}_URL
  value: {{ include "service-lib.peerUrl" (dict "root" $ "peer" $peer) }}
{{- end }}
{{- end }}

{{/* Address of the metrics. No Service exposes the port, so no ingress can route to it. */}}
{{- define "service-lib.metricsEnv" -}}
- name: METRICS_BIND
  value: {{ printf "%s:9000" (include "service-lib.anyAddress" .) | toYaml }}
{{- end }}

{{/* Listeners of the API and of the metrics, and the name of the instance in health responses. */}}
{{- define "service-lib.bindEnv" -}}
- name: BIND
  value: {{ printf "%s:8000" (include "service-lib.anyAddress" .) | toYaml }}
- name: INSTANCE
  value: {{ printf "%s/%s" (include "service-lib.releaseInstance" .) .Chart.Name | quote }}
{{- with .Values.keepAliveSeconds }}
- name: KEEP_ALIVE
  value: {{ . | quote }}
{{- end }}
{{ include "service-lib.metricsEnv" . }}
{{- end }}
