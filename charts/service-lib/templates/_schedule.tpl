{{/*
Fails unless the CronJob controller accepts a schedule, which Kubernetes reports only during an install. Its rules are those of
robfig/cron: Sunday is 0 and not 7. Takes the "schedule", and its "value" for errors.
*/}}
{{- define "service-lib.validateSchedule" -}}
{{- if not (regexMatch "^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every ([0-9.]+[hms])+)$" .schedule) -}}
{{- $error := printf "%s: %q is not a cron schedule:" .value .schedule -}}
{{- $texts := regexSplit "\\s+" (trim .schedule) -1 -}}
{{- if ne (len $texts) 5 }}{{ fail (printf "%s it needs five fields, or a macro such as @daily" $error) }}{{ end -}}
{{- range $index, $field := include "service-lib.scheduleFields" . | fromYamlArray -}}
{{- range $part := index $texts $index | lower | splitList "," -}}
{{- $number := $part -}}
{{- range $offset, $name := $field.names | default list -}}
{{- $number = regexReplaceAll (printf "\\b%s\\b" $name) $number (add $offset $field.first | toString) -}}
{{- end -}}
{{- $bounds := regexFindAll "[0-9]+" (regexReplaceAll "/.*" $number "") -1 -}}
{{- $isValid := regexMatch "^([*?]|[0-9]{1,2}(-[0-9]{1,2})?)(/0*[1-9][0-9]{0,3})?$" $number -}}
{{- $last := int $field.first -}}
{{- range $bounds -}}
{{- if or (lt (atoi .) $last) (gt (atoi .) (int $field.last)) }}{{ $isValid = false }}{{ end -}}
{{- $last = atoi . -}}
{{- end -}}
{{- if not $isValid }}{{ fail (printf "%s %q is no %s (%v-%v)" $error $part $field.name $field.first $field.last) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "service-lib.scheduleFields" -}}
- {name: minute, first: 0, last: 59}
- {name: hour, first: 0, last: 23}
- {name: day of the month, first: 1, last: 31}
- {name: month, first: 1, last: 12, names: [jan, feb, mar, apr, may, jun, jul, aug, sep, oct, nov, dec]}
- {name: day of the week, first: 0, last: 6, names: [sun, mon, tue, wed, thu, fri, sat]}
{{- end }}
