{{/* Job that migrates the database. Jobs are immutable, so the name has a hash of the pod template. */}}
{{- define "service-lib.migrationJob" -}}
{{- $pod := include "service-lib.migrationPodTemplate" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "service-lib.objectMeta" (dict "root" . "suffix" (printf "-migrate-%s" ($pod | sha256sum | trunc 8))) | nindent 2 }}
spec:
  backoffLimit: 10
  template:
    {{- $pod | nindent 4 }}
{{- end }}

{{- define "service-lib.migrationPodTemplate" -}}
metadata:
  {{- include "service-lib.componentMetadata" (dict "root" . "component" "migration") | nindent 2 }}
spec:
  {{- include "service-lib.podSpec" . | nindent 2 }}
  restartPolicy: Never # with OnFailure, Kubernetes deletes the pod of a failed Job, and its message
  containers:
    - name: migrate
      image: {{ include "service-lib.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      terminationMessagePolicy: FallbackToLogsOnError
      command: [python, -m, {{ .Chart.Name }}.migrate]
      {{- include "service-lib.envField" (dict "root" . "own" (include "service-lib.databaseEnv" .)) | nindent 6 }}
      {{- include "service-lib.resources" .Values | nindent 6 }}
      securityContext:
        {{- include "service-lib.containerSecurityContext" . | nindent 8 }}
{{- end }}
