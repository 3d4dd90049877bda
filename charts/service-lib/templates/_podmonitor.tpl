{{- define "service-lib.podMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "service-lib.monitoringMetadata" . | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
  podTargetLabels: [app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/component]
  podMetricsEndpoints:
    - port: metrics
{{- end }}

{{- define "service-lib.scrapeAnnotations" -}}
{{- if .Values.metrics.annotations -}}
prometheus.io/scrape: "true"
prometheus.io/port: "9000"
{{- end -}}
{{- end }}

{{/* Metadata of objects of the Prometheus operator, which selects them by label. */}}
{{- define "service-lib.monitoringMetadata" -}}
{{ include "service-lib.objectMeta" (dict "root" . "labels" .Values.metrics.labels) }}
{{- end }}
