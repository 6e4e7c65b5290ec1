import {
  type ContactPoint,
  ContactPointBuilder,
  MatchType,
  type NotificationPolicy,
  NotificationPolicyBuilder,
  type NotificationTemplate,
  NotificationTemplateBuilder,
} from '@grafana/grafana-foundation-sdk/alerting';
import { timeZone } from '../fleet.js';

/** Who is told, how often and in which words. */

const receiver = 'Fleet Slack';

/** Slack by an incoming webhook whose address comes from the environment. */
export const contactPoint: ContactPoint = new ContactPointBuilder()
  .name(receiver)
  .uid('fleet-slack')
  .type('slack')
  .settings({
    // Expanded once by Grafana; a webhook with a $ in it would not survive ${…}.
    url: '$SLACK_WEBHOOK_URL',
    // Without a webhook Grafana would not start. With this it does, and a webhook that is set wins.
    endpointUrl: 'http://127.0.0.1:9/no-webhook-set',
    username: 'Fleet alerts',
    title: '{{ template "fleet.title" . }}',
    text: '{{ template "fleet.text" . }}',
  })
  .build();

/**
 * One message for each rule, however many servers or datasets it is about. Changes within five minutes wait for the next
 * message, and an alert that keeps firing is repeated a few times a day.
 */
export const policy: NotificationPolicy = new NotificationPolicyBuilder()
  .receiver(receiver)
  .groupBy(['alertname'])
  .groupWait('30s')
  .groupInterval('5m')
  .repeatInterval('12h')
  .routes([
    new NotificationPolicyBuilder()
      .receiver(receiver)
      .objectMatchers([['severity', MatchType.Equal, 'critical']])
      .groupWait('10s')
      .repeatInterval('4h'),
  ])
  .build();

/**
 * Plain text: Slack formats nothing but links in an attachment's text. What is over has the time of its end only: Grafana
 * gives a resolved alert that time as its start, too.
 */
const template = `{{ define "fleet.title" -}}
{{ if eq .Status "firing" }}{{ if eq .CommonLabels.severity "critical" }}🔴{{ else }}🟠{{ end }}{{ else }}🟢 Over:{{ end }} {{ .CommonLabels.alertname }}
{{- if gt (len .Alerts.Firing) 1 }} ({{ len .Alerts.Firing }}){{ end }}
{{- end }}

{{ define "fleet.text" -}}
{{ range .Alerts.Firing -}}
{{ .Annotations.summary }}
{{ with .Annotations.description }}{{ . }}
{{ end -}}
since {{ .StartsAt | tz "${timeZone}" | date "Mon 15:04 MST" }}, for team {{ .Labels.team }}
{{- with .PanelURL }} · <{{ . }}|panel>{{ end }}
{{- with .SilenceURL }} · <{{ . }}|silence>{{ end }}

{{ end -}}
{{ range .Alerts.Resolved -}}
over: {{ with .Annotations.resolved }}{{ . }}{{ else }}{{ .Annotations.summary }}{{ end }}
{{- " " }}({{ .EndsAt | tz "${timeZone}" | date "Mon 15:04 MST" }})
{{ end -}}
{{ end }}
`;

export const messageTemplate: NotificationTemplate = new NotificationTemplateBuilder()
  .name('fleet')
  .template(template)
  .build();
