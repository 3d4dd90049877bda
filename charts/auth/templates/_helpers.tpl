{{/* Name of the Secret with the signing keys. */}}
{{- define "auth.signingKeysSecretName" -}}
{{- if .Values.signingKeys.existingSecret -}}
{{ .Values.signingKeys.existingSecret }}
{{- else if (.Values.global).generateSecrets -}}
{{ include "service-lib.releaseName" . }}-signing-keys
{{- else -}}
{{ fail "auth needs signing keys: set signingKeys.existingSecret to the name of a Secret with <kid>.pem and current" }}
{{- end -}}
{{- end }}
