{{/* The port of the metrics is a pod's alone: no Service has it, so no ingress can show it. */}}
{{- define "service-lib.metricsBind" -}}
- name: METRICS_BIND
  value: 0.0.0.0:9000
{{- end }}

{{- define "service-lib.scrapeAnnotations" -}}
{{- if .Values.metrics.annotations -}}
annotations:
  prometheus.io/scrape: "true"
  prometheus.io/port: "9000"
{{- end -}}
{{- end }}

{{/* What objects of the Prometheus operator are called and how they are chosen. */}}
{{- define "service-lib.prometheusMetadata" -}}
name: {{ include "service-lib.fullname" . }}
labels:
  {{- include "service-lib.labels" . | nindent 2 }}
  {{- with .Values.metrics.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "service-lib.podMonitor" -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "service-lib.prometheusMetadata" . | nindent 2 }}
spec:
  selector:
    matchLabels:
      {{- include "service-lib.selector" . | nindent 6 }}
  podTargetLabels: [app.kubernetes.io/name, app.kubernetes.io/instance, app.kubernetes.io/component]
  podMetricsEndpoints:
    - port: metrics
{{- end }}
