{{- define "service-lib.podSpec" -}}
serviceAccountName: {{ include "service-lib.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "service-lib.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Pod security context of the restricted Pod Security Standard. */}}
{{- define "service-lib.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Container security context of the restricted Pod Security Standard. */}}
{{- define "service-lib.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Init container that waits for the migration Job. A Helm hook would break --wait and GitOps tools. */}}
{{- define "service-lib.waitForMigrationContainer" -}}
- name: wait-for-migration
  image: {{ include "service-lib.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  terminationMessagePolicy: FallbackToLogsOnError
  command: [python, -m, servicekit.db.wait_for_migrations, {{ .Chart.Name }}, --wait, "240"]
  env:
    {{- include "service-lib.databaseEnv" . | nindent 4 }}
  resources:
    {{- toYaml .Values.resources | nindent 4 }}
  securityContext:
    {{- include "service-lib.containerSecurityContext" . | nindent 4 }}
{{- end }}

{{- define "service-lib.volumeMounts" -}}
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
    secretName: {{ include "service-lib.oauthSecretName" . }}
    defaultMode: 0440
    {{- if ne .Chart.Name "auth" }}
    items: # only the secret of this service
      - key: {{ .Chart.Name }}
        path: {{ .Chart.Name }}
    {{- end }}
{{- if eq .Chart.Name "auth" }}
- name: signing-keys
  secret:
    secretName: {{ include "auth.signingKeysSecretName" . }}
    defaultMode: 0440
{{- end }}
{{- end }}
