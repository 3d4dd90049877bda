{{- define "service-lib.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  selector:
    {{- include "service-lib.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/component: service
  ports:
    - name: http
      port: 8000
      targetPort: http
{{- end }}
