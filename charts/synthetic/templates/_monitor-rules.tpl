{{/*
Fails if a CEL rule of files/crd.yaml rejects a monitor, with the message of the rule; otherwise only the operator would log it.
Rules that are a pattern are in values.schema.json.
*/}}
{{- define "synthetic.validateMonitors" -}}
{{- range $name, $text := include "synthetic.monitors" . | fromYaml -}}
{{- $spec := fromYaml $text -}}
{{- $path := printf "%s: monitors.%s" $.Chart.Name $name -}}
{{- if eq (hasKey $spec "schedule") (hasKey $spec "interval") }}{{ fail (printf "%s: give exactly one of schedule and interval" $path) }}{{ end -}}
{{- if and (hasKey $spec "proxy") (hasKey $spec "proxyFrom") }}{{ fail (printf "%s: give one of proxy and proxyFrom" $path) }}{{ end -}}
{{- if and (hasKey $spec "timeZone") (not (hasKey $spec "schedule")) }}{{ fail (printf "%s: timeZone goes with schedule; an interval needs none" $path) }}{{ end -}}
{{- include "synthetic.validateLocations" (dict "path" $path "spec" $spec) -}}
{{- include "synthetic.validateTarget" (dict "path" (printf "%s.target" $path) "target" $spec.target) -}}
{{- range $source, $_ := $spec.servers -}}
{{- if contains "=" $source }}{{ fail (printf "%s.servers: a key of servers is the name of a sourceDescription, without =" $path) }}{{ end -}}
{{- end -}}
{{- if hasKey $spec "schedule" }}{{ include "synthetic.validateSchedule" (dict "path" $path "schedule" $spec.schedule "example" "0 9 * * MON-FRI") }}{{ end -}}
{{- range $index, $window := $spec.maintenance -}}
{{- include "synthetic.validateWindow" (dict "path" (printf "%s.maintenance[%d]" $path $index) "window" $window) -}}
{{- end -}}
{{- include "synthetic.validateNotify" (dict "path" (printf "%s.notify" $path) "receivers" ($spec.notify | default list)) -}}
{{- $thresholds := $spec.thresholds | default dict -}}
{{- if gt (dig "failures" 3 $thresholds | int) (dig "outOf" 3 $thresholds | int) }}{{ fail (printf "%s.thresholds: failures cannot be more than outOf; each is 3 unless given" $path) }}{{ end -}}
{{- if eq (dig "slo" "objective" "99.5" $spec | float64) 0.0 }}{{ fail (printf "%s.slo: objective is a percentage between 0 and 100, both excluded, such as 99.5" $path) }}{{ end -}}
{{- range $label, $_ := dig "pod" "labels" dict $spec -}}
{{- if or (hasPrefix "app.kubernetes.io/" $label) (hasPrefix "monitoring.cadastro.dev/" $label) }}{{ fail (printf "%s.pod.labels: labels of app.kubernetes.io and monitoring.cadastro.dev belong to the operator; choose other names" $path) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "synthetic.validateTarget" -}}
{{- $kinds := pick .target "url" "ingress" "httpRoute" "gateway" "service" -}}
{{- if ne (len $kinds) 1 }}{{ fail (printf "%s: give exactly one of target.url, target.ingress, target.httpRoute, target.gateway and target.service" .path) }}{{ end -}}
{{- if and .target.clientCertificateSecretRef .target.url (not (hasPrefix "https://" (.target.url | default ""))) }}{{ fail (printf "%s: clientCertificateSecretRef goes with TLS, so target.url starts with https://" .path) }}{{ end -}}
{{- end }}

{{/* Takes the "path" of the map with the schedule, the "schedule", and an "example" for errors. */}}
{{- define "synthetic.validateSchedule" -}}
{{- $path := printf "%s.schedule" .path -}}
{{- if not (regexMatch "^[^@\\s]\\S*(\\s+\\S+){4}$" .schedule) }}{{ fail (printf "%s: a schedule has five fields (minute, hour, day of the month, month, day of the week), such as %s; there are no @daily, no seconds and no years" $path .example) }}{{ end -}}
{{- if contains "=" .schedule }}{{ fail (printf "%s: the time zone goes into timeZone, not into schedule" $path) }}{{ end -}}
{{- include "service-lib.validateSchedule" (dict "schedule" .schedule "value" $path) -}}
{{- end }}

{{- define "synthetic.validateWindow" -}}
{{- $path := .path -}}
{{- with .window -}}
{{- if eq (hasKey . "start") (hasKey . "schedule") }}{{ fail (printf "%s: give exactly one of start (with end) and schedule (with duration)" $path) }}{{ end -}}
{{- if ne (hasKey . "start") (hasKey . "end") }}{{ fail (printf "%s: start and end go together; schedule goes with duration instead" $path) }}{{ end -}}
{{- if ne (hasKey . "schedule") (hasKey . "duration") }}{{ fail (printf "%s: schedule and duration go together; start goes with end instead" $path) }}{{ end -}}
{{- if and (hasKey . "timeZone") (not (hasKey . "schedule")) }}{{ fail (printf "%s: timeZone goes with schedule; start and end have offsets, such as 2026-03-01T22:00:00-03:00" $path) }}{{ end -}}
{{- if hasKey . "start" -}}
{{- $end := upper .end | toDate "2006-01-02T15:04:05Z07:00" -}}
{{- if not ($end.After (upper .start | toDate "2006-01-02T15:04:05Z07:00")) }}{{ fail (printf "%s: end must be after start" $path) }}{{ end -}}
{{- else -}}
{{- include "synthetic.validateSchedule" (dict "path" $path "schedule" .schedule "example" "0 2 * * SUN") -}}
{{- if not (include "synthetic.isDuration" (dict "text" .duration "minimum" 1)) }}{{ fail (printf "%s.duration: a duration has hours and minutes, from 1m to 168h, such as 2h or 1h30m; for a longer one give start and end" $path) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* "true" if a text has hours and minutes, from "minimum" minutes to a week. */}}
{{- define "synthetic.isDuration" -}}
{{- $hours := regexFind "[0-9]+h" .text | trimSuffix "h" | atoi -}}
{{- $minutes := regexFind "[0-9]+m" .text | trimSuffix "m" | atoi | add (mul 60 $hours) -}}
{{- if and (regexMatch "^([0-9]{1,3}h)?([0-9]{1,5}m)?$" .text) (ge $minutes (int64 .minimum)) (le $minutes 10080) }}true{{ end -}}
{{- end }}

{{- define "synthetic.validateNotify" -}}
{{- $names := list -}}
{{- range $index, $receiver := .receivers -}}
{{- $path := printf "%s[%d]" $.path $index -}}
{{- if has .name $names }}{{ fail (printf "%s.name: %s is the name of another receiver too; give each its own" $path .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- if and (hasKey . "resendInterval") (not (include "synthetic.isDuration" (dict "text" .resendInterval "minimum" 5))) }}{{ fail (printf "%s.resendInterval: a resendInterval has hours and minutes, from 5m to 168h, such as 4h or 1h30m" $path) }}{{ end -}}
{{- if eq (hasKey . "webhook") (hasKey . "apprise") }}{{ fail (printf "%s: give exactly one of webhook and apprise" $path) }}{{ end -}}
{{- if and (hasKey . "webhook") (eq (hasKey .webhook "url") (hasKey .webhook "urlFrom")) }}{{ fail (printf "%s.webhook: give exactly one of url and urlFrom" $path) }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "synthetic.validateLocations" -}}
{{- $names := list -}}
{{- range $index, $location := .spec.locations -}}
{{- if has .name $names }}{{ fail (printf "%s.locations[%d].name: %s is the name of another location too; give each its own" $.path $index .name) }}{{ end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- if hasKey .spec "quorum" -}}
{{- if not (hasKey .spec "locations") }}{{ fail (printf "%s: quorum is a number of locations, so give locations too" .path) }}{{ end -}}
{{- if gt (int .spec.quorum) (len $names) }}{{ fail (printf "%s: quorum cannot be more than the number of locations" .path) }}{{ end -}}
{{- end -}}
{{- end }}
