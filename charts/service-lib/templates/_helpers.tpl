{{/*
Release name in object names: a DNS label (RFC 1123) of at most 32 characters that starts with a letter, so that it fits in
the name of a Service (63) and of a CronJob (52). A name that has to be changed ends with a hash, which keeps it unique.
*/}}
{{- define "service-lib.releaseName" -}}
{{- $name := .Release.Name | replace "." "-" -}}
{{- if regexMatch "^[0-9]" $name }}{{ $name = printf "r-%s" $name }}{{ end -}}
{{- if or (ne $name .Release.Name) (gt (len $name) 32) -}}
{{- $name = printf "%s-%s" ($name | trunc 23 | trimAll "-") (.Release.Name | sha256sum | trunc 8) -}}
{{- end -}}
{{ $name }}
{{- end }}

{{/* Name of a release in its cluster, the first part of its services' INSTANCE. */}}
{{- define "service-lib.releaseInstance" -}}
{{ .Release.Namespace }}/{{ .Release.Name }}
{{- end }}

{{/* Name of the objects of one service in a release. */}}
{{- define "service-lib.fullname" -}}
{{ include "service-lib.releaseName" . }}-{{ .Chart.Name }}
{{- end }}

{{/* Text as a label value: 63 letters, digits, `-`, `_` and `.`, without the `+` of a version's build metadata. */}}
{{- define "service-lib.labelValue" -}}
{{ regexReplaceAllLiteral "[^A-Za-z0-9_.-]" (toString .) "_" | trunc 63 | trimAll "-_." }}
{{- end }}

{{/* Selector labels. Selectors are immutable, so these labels never change. */}}
{{- define "service-lib.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name | toYaml }}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end }}

{{/* Labels of pods. They lack the chart's version, since a new one alone must not restart pods. */}}
{{- define "service-lib.podLabels" -}}
{{ include "service-lib.selectorLabels" . }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ include "service-lib.labelValue" .Chart.AppVersion | toYaml }}
{{- end }}

{{/* Labels of all objects that are not those of one service. */}}
{{- define "service-lib.releaseLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
app.kubernetes.io/part-of: cadastro
app.kubernetes.io/version: {{ include "service-lib.labelValue" .Chart.AppVersion | toYaml }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ include "service-lib.labelValue" (printf "%s-%s" .Chart.Name .Chart.Version) }}
{{- end }}

{{- define "service-lib.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name | toYaml }}
{{ include "service-lib.releaseLabels" . }}
{{- end }}

{{/*
Name, namespace and labels of an object. Takes "root" and optionally "name", or "suffix" of the full name, and "labels" to add.
The namespace is explicit, because the output of `helm template` may be applied from another one.
*/}}
{{- define "service-lib.objectMeta" -}}
{{- $name := .name | default (printf "%s%s" (include "service-lib.fullname" .root) (.suffix | default "")) -}}
{{- include "service-lib.validateName" (dict "name" $name "limit" 63) -}}
name: {{ $name }}
namespace: {{ .root.Release.Namespace | toYaml }}
labels:
  {{- include "service-lib.labels" .root | nindent 2 }}
  {{- with include "service-lib.addedStrings" (dict "given" .labels "own" (include "service-lib.labels" .root | fromYaml)) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "service-lib.metadata" -}}
{{ include "service-lib.objectMeta" (dict "root" .) }}
{{- end }}

{{/* Fails if a name exceeds the limit of its kind, which Kubernetes reports only during an install. */}}
{{- define "service-lib.validateName" -}}
{{- if gt (len .name) (int .limit) -}}
{{ fail (printf "the name %s has %d characters, and the limit is %d: use a shorter chart name" .name (len .name) (int .limit)) }}
{{- end -}}
{{- end }}

{{/* A value as a string. JSON has no exponent for integers below 1e21, unlike Go's default format. */}}
{{- define "service-lib.string" -}}
{{ kindIs "string" . | ternary . (toJson .) }}
{{- end }}

{{/* Map with all values as strings, for labels, annotations and selectors. Empty for an empty map. */}}
{{- define "service-lib.stringMap" -}}
{{- $strings := dict -}}
{{- range $name, $value := . -}}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $strings $name (include "service-lib.string" $value) }}{{ end -}}
{{- end -}}
{{- with $strings }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* String map "given" without the keys of "own", which the chart relies on. */}}
{{- define "service-lib.addedStrings" -}}
{{- $added := dict -}}
{{- range $name, $value := .given | default dict -}}
{{- if not (hasKey $.own $name) }}{{ $_ := set $added $name $value }}{{ end -}}
{{- end -}}
{{ include "service-lib.stringMap" $added }}
{{- end }}

{{/* Image reference with registry and tag. A tag may not contain the `+` of a version's build metadata. */}}
{{- define "service-lib.image" -}}
{{- $global := (.Values.global).image | default dict -}}
{{- $registry := .Values.image.registry | default $global.registry | default "" | trimSuffix "/" -}}
{{- $tag := .Values.image.tag | default $global.tag | default (.Chart.AppVersion | replace "+" "_") -}}
{{ printf "%s:%s" (list $registry .Values.image.repository | compact | join "/") $tag | toYaml }}
{{- end }}

{{/* Name of the Secret with DATABASE_URL: the configured one, or that of the bundled PostgreSQL. */}}
{{- define "service-lib.databaseSecretName" -}}
{{- if .Values.database.existingSecret -}}
{{ .Values.database.existingSecret }}
{{- else if ((.Values.global).postgresql).enabled -}}
{{ include "service-lib.fullname" . }}-database
{{- else -}}
{{ fail (printf "%s needs a database: set database.existingSecret to the name of a Secret with the URL as DATABASE_URL" .Chart.Name) }}
{{- end -}}
{{- end }}

{{/* Name of the Secret with the OAuth client secrets, one key for each service. */}}
{{- define "service-lib.oauthSecretName" -}}
{{- if .Values.oauthClients.existingSecret -}}
{{ .Values.oauthClients.existingSecret }}
{{- else if (.Values.global).generateSecrets -}}
{{ include "service-lib.releaseName" . }}-oauth-clients
{{- else -}}
{{ fail (printf "%s needs OAuth client secrets: set oauthClients.existingSecret to the name of a Secret with a key for each service" .Chart.Name) }}
{{- end -}}
{{- end }}

{{/* URL of a peer service: the configured one, or that of the same release. Takes "root" and "peer". */}}
{{- define "service-lib.peerUrl" -}}
{{ index .root.Values.peers .peer | default (printf "http://%s-%s:8000" (include "service-lib.releaseName" .root) .peer) | trimSuffix "/" }}
{{- end }}

{{/* Port of a URL. Fails for one that a NetworkPolicy cannot have. */}}
{{- define "service-lib.urlPort" -}}
{{- $parts := urlParse . -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $parts.host) | default (eq $parts.scheme "https" | ternary "443" "80") -}}
{{- if or (lt (atoi $port) 1) (gt (atoi $port) 65535) }}{{ fail (printf "%s: %s is no port (1-65535)" . $port) }}{{ end -}}
{{- atoi $port -}}
{{- end }}
