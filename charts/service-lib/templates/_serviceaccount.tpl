{{- define "service-lib.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
