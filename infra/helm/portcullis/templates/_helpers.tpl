{{- define "portcullis.name" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s" (trunc 40 $root.Release.Name | trimSuffix "-") (index . 1) -}}
{{- end -}}

{{- define "portcullis.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: portcullis
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "portcullis.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "portcullis.name" . }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "portcullis.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $root.Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{- define "portcullis.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $name := $image.repository -}}
{{- with $root.Values.image.registry }}{{ $name = printf "%s/%s" (trimSuffix "/" .) $name }}{{ end -}}
{{- if $image.digest -}}
{{ $name }}@{{ $image.digest }}
{{- else -}}
{{ $name }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "portcullis.authUrl" -}}
{{ .Values.realtime.authUrl | default (printf "http://%s:4000" (include "portcullis.name" (list . "auth"))) }}
{{- end -}}

{{- define "portcullis.codeSecret" -}}
{{ .Values.registration.existingSecret | default (include "portcullis.name" (list . "realtime-identity")) }}
{{- end -}}

{{/* Settings whose value is in the Secret of the service: as files, whose names are the keys. */}}
{{- define "portcullis.secretKeys" -}}
{{- $root := index . 0 -}}
{{- $keys := omit (index . 1).secretKeys (ternary "REDIS_URL" "" $root.Values.redis.trial.enabled) -}}
{{- toYaml $keys -}}
{{- end -}}

{{- define "portcullis.environment" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
- { name: SHUTDOWN_DELAY_MS, value: {{ $service.shutdownDelayMs | int | quote }} }
- { name: CLOSE_DEADLINE_MS, value: {{ $service.closeDeadlineMs | int | quote }} }
{{- range $setting, $key := include "portcullis.secretKeys" . | fromYaml }}
- { name: {{ $setting }}_FILE, value: /run/secrets/service/{{ $key }} }
{{- end }}
{{- range $setting, $value := $service.settings }}
- name: {{ $setting }}
  value: {{ if kindIs "float64" $value }}{{ $value | int64 | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}
{{- end }}
{{- end -}}

{{/* The service may use all of its delay and deadline, and three seconds to leave. */}}
{{- define "portcullis.graceSeconds" -}}
{{ add 5 (div (add 999 (int .shutdownDelayMs) (int .closeDeadlineMs)) 1000) }}
{{- end -}}

{{- define "portcullis.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "portcullis.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "portcullis.probes" -}}
startupProbe:
  httpGet: { path: /health, port: internal }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health, port: internal }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: { path: {{ . }}, port: internal }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{- define "portcullis.placement" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $service := index . 2 -}}
{{- if $root.Values.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $root.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "portcullis.selector" (list $root $component) | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- with $service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "portcullis.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
