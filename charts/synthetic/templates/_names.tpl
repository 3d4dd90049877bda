{{/* The operator's own selector; the probes bear the same name, and another component. */}}
{{- define "synthetic.selector" -}}
{{ include "service-lib.selector" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "synthetic.definition" -}}
syntheticmonitors.monitoring.cadastro.dev
{{- end }}

{{/* Who else has brought the definition, for people to read; empty where nobody has. */}}
{{- define "synthetic.bringer" -}}
{{- with lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" (include "synthetic.definition" .) }}
{{- $marks := .metadata.annotations | default dict }}
{{- $name := index $marks "meta.helm.sh/release-name" | default "" }}
{{- $namespace := index $marks "meta.helm.sh/release-namespace" | default "" }}
{{- if not $name -}}
something other than Helm
{{- else if or (ne $name $.Release.Name) (ne $namespace $.Release.Namespace) -}}
the release {{ $name }} of the namespace {{ $namespace }}
{{- end }}
{{- end }}
{{- end }}

{{/* What NOTES say of it. */}}
{{- define "synthetic.definitionNote" -}}
{{- with include "synthetic.bringer" . -}}
The definition of SyntheticMonitors was brought by {{ . }}, and is left as it is: upgrade it there.
{{- end }}
{{- end }}

{{/* Two operators would undo in each other's monitors what the other has done. */}}
{{- define "synthetic.refuseSecond" -}}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items }}
{{- $labels := .metadata.labels | default dict }}
{{- $isOperator := eq (index $labels "app.kubernetes.io/name" | default "") $.Chart.Name }}
{{- if and $isOperator (ne (index $labels "app.kubernetes.io/instance" | default "") $.Release.Name) }}
{{- fail (printf "%s watches the monitors of the namespace %s already: set synthetic.enabled to false, or choose another namespace" .metadata.name $.Release.Namespace) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The Secret that the probes log in with. */}}
{{- define "synthetic.credentials" -}}
{{- if .Values.credentials.existingSecret -}}
{{ .Values.credentials.existingSecret }}
{{- else if (.Values.global).generateSecrets -}}
{{ .Release.Name }}-synthetic-credentials
{{- else -}}
{{ fail "synthetic needs credentials for its monitors: set credentials.existingSecret to the name of a Secret with the keys client-id and client-secret" }}
{{- end -}}
{{- end }}

{{/* What the operator may do, in the namespaces that it watches; no verb on secrets. */}}
{{- define "synthetic.rules" -}}
- apiGroups: [monitoring.cadastro.dev]
  resources: [syntheticmonitors]
  verbs: [get, list, watch]
- apiGroups: [monitoring.cadastro.dev]
  resources: [syntheticmonitors/status]
  verbs: [update]
- apiGroups: [monitoring.cadastro.dev] # to name a monitor as an owner that must go first
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
  resources: [events] # read only of a probe that never started
  verbs: [create, list]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get]
{{- end }}
