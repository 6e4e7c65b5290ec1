import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dashboardsOf, flavourNames, groupsOf, type ProviderJson, providersOf } from './provisioning.js';

/**
 * What Grafana 12.4 deletes at a restart, because it takes it for a duplicate. Its rule, read from
 * https://github.com/grafana/grafana/blob/v12.4.0/pkg/services/dashboards/service/provisioning_cleanup.go and seen:
 * nothing where a provider allows updates or where the providers have several folders; else it looks for folders by the
 * words of the title. Where there are several, all of them go with their dashboards; where there is one, its dashboards
 * go if one provider has several.
 */
function deletedAtRestart(
  providers: readonly ProviderJson[],
  dashboardsPerProvider: ReadonlyMap<string, number>,
  folders: readonly string[],
): 'nothing' | 'dashboards' | 'dashboards and folders' {
  const titles = new Set(providers.map(({ folder }) => folder));
  if (providers.some(({ allowUiUpdates }) => allowUiUpdates) || titles.size > 1) return 'nothing';
  const [title] = titles;
  const found = folders.filter((folder) => folder.toLowerCase().split(' ').includes(title!.toLowerCase()));
  if (found.length > 1) return 'dashboards and folders';
  return [...dashboardsPerProvider.values()].some((count) => count > 1) ? 'dashboards' : 'nothing';
}

for (const flavour of flavourNames) {
  const providers = providersOf(flavour);
  const alertFolders = groupsOf(flavour).map(({ folder }) => folder);
  const counts = new Map(providers.map(({ name }) => [name, dashboardsOf(flavour).length]));

  test(`${flavour}: a restart deletes neither dashboards nor folders, whatever folders people have`, () => {
    const folders = [...new Set([...providers.map(({ folder }) => folder), ...alertFolders])];
    for (const ofOthers of [[], ['Fleet drafts'], ['My fleet']]) {
      assert.equal(deletedAtRestart(providers, counts, [...folders, ...ofOthers]), 'nothing');
    }
  });

  test(`${flavour}: without updates allowed it would`, () => {
    // Several folders are left alone, too: this is what would become of the fleet's alone.
    const fleet = providers.filter(({ folder }) => folder === 'Fleet');
    const strict = fleet.map((provider) => ({ ...provider, allowUiUpdates: false }));
    assert.equal(deletedAtRestart(strict, counts, ['Fleet', ...alertFolders]), 'dashboards and folders');
    assert.equal(deletedAtRestart(strict, counts, ['Fleet']), 'dashboards');
  });
}
