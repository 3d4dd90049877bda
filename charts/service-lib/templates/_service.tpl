{{- define "service-lib.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  {{- include "service-lib.ipFamilyFields" . | nindent 2 }}
  selector:
    {{- include "service-lib.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/component: service
  ports:
    - name: http
      port: 8000
      targetPort: http
{{- end }}

{{/* IP families of Services as a YAML list: the chart's, or those of the release; empty for the cluster's default. */}}
{{- define "service-lib.ipFamilies" -}}
{{- with .Values.ipFamilies | default (.Values.global).ipFamilies }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* Fields of a Service. Two families do not fail on a cluster that has only one. */}}
{{- define "service-lib.ipFamilyFields" -}}
{{- with include "service-lib.ipFamilies" . }}
ipFamilyPolicy: {{ gt (len (fromYamlArray .)) 1 | ternary "PreferDualStack" "SingleStack" }}
ipFamilies:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Address that a listener binds to: all interfaces, of both families if IPv6 is configured. */}}
{{- define "service-lib.anyAddress" -}}
{{ contains "IPv6" (include "service-lib.ipFamilies" .) | ternary "[::]" "0.0.0.0" }}
{{- end }}
