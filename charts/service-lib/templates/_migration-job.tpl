{{/* Job that migrates the database. Jobs are immutable, so the name has a hash of the pod template. */}}
{{- define "service-lib.migrationJob" -}}
{{- $pod := include "service-lib.migrationPodTemplate" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "service-lib.fullname" . }}-migrate-{{ $pod | sha256sum | trunc 8 }}
  labels:
    {{- include "service-lib.labels" . | nindent 4 }}
spec:
  backoffLimit: 10
  template:
    {{- $pod | nindent 4 }}
{{- end }}

{{- define "service-lib.migrationPodTemplate" -}}
metadata:
  labels:
    {{- include "service-lib.labels" . | nindent 4 }}
    app.kubernetes.io/component: migration
spec:
  {{- include "service-lib.podSpec" . | nindent 2 }}
  restartPolicy: OnFailure
  containers:
    - name: migrate
      image: {{ include "service-lib.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      terminationMessagePolicy: FallbackToLogsOnError
      command: [python, -m, {{ .Chart.Name }}.migrate]
      env:
        {{- include "service-lib.databaseEnv" . | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- include "service-lib.containerSecurityContext" . | nindent 8 }}
{{- end }}
