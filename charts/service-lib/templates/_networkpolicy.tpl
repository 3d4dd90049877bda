{{/*
Denies all traffic except peers, the ingress controller, Prometheus, the database, the collector and DNS.

One policy for each direction and port, and ports by number: kube-router, which k3s uses, admits what a policy of both directions
admits in either one between the pods that it selects, and ports by name on pods that lack them.
*/}}
{{- define "service-lib.networkPolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "service-lib.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
      app.kubernetes.io/component: service
  policyTypes: [Ingress]
  ingress:
    - ports:
        - port: 8000
      from:
        {{- with .Values.networkPolicy.ingressFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- include "service-lib.componentPeer" (dict "root" . "components" (list "service" "relay" "reconcile" "restore")) | nindent 8 }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "service-lib.objectMeta" (dict "root" . "suffix" "-metrics") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress]
  {{- with .Values.metrics.ingressFrom }}
  ingress:
    - ports:
        - port: 9000
      from:
        {{- toYaml . | nindent 8 }}
  {{- end }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "service-lib.objectMeta" (dict "root" . "suffix" "-egress") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "service-lib.selectorLabels" . | nindent 6 }}
  policyTypes: [Egress]
  egress:
    {{- include "service-lib.dnsEgress" . | nindent 4 }}
    {{- include "service-lib.databaseEgress" . | nindent 4 }}
    {{- with .Values.tracing.endpoint }}
    - ports:
        - port: {{ include "service-lib.urlPort" . }}
    {{- end }}
    {{- range $peer, $url := .Values.peers }}
    - ports:
        - port: {{ $url | empty | ternary "8000" (include "service-lib.urlPort" $url) }}
      {{- if not $url }}
      to:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: {{ $peer | toYaml }}
              app.kubernetes.io/component: service
              app.kubernetes.io/instance: {{ $.Release.Name | toYaml }}
      {{- end }}
    {{- end }}
{{- end }}

{{/* Egress to DNS. A policy applies to the port of the pods behind the Service, which is 5353 on OpenShift. */}}
{{- define "service-lib.dnsEgress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
    {{- if include "service-lib.isOpenShift" . }}
    - {port: 5353, protocol: UDP}
    - {port: 5353, protocol: TCP}
    {{- end }}
{{- end }}

{{/* Peer for the pods of the release with certain components. Probes carry its labels too. Takes "root" and "components". */}}
{{- define "service-lib.componentPeer" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/part-of: cadastro
      app.kubernetes.io/instance: {{ .root.Release.Name | toYaml }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values:
          {{- toYaml .components | nindent 10 }}
{{- end }}

{{/*
Egress to the bundled PostgreSQL, or to networkPolicy.databaseTo for an external database, a pooler and a replica. Any address
without the value, which `helm upgrade --reuse-values` leaves out.
*/}}
{{- define "service-lib.databaseEgress" -}}
{{- $policy := .Values.networkPolicy -}}
{{- $anywhere := list (dict "ipBlock" (dict "cidr" "0.0.0.0/0")) (dict "ipBlock" (dict "cidr" "::/0")) (dict "namespaceSelector" dict) -}}
{{- $peers := hasKey $policy "databaseTo" | ternary $policy.databaseTo $anywhere -}}
{{- if not .Values.database.existingSecret }}
- ports:
    - port: {{ .Values.database.port }}
  to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: postgresql
          app.kubernetes.io/instance: {{ .Release.Name | toYaml }}
{{- end }}
{{- $external := list -}}
{{- if .Values.database.existingSecret }}{{ $external = append $external (dict "port" .Values.database.port) }}{{ end -}}
{{- if .Values.database.poolerSecret }}{{ $external = append $external (dict "port" .Values.database.poolerPort) }}{{ end -}}
{{- if .Values.database.replicaSecret }}{{ $external = append $external (dict "port" .Values.database.replicaPort) }}{{ end -}}
{{- range $policy.databasePorts }}{{ $external = append $external (dict "port" (int .)) }}{{ end -}}
{{- if and $external $peers }}
- ports:
    {{- toYaml ($external | uniq) | nindent 4 }}
  to:
    {{- toYaml $peers | nindent 4 }}
{{- end }}
{{- end }}

{{/* Egress to TCP ports of any address; empty without ports. Takes the list of ports. */}}
{{- define "service-lib.portsEgress" -}}
{{- with . }}
- ports:
    {{- range . }}
    - port: {{ int . }}
    {{- end }}
{{- end }}
{{- end }}

{{/*
Ports of web servers as a YAML list. A policy applies to the pod behind a load balancer, so the ports of common ingress
controllers' pods are among them.
*/}}
{{- define "service-lib.webPorts" -}}
[80, 443, 8000, 8080, 8443]
{{- end }}

{{/* Ports with those of URLs, as a YAML list. Takes "ports" and "urls", of which some may be empty. */}}
{{- define "service-lib.withUrlPorts" -}}
{{- $numbers := list -}}
{{- range .ports }}{{ $numbers = append $numbers (int .) }}{{ end -}}
{{- range compact .urls }}{{ $numbers = append $numbers (include "service-lib.urlPort" . | int) }}{{ end -}}
{{ $numbers | uniq | toYaml }}
{{- end }}
