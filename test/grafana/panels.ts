import assert from 'node:assert/strict';
import type { DashboardJson, PanelJson } from './provisioning.js';

/** Whether a dashboard's panels fit together, and name only what they get. */

/** Panels lie on the grid of 24 columns, and on no other panel. */
export function assertGrid(dashboard: DashboardJson): void {
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
export function assertFieldsKnown(panel: PanelJson, name: string): void {
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
