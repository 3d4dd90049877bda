{{/*
Connections that a service may hold at its busiest, from its values and its name: the pools of all pods and of the one
more that a rolling update starts; two for each relay, of which a rolling update starts one more; one for each of the
migration, the sweep and the reconciliation. Pools that end at a pooler hold none: the pooler has a limit of its own.
*/}}
{{- define "service-lib.connections" -}}
{{- $pods := .values.autoscaling.enabled | ternary .values.autoscaling.maxReplicas .values.replicas -}}
{{- $pools := .values.database.poolerSecret | empty | ternary (mul (add1 $pods) .values.workers .values.threads) 0 -}}
{{- add $pools (.values.relay | default false | ternary 4 0) 3 -}}
{{- end }}

{{/* Refuses more than 80 % of what a server allows. Takes "held", "allowed", "setting" and "advice". */}}
{{- define "service-lib.refuseTooMany" -}}
{{- if gt (mul (int .held) 100) (mul (int .allowed) 80) -}}
{{ fail (printf "the pools may hold %d connections, more than 80 %% of %s (%d): %s" (int .held) .setting (int .allowed) .advice) }}
{{- end -}}
{{- end }}

{{- define "service-lib.checkConnections" -}}
{{- if .Values.database.maxConnections -}}
{{- $held := include "service-lib.connections" (dict "values" .Values) -}}
{{- $setting := printf "%s's database.maxConnections" .Chart.Name -}}
{{- $advice := "lower replicas (or autoscaling.maxReplicas), workers or threads, or let the server allow more" -}}
{{- include "service-lib.refuseTooMany" (dict "held" $held "allowed" .Values.database.maxConnections "setting" $setting "advice" $advice) -}}
{{- end -}}
{{- end }}
