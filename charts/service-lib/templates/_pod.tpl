{{/* Common fields of the pods of a chart. Takes its root. */}}
{{- define "service-lib.podSpec" -}}
serviceAccountName: {{ include "service-lib.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "service-lib.podSecurityContext" . | nindent 2 }}
{{- with include "service-lib.pullSecretsField" .Values }}
{{ . }}
{{- end }}
{{- with include "service-lib.scheduling" .Values }}
{{ . }}
{{- end }}
{{- end }}

{{/* Names of image pull secrets as a YAML list, each once. Takes a map with "image" and "global"; both may be absent. */}}
{{- define "service-lib.pullSecretNames" -}}
{{- $names := list -}}
{{- range concat ((.image).pullSecrets | default list) ((.global).imagePullSecrets | default list) -}}
{{- if kindIs "map" . }}{{ $names = append $names .name }}{{ else }}{{ $names = append $names . }}{{ end -}}
{{- end -}}
{{ $names | uniq | toYaml }}
{{- end }}

{{/* Field of a pod with its image pull secrets; empty without any. Takes what "service-lib.pullSecretNames" takes. */}}
{{- define "service-lib.pullSecretsField" -}}
{{- with include "service-lib.pullSecretNames" . | fromYamlArray -}}
imagePullSecrets:
{{- range . }}
  - name: {{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{/* Fields of a pod that select its node. Takes the values. */}}
{{- define "service-lib.scheduling" -}}
{{- $fields := dict -}}
{{- with .nodeSelector }}{{ $_ := set $fields "nodeSelector" (include "service-lib.stringMap" . | fromYaml) }}{{ end -}}
{{- range $name := list "tolerations" "affinity" "priorityClassName" -}}
{{- with index $ $name }}{{ $_ := set $fields $name . }}{{ end -}}
{{- end -}}
{{- with $fields }}{{ toYaml . }}{{ end -}}
{{- end }}

{{/* Labels and annotations of a pod template. Takes "values", "labels" as YAML, and optionally "annotations" as YAML. */}}
{{- define "service-lib.podMetadata" -}}
{{- $labels := .labels | fromYaml -}}
labels:
  {{- .labels | nindent 2 }}
  {{- with include "service-lib.addedStrings" (dict "given" .values.podLabels "own" $labels) }}
  {{- . | nindent 2 }}
  {{- end }}
{{- $annotations := .annotations | default "" }}
{{- $added := include "service-lib.addedStrings" (dict "given" .values.podAnnotations "own" ($annotations | fromYaml)) }}
{{- if or $annotations $added }}
annotations:
  {{- with $annotations }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $added }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Pod metadata of a service's component. Takes "root", "component", and optionally "annotations" as YAML. */}}
{{- define "service-lib.componentMetadata" -}}
{{- $labels := printf "%s\napp.kubernetes.io/component: %s" (include "service-lib.podLabels" .root) .component -}}
{{ include "service-lib.podMetadata" (dict "values" .root.Values "labels" $labels "annotations" .annotations) }}
{{- end }}

{{/* "true" on OpenShift, which assigns users and groups of pods by namespace and rejects others; else empty. */}}
{{- define "service-lib.isOpenShift" -}}
{{- if .Capabilities.APIVersions.Has "security.openshift.io/v1" }}true{{ end -}}
{{- end }}

{{/* Pod security context of the restricted Pod Security Standard. */}}
{{- define "service-lib.podSecurityContext" -}}
runAsNonRoot: true
{{- if not (include "service-lib.isOpenShift" .) }}
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* Container security context of the restricted Pod Security Standard. */}}
{{- define "service-lib.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Init container that waits for the migration Job. A Helm hook would break --wait and GitOps tools. */}}
{{- define "service-lib.waitForMigrationContainer" -}}
- name: wait-for-migration
  image: {{ include "service-lib.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  terminationMessagePolicy: FallbackToLogsOnError
  command: [python, -m, servicekit.db.wait_for_migrations, {{ .Chart.Name }}, --wait, "240"]
  {{- include "service-lib.envField" (dict "root" . "own" (include "service-lib.databaseEnv" .)) | nindent 2 }}
  {{- include "service-lib.resources" .Values | nindent 2 }}
  securityContext:
    {{- include "service-lib.containerSecurityContext" . | nindent 4 }}
{{- end }}

{{- define "service-lib.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
- name: oauth-clients
  mountPath: /run/secrets/cadastro/oauth-clients
  readOnly: true
{{- if eq .Chart.Name "auth" }}
- name: signing-keys
  mountPath: /run/secrets/cadastro/signing-keys
  readOnly: true
{{- end }}
{{- end }}

{{- define "service-lib.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
- name: oauth-clients
  secret:
    secretName: {{ include "service-lib.oauthSecretName" . | toYaml }}
    defaultMode: 0440
    {{- if ne .Chart.Name "auth" }}
    items: # only the secret of this service
      - key: {{ .Chart.Name }}
        path: {{ .Chart.Name }}
    {{- end }}
{{- if eq .Chart.Name "auth" }}
- name: signing-keys
  secret:
    secretName: {{ include "auth.signingKeysSecretName" . | toYaml }}
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* Resource requests and limits; empty without any. Takes the values. */}}
{{- define "service-lib.resources" -}}
{{- with .resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
