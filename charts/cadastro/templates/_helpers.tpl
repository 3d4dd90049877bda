{{/* Name of the bundled PostgreSQL and of its objects. */}}
{{- define "cadastro.postgresqlName" -}}
{{ include "service-lib.releaseName" . }}-postgresql
{{- end }}

{{/*
Whether the release has the bundled PostgreSQL, and whether it generates Secrets; empty if not. Both read the global values of
a subchart: with `global: null` Helm leaves the defaults there, and none here.
*/}}
{{- define "cadastro.hasPostgresql" -}}
{{- if ((.Subcharts.auth.Values.global).postgresql).enabled }}true{{ end -}}
{{- end }}

{{- define "cadastro.generatesSecrets" -}}
{{- if (.Subcharts.auth.Values.global).generateSecrets }}true{{ end -}}
{{- end }}

{{/*
Name, namespace and labels of an object of the release. Takes "root" and "name", or "suffix" of the release's name; a
"component" is the label of that name.
*/}}
{{- define "cadastro.objectMeta" -}}
name: {{ .name | default (printf "%s%s" (include "service-lib.releaseName" .root) (.suffix | default "")) | toYaml }}
namespace: {{ .root.Release.Namespace | toYaml }}
labels:
  {{- include "service-lib.releaseLabels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- end }}

{{- define "cadastro.postgresqlMeta" -}}
{{ include "cadastro.objectMeta" (dict "root" . "suffix" "-postgresql") }}
{{- end }}

{{- define "cadastro.postgresqlSelectorLabels" -}}
app.kubernetes.io/name: postgresql
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end }}

{{/* Path prefixes of each service, for the Ingress and the HTTPRoute. */}}
{{- define "cadastro.routes" -}}
auth: [/users, /user]
clients: [/clients, /address]
products: [/products]
inventory: [/inventory]
{{- end }}

{{- define "cadastro.services" -}}
{{ fromYaml (include "cadastro.routes" .) | keys | sortAlpha | join "," }}
{{- end }}

{{/* Peak number of connections from all services that use the bundled PostgreSQL. */}}
{{- define "cadastro.peakConnections" -}}
{{- $held := 0 }}
{{- range splitList "," (include "cadastro.services" .) }}
{{- $values := index $.Values . }}
{{- if not $values.database.existingSecret }}
{{- $held = add $held (include "service-lib.peakConnections" (dict "values" $values)) }}
{{- end }}
{{- end }}
{{- $held }}
{{- end }}

{{- define "cadastro.validateConnections" -}}
{{- $advice := "lower a service's replicas (or autoscaling.maxReplicas), workers or threads, or raise the limit" }}
{{- include "service-lib.failOverConnectionLimit" (dict "held" (include "cadastro.peakConnections" .) "allowed" .Values.postgresql.maxConnections "setting" "postgresql.maxConnections" "advice" $advice) }}
{{- end }}

{{/* External URL of the release; empty if the values do not define one. A wildcard host is none. */}}
{{- define "cadastro.url" -}}
{{- if .Values.test.url -}}
{{ .Values.test.url }}
{{- else if and .Values.ingress.host (not (hasPrefix "*" .Values.ingress.host)) -}}
{{ .Values.ingress.tlsSecret | empty | ternary "http" "https" }}://{{ .Values.ingress.host }}
{{- end -}}
{{- end }}

{{/* "true" if a request may match both hosts of Ingresses, of which each may be empty or a wildcard. Takes a list of both. */}}
{{- define "cadastro.hostsOverlap" -}}
{{- $first := first . -}}
{{- $second := last . -}}
{{- if or (eq $first $second) (not $first) (not $second) -}}
true
{{- else if and (hasPrefix "*." $first) (hasSuffix (trimPrefix "*" $first) $second) -}}
true
{{- else if and (hasPrefix "*." $second) (hasSuffix (trimPrefix "*" $second) $first) -}}
true
{{- end -}}
{{- end }}

{{/* Fails if the earlier value "gateway", which --reuse-values keeps, would have created a route. */}}
{{- define "cadastro.validateGateway" -}}
{{- if dig "enabled" false (.Values.gateway | default dict) }}
{{- fail "gateway: its values are now those of global.gateway: set global.gateway.enabled and global.gateway.parentRefs, and gateway to null" }}
{{- end }}
{{- end }}

{{/*
Fails if the Ingress of another release may match the same host, in an equal or unknown class. An ingress controller may route a
host without endpoints to the Ingress that matches all hosts, that is to the data of another release. Without lookup, as in
`helm template`, other releases are unknown.
*/}}
{{- define "cadastro.validateHosts" -}}
{{- with .Values.ingress.host }}
{{- if regexMatch "^[0-9]+(\\.[0-9]+){3}$" . }}
{{- fail (printf "ingress.host: %s is an IP address, which is no host of an Ingress: leave it empty to match all hosts" .) }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled .Values.ingress.checkHosts }}
{{- range (lookup "networking.k8s.io/v1" "Ingress" "" "").items }}
{{- $labels := .metadata.labels | default dict }}
{{- $isRelease := eq (index $labels "app.kubernetes.io/part-of" | default "") "cadastro" }}
{{- $isOwn := and (eq .metadata.namespace $.Release.Namespace) (eq .metadata.name (include "service-lib.releaseName" $)) }}
{{- $classes := list (.spec.ingressClassName | default "") $.Values.ingress.className | uniq }}
{{- if and $isRelease (not $isOwn) (or (has "" $classes) (eq (len $classes) 1)) }}
{{- $own := $.Values.ingress.host | default "" }}
{{- $metadata := .metadata }}
{{- range .spec.rules }}
{{- $other := .host | default "" }}
{{- if include "cadastro.hostsOverlap" (list $other $own) }}
{{- $matches := printf "%s, and this release %s" ($other | default "all hosts") ($own | default "all hosts") }}
{{- fail (printf "the Ingress %s of the namespace %s matches %s, so that one release could respond to requests for the other: set ingress.host of both to different host names, or ingress.checkHosts to false" $metadata.name $metadata.namespace $matches) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Fails if monitors target the Ingress of a release without one, or one with a wildcard host, and there is no HTTPRoute. */}}
{{- define "cadastro.validateMonitorTargets" -}}
{{- $target := .Values.synthetic.target }}
{{- $isReachable := and .Values.ingress.enabled (not (hasPrefix "*" (.Values.ingress.host | default ""))) }}
{{- $hasTarget := or $isReachable ((.Values.global).gateway).enabled $target.url $target.ingress $target.httpRoute }}
{{- if and .Values.synthetic.enabled (not $hasTarget) }}
{{- range $name, $monitor := .Values.synthetic.monitors }}
{{- if and $monitor (dig "enabled" true $monitor) (not $monitor.target) }}
{{- fail (printf "the monitor %s has no target without an Ingress of one host: set synthetic.target.url to the public base URL, or synthetic.enabled to false" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* JSONPath of the conditions that are false, and of the containers that are not ready with the reason, by pod. */}}
{{- define "cadastro.notReadyPath" -}}
{range .items[*]}{.metadata.name}
{{- `{range .status.conditions[?(@.status=="False")]}{"\n  "}{.message}{end}` -}}
{{- range $kind := list "initContainerStatuses" "containerStatuses" -}}
{range .status.{{ $kind }}[?(@.ready==false)]}{"\n  "}{.name}{": "}{.state.*.reason}{" "}{.state.*.message}{" "}{.lastState.*.message}{end}
{{- end -}}
{"\n"}{end}
{{- end }}
