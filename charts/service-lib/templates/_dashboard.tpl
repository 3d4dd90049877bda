{{/* A dashboard of one service for Grafana, whose sidecar finds it by its label. */}}
{{- define "service-lib.dashboard" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "service-lib.fullname" . }}-dashboard
  labels:
    {{- include "service-lib.labels" . | nindent 4 }}
    grafana_dashboard: "1"
data:
  {{ include "service-lib.fullname" . }}.json: {{ include "service-lib.dashboardJson" . | quote }}
{{- end }}

{{- define "service-lib.dashboardJson" -}}
{{- $panels := list -}}
{{- range $index, $panel := (include "service-lib.panels" . | fromYaml).panels -}}
{{- $target := dict "refId" "A" "expr" $panel.expr "legendFormat" $panel.legend -}}
{{- $place := dict "x" (mul 12 (mod $index 2)) "y" (mul 8 (div $index 2)) "w" 12 "h" 8 -}}
{{- $unit := dict "defaults" (dict "unit" $panel.unit) -}}
{{- $source := dict "type" "prometheus" "uid" "${datasource}" -}}
{{- $panels = append $panels (dict "id" (add1 $index) "type" "timeseries" "title" $panel.title "datasource" $source "targets" (list $target) "gridPos" $place "fieldConfig" $unit) -}}
{{- end -}}
{{- $choice := dict "name" "datasource" "type" "datasource" "query" "prometheus" -}}
{{- dict "title" (printf "Cadastro / %s" .Chart.Name) "uid" (printf "%s-%s" .Release.Namespace (include "service-lib.fullname" .) | sha256sum | trunc 12) "schemaVersion" 39 "refresh" "30s" "time" (dict "from" "now-3h" "to" "now") "templating" (dict "list" (list $choice)) "panels" $panels | toJson -}}
{{- end }}

{{- define "service-lib.panels" -}}
{{- $own := printf "namespace=%q, service=%q" .Release.Namespace .Chart.Name -}}
{{- $pods := printf "namespace=%q, app_kubernetes_io_name=%q" .Release.Namespace .Chart.Name -}}
panels:
  - title: Answers a second, by operation
    legend: {{ `"{{operation}}"` }}
    unit: reqps
    expr: sum by (operation) (rate(http_server_request_duration_seconds_count{ {{- $own }}}[$__rate_interval]))
  - title: Share of answers, by class
    legend: {{ `"{{status}}"` }}
    unit: percentunit
    expr: >-
      sum by (status) (rate(http_server_request_duration_seconds_count{ {{- $own }}}[$__rate_interval]))
      / ignoring (status) group_left () sum(rate(http_server_request_duration_seconds_count{ {{- $own }}}[$__rate_interval]))
  - title: Median of the answers, by operation
    legend: {{ `"{{operation}}"` }}
    unit: s
    expr: histogram_quantile(0.5, sum by (le, operation) (rate(http_server_request_duration_seconds_bucket{ {{- $own }}}[$__rate_interval])))
  - title: 99th percentile of the answers, by operation
    legend: {{ `"{{operation}}"` }}
    unit: s
    expr: histogram_quantile(0.99, sum by (le, operation) (rate(http_server_request_duration_seconds_bucket{ {{- $own }}}[$__rate_interval])))
  - title: Busy threads, of one
    legend: {{ `"{{pod}}"` }}
    unit: percentunit
    expr: sum by (pod) (cadastro_handler_threads_busy{ {{- $own }}}) / sum by (pod) (cadastro_handler_threads{ {{- $own }}})
  - title: Requests that wait for a thread
    legend: {{ `"{{pod}}"` }}
    unit: short
    expr: sum by (pod) (cadastro_requests_queued{ {{- $own }}})
  - title: Connections in use, of one
    legend: {{ `"{{pod}}"` }}
    unit: percentunit
    expr: sum by (pod) (cadastro_database_connections_in_use{ {{- $own }}}) / sum by (pod) (cadastro_database_connections_max{ {{- $own }}})
  - title: How late the event loop is
    legend: {{ `"{{pod}}"` }}
    unit: s
    expr: >-
      sum by (pod) (rate(cadastro_event_loop_lag_seconds_sum{ {{- $own }}}[$__rate_interval]))
      / sum by (pod) (rate(cadastro_event_loop_lag_seconds_count{ {{- $own }}}[$__rate_interval]))
  - title: Tokens that were known already, of one
    legend: known
    unit: percentunit
    expr: >-
      sum(rate(cadastro_token_cache_hits_total{ {{- $own }}}[$__rate_interval])) / (sum(rate(cadastro_token_cache_hits_total{ {{- $own }}}[$__rate_interval]))
      + sum(rate(cadastro_token_cache_misses_total{ {{- $own }}}[$__rate_interval])))
  {{- if eq .Chart.Name "auth" }}
  - title: Passwords that wait to be hashed
    legend: {{ `"{{pod}}"` }}
    unit: short
    expr: sum by (pod) (cadastro_password_hashes_queued{ {{- $own }}})
  {{- end }}
  {{- if .Values.relay }}
  - title: Age of the oldest message of the outbox
    legend: age
    unit: s
    expr: max(cadastro_outbox_oldest_message_age_seconds{ {{- $pods }}})
  {{- end }}
  {{- if (.Values.reconcile).schedule }}
  - title: Orphans that the last comparison found
    legend: orphans
    unit: short
    expr: max(cadastro_inventory_orphan_rows{ {{- $pods }}})
  {{- end }}
{{- end }}
