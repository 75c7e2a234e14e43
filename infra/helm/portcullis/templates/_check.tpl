{{/* What values.schema.json cannot say in words. All problems are reported at once. */}}
{{- define "portcullis.check" -}}
{{- $problems := list -}}
{{- $auth := .Values.auth -}}
{{- $realtime := .Values.realtime -}}
{{- $trial := .Values.redis.trial.enabled -}}
{{- if not $auth.issuer -}}
  {{- $problems = append $problems "auth.issuer is required: the URL of auth as clients know it, as in https://rt.example.com" -}}
{{- else if not (regexMatch "^https?://[^?#]+$" $auth.issuer) -}}
  {{- $problems = append $problems "auth.issuer must be an http: or https: URL without a query and a fragment, as in https://rt.example.com" -}}
{{- end -}}
{{- if not $auth.existingSecret -}}
  {{- $problems = append $problems "auth.existingSecret is required: the name of a Secret with key-encryption-secret, admin-registration-code and redis-url (docs/kubernetes.md)" -}}
{{- end -}}
{{- range list "KEY_ENCRYPTION_SECRET" "ADMIN_REGISTRATION_CODE" -}}
  {{- if not (get $auth.secretKeys .) -}}
    {{- $problems = append $problems (printf "auth.secretKeys.%s is required: the key of auth.existingSecret that holds it" .) -}}
  {{- end -}}
{{- end -}}
{{- if not $trial -}}
  {{- if not $realtime.existingSecret -}}
    {{- $problems = append $problems "realtime.existingSecret is required: the name of a Secret with redis-url, the Redis of the nodes; or set redis.trial.enabled to try the chart" -}}
  {{- end -}}
  {{- range $name, $service := dict "auth" $auth "realtime" $realtime -}}
    {{- if not (get $service.secretKeys "REDIS_URL") -}}
      {{- $problems = append $problems (printf "%s.secretKeys.REDIS_URL is required: the key of %s.existingSecret that holds the URL of Redis" $name $name) -}}
    {{- end -}}
  {{- end -}}
  {{- if and $auth.existingSecret (eq $auth.existingSecret $realtime.existingSecret) (eq (get $auth.secretKeys "REDIS_URL" | default "a") (get $realtime.secretKeys "REDIS_URL" | default "b")) -}}
    {{- $problems = append $problems "auth and realtime must not share one redis-url: whoever writes to the registry's Redis is an administrator. Give them two servers, or two users of one server" -}}
  {{- end -}}
{{- end -}}
{{- if and $realtime.secretKeys (not $realtime.existingSecret) -}}
  {{- if omit $realtime.secretKeys "REDIS_URL" -}}
    {{- $problems = append $problems "realtime.existingSecret is required: realtime.secretKeys names keys of it" -}}
  {{- end -}}
{{- end -}}
{{- if and (not .Values.registration.job) (not .Values.registration.existingSecret) -}}
  {{- $problems = append $problems "registration.existingSecret is required without registration.job: the name of a Secret with registration-code" -}}
{{- end -}}
{{- if and .Values.registration.job .Values.registration.existingSecret -}}
  {{- $problems = append $problems "registration.existingSecret must be empty with registration.job: the Job writes into a Secret of the release" -}}
{{- end -}}
{{- with $realtime.autoscaling -}}
  {{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
    {{- $problems = append $problems "realtime.autoscaling.minReplicas must be at most maxReplicas" -}}
  {{- end -}}
{{- end -}}
{{- range $name, $service := dict "auth" $auth "realtime" $realtime -}}
  {{- with $service.image.digest -}}
    {{- if not (regexMatch "^sha256:[0-9a-f]{64}$" .) -}}
      {{- $problems = append $problems (printf "%s.image.digest must be sha256: and 64 hexadecimal digits" $name) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
  {{- $problems = append $problems "ingress.host is required: the public name of auth and the nodes, as in rt.example.com" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.metricsFrom) -}}
  {{- $problems = append $problems "networkPolicy.metricsFrom is required with serviceMonitor: who may read /metrics, as in [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]" -}}
{{- end -}}
{{- if $problems -}}
  {{- fail (printf "\n\n%s\n" (join "\n" $problems)) -}}
{{- end -}}
{{- end -}}
