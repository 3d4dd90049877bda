{{- define "service-lib.relayDeployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service-lib.fullname" . }}-relay
  labels:
    {{- include "service-lib.labels" . | nindent 4 }}
spec:
  replicas: 1
  selector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
      app.kubernetes.io/component: relay
  template:
    metadata:
      labels:
        {{- include "service-lib.labels" . | nindent 8 }}
        app.kubernetes.io/component: relay
      {{- include "service-lib.scrapeAnnotations" . | nindent 6 }}
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
          env:
            {{- include "service-lib.env" . | nindent 12 }}
            {{- include "service-lib.metricsEnv" . | nindent 12 }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          securityContext:
            {{- include "service-lib.containerSecurityContext" . | nindent 12 }}
          volumeMounts:
            {{- include "service-lib.volumeMounts" . | nindent 12 }}
      volumes:
        {{- include "service-lib.volumes" . | nindent 8 }}
{{- end }}
