{{- define "service-lib.horizontalPodAutoscaler" -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{ fail (printf "%s: autoscaling.minReplicas is above autoscaling.maxReplicas" .Chart.Name) }}
{{- end -}}
{{- $resources := .Values.resources | default dict -}}
{{- if not (or ($resources.requests).cpu ($resources.limits).cpu) -}}
{{ fail (printf "%s: autoscaling.enabled needs resources.requests.cpu, of which autoscaling.cpuPercent is a share" .Chart.Name) }}
{{- end -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "service-lib.fullname" . }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .Values.autoscaling.cpuPercent }}
{{- end }}
