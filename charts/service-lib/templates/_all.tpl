{{/* All objects of one service chart. */}}
{{- define "service-lib.all" -}}
{{- $parts := list "deployment" "service" "serviceAccount" "migrationJob" "podDisruptionBudget" "networkPolicy" -}}
{{- if .Values.relay }}{{ $parts = append $parts "relayDeployment" }}{{ end -}}
{{- if .Values.autoscaling.enabled }}{{ $parts = append $parts "horizontalPodAutoscaler" }}{{ end -}}
{{- if .Values.sweep.schedule }}{{ $parts = append $parts "sweepCronJob" }}{{ end -}}
{{- if (.Values.reconcile).schedule }}{{ $parts = append $parts "reconcileCronJob" }}{{ end -}}
{{- if .Values.metrics.prometheusOperator }}{{ $parts = concat $parts (list "podMonitor" "prometheusRule") }}{{ end -}}
{{- if .Values.metrics.dashboard }}{{ $parts = append $parts "dashboardConfigMap" }}{{ end -}}
{{- include "service-lib.validateConnections" . -}}
{{- range $parts }}
---
{{ include (printf "service-lib.%s" .) $ }}
{{- end }}
{{- end }}
