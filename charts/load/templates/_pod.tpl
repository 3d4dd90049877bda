{{/* Jobs cannot be changed: each install and each upgrade makes its own, and is another run. */}}
{{- define "load.name" -}}
{{ include "service-lib.fullname" . }}-{{ .Release.Revision }}
{{- end }}

{{- define "load.metadata" -}}
name: {{ include "load.name" .root }}-{{ .part }}
labels:
  {{- include "service-lib.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* The pod of a master or a worker; what differs are the arguments. */}}
{{- define "load.pod" -}}
metadata:
  labels:
    {{- include "service-lib.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
spec:
  {{- include "service-lib.podCommon" .root | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: {{ .part }}
      image: {{ include "service-lib.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args:
        {{- toYaml .arguments | nindent 8 }}
      {{- if eq .part "master" }}
      ports:
        - name: locust
          containerPort: 5557
      {{- end }}
      resources:
        {{- toYaml .root.Values.resources | nindent 8 }}
      securityContext:
        {{- include "service-lib.containerSecurity" .root | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if eq .part "master" }}
        - name: reports
          mountPath: /reports
        {{- end }}
        {{- if .root.Values.credentials.existingSecret }}
        - name: credentials
          mountPath: /run/secrets/load
          readOnly: true
        {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    {{- if eq .part "master" }}
    - name: reports
      {{- with .root.Values.results.existingClaim }}
      persistentVolumeClaim:
        claimName: {{ . }}
      {{- else }}
      emptyDir:
        sizeLimit: 256Mi
      {{- end }}
    {{- end }}
    {{- with .root.Values.credentials.existingSecret }}
    - name: credentials
      secret:
        secretName: {{ . }}
        defaultMode: 0440
        items:
          - key: {{ $.root.Values.credentials.key }}
            path: secret
    {{- end }}
{{- end }}
