{{/* Pod labels of backups. */}}
{{- define "cadastro.backupLabels" -}}
app.kubernetes.io/name: backup
app.kubernetes.io/component: backup
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ include "service-lib.labelValue" .Chart.AppVersion | toYaml }}
{{- end }}

{{/* Fails unless there is one place for backups and one server with all databases. */}}
{{- define "cadastro.validateBackup" -}}
{{- $backup := .Values.backup -}}
{{- $s3 := $backup.s3 -}}
{{- include "service-lib.validateSchedule" (dict "schedule" $backup.schedule "value" "backup.schedule") -}}
{{- if eq (empty $backup.existingClaim) (empty $s3.bucket) -}}
{{- fail "backup.enabled needs one place for backups: set either backup.existingClaim or backup.s3.bucket" -}}
{{- end -}}
{{- if and $s3.bucket (not (and $s3.endpoint $s3.existingSecret)) -}}
{{- fail "backup.s3.bucket needs backup.s3.endpoint, the URL of the server, and backup.s3.existingSecret, a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" -}}
{{- end -}}
{{- if not $backup.database.existingSecret -}}
{{- range splitList "," (include "cadastro.services" .) -}}
{{- if or (not (include "cadastro.hasPostgresql" $)) (index $.Values .).database.existingSecret -}}
{{- fail (printf "backup.enabled: %s has an external database: set backup.database.existingSecret to a Secret with the URL of a superuser of one server with the databases of all services as DATABASE_URL, or back up with the tools of that server" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Container that runs a command for the databases. Takes "root", "command", "args" and "env" as YAML. */}}
{{- define "cadastro.backupContainer" -}}
{{- $ := .root -}}
{{- $backup := $.Values.backup -}}
{{- $s3 := $backup.s3 -}}
{{- $place := $backup.existingClaim | empty | ternary (printf "s3://%s/%s" $s3.bucket ($s3.prefix | trimAll "/")) "/backups" -}}
name: {{ .command }}
image: {{ include "service-lib.image" (dict "Values" (dict "image" $backup.image "global" $.Values.global) "Chart" $.Chart) }}
terminationMessagePolicy: FallbackToLogsOnError
args:
  - {{ .command }}
  - {{ $place | toYaml }}
  {{- if $s3.bucket }}
  - {{ printf "--endpoint=%s" $s3.endpoint | toYaml }}
  - {{ printf "--region=%s" $s3.region | toYaml }}
  {{- if $s3.caConfigMap }}
  - --ca-file=/etc/s3/ca.crt
  {{- end }}
  {{- end }}
  {{- .args | nindent 2 }}
env:
  {{- $env := printf "%s\n%s" (include "cadastro.backupEnv" $) (.env | default "") }}
  {{- $env | trim | nindent 2 }}
  {{- include "service-lib.extraEnv" (dict "extra" $backup.extraEnv "own" $env "value" "backup.extraEnv") | nindent 2 }}
{{- include "service-lib.resources" $backup }}
securityContext:
  {{- include "service-lib.containerSecurityContext" $ | nindent 2 }}
volumeMounts:
  - name: scratch
    mountPath: /tmp
  {{- if $backup.existingClaim }}
  - name: backups
    mountPath: /backups
  {{- end }}
  {{- if and $s3.bucket $s3.caConfigMap }}
  - name: ca
    mountPath: /etc/s3
    readOnly: true
  {{- end }}
{{- end }}

{{/* The URL of a superuser, and the credentials of S3. */}}
{{- define "cadastro.backupEnv" -}}
{{- if .Values.backup.database.existingSecret }}
{{- include "service-lib.databaseUrlEnv" (dict "name" "DATABASE_URL" "secret" .Values.backup.database.existingSecret) }}
{{- else -}}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "cadastro.postgresqlName" . }}
      key: postgres
- name: DATABASE_URL
  value: postgresql://postgres@{{ include "cadastro.postgresqlName" . }}:5432/postgres
{{- end }}
{{- if .Values.backup.s3.bucket }}
{{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.backup.s3.existingSecret | toYaml }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "cadastro.backupVolumes" -}}
{{- $backup := .Values.backup -}}
- name: scratch
  emptyDir:
    sizeLimit: {{ toYaml $backup.scratchSize }}
{{- with $backup.existingClaim }}
- name: backups
  persistentVolumeClaim:
    claimName: {{ toYaml . }}
{{- end }}
{{- if and $backup.s3.bucket $backup.s3.caConfigMap }}
- name: ca
  configMap:
    name: {{ toYaml $backup.s3.caConfigMap }}
{{- end }}
{{- end }}

{{/* Egress to the database server, and to S3. */}}
{{- define "cadastro.backupEgress" -}}
{{- $backup := .Values.backup -}}
{{- include "service-lib.databaseEgress" (dict "Values" (dict "database" $backup.database "networkPolicy" $backup.networkPolicy) "Release" .Release) }}
{{- if and $backup.s3.bucket $backup.networkPolicy.s3To }}
- ports:
    - port: {{ include "service-lib.urlPort" $backup.s3.endpoint }}
  to:
    {{- toYaml $backup.networkPolicy.s3To | nindent 4 }}
{{- end }}
{{- end }}

{{/*
The period is the time from the last run to the next one: kube-state-metrics computes both from the schedule. A run may take
its whole deadline: with an irregular schedule, such as weekdays, the last backup is old until the one of Monday ends.
*/}}
{{- define "cadastro.backupAlerts" -}}
{{- $name := printf "%s-backup" (include "service-lib.releaseName" .) -}}
{{- $labels := printf "namespace=%q, cronjob=%q" .Release.Namespace $name -}}
groups:
  - name: {{ .Release.Namespace }}-{{ $name }}
    rules:
      - alert: BackupOverdue
        expr: >-
          time() - max by (namespace, cronjob) (kube_cronjob_status_last_successful_time{ {{- $labels }}} or kube_cronjob_created{ {{- $labels }}})
          > 2 * (max by (namespace, cronjob) (kube_cronjob_next_schedule_time{ {{- $labels }}})
          - max by (namespace, cronjob) (kube_cronjob_status_last_schedule_time{ {{- $labels }}} or kube_cronjob_created{ {{- $labels }}}))
        for: {{ add .Values.backup.deadlineSeconds 1800 }}s
        labels: {severity: critical, namespace: {{ .Release.Namespace | quote }}, app_kubernetes_io_instance: {{ .Release.Name | quote }}}
        annotations:
          summary: The last successful backup is older than two periods
          description: {{ printf "The databases have not been backed up for {{ $value | humanizeDuration }}. The reason: kubectl -n %s get pods -l 'app.kubernetes.io/instance=%s,app.kubernetes.io/component=backup' -o jsonpath='{.items[*].status.containerStatuses[*].state.terminated.message}'" .Release.Namespace .Release.Name | quote }}
{{- end }}
