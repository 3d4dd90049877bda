{{- define "service-lib.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
      app.kubernetes.io/component: service
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      {{- include "service-lib.componentMetadata" (dict "root" . "component" "service" "annotations" (include "service-lib.scrapeAnnotations" .)) | nindent 6 }}
    spec:
      {{- include "service-lib.podSpec" . | nindent 6 }}
      terminationGracePeriodSeconds: 40
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "service-lib.selectorLabels" . | nindent 14 }}
              app.kubernetes.io/component: service
      initContainers:
        {{- include "service-lib.waitForMigrationContainer" . | nindent 8 }}
      containers:
        - name: {{ .Chart.Name }}
          image: {{ include "service-lib.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          terminationMessagePolicy: FallbackToLogsOnError
          ports:
            - name: http
              containerPort: 8000
            - name: metrics
              containerPort: 9000
          {{- $env := printf "%s\n%s" (include "service-lib.requestEnv" .) (include "service-lib.bindEnv" .) }}
          {{- include "service-lib.envField" (dict "root" . "own" $env) | nindent 10 }}
          startupProbe:
            httpGet: {path: /-/ready, port: http}
            periodSeconds: 1
            failureThreshold: 240 # a cold node may start all pods at once
          readinessProbe:
            httpGet: {path: /-/ready, port: http}
            periodSeconds: 5
            timeoutSeconds: 4
            failureThreshold: 2
          livenessProbe: # does not query the database
            httpGet: {path: /-/live, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          {{- with .Values.drainSeconds }}
          lifecycle:
            preStop: # lets load balancers remove the endpoint before the listener closes
              sleep:
                seconds: {{ . }}
          {{- end }}
          {{- include "service-lib.resources" .Values | nindent 10 }}
          securityContext:
            {{- include "service-lib.containerSecurityContext" . | nindent 12 }}
          volumeMounts:
            {{- include "service-lib.volumeMounts" . | nindent 12 }}
      volumes:
        {{- include "service-lib.volumes" . | nindent 8 }}
{{- end }}
