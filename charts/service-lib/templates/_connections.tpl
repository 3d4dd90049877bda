{{/*
Peak number of database connections of one service. Takes "values". Counts the pools of all pods plus one surge pod, two
connections for each of two relay pods during an update, and one each for migration, sweep and reconciliation. Pools
behind a PgBouncer count as zero, since it limits its own connections.
*/}}
{{- define "service-lib.peakConnections" -}}
{{- $pods := .values.autoscaling.enabled | ternary .values.autoscaling.maxReplicas .values.replicas -}}
{{- $pools := .values.database.poolerSecret | empty | ternary (mul (add1 $pods) .values.workers .values.threads) 0 -}}
{{- add $pools (.values.relay | default false | ternary 4 0) 3 -}}
{{- end }}

{{/* Fails if the peak exceeds 80 % of the server's limit. Takes "held", "allowed", "setting" and "advice". */}}
{{- define "service-lib.failOverConnectionLimit" -}}
{{- if gt (mul (int .held) 100) (mul (int .allowed) 80) -}}
{{ fail (printf "connection pools may hold %d connections, more than 80 %% of %s (%d): %s" (int .held) .setting (int .allowed) .advice) }}
{{- end -}}
{{- end }}

{{- define "service-lib.validateConnections" -}}
{{- if .Values.database.maxConnections -}}
{{- $held := include "service-lib.peakConnections" (dict "values" .Values) -}}
{{- $setting := printf "%s's database.maxConnections" .Chart.Name -}}
{{- $advice := "lower replicas (or autoscaling.maxReplicas), workers or threads, or raise the limit of the server" -}}
{{- include "service-lib.failOverConnectionLimit" (dict "held" $held "allowed" .Values.database.maxConnections "setting" $setting "advice" $advice) -}}
{{- end -}}
{{- end }}
