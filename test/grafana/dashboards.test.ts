import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertFieldsKnown, assertGrid } from './panels.js';
import { type DashboardJson, dashboardsOf, dataSources, flavourNames, panelsOf } from './provisioning.js';

for (const flavour of flavourNames) {
  describe(`dashboards, flavour ${flavour}`, () => {
    const dashboards = dashboardsOf(flavour);
    const panels = dashboards.flatMap((dashboard) =>
      panelsOf(dashboard).map((panel) => ({ panel, name: `${dashboard.uid}: ${panel.title}` })),
    );

    test('each has its own uid, in a schema version that loads without a warning', () => {
      const uids = dashboards.map(({ uid }) => uid);
      assert.deepEqual(uids, ['collector', 'fleet-now', 'fleet-today', 'fleet-week']);
      for (const { schemaVersion } of dashboards) assert.equal(schemaVersion, 42);
    });

    test('each panel has its own id', () => {
      for (const dashboard of dashboards) {
        const ids = [...dashboard.panels, ...panelsOf(dashboard)].map(({ id }) => id);
        const shown = dashboard.panels.filter(({ type }) => type !== 'row').length;
        assert.equal(new Set(ids).size, ids.length - shown, `${dashboard.uid}: ${ids}`);
        assert.ok(ids.every((id) => Number.isInteger(id) && id > 0));
      }
    });

    test('panels lie on the grid and on no other panel', () => {
      for (const dashboard of dashboards) assertGrid(dashboard);
    });

    test('each panel has a description', () => {
      for (const { panel, name } of panels) {
        assert.ok((panel.description ?? '').length > 20, `${name} has no description`);
      }
    });

    test("queries go to the flavour's data source, which exists", () => {
      const known = new Map(dataSources().map(({ uid, type }) => [uid, type]));
      assert.equal(known.get(flavour)?.includes(flavour), true);
      for (const { panel, name } of panels) {
        if (panel.type === 'alertlist') continue;
        assert.deepEqual(panel.datasource, { type: known.get(flavour), uid: flavour }, name);
        for (const target of panel.targets!) assert.deepEqual(target.datasource, panel.datasource, name);
        assert.ok(panel.targets!.length > 0, `${name} asks for nothing`);
      }
    });

    test('a panel names only fields that its queries or transformations give it', () => {
      for (const { panel, name } of panels) assertFieldsKnown(panel, name);
    });

    test('no map asks an outside server for tiles', () => {
      const maps = panels.filter(({ panel }) => panel.type === 'geomap');
      assert.equal(maps.length, 2 * Number(dashboards.some(({ uid }) => uid === 'fleet-now')));
      for (const { panel } of maps) {
        const { type, config } = panel.options.basemap as { type: string; config: { url: string } };
        assert.equal(type, 'xyz');
        assert.match(config.url, /^data:image\/gif;base64,[\w+/=]+$/);
      }
    });
  });
}

test('both flavours are the same dashboards: the same panels at the same places', () => {
  const outline = (dashboard: DashboardJson) => [
    dashboard.uid,
    panelsOf(dashboard).map(({ id, title, type, gridPos }) => ({ id, title, type, gridPos })),
  ];
  assert.deepEqual(dashboardsOf('csv').map(outline), dashboardsOf('infinity').map(outline));
});
