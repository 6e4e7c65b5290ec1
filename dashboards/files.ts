import { Document, isPair, isScalar, visit } from 'yaml';
import { alertingFiles } from './alerts/files.js';
import { collector } from './collector.js';
import { type DashboardSpec, renderDashboard } from './dashboard.js';
import { flavours } from './flavours.js';
import { fleetNow } from './fleet-now.js';
import { fleetToday } from './fleet-today.js';
import { fleetWeek } from './fleet-week.js';

export const dashboards: readonly DashboardSpec[] = [fleetNow, fleetToday, fleetWeek, collector];

/** Where Grafana's container has the dashboards of the flavour that was chosen. */
const mounted = '/etc/grafana/provisioning/dashboards';

const header = 'Written by `npm run dashboards` from dashboards/; changes made here are lost.';

/** Every generated file: path in the repository to text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const flavour of flavours) {
    const place = `grafana-provisioning/dashboards/${flavour.name}`;
    files.set(`${place}/dashboards.yaml`, yaml(provider));
    for (const spec of dashboards) {
      files.set(`${place}/${spec.uid}.json`, `${JSON.stringify(renderDashboard(spec, flavour), null, 2)}\n`);
    }
    for (const [name, content] of Object.entries(alertingFiles(flavour))) {
      files.set(`grafana-provisioning/alerting/${flavour.name}/${name}`, yaml(content));
    }
  }
  return files;
}

/**
 * Both flavours under one provider's name and the same uids: changing the flavour replaces, it does not double.
 *
 * `allowUiUpdates` keeps Grafana from deleting the dashboards and their folder, with its permissions, at every restart: its
 * clean-up takes several dashboards of one provider for duplicates of one, and leaves alone who allows updates. The other
 * way, a provider for each dashboard, would hold only as long as no folder that anybody creates has "Fleet" in its title.
 * The price: a change that somebody saves in Grafana stays until the file changes.
 */
const provider = {
  apiVersion: 1,
  providers: [
    {
      name: 'dynamo-csv',
      orgId: 1,
      folder: 'Fleet',
      folderUid: 'fleet',
      type: 'file',
      disableDeletion: false,
      allowUiUpdates: true,
      updateIntervalSeconds: 30,
      options: { path: mounted, foldersFromFilesStructure: false },
    },
  ],
};

/** YAML that Grafana's older parser reads the same way; functions of the builders are left behind. */
function yaml(content: object): string {
  const plain = JSON.parse(JSON.stringify(content)) as object;
  const document = new Document(plain, { version: '1.1' });
  visit(document, {
    Collection(_, node) {
      if (JSON.stringify(node.toJSON()).length <= 80 && node.items.every(isLeaf)) node.flow = true;
    },
    Scalar(_, node) {
      // A bare = has a meaning of its own in YAML 1.1.
      if (node.value === '=') node.type = 'QUOTE_SINGLE';
    },
  });
  return `# ${header}\n${document.toString({ lineWidth: 0, flowCollectionPadding: true })}`;
}

const isLeaf = (item: unknown) => isScalar(item) || (isPair(item) && isScalar(item.value));
