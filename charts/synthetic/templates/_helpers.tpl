{{/* Selector labels of the operator. Probes have the same name label and another component. */}}
{{- define "synthetic.selectorLabels" -}}
{{ include "service-lib.selectorLabels" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "synthetic.crdName" -}}
syntheticmonitors.monitoring.cadastro.dev
{{- end }}

{{/* Description of another owner of the definition of SyntheticMonitors; empty if there is none. */}}
{{- define "synthetic.crdOwner" -}}
{{ include "synthetic.ownerOfCrd" (dict "root" . "name" (include "synthetic.crdName" .)) }}
{{- end }}

{{/* Description of another owner of a CustomResourceDefinition. Takes "root" and its "name". */}}
{{- define "synthetic.ownerOfCrd" -}}
{{ include "synthetic.ownerOf" (merge (dict "apiVersion" "apiextensions.k8s.io/v1" "kind" "CustomResourceDefinition") .) }}
{{- end }}

{{/* Description of another owner of a cluster-scoped object. Takes "root", and its "apiVersion", "kind" and "name". */}}
{{- define "synthetic.ownerOf" -}}
{{- $release := .root.Release -}}
{{- with lookup .apiVersion .kind "" .name }}
{{- $annotations := .metadata.annotations | default dict }}
{{- $name := index $annotations "meta.helm.sh/release-name" | default "" }}
{{- $namespace := index $annotations "meta.helm.sh/release-namespace" | default "" }}
{{- if not $name -}}
something other than Helm
{{- else if or (ne $name $release.Name) (ne $namespace $release.Namespace) -}}
the release {{ $name }} in the namespace {{ $namespace }}
{{- end }}
{{- end }}
{{- end }}

{{/* Note on a CustomResourceDefinition with another owner. */}}
{{- define "synthetic.crdNote" -}}
{{- with include "synthetic.crdOwner" . -}}
The CustomResourceDefinition of SyntheticMonitors is managed by {{ . }} and was not changed. Upgrade it there.
{{- end }}
{{- end }}

{{/* Fails if the namespace has another operator: both would overwrite the same CronJobs. */}}
{{- define "synthetic.validateSingleOperator" -}}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items }}
{{- $labels := .metadata.labels | default dict }}
{{- $isOperator := eq (index $labels "app.kubernetes.io/name" | default "") $.Chart.Name }}
{{- if and $isOperator (ne (index $labels "app.kubernetes.io/instance" | default "") $.Release.Name) }}
{{- fail (printf "%s already watches the monitors of the namespace %s: set synthetic.enabled to false, or use another namespace" .metadata.name $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Name of the Secret for monitors with "credentials: true". Takes "root" and the monitor's "name". */}}
{{- define "synthetic.credentialsSecretName" -}}
{{- $root := .root -}}
{{- if $root.Values.credentials.existingSecret -}}
{{ $root.Values.credentials.existingSecret }}
{{- else if ($root.Values.global).generateSecrets -}}
{{ include "service-lib.releaseName" $root }}-synthetic-credentials
{{- else -}}
{{ fail (printf "monitors.%s.credentials is true, and there is no Secret: set credentials.existingSecret to the name of one with the keys client-id and client-secret, or monitors.%s.enabled to false" .name .name) }}
{{- end -}}
{{- end }}

{{/* Metadata of the role for the watched namespaces and of its binding, which have no namespace if they watch all. */}}
{{- define "synthetic.watchMetadata" -}}
{{- $metadata := include "service-lib.metadata" . | fromYaml -}}
{{ .Values.watch.allNamespaces | default false | ternary (omit $metadata "namespace") $metadata | toYaml }}
{{- end }}

{{/* RBAC rules of the operator in the watched namespaces. It reads Secrets by name: of those for probes only the metadata. */}}
{{- define "synthetic.rbacRules" -}}
- apiGroups: [monitoring.cadastro.dev]
  resources: [syntheticmonitors]
  verbs: [get, list, watch]
- apiGroups: [monitoring.cadastro.dev]
  resources: [syntheticmonitors/status]
  verbs: [update]
- apiGroups: [monitoring.cadastro.dev] # to set blockOwnerDeletion in owner references
  resources: [syntheticmonitors/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events] # listed only for probes that did not start
  verbs: [create, list]
- apiGroups: [""]
  resources: [namespaces] # labels, for the selectors of cluster-wide maintenance
  verbs: [get]
- apiGroups: [""]
  resources: [secrets] # annotations with the hosts that may receive the values; the URLs and keys of receivers
  verbs: [get]
- apiGroups: [""]
  resources: [configmaps] # custom journeys, to check them before they are scheduled
  verbs: [get]
- apiGroups: [coordination.k8s.io]
  resources: [leases] # of each namespace with monitors, for one operator alone
  verbs: [get, create, update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get]
{{- if include "synthetic.readsGatewayApi" . }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes, gateways]
  verbs: [get]
{{- end }}
{{- end }}

{{- define "synthetic.operatorEnv" -}}
- name: PROBE_IMAGE
  value: {{ include "service-lib.image" . }}
- name: PROBE_IMAGE_PULL_POLICY
  value: {{ .Values.image.pullPolicy }}
{{- with include "service-lib.pullSecretNames" .Values | fromYamlArray }}
- name: PROBE_IMAGE_PULL_SECRETS
  value: {{ join "," . | quote }}
{{- end }}
- name: PROBE_LABELS
  value: app.kubernetes.io/part-of=cadastro,app.kubernetes.io/instance={{ .Release.Name }}
{{- if include "service-lib.isOpenShift" . }}
- name: PROBE_ASSIGNED_USER
  value: "true"
{{- end }}
- name: WATCH_NAMESPACES
  value: {{ .Values.watch.allNamespaces | default false | ternary "*" .Release.Namespace | quote }}
- name: POD_ID # kopf would look up the user name, which the container lacks
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: OPERATOR_NAME
  value: {{ include "service-lib.fullname" . }}
- name: MONITORS_CONFIG_MAP
  value: {{ include "service-lib.fullname" . }}-monitors
- name: RESYNC_SECONDS
  value: {{ .Values.resyncSeconds | quote }}
- name: WORKERS
  value: {{ .Values.workers | quote }}
{{- with (.Values.notify).networks }}
- name: NOTIFY_NETWORKS
  value: {{ join "," . | quote }}
{{- end }}
- name: LOG_LEVEL
  value: {{ .Values.logLevel }}
- name: MALLOC_ARENA_MAX
  value: "2"
{{- end }}

{{/* Target of monitors without one of their own, as YAML: by default the HTTPRoute or the Ingress of the release. */}}
{{- define "synthetic.defaultTarget" -}}
{{- $name := include "service-lib.releaseName" . -}}
{{- $target := .Values.target -}}
{{- if $target.url -}}
{{ dict "url" $target.url | toYaml }}
{{- else if $target.ingress -}}
{{ dict "ingress" (dict "name" $target.ingress) | toYaml }}
{{- else if or $target.httpRoute ((.Values.global).gateway).enabled -}}
{{ dict "httpRoute" (dict "name" ($target.httpRoute | default $name)) | toYaml }}
{{- else -}}
{{ dict "ingress" (dict "name" $name) | toYaml }}
{{- end -}}
{{- end }}

{{/* "true" if the operator may read HTTPRoutes and Gateways: if a monitor targets one, or by a value. */}}
{{- define "synthetic.readsGatewayApi" -}}
{{- $reads := .Values.watch.gatewayApi -}}
{{- range include "synthetic.monitors" . | fromYaml -}}
{{- $target := (. | fromYaml).target -}}
{{- $reads = or $reads (hasKey $target "httpRoute") (hasKey $target "gateway") -}}
{{- end -}}
{{- if $reads }}true{{ end -}}
{{- end }}

{{/* Gateways in other namespaces that the HTTPRoute of the release refers to, as a YAML list; none if the operator reads all namespaces. */}}
{{- define "synthetic.foreignGateways" -}}
{{- $found := list -}}
{{- $gateway := (.Values.global).gateway | default dict -}}
{{- if and $gateway.enabled (include "synthetic.readsGatewayApi" .) (not .Values.watch.allNamespaces) -}}
{{- range $gateway.parentRefs -}}
{{- if not (has (.namespace | default $.Release.Namespace) (list $.Release.Namespace)) -}}
{{- $found = append $found (dict "namespace" .namespace "name" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ $found | uniq | toYaml }}
{{- end }}

{{/* Monitors as YAML: spec by name, with defaults. */}}
{{- define "synthetic.monitors" -}}
{{- $target := include "synthetic.defaultTarget" . | fromYaml -}}
{{- $monitors := dict -}}
{{- range $name, $monitor := .Values.monitors -}}
{{- if and $monitor (dig "enabled" true $monitor) -}}
{{- $spec := omit $monitor "enabled" "credentials" -}}
{{- range list "schedule" "interval" "timeZone" -}}
{{- if kindIs "invalid" (index $spec .) }}{{ $_ := unset $spec . }}{{ end -}}
{{- end -}}
{{- with dig "slo" "objective" "" $spec }}{{ $_ := set $spec "slo" (merge (dict "objective" (include "service-lib.string" .)) $spec.slo) }}{{ end -}}
{{- range $kind, $quantities := $spec.resources -}}
{{- $_ := set $spec.resources $kind (include "service-lib.stringMap" $quantities | fromYaml) -}}
{{- end -}}
{{- if $spec.inputs }}{{ $_ := set $spec "inputs" (include "service-lib.stringMap" $spec.inputs | fromYaml) }}{{ end -}}
{{- if not $spec.target -}}
{{- $_ := set $spec "target" $target -}}
{{- if and $.Values.target.checkInstance (hasSuffix "-health" $spec.journey) (not $spec.journeyFrom) -}}
{{- $instance := printf "%s/%s" (include "service-lib.releaseInstance" $) (trimSuffix "-health" $spec.journey) -}}
{{- $_ := set $spec "inputs" (merge dict ($spec.inputs | default dict) (dict "instance" $instance)) -}}
{{- end -}}
{{- end -}}
{{- if and $monitor.credentials (not $spec.credentialsSecretRef) -}}
{{- $_ := set $spec "credentialsSecretRef" (dict "name" (include "synthetic.credentialsSecretName" (dict "root" $ "name" $name))) -}}
{{- end -}}
{{- $_ := set $monitors $name (toYaml $spec) -}}
{{- end -}}
{{- end -}}
{{- with $monitors }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/*
Ports of the targets as a YAML list: networkPolicy.targetPorts, and the ports of URLs, Services and parents of the HTTPRoute.
*/}}
{{- define "synthetic.targetPorts" -}}
{{- $ports := hasKey .Values.networkPolicy "targetPorts" | ternary .Values.networkPolicy.targetPorts (include "service-lib.webPorts" . | fromYamlArray) | default list -}}
{{- $urls := list .Values.target.url -}}
{{- range .Values.monitors -}}
{{- $urls = append $urls (dig "target" "url" "" (. | default dict)) -}}
{{- range (. | default dict).servers }}{{ $urls = append $urls . }}{{ end -}}
{{- $urls = append $urls (dig "proxy" "" (. | default dict)) -}}
{{- end -}}
{{- range .Values.monitors -}}
{{- with dig "target" "service" "port" "" (. | default dict) }}{{ $ports = append $ports . }}{{ end -}}
{{- end -}}
{{- range ((.Values.global).gateway).parentRefs -}}
{{- with .port }}{{ $ports = append $ports . }}{{ end -}}
{{- end -}}
{{ include "service-lib.withUrlPorts" (dict "ports" $ports "urls" $urls) }}
{{- end }}
