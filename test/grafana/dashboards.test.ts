import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type DashboardJson,
  dashboardsOf,
  dataSources,
  flavourNames,
  type PanelJson,
  panelsOf,
} from './provisioning.js';

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

function assertGrid(dashboard: DashboardJson): void {
  const taken = new Map<string, string>();
  const all = dashboard.panels.flatMap((panel) => [panel, ...(panel.collapsed ? [] : (panel.panels ?? []))]);
  for (const { title, gridPos } of all) {
    const { x, y, w, h } = gridPos;
    assert.ok(
      x >= 0 && w > 0 && x + w <= 24 && y >= 0 && h > 0,
      `${dashboard.uid}: ${title} leaves the grid`,
    );
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        const other = taken.get(`${column},${row}`);
        assert.equal(other, undefined, `${dashboard.uid}: ${title} lies on ${other}`);
        taken.set(`${column},${row}`, title);
      }
    }
  }
}

/** Overrides, reductions and transformations go by name: a name that is not there is ignored by Grafana, silently. */
function assertFieldsKnown(panel: PanelJson, name: string): void {
  const given = new Set((panel.targets ?? []).flatMap(fieldsOf));
  // The columns of a matrix are values of the data.
  let isMatrix = false;
  for (const { id, options } of panel.transformations ?? []) {
    for (const field of inputsOf(id, options)) {
      assert.ok(given.has(field) || isMatrix, `${name}: ${id} reads ${field}`);
    }
    for (const field of outputsOf(id, options)) given.add(field);
    isMatrix ||= id === 'groupingToMatrix';
  }
  const shown = new Set(given);
  for (const override of panel.fieldConfig?.overrides ?? []) {
    const { options } = override.matcher as { options: string };
    assert.ok(given.has(options), `${name} styles ${options}`);
    const title = (override.properties as { id: string; value: string }[]).find(
      ({ id }) => id === 'displayName',
    );
    if (title === undefined) continue;
    shown.delete(options);
    shown.add(title.value);
  }
  const reduce = panel.options.reduceOptions as { fields: string } | undefined;
  if (reduce !== undefined) {
    // This pattern, unlike the rest, meets names as they are shown.
    const pattern = new RegExp(reduce.fields.slice(1, -1));
    const matched = [...shown].filter((field) => pattern.test(field));
    assert.equal(matched.length, reduce.fields.split('|').length, `${name} shows ${reduce.fields}`);
  }
  if (panel.type === 'barchart') assert.ok(given.has(panel.options.xField as string), `${name}: no x field`);
}

function fieldsOf(target: object): string[] {
  const { schema, columns } = target as { schema?: { name: string }[]; columns?: { text: string }[] };
  return schema?.map((column) => column.name) ?? columns!.map((column) => column.text);
}

function inputsOf(id: string, options: object): string[] {
  const { renameByName, filters, fields, columnField, rowField, valueField } = options as {
    renameByName?: object;
    filters?: { fieldName: string }[];
    fields?: object;
    columnField?: string;
    rowField?: string;
    valueField?: string;
  };
  if (id === 'organize') return Object.keys(renameByName!);
  if (id === 'filterByValue') return filters!.map(({ fieldName }) => fieldName);
  if (id === 'groupBy') return Object.keys(fields!);
  if (id === 'groupingToMatrix') return [columnField!, rowField!, valueField!];
  throw new Error(`the test does not know the transformation ${id}`);
}

function outputsOf(id: string, options: object): string[] {
  const { renameByName, fields, columnField, rowField } = options as {
    renameByName?: Record<string, string>;
    fields?: Record<string, { aggregations: string[] }>;
    columnField?: string;
    rowField?: string;
  };
  if (id === 'organize') return Object.values(renameByName!);
  if (id === 'groupBy') {
    return Object.entries(fields!).flatMap(([field, { aggregations }]) =>
      aggregations.map((aggregation) => `${field} (${aggregation})`),
    );
  }
  if (id === 'groupingToMatrix') return [`${rowField}\\${columnField}`];
  return [];
}
