{{/* Deletes what has expired: what monitors left behind, and old keys. */}}
{{- define "service-lib.sweep" -}}
{{ include "service-lib.cronJob" (dict "root" . "module" "sweep" "schedule" .Values.sweep.schedule "databaseOnly" true) }}
{{- end }}

{{/* Compares with the owners of ids, and repairs. */}}
{{- define "service-lib.reconcile" -}}
{{ include "service-lib.cronJob" (dict "root" . "module" "reconcile" "schedule" .Values.reconcile.schedule) }}
{{- end }}

{{/*
A command of the service's own image, now and then: never two at a time, and none that was missed long ago. With
"databaseOnly" it gets the database's URL, and no other secret of the service.
*/}}
{{- define "service-lib.cronJob" -}}
{{- $ := .root -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "service-lib.fullname" $ }}-{{ .module }}
  labels:
    {{- include "service-lib.labels" $ | nindent 4 }}
spec:
  schedule: {{ .schedule | quote }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 300
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 1
  jobTemplate:
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: 900
      template:
        metadata:
          labels:
            {{- include "service-lib.labels" $ | nindent 12 }}
            app.kubernetes.io/component: {{ .module }}
        spec:
          {{- include "service-lib.podCommon" $ | nindent 10 }}
          restartPolicy: Never
          containers:
            - name: {{ .module }}
              image: {{ include "service-lib.image" $ }}
              imagePullPolicy: {{ $.Values.image.pullPolicy }}
              terminationMessagePolicy: FallbackToLogsOnError
              command: [python, -m, {{ $.Chart.Name }}.{{ .module }}]
              env:
                {{- include (.databaseOnly | default false | ternary "service-lib.databaseUrl" "service-lib.environment") $ | nindent 16 }}
              resources:
                {{- toYaml $.Values.resources | nindent 16 }}
              securityContext:
                {{- include "service-lib.containerSecurity" $ | nindent 16 }}
              {{- if not .databaseOnly }}
              volumeMounts:
                {{- include "service-lib.mounts" $ | nindent 16 }}
              {{- end }}
          {{- if not .databaseOnly }}
          volumes:
            {{- include "service-lib.volumes" $ | nindent 12 }}
          {{- end }}
{{- end }}
