{{/* The restricted Pod Security Standard, for a pod. */}}
{{- define "service-lib.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The restricted Pod Security Standard, for a container. */}}
{{- define "service-lib.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "service-lib.databaseUrl" -}}
{{ include "service-lib.urlOfSecret" (include "service-lib.databaseSecret" .) }}
{{- end }}

{{- define "service-lib.urlOfSecret" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: DATABASE_URL
{{- end }}

{{/* What a service's pods are told: theirs alone is the way through a pooler, which neither LISTEN nor a lock of a session takes. */}}
{{- define "service-lib.pooledEnvironment" -}}
{{ include "service-lib.urlOfSecret" (.Values.database.poolerSecret | default (include "service-lib.databaseSecret" .)) }}
{{ include "service-lib.settings" . }}
{{- end }}

{{/* What all else of a service is told. */}}
{{- define "service-lib.environment" -}}
{{ include "service-lib.databaseUrl" . }}
{{ include "service-lib.settings" . }}
{{- end }}

{{- define "service-lib.settings" -}}
- name: LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: THREADS
  value: {{ .Values.threads | quote }}
- name: WORKERS
  value: {{ .Values.workers | quote }}
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

{{- define "service-lib.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: oauth-clients
  mountPath: /run/secrets/cadastro/oauth-clients
  readOnly: true
{{- if eq .Chart.Name "auth" }}
- name: signing-keys
  mountPath: /run/secrets/cadastro/signing-keys
  readOnly: true
{{- end }}
{{- end }}

{{- define "service-lib.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
- name: oauth-clients
  secret:
    secretName: {{ include "service-lib.oauthSecret" . }}
    defaultMode: 0440
    {{- if ne .Chart.Name "auth" }}
    items: # its own secret, and nobody else's
      - key: {{ .Chart.Name }}
        path: {{ .Chart.Name }}
    {{- end }}
{{- if eq .Chart.Name "auth" }}
- name: signing-keys
  secret:
    secretName: {{ include "auth.signingKeysSecret" . }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* Waits until the release's migration is done: no hook, so that --wait and GitOps work. */}}
{{- define "service-lib.waitForMigration" -}}
- name: wait-for-migration
  image: {{ include "service-lib.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  terminationMessagePolicy: FallbackToLogsOnError
  command: [python, -m, servicekit.migrated, {{ .Chart.Name }}, --wait, "240"]
  env:
    {{- include "service-lib.databaseUrl" . | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "service-lib.containerSecurity" . | nindent 4 }}
{{- end }}

{{- define "service-lib.podCommon" -}}
serviceAccountName: {{ include "service-lib.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "service-lib.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
