{{/* Jobs are immutable: the revision in the name makes each install and upgrade a new run. */}}
{{- define "load.fullname" -}}
{{ include "service-lib.fullname" . }}-{{ .Release.Revision }}
{{- end }}

{{- define "load.metadata" -}}
name: {{ include "load.fullname" .root }}-{{ .component }}
labels:
  {{- include "service-lib.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Pod template of the master or a worker. Takes "root", "component" and "arguments". */}}
{{- define "load.podTemplate" -}}
metadata:
  labels:
    {{- include "service-lib.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- include "service-lib.podSpec" .root | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: {{ .component }}
      image: {{ include "service-lib.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args:
        {{- toYaml .arguments | nindent 8 }}
      {{- if eq .component "master" }}
      ports:
        - name: locust
          containerPort: 5557
      {{- end }}
      resources:
        {{- toYaml .root.Values.resources | nindent 8 }}
      securityContext:
        {{- include "service-lib.containerSecurityContext" .root | nindent 8 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if eq .component "master" }}
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
    {{- if eq .component "master" }}
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
