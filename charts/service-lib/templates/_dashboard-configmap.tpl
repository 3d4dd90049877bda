{{/* Grafana dashboard of one service, in a ConfigMap that the Grafana sidecar selects by label. */}}
{{- define "service-lib.dashboardConfigMap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "service-lib.objectMeta" (dict "root" . "suffix" "-dashboard" "labels" (dict "grafana_dashboard" "1")) | nindent 2 }}
data:
  {{ include "service-lib.fullname" . }}.json: {{ include "service-lib.dashboardJson" . | quote }}
{{- end }}

{{- define "service-lib.dashboardJson" -}}
{{- $panels := list -}}
{{- range $index, $panel := (include "service-lib.dashboardPanels" . | fromYaml).panels -}}
{{- $target := dict "refId" "A" "expr" $panel.expr "legendFormat" $panel.legend -}}
{{- $place := dict "x" (mul 12 (mod $index 2)) "y" (mul 8 (div $index 2)) "w" 12 "h" 8 -}}
{{- $unit := dict "defaults" (dict "unit" $panel.unit) -}}
{{- $source := dict "type" "prometheus" "uid" "${datasource}" -}}
{{- $panels = append $panels (dict "id" (add1 $index) "type" "timeseries" "title" $panel.title "datasource" $source "targets" (list $target) "gridPos" $place "fieldConfig" $unit) -}}
{{- end -}}
{{- $choice := dict "name" "datasource" "type" "datasource" "query" "prometheus" -}}
{{- dict "title" (printf "Cadastro / %s" .Chart.Name) "uid" (printf "%s-%s" .Release.Namespace (include "service-lib.fullname" .) | sha256sum | trunc 12) "schemaVersion" 39 "refresh" "30s" "time" (dict "from" "now-3h" "to" "now") "templating" (dict "list" (list $choice)) "panels" $panels | toJson -}}
{{- end }}

{{- define "service-lib.dashboardPanels" -}}
{{- $release := include "service-lib.releaseSelector" . -}}
{{- $labels := printf "%s, service=%q" $release .Chart.Name -}}
{{- $podLabels := printf "%s, app_kubernetes_io_name=%q" $release .Chart.Name -}}
panels:
  - title: Request rate by operation
    legend: {{ `"{{operation}}"` }}
    unit: reqps
    expr: sum by (operation) (rate(http_server_request_duration_seconds_count{ {{- $labels }}}[$__rate_interval]))
  - title: Share of responses by status class
    legend: {{ `"{{status}}"` }}
    unit: percentunit
    expr: >-
      sum by (status) (rate(http_server_request_duration_seconds_count{ {{- $labels }}}[$__rate_interval]))
      / ignoring (status) group_left () sum(rate(http_server_request_duration_seconds_count{ {{- $labels }}}[$__rate_interval]))
  - title: Median latency by operation
    legend: {{ `"{{operation}}"` }}
    unit: s
    expr: histogram_quantile(0.5, sum by (le, operation) (rate(http_server_request_duration_seconds_bucket{ {{- $labels }}}[$__rate_interval])))
  - title: 99th percentile latency by operation
    legend: {{ `"{{operation}}"` }}
    unit: s
    expr: histogram_quantile(0.99, sum by (le, operation) (rate(http_server_request_duration_seconds_bucket{ {{- $labels }}}[$__rate_interval])))
  - title: Thread pool utilization
    legend: {{ `"{{pod}}"` }}
    unit: percentunit
    expr: sum by (pod) (cadastro_handler_threads_busy{ {{- $labels }}}) / sum by (pod) (cadastro_handler_threads{ {{- $labels }}})
  - title: Requests queued for a thread
    legend: {{ `"{{pod}}"` }}
    unit: short
    expr: sum by (pod) (cadastro_requests_queued{ {{- $labels }}})
  - title: Connection pool utilization
    legend: {{ `"{{pod}}"` }}
    unit: percentunit
    expr: sum by (pod) (cadastro_database_connections_in_use{ {{- $labels }}}) / sum by (pod) (cadastro_database_connections_max{ {{- $labels }}})
  - title: Event loop lag
    legend: {{ `"{{pod}}"` }}
    unit: s
    expr: >-
      sum by (pod) (rate(cadastro_event_loop_lag_seconds_sum{ {{- $labels }}}[$__rate_interval]))
      / sum by (pod) (rate(cadastro_event_loop_lag_seconds_count{ {{- $labels }}}[$__rate_interval]))
  - title: Token cache hit ratio
    legend: hit ratio
    unit: percentunit
    expr: >-
      sum(rate(cadastro_token_cache_hits_total{ {{- $labels }}}[$__rate_interval])) / (sum(rate(cadastro_token_cache_hits_total{ {{- $labels }}}[$__rate_interval]))
      + sum(rate(cadastro_token_cache_misses_total{ {{- $labels }}}[$__rate_interval])))
  {{- if eq .Chart.Name "auth" }}
  - title: Passwords queued for hashing
    legend: {{ `"{{pod}}"` }}
    unit: short
    expr: sum by (pod) (cadastro_password_hashes_queued{ {{- $labels }}})
  {{- end }}
  {{- if .Values.relay }}
  - title: Age of the oldest outbox message
    legend: age
    unit: s
    expr: max(cadastro_outbox_oldest_message_age_seconds{ {{- $podLabels }}})
  {{- end }}
  {{- if (.Values.reconcile).schedule }}
  - title: Orphan rows found by the last reconciliation
    legend: orphans
    unit: short
    expr: max(cadastro_inventory_orphan_rows{ {{- $podLabels }}})
  {{- end }}
{{- end }}
