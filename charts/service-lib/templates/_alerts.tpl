{{/*
Alerts of one service, for Prometheus' own templates too: what stands in backquotes is theirs. Each has a page in
docs/runbooks and a case in charts/tests/alerts.
*/}}
{{- define "service-lib.alerts" -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "service-lib.prometheusMetadata" . | nindent 2 }}
spec:
  {{- include "service-lib.withRunbooks" (dict "root" . "groups" (include "service-lib.alertGroups" . | fromYaml)) | nindent 2 }}
{{- end }}

{{/* Rule groups whose alerts tell where their pages are. Takes "root" and "groups". */}}
{{- define "service-lib.withRunbooks" -}}
{{- $base := .root.Values.metrics.runbooks | trimSuffix "/" -}}
{{- range $group := .groups.groups }}
{{- range $rule := $group.rules }}
{{- $_ := set $rule.annotations "runbook_url" (printf "%s/%s.md" $base $rule.alert) }}
{{- end }}
{{- end }}
{{- toYaml .groups }}
{{- end }}

{{- define "service-lib.alertGroups" -}}
{{- $name := .Chart.Name -}}
{{- $own := printf "namespace=%q, service=%q" .Release.Namespace $name -}}
{{- $answers := printf "http_server_request_duration_seconds_count{%s" $own -}}
{{- $pods := printf "namespace=%q, app_kubernetes_io_name=%q" .Release.Namespace $name -}}
groups:
  - name: {{ .Release.Namespace }}-{{ include "service-lib.fullname" . }}
    rules:
      - alert: ServiceErrors
        expr: >-
          sum(rate({{ $answers }}, status="5xx"}[5m])) / sum(rate({{ $answers }}}[5m])) > 0.05
          and sum(increase({{ $answers }}, status="5xx"}[5m])) > 5
        for: 2m
        labels: {severity: critical, service: {{ $name }}}
        annotations:
          summary: {{ printf "%s fails at more than one request of twenty" $name }}
          description: {{ `"{{ $value | humanizePercentage }} of its answers in five minutes were of the class 5xx."` }}
      - alert: ServiceSlow
        expr: >-
          histogram_quantile(0.95, sum by (le) (rate(http_server_request_duration_seconds_bucket{ {{- $own }}, operation!~"users[.](login|create)"}[5m]))) > 1
        for: 5m
        labels: {severity: warning, service: {{ $name }}}
        annotations:
          summary: {{ printf "%s is slow" $name }}
          description: {{ `"One answer of twenty takes longer than {{ $value | humanizeDuration }}; passwords, which are slow on purpose, are not counted."` }}
      - alert: ServiceUnseen
        expr: absent(cadastro_handler_threads{ {{- $own }}})
        for: 5m
        labels: {severity: critical, service: {{ $name }}}
        annotations:
          summary: {{ printf "No pod of %s tells of itself" $name }}
          description: Either no pod runs, or Prometheus does not reach their port 9000.
      - alert: RequestsWait
        expr: sum(cadastro_requests_queued{ {{- $own }}}) > sum(cadastro_handler_threads{ {{- $own }}})
        for: 5m
        labels: {severity: warning, service: {{ $name }}}
        annotations:
          summary: {{ printf "%s has more requests waiting than threads" $name }}
          description: {{ `"{{ $value }} requests wait, and it has been so for five minutes; one that waits for two seconds is turned away."` }}
      - alert: EventLoopLags
        expr: >-
          sum(rate(cadastro_event_loop_lag_seconds_sum{ {{- $own }}}[5m])) / sum(rate(cadastro_event_loop_lag_seconds_count{ {{- $own }}}[5m])) > 0.1
        for: 5m
        labels: {severity: warning, service: {{ $name }}}
        annotations:
          summary: {{ printf "The event loop of %s is late" $name }}
          description: {{ `"It comes {{ $value | humanizeDuration }} too late to its timers: too little processor, or something that blocks it."` }}
      {{- if eq $name "auth" }}
      - alert: PasswordHashesWait
        expr: sum(cadastro_password_hashes_queued{ {{- $own }}}) > 0
        for: 5m
        labels: {severity: warning, service: {{ $name }}}
        annotations:
          summary: Logins wait for each other
          description: For five minutes there was always a password that waited to be hashed; who finds no place is answered 429.
      {{- end }}
      {{- if .Values.relay }}
      - alert: OutboxStuck
        expr: max(cadastro_outbox_oldest_message_age_seconds{ {{- $pods }}}) > 60
        for: 1m
        labels: {severity: critical, service: {{ $name }}}
        annotations:
          summary: {{ printf "The inventory does not hear of what %s deletes" $name }}
          description: {{ `"A message has waited for {{ $value | humanizeDuration }}; 30 s after the inventory is back none should."` }}
      - alert: RelayAway
        expr: absent(cadastro_outbox_oldest_message_age_seconds{ {{- $pods }}})
        for: 5m
        labels: {severity: critical, service: {{ $name }}}
        annotations:
          summary: {{ printf "The relay of %s does not tell of itself" $name }}
          description: It does not run, or its database does not answer; meanwhile nothing that was deleted leaves the inventory.
      {{- end }}
      {{- if (.Values.reconcile).schedule }}
      - alert: InventoryOrphans
        expr: max(cadastro_inventory_orphan_rows{ {{- $pods }}}) > 0
        labels: {severity: warning, service: {{ $name }}}
        annotations:
          summary: The inventory had entries of clients or products that are no more
          description: {{ `"The last comparison with their owners found {{ $value }} of them, which the relays had not told of."` }}
      - alert: InventoryNotCompared
        expr: absent(cadastro_inventory_last_reconciliation_timestamp_seconds{ {{- $pods }}}) or time() - max(cadastro_inventory_last_reconciliation_timestamp_seconds{ {{- $pods }}}) > 7200
        for: 1h
        labels: {severity: warning, service: {{ $name }}}
        annotations:
          summary: The inventory is not compared with the owners of its ids
          description: No comparison has come to its end for hours.
      {{- end }}
{{- end }}
