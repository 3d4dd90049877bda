{{/* Jobs are immutable: the revision in the name makes each install and upgrade a new run. */}}
{{- define "load.fullname" -}}
{{ include "service-lib.fullname" . }}-{{ .Release.Revision }}
{{- end }}

{{- define "load.metadata" -}}
{{- $name := printf "%s-%s" (include "load.fullname" .root) .component -}}
{{ include "service-lib.objectMeta" (dict "root" .root "name" $name "labels" (dict "app.kubernetes.io/component" .component)) }}
{{- end }}

{{/* Pod template of the master or a worker. Takes "root", "component" and "arguments". */}}
{{- define "load.podTemplate" -}}
metadata:
  {{- include "service-lib.componentMetadata" (dict "root" .root "component" .component) | nindent 2 }}
spec:
  {{- include "service-lib.podSpec" .root | nindent 2 }}
  restartPolicy: Never
  containers:
    - name: {{ .component }}
      image: {{ include "service-lib.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      terminationMessagePolicy: FallbackToLogsOnError
      args:
        {{- toYaml .arguments | nindent 8 }}
      {{- if eq .component "master" }}
      ports:
        - name: locust
          containerPort: 5557
      {{- end }}
      {{- with .root.Values.extraEnv }}
      {{- include "service-lib.envField" (dict "root" $.root "own" "") | nindent 6 }}
      {{- end }}
      {{- include "service-lib.resources" .root.Values | nindent 6 }}
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
        claimName: {{ toYaml . }}
      {{- else }}
      emptyDir:
        sizeLimit: 256Mi
      {{- end }}
    {{- end }}
    {{- with .root.Values.credentials.existingSecret }}
    - name: credentials
      secret:
        secretName: {{ toYaml . }}
        defaultMode: 0440
        items:
          - key: {{ $.root.Values.credentials.key | toYaml }}
            path: secret
    {{- end }}
{{- end }}
