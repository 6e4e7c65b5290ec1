import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { parseDuration } from '../../src/base/durations.js';
import {
  dashboardsOf,
  flavourNames,
  groupsOf,
  type Json,
  panelsOf,
  type RuleJson,
  read,
  rulesOf,
} from './provisioning.js';

const silenceRule = 'service-silent';

for (const flavour of flavourNames) {
  describe(`alerts, flavour ${flavour}`, () => {
    const rules = rulesOf(flavour);

    test('there is a rule for each thing that must not go unnoticed', () => {
      assert.deepEqual(rules.map(({ uid }) => uid).sort(), [
        'api-server-cpu',
        'api-server-network-in',
        'api-server-network-out',
        'api-server-no-measurement',
        'api-server-not-running',
        'archive-age',
        'missing-days',
        silenceRule,
        'stale-data',
        'stream-lag',
        'unassigned-taxis',
      ]);
      assert.equal(new Set(rules.map(({ title }) => title)).size, rules.length);
    });

    test('groups are evaluated no more often than Grafana allows', () => {
      for (const { name, interval } of groupsOf(flavour)) {
        assert.ok(parseDuration(interval)! >= 10_000 && parseDuration(interval)! % 10_000 === 0, name);
      }
    });

    for (const rule of rules)
      test(`rule ${rule.uid} is one that Grafana starts with`, () => assertRule(rule));

    test('a query is a number table: one number, any labels, no time, no variable', () => {
      for (const { uid, data } of rules) {
        const model = data[0]!.model;
        const columns = (model.schema ?? model.columns) as { type: string }[];
        assert.equal(columns.filter(({ type }) => type === 'number').length, 1, uid);
        assert.ok(
          columns.every(({ type }) => type === 'number' || type === 'string'),
          uid,
        );
        assert.doesNotMatch(JSON.stringify(model), /\$/, `${uid}: variables are not replaced in alerts`);
      }
    });

    test('while the service does not answer every rule keeps its state, and only the rule about that fires', () => {
      for (const { uid, noDataState, execErrState } of rules) {
        const isSilence = uid === silenceRule;
        assert.equal(execErrState, isSilence ? 'Alerting' : 'KeepLast', uid);
        // With Infinity an answer without a value is "no data", and else what fired would do so for ever.
        const withoutValue = flavour === 'csv' ? 'KeepLast' : 'OK';
        assert.equal(noDataState, isSilence ? 'Alerting' : withoutValue, uid);
      }
    });

    test('every rule links to a panel that exists', () => {
      const dashboards = new Map(dashboardsOf(flavour).map((dashboard) => [dashboard.uid, dashboard]));
      for (const { uid, annotations } of rules) {
        const dashboard = dashboards.get(annotations.__dashboardUid__!);
        assert.ok(dashboard, `${uid}: no dashboard ${annotations.__dashboardUid__}`);
        const ids = panelsOf(dashboard).map(({ id }) => String(id));
        assert.ok(ids.includes(annotations.__panelId__!), `${uid}: no panel ${annotations.__panelId__}`);
      }
    });

    test('a webhook may be missing or hold a $: Grafana starts and the secret survives', () => {
      const file = parse(read(`grafana-provisioning/alerting/${flavour}/contact-points.yaml`)) as {
        contactPoints: { receivers: { settings: Record<string, string> }[] }[];
      };
      const { settings } = file.contactPoints[0]!.receivers[0]!;
      assert.equal(settings.url, '$SLACK_WEBHOOK_URL');
      assert.equal(settings.endpointUrl, 'http://127.0.0.1:9/no-webhook-set');
    });

    test('nothing but the webhook is expanded from the environment', () => {
      for (const name of ['rules', 'policies', 'contact-points']) {
        const content = parse(read(`grafana-provisioning/alerting/${flavour}/${name}.yaml`)) as Json;
        for (const [path, text] of stringsOf(content)) {
          assert.doesNotMatch(text, /\$\{|\$__file|\$__env/, path);
          if (!path.includes('.annotations.') && text !== '$SLACK_WEBHOOK_URL')
            assert.doesNotMatch(text, /\$/, path);
        }
      }
    });

    test('the message is built from templates that exist', () => {
      const file = parse(read(`grafana-provisioning/alerting/${flavour}/templates.yaml`)) as {
        templates: { template: string }[];
      };
      const defined = [...file.templates[0]!.template.matchAll(/define "([^"]+)"/g)].map((match) => match[1]);
      const used = read(`grafana-provisioning/alerting/${flavour}/contact-points.yaml`).matchAll(
        /template "([^"]+)"/g,
      );
      for (const [, name] of used) assert.ok(defined.includes(name), `${name} is not defined`);
    });

    test('a message about what is over gives the time of its end only: Grafana has no other', () => {
      const { templates } = parse(read(`grafana-provisioning/alerting/${flavour}/templates.yaml`)) as {
        templates: { template: string }[];
      };
      const [firing, resolved] = templates[0]!.template.split('range .Alerts.Resolved');
      assert.match(firing!, /since \{\{ \.StartsAt/);
      assert.doesNotMatch(resolved!, /StartsAt/);
      assert.match(resolved!, /\.EndsAt/);
    });

    test('routes go to a contact point that exists, and repeat no more than a few times a day', () => {
      const { policies } = parse(read(`grafana-provisioning/alerting/${flavour}/policies.yaml`)) as {
        policies: (Route & { routes: Route[] })[];
      };
      const points = read(`grafana-provisioning/alerting/${flavour}/contact-points.yaml`);
      for (const route of [policies[0]!, ...policies[0]!.routes]) {
        assert.match(points, new RegExp(`name: ${route.receiver}\\n`));
        assert.ok(parseDuration(route.repeat_interval)! >= 4 * 3_600_000);
      }
    });
  });
}

test('both flavours have the same rules, but for their queries and what they make of no value', () => {
  const outline = ({ noDataState, data, ...rule }: RuleJson) => ({ ...rule, threshold: data[1]!.model });
  assert.deepEqual(rulesOf('csv').map(outline), rulesOf('infinity').map(outline));
  for (const name of ['contact-points', 'policies', 'templates']) {
    const [csv, infinity] = flavourNames.map((flavour) =>
      read(`grafana-provisioning/alerting/${flavour}/${name}.yaml`),
    );
    assert.equal(csv, infinity, name);
  }
});

test('the documentation lists every rule, with how long it waits and whom it is for', () => {
  const rows = read('docs/grafana.md').matchAll(/^\| ([^|]+) \| [^|]+ \| (\d+) min \| (\w+), (\w+) \|$/gm);
  const documented = [...rows].map(([, title, minutes, severity, team]) => [
    title,
    `${minutes}m`,
    severity,
    team,
  ]);
  const provisioned = rulesOf('csv').map(({ title, labels, ...rule }) => [
    title,
    rule.for,
    labels.severity,
    labels.team,
  ]);
  assert.deepEqual(documented, provisioned);
});

interface Route {
  readonly receiver: string;
  readonly repeat_interval: string;
}

/** The mistakes of which one is enough to stop Grafana, or to make the rule say nothing. */
function assertRule(rule: RuleJson): void {
  assert.match(rule.uid, /^[a-z0-9-]{1,40}$/);
  assert.ok(parseDuration(rule.for) !== null, `for: ${rule.for}`);
  assert.ok(['critical', 'warning'].includes(rule.labels.severity!));
  assert.ok(['platform', 'dispatch'].includes(rule.labels.team!));
  for (const { relativeTimeRange } of rule.data) assert.ok(relativeTimeRange.from > relativeTimeRange.to);
  const [query, threshold] = rule.data;
  assert.deepEqual([query!.refId, threshold!.refId, rule.condition], ['A', 'B', 'B']);
  assert.equal(threshold!.datasourceUid, '__expr__');
  const { type, expression, conditions } = threshold!.model as {
    type: string;
    expression: string;
    conditions: { evaluator: { type: string; params: number[] } }[];
  };
  assert.deepEqual([type, expression, conditions.length], ['threshold', 'A', 1]);
  assert.match(conditions[0]!.evaluator.type, /^(gte|gt|lte|lt)$/);
  assert.equal(conditions[0]!.evaluator.params.length, 1);
  for (const name of ['summary', 'resolved', 'description']) {
    const text = rule.annotations[name]!;
    assert.ok(text.length > 10, name);
    assertGuarded(text);
  }
}

/** `$values.A` and labels are missing when a query failed; a template may only use what it has asked for. */
function assertGuarded(text: string): void {
  const open: string[] = [];
  for (const [, action] of text.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/g)) {
    for (const [used] of action!.matchAll(/\$(?:values\.[A-Z]|labels\.\w+)/g)) {
      const asked = action!.startsWith('if ') || open.some((condition) => condition.includes(used));
      assert.ok(asked, `${used} is used unasked in: ${text}`);
    }
    if (action!.startsWith('if ')) open.push(action!);
    else if (action === 'end') open.pop();
    else if (action === 'else') open.push(`else of ${open.pop()!.replaceAll('$', '')}`);
  }
  assert.deepEqual(open, [], text);
}

function* stringsOf(value: Json, path = ''): Generator<[path: string, text: string]> {
  if (typeof value === 'string') yield [path, value];
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) yield* stringsOf(inner as Json, `${path}.${key}`);
  }
}
