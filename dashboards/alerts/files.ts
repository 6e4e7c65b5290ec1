import type { ContactPoint, NotificationPolicy } from '@grafana/grafana-foundation-sdk/alerting';
import { groupInFile } from '../../src/dashboards/alert.js';
import type { Flavour } from '../../src/dashboards/flavour.js';
import { contactPoint, messageTemplate, policy } from './notifications.js';
import { folder, retiredRules, ruleGroup } from './rules.js';

/** The alerting files of one flavour, by name, as plain objects in the form of Grafana's provisioning files. */
export function alertingFiles(flavour: Flavour): Readonly<Record<string, object>> {
  return {
    'rules.yaml': { apiVersion: 1, ...deletions(), groups: [groupInFile(ruleGroup(flavour), folder)] },
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

function contactPointInFile({ name, uid, type, settings }: ContactPoint) {
  return { orgId: 1, name, receivers: [{ uid, type, settings, disableResolveMessage: false }] };
}

function policyInFile(policy: NotificationPolicy) {
  return { orgId: 1, ...policy };
}
