{{/* Selector labels of the operator. Probes have the same name label and another component. */}}
{{- define "synthetic.selectorLabels" -}}
{{ include "service-lib.selectorLabels" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "synthetic.crdName" -}}
syntheticmonitors.monitoring.cadastro.dev
{{- end }}

{{/* Description of another owner of the CustomResourceDefinition; empty if there is none. */}}
{{- define "synthetic.crdOwner" -}}
{{- with lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" (include "synthetic.crdName" .) }}
{{- $annotations := .metadata.annotations | default dict }}
{{- $name := index $annotations "meta.helm.sh/release-name" | default "" }}
{{- $namespace := index $annotations "meta.helm.sh/release-namespace" | default "" }}
{{- if not $name -}}
something other than Helm
{{- else if or (ne $name $.Release.Name) (ne $namespace $.Release.Namespace) -}}
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

{{/* Name of the Secret with the credentials of the probes. */}}
{{- define "synthetic.credentialsSecretName" -}}
{{- if .Values.credentials.existingSecret -}}
{{ .Values.credentials.existingSecret }}
{{- else if (.Values.global).generateSecrets -}}
{{ .Release.Name }}-synthetic-credentials
{{- else -}}
{{ fail "synthetic needs credentials for its monitors: set credentials.existingSecret to the name of a Secret with the keys client-id and client-secret" }}
{{- end -}}
{{- end }}

{{/* RBAC rules of the operator in the watched namespaces. It has no access to Secrets. */}}
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
  verbs: [get, list, watch, create, update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events] # listed only for probes that did not start
  verbs: [create, list]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get]
{{- end }}
