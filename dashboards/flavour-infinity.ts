import {
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { CellType } from './datasets.js';
import { type Flavour, queryOf, type ZoneVariable } from './flavour.js';
import { type Reading, read } from './reading.js';

const dataSource = { type: 'yesoreyeram-infinity-datasource', uid: 'infinity' };
const types: Record<CellType, string> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  time: 'timestamp',
};

/**
 * Infinity's columns come back in alphabetical order, and a series is drawn in one colour unless its time is first:
 * a capital sorts before every name of ours.
 */
const fieldName = (column: string) => (column === 'timestamp' ? 'Time' : column);

/** The Infinity plugin, reading CSV in its backend (its other parsers give alerts nothing). */
export const infinityFlavour: Flavour = {
  name: 'infinity',
  dataSource,
  field: fieldName,
  query: (reading, refId) => queryOf(infinityQuery(reading, refId)),
  withoutValue: 'OK',
  zoneVariable,
};

function infinityQuery(reading: Reading, refId: string) {
  const params = { columns: reading.columns.map(({ name }) => name).join(','), ...reading.window };
  return {
    refId,
    datasource: dataSource,
    type: 'csv',
    source: 'url',
    parser: 'backend',
    format: 'table',
    url: `/csv/${reading.dataset}`,
    url_options: {
      method: 'GET',
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
    },
    root_selector: '',
    columns: reading.columns.map(({ name, type }) => ({
      selector: name,
      text: fieldName(name),
      type: types[type],
    })),
  };
}

/** Asks the service for the zones each time the dashboard is opened. */
function zoneVariable({ name, label, description, chosen }: ZoneVariable) {
  const zones = read('zones', ['zone'], { borough: 'Manhattan', sort: 'zone' });
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(dataSource)
    .query({
      refId: 'variable',
      queryType: 'infinity',
      infinityQuery: infinityQuery(zones, 'variable'),
      meta: { textField: 'zone', valueField: 'zone' },
    })
    .definition('zones of Manhattan')
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)
    .current({ text: [...chosen], value: [...chosen] })
    .multi(true)
    .includeAll(false);
}
