import type {
  ContactPoint,
  NotificationPolicy,
  Rule,
  RuleGroup,
} from '@grafana/grafana-foundation-sdk/alerting';
import type { Flavour } from '../flavour.js';
import { contactPoint, messageTemplate, policy } from './notifications.js';
import { folder, retiredRules, ruleGroup } from './rules.js';

/**
 * The alerting files of one flavour, by name, as plain objects. The builders give what Grafana's HTTP API takes;
 * its provisioning files want the same things under other names.
 */
export function alertingFiles(flavour: Flavour): Readonly<Record<string, object>> {
  return {
    'rules.yaml': { apiVersion: 1, ...deletions(), groups: [groupInFile(ruleGroup(flavour))] },
    'contact-points.yaml': { apiVersion: 1, contactPoints: [contactPointInFile(contactPoint)] },
    'policies.yaml': { apiVersion: 1, policies: [policyInFile(policy)] },
    'templates.yaml': {
      apiVersion: 1,
      templates: [{ orgId: 1, name: messageTemplate.name, template: messageTemplate.template }],
    },
  };
}

function deletions(): { deleteRules?: object[] } {
  return retiredRules.length === 0 ? {} : { deleteRules: retiredRules.map((uid) => ({ orgId: 1, uid })) };
}

function groupInFile({ title, interval, rules }: RuleGroup) {
  return { orgId: 1, name: title, folder, interval: `${interval}s`, rules: rules!.map(ruleInFile) };
}

function ruleInFile(rule: Rule) {
  return {
    uid: rule.uid,
    title: rule.title,
    condition: rule.condition,
    for: rule.for,
    ...(rule.keep_firing_for === undefined ? {} : { keepFiringFor: rule.keep_firing_for }),
    noDataState: rule.noDataState,
    execErrState: rule.execErrState,
    labels: rule.labels,
    annotations: rule.annotations,
    data: rule.data,
  };
}

function contactPointInFile({ name, uid, type, settings }: ContactPoint) {
  return { orgId: 1, name, receivers: [{ uid, type, settings, disableResolveMessage: false }] };
}

function policyInFile(policy: NotificationPolicy) {
  return { orgId: 1, ...policy };
}
