{{/* Denies all traffic except peers, the ingress controller, Prometheus, the database, the collector and DNS. */}}
{{- define "service-lib.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: http
      from:
        {{- toYaml .Values.networkPolicy.ingressFrom | nindent 8 }}
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: cadastro
              app.kubernetes.io/instance: {{ .Release.Name }}
    - ports:
        - port: metrics
      from:
        {{- toYaml .Values.metrics.ingressFrom | nindent 8 }}
  egress:
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - ports:
        - port: {{ .Values.database.port }}
        {{- if .Values.database.poolerSecret }}
        - port: {{ .Values.database.poolerPort }}
        {{- end }}
    {{- with .Values.tracing.endpoint }}
    - ports:
        - port: {{ include "service-lib.urlPort" . }}
    {{- end }}
    {{- range $peer, $url := .Values.peers }}
    - ports:
        - port: {{ $url | empty | ternary "8000" (include "service-lib.urlPort" $url) }}
      {{- if not $url }}
      to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {{ $peer }}
              app.kubernetes.io/instance: {{ $.Release.Name }}
      {{- end }}
    {{- end }}
{{- end }}
