{{/* Deletes expired rows: leftovers of synthetic monitors, and old idempotency keys. */}}
{{- define "service-lib.sweepCronJob" -}}
{{ include "service-lib.cronJob" (dict "root" . "name" "sweep" "module" "purge" "schedule" .Values.sweep.schedule "databaseOnly" true) }}
{{- end }}

{{/* Compares the inventory with clients and products, and removes orphan rows. */}}
{{- define "service-lib.reconcileCronJob" -}}
{{ include "service-lib.cronJob" (dict "root" . "name" "reconcile" "module" "reconcile" "schedule" .Values.reconcile.schedule) }}
{{- end }}

{{/*
CronJob that runs a module of the service. Takes "root", "name" (of the object), "module", "schedule" and "databaseOnly", which
leaves out all secrets but the database's URL.
*/}}
{{- define "service-lib.cronJob" -}}
{{- $ := .root -}}
{{- $name := printf "%s-%s" (include "service-lib.fullname" $) .name -}}
{{- include "service-lib.validateName" (dict "name" $name "limit" 52) -}}
{{- include "service-lib.validateSchedule" (dict "schedule" .schedule "value" (printf "%s: %s.schedule" $.Chart.Name .name)) -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "service-lib.objectMeta" (dict "root" $ "name" $name) | nindent 2 }}
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
          {{- include "service-lib.componentMetadata" (dict "root" $ "component" .name) | nindent 10 }}
        spec:
          {{- include "service-lib.podSpec" $ | nindent 10 }}
          restartPolicy: Never
          containers:
            - name: {{ .name }}
              image: {{ include "service-lib.image" $ }}
              imagePullPolicy: {{ $.Values.image.pullPolicy }}
              terminationMessagePolicy: FallbackToLogsOnError
              command: [python, -m, {{ $.Chart.Name }}.{{ .module }}, --wait, "30"]
              {{- $env := include (.databaseOnly | default false | ternary "service-lib.databaseEnv" "service-lib.env") $ }}
              {{- include "service-lib.envField" (dict "root" $ "own" $env) | nindent 14 }}
              {{- include "service-lib.resources" $.Values | nindent 14 }}
              securityContext:
                {{- include "service-lib.containerSecurityContext" $ | nindent 16 }}
              {{- if not .databaseOnly }}
              volumeMounts:
                {{- include "service-lib.volumeMounts" $ | nindent 16 }}
              {{- end }}
          {{- if not .databaseOnly }}
          volumes:
            {{- include "service-lib.volumes" $ | nindent 12 }}
          {{- end }}
{{- end }}
