import { type DashboardSpec, renderDashboard } from '../src/dashboards/dashboard.js';
import { flavours } from '../src/dashboards/flavours.js';
import { yamlFile } from '../src/dashboards/yaml-file.js';
import { alertingFiles } from './alerts/files.js';
import { collector } from './collector.js';
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
    files.set(`${place}/dashboards.yaml`, yamlFile(providers, header));
    for (const spec of dashboards) {
      files.set(`${place}/${spec.uid}.json`, `${JSON.stringify(renderDashboard(spec, flavour), null, 2)}\n`);
    }
    for (const [name, content] of Object.entries(alertingFiles(flavour))) {
      files.set(`grafana-provisioning/alerting/${flavour.name}/${name}`, yamlFile(content, header));
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
const providerOf = (name: string, folder: string, folderUid: string, path: string) => ({
  name,
  orgId: 1,
  folder,
  folderUid,
  type: 'file',
  disableDeletion: false,
  allowUiUpdates: true,
  updateIntervalSeconds: 30,
  options: { path, foldersFromFilesStructure: false },
});

/** The fleet's dashboards, and those that the service writes for its tables. */
const providers = {
  apiVersion: 1,
  providers: [
    providerOf('dynamo-csv', 'Fleet', 'fleet', mounted),
    providerOf('dynamo-csv-tables', 'Tables', 'tables', '/etc/grafana/tables'),
  ],
};
