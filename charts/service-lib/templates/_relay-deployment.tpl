{{- define "service-lib.relayDeployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "service-lib.objectMeta" (dict "root" . "suffix" "-relay") | nindent 2 }}
spec:
  replicas: 1
  selector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
      app.kubernetes.io/component: relay
  template:
    metadata:
      {{- include "service-lib.componentMetadata" (dict "root" . "component" "relay" "annotations" (include "service-lib.scrapeAnnotations" .)) | nindent 6 }}
    spec:
      {{- include "service-lib.podSpec" . | nindent 6 }}
      initContainers:
        {{- include "service-lib.waitForMigrationContainer" . | nindent 8 }}
      containers:
        - name: relay
          image: {{ include "service-lib.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          terminationMessagePolicy: FallbackToLogsOnError
          command: [python, -m, {{ .Chart.Name }}.relay]
          ports:
            - name: metrics
              containerPort: 9000
          {{- $env := printf "%s\n%s" (include "service-lib.env" .) (include "service-lib.metricsEnv" .) }}
          {{- include "service-lib.envField" (dict "root" . "own" $env) | nindent 10 }}
          {{- include "service-lib.resources" .Values | nindent 10 }}
          securityContext:
            {{- include "service-lib.containerSecurityContext" . | nindent 12 }}
          volumeMounts:
            {{- include "service-lib.volumeMounts" . | nindent 12 }}
      volumes:
        {{- include "service-lib.volumes" . | nindent 8 }}
{{- end }}
