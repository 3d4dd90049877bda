{{/* Everything that makes a service: one include a chart. */}}
{{- define "service-lib.all" -}}
{{- $parts := list "deployment" "service" "serviceAccount" "migration" "disruptionBudget" "networkPolicy" -}}
{{- if .Values.relay }}{{ $parts = append $parts "relay" }}{{ end -}}
{{- if .Values.autoscaling.enabled }}{{ $parts = append $parts "autoscaler" }}{{ end -}}
{{- if .Values.sweep.schedule }}{{ $parts = append $parts "sweep" }}{{ end -}}
{{- if (.Values.reconcile).schedule }}{{ $parts = append $parts "reconcile" }}{{ end -}}
{{- if .Values.metrics.prometheusOperator }}{{ $parts = concat $parts (list "podMonitor" "alerts") }}{{ end -}}
{{- if .Values.metrics.dashboard }}{{ $parts = append $parts "dashboard" }}{{ end -}}
{{- include "service-lib.checkConnections" . -}}
{{- range $parts }}
---
{{ include (printf "service-lib.%s" .) $ }}
{{- end }}
{{- end }}

{{- define "service-lib.metadata" -}}
name: {{ include "service-lib.fullname" . }}
labels:
  {{- include "service-lib.labels" . | nindent 2 }}
{{- end }}

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
      {{- include "service-lib.selector" . | nindent 6 }}
      app.kubernetes.io/component: service
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {{- include "service-lib.labels" . | nindent 8 }}
        app.kubernetes.io/component: service
      {{- include "service-lib.scrapeAnnotations" . | nindent 6 }}
    spec:
      {{- include "service-lib.podCommon" . | nindent 6 }}
      terminationGracePeriodSeconds: 40
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "service-lib.selector" . | nindent 14 }}
              app.kubernetes.io/component: service
      initContainers:
        {{- include "service-lib.waitForMigration" . | nindent 8 }}
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
          env:
            {{- include "service-lib.pooledEnvironment" . | nindent 12 }}
            {{- include "service-lib.metricsBind" . | nindent 12 }}
          startupProbe:
            httpGet: {path: /-/ready, port: http}
            periodSeconds: 1
            failureThreshold: 240 # a node may be starting everything at once
          readinessProbe:
            httpGet: {path: /-/ready, port: http}
            periodSeconds: 5
            timeoutSeconds: 4
            failureThreshold: 2
          livenessProbe: # never asks the database
            httpGet: {path: /-/live, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          lifecycle:
            preStop: # endpoints drain before the process stops to listen
              sleep:
                seconds: {{ .Values.drainSeconds }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          securityContext:
            {{- include "service-lib.containerSecurity" . | nindent 12 }}
          volumeMounts:
            {{- include "service-lib.mounts" . | nindent 12 }}
      volumes:
        {{- include "service-lib.volumes" . | nindent 8 }}
{{- end }}

{{- define "service-lib.relay" -}}
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
      {{- include "service-lib.selector" . | nindent 6 }}
      app.kubernetes.io/component: relay
  template:
    metadata:
      labels:
        {{- include "service-lib.labels" . | nindent 8 }}
        app.kubernetes.io/component: relay
      {{- include "service-lib.scrapeAnnotations" . | nindent 6 }}
    spec:
      {{- include "service-lib.podCommon" . | nindent 6 }}
      initContainers:
        {{- include "service-lib.waitForMigration" . | nindent 8 }}
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
            {{- include "service-lib.environment" . | nindent 12 }}
            {{- include "service-lib.metricsBind" . | nindent 12 }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          securityContext:
            {{- include "service-lib.containerSecurity" . | nindent 12 }}
          volumeMounts:
            {{- include "service-lib.mounts" . | nindent 12 }}
      volumes:
        {{- include "service-lib.volumes" . | nindent 8 }}
{{- end }}

{{- define "service-lib.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  selector:
    {{- include "service-lib.selector" . | nindent 4 }}
    app.kubernetes.io/component: service
  ports:
    - name: http
      port: 8000
      targetPort: http
{{- end }}

{{- define "service-lib.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{/* A plain Job: it cannot be changed, so its name says what is in it, and another one is another Job. */}}
{{- define "service-lib.migration" -}}
{{- $pod := include "service-lib.migrationPod" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "service-lib.fullname" . }}-migrate-{{ $pod | sha256sum | trunc 8 }}
  labels:
    {{- include "service-lib.labels" . | nindent 4 }}
spec:
  backoffLimit: 10
  template:
    {{- $pod | nindent 4 }}
{{- end }}

{{- define "service-lib.migrationPod" -}}
metadata:
  labels:
    {{- include "service-lib.labels" . | nindent 4 }}
    app.kubernetes.io/component: migration
spec:
  {{- include "service-lib.podCommon" . | nindent 2 }}
  restartPolicy: OnFailure
  containers:
    - name: migrate
      image: {{ include "service-lib.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      terminationMessagePolicy: FallbackToLogsOnError
      command: [python, -m, {{ .Chart.Name }}.migrate]
      env:
        {{- include "service-lib.databaseUrl" . | nindent 8 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- include "service-lib.containerSecurity" . | nindent 8 }}
{{- end }}

{{- define "service-lib.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "service-lib.selector" . | nindent 6 }}
      app.kubernetes.io/component: service
{{- end }}

{{- define "service-lib.autoscaler" -}}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
{{ fail (printf "%s: autoscaling.minReplicas is above autoscaling.maxReplicas" .Chart.Name) }}
{{- end -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "service-lib.fullname" . }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .Values.autoscaling.cpuPercent }}
{{- end }}

{{/* Both ways closed, but for the arrows of the architecture, the database and DNS. */}}
{{- define "service-lib.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "service-lib.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: http
      from:
        {{- toYaml .Values.networkPolicy.ingressFrom | nindent 8 }}
        - podSelector:
            matchLabels:
              app.kubernetes.io/part-of: cadastro
              app.kubernetes.io/instance: {{ .Release.Name }}
    - ports:
        - port: metrics
      from:
        {{- toYaml .Values.metrics.ingressFrom | nindent 8 }}
  egress:
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - ports:
        - port: {{ .Values.database.port }}
        {{- if .Values.database.poolerSecret }}
        - port: {{ .Values.database.poolerPort }}
        {{- end }}
    {{- with .Values.tracing.endpoint }}
    - ports:
        - port: {{ include "service-lib.port" . }}
    {{- end }}
    {{- range $peer, $url := .Values.peers }}
    - ports:
        - port: {{ $url | empty | ternary "8000" (include "service-lib.port" $url) }}
      {{- if not $url }}
      to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {{ $peer }}
              app.kubernetes.io/instance: {{ $.Release.Name }}
      {{- end }}
    {{- end }}
{{- end }}
