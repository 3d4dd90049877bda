{{/*
PrometheusRule of one service. Text in backquotes is a template that Prometheus renders. Each alert has a runbook in
docs/runbooks and unit tests in charts/tests/alerts.
*/}}
{{- define "service-lib.prometheusRule" -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "service-lib.monitoringMetadata" . | nindent 2 }}
spec:
  {{- include "service-lib.addRunbookUrls" (dict "root" . "groups" (include "service-lib.alertGroups" . | fromYaml)) | nindent 2 }}
{{- end }}

{{/* Rule groups, with the annotation runbook_url on each alert if the value is set. Takes "root" and "groups". */}}
{{- define "service-lib.addRunbookUrls" -}}
{{- $base := .root.Values.metrics.runbooks | default "" | trimSuffix "/" -}}
{{- if hasPrefix "http" $base }}
{{- range $group := $.groups.groups }}
{{- range $rule := $group.rules }}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s/%s.md" $base $rule.alert) }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml .groups }}
{{- end }}

{{/* Command that prints the termination messages of Jobs. Takes "root" and the "component", a value or a set. */}}
{{- define "service-lib.messagesCommand" -}}
{{- $component := hasPrefix "in " .component | ternary (printf " %s" .component) (printf "=%s" .component) -}}
{{- $selector := printf "app.kubernetes.io/instance=%s,app.kubernetes.io/name=%s,app.kubernetes.io/component%s" .root.Release.Name .root.Chart.Name $component -}}
kubectl -n {{ .root.Release.Namespace }} get pods -l '{{ $selector }}' -o jsonpath='{.items[*].status.containerStatuses[*].state.terminated.message}'
{{- end }}

{{/* Selector of the series of this release, which may share its namespace with another one. */}}
{{- define "service-lib.releaseSelector" -}}
namespace={{ .Release.Namespace | quote }}, app_kubernetes_io_instance={{ .Release.Name | quote }}
{{- end }}

{{- define "service-lib.alertGroups" -}}
{{- $name := .Chart.Name -}}
{{- $release := include "service-lib.releaseSelector" . -}}
{{- /* Alertmanager takes alerts with equal labels for one alert. */ -}}
{{- $alert := printf "service: %s, namespace: %q, app_kubernetes_io_instance: %q" $name .Release.Namespace .Release.Name -}}
{{- $labels := printf "%s, service=%q" $release $name -}}
{{- $requests := printf "http_server_request_duration_seconds_count{%s" $labels -}}
{{- $jobs := printf "namespace=%q, job_name=~\"%s" .Release.Namespace (include "service-lib.fullname" .) -}}
{{- $cronJobs := printf "namespace=%q, cronjob=~\"%s-(sweep|reconcile)\"}" .Release.Namespace (include "service-lib.fullname" .) -}}
{{- $podLabels := printf "%s, app_kubernetes_io_name=%q" $release $name -}}
groups:
  - name: {{ .Release.Namespace }}-{{ include "service-lib.fullname" . }}
    rules:
      - alert: ServiceHighErrorRate
        expr: >-
          sum(rate({{ $requests }}, status="5xx"}[5m])) / sum(rate({{ $requests }}}[5m])) > 0.05
          and sum(increase({{ $requests }}, status="5xx"}[5m])) > 5
        for: 2m
        labels: {severity: critical, {{ $alert }}}
        annotations:
          summary: {{ printf "Error rate of %s is above 5 %%" $name }}
          description: {{ `"{{ $value | humanizePercentage }} of the responses in the last five minutes had a 5xx status."` }}
      - alert: ServiceHighLatency
        expr: >-
          histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{ {{- $labels }}, operation!~"users[.](login|create)"}[5m]))) > 1
        for: 5m
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: {{ printf "95th percentile latency of %s is above 1 s" $name }}
          description: {{ `"The 95th percentile latency is {{ $value | humanizeDuration }}. Operations that hash passwords are excluded."` }}
      - alert: ServiceMetricsAbsent
        expr: absent(cadastro_handler_threads{ {{- $labels }}})
        for: 5m
        labels: {severity: critical, {{ $alert }}}
        annotations:
          summary: {{ printf "Prometheus has no metrics of %s" $name }}
          description: No pod is running, or Prometheus cannot scrape port 9000.
      - alert: ServiceThreadPoolSaturated
        expr: sum(cadastro_requests_queued{ {{- $labels }}}) > sum(cadastro_handler_threads{ {{- $labels }}})
        for: 5m
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: {{ printf "Thread pool of %s is saturated" $name }}
          description: {{ `"{{ $value }} requests are queued, more than there are threads. A request is rejected after two seconds in the queue."` }}
      - alert: ServiceHighEventLoopLag
        expr: >-
          sum(rate(cadastro_event_loop_lag_seconds_sum{ {{- $labels }}}[5m])) / sum(rate(cadastro_event_loop_lag_seconds_count{ {{- $labels }}}[5m])) > 0.1
        for: 5m
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: {{ printf "Event loop lag of %s is above 0.1 s" $name }}
          description: {{ `"The mean lag is {{ $value | humanizeDuration }}: the pods lack CPU, or a call blocks the loop."` }}
      {{- if eq $name "auth" }}
      - alert: PasswordHashingSaturated
        expr: sum(cadastro_password_hashes_queued{ {{- $labels }}}) > 0
        for: 5m
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: Password hashing of auth is saturated
          description: Passwords have been queued for hashing for five minutes. Logins are rejected with 429 when the queue is full.
      {{- end }}
      {{- if .Values.database.replicaSecret }}
      - alert: ServiceReplicaUnused
        expr: >-
          sum(increase(cadastro_database_replica_reads_total{ {{- $labels }}}[10m])) == 0
          and sum(increase(cadastro_database_replica_fallbacks_total{ {{- $labels }}}[10m])) > 5
        for: 5m
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: {{ printf "No read of %s uses its replica" $name }}
          description: For a quarter of an hour the primary has served all lists and fetches, as if there were no replica.
      {{- end }}
      {{- if .Values.relay }}
      - alert: OutboxStuck
        expr: max(cadastro_outbox_oldest_message_age_seconds{ {{- $podLabels }}}) > 60
        for: 1m
        labels: {severity: critical, {{ $alert }}}
        annotations:
          summary: {{ printf "Outbox of %s is not being delivered" $name }}
          description: {{ `"The oldest message is {{ $value | humanizeDuration }} old. The outbox drains within 30 s once the inventory is available."` }}
      - alert: OutboxRelayMetricsAbsent
        expr: absent(cadastro_outbox_oldest_message_age_seconds{ {{- $podLabels }}})
        for: 5m
        labels: {severity: critical, {{ $alert }}}
        annotations:
          summary: {{ printf "Prometheus has no metrics of the relay of %s" $name }}
          description: The relay is not running, or its database is unavailable. Deletions do not reach the inventory until it recovers.
      {{- end }}
      - alert: ServiceMigrationFailing
        expr: >-
          max by (namespace, job_name) (kube_job_status_failed{ {{- $jobs }}-migrate-.*"}) > 0
          unless on (namespace, job_name) kube_job_status_succeeded > 0
        for: 10m
        labels: {severity: critical, {{ $alert }}}
        annotations:
          summary: {{ printf "The migration of %s fails" $name }}
          description: {{ printf "New pods wait for it. The reason: %s" (include "service-lib.messagesCommand" (dict "root" . "component" "migration")) | quote }}
      - alert: ServiceJobFailing
        expr: >-
          max by (namespace, cronjob) (kube_cronjob_status_last_schedule_time{ {{- $cronJobs }})
          unless on (namespace, cronjob)
          (max by (namespace, cronjob) (kube_cronjob_status_last_successful_time{ {{- $cronJobs }})
          >= on (namespace, cronjob) max by (namespace, cronjob) (kube_cronjob_status_last_schedule_time{ {{- $cronJobs }}))
        for: 1h
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: {{ printf "A CronJob of %s fails" $name }}
          description: {{ printf "No run of {{ $labels.cronjob }} has succeeded since it was last due. The reason: %s" (include "service-lib.messagesCommand" (dict "root" . "component" "in (sweep, reconcile)")) | quote }}
      {{- if (.Values.reconcile).schedule }}
      - alert: InventoryOrphans
        expr: max(cadastro_inventory_orphan_rows{ {{- $podLabels }}}) > 0
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: The inventory had entries of deleted clients or products
          description: {{ `"The last reconciliation found {{ $value }} orphan rows that no relay had reported."` }}
      - alert: InventoryReconciliationOverdue
        {{- /* A new CronJob has not run yet. Without kube-state-metrics, the period is an hour, as in values.yaml. */}}
        {{- $cronJob := printf "namespace=%q, cronjob=\"%s-reconcile\"" .Release.Namespace (include "service-lib.fullname" .) }}
        {{- $created := printf "max(kube_cronjob_created{%s})" $cronJob }}
        expr: >-
          time() - (max(cadastro_inventory_last_reconciliation_timestamp_seconds{ {{- $podLabels }}}) or {{ $created }} or vector(-Inf))
          > 2 * (max(kube_cronjob_next_schedule_time{ {{- $cronJob }}})
          - (max(kube_cronjob_status_last_schedule_time{ {{- $cronJob }}}) or {{ $created }}) or vector(3600))
        for: 1h
        labels: {severity: warning, {{ $alert }}}
        annotations:
          summary: The inventory has not been reconciled
          description: No reconciliation with clients and products has completed for two periods of its schedule.
      {{- end }}
{{- end }}
