import {
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { ALL, type ChoiceVariable, type Flavour, queryOf } from './flavour.js';
import { type CellType, columnList, type Reading, timeOf } from './reading.js';

const dataSource = { type: 'yesoreyeram-infinity-datasource', uid: 'infinity' };
const types: Record<CellType, string> = {
  string: 'string',
  number: 'number',
  boolean: 'boolean',
  time: 'timestamp',
};

/**
 * Infinity's columns come back in alphabetical order, and a series is drawn in one colour unless its time is first:
 * a capital sorts before most names. A dataset that has another column `Time` keeps its names.
 */
function fieldName(reading: Pick<Reading, 'columns' | 'time'>, column: string): string {
  return column === timeOf(reading) && !reading.columns.some(({ name }) => name === 'Time') ? 'Time' : column;
}

/** The Infinity plugin, reading CSV in its backend (its other parsers give alerts nothing). */
export const infinityFlavour: Flavour = {
  name: 'infinity',
  dataSource,
  field: fieldName,
  query: (reading, refId) => queryOf(infinityQuery(reading, refId)),
  withoutValue: 'OK',
  variable,
};

function infinityQuery(reading: Reading, refId: string) {
  const params = { columns: columnList(reading.columns.map(({ name }) => name)), ...reading.window };
  return {
    refId,
    datasource: dataSource,
    type: 'csv',
    source: 'url',
    parser: 'backend',
    format: 'table',
    url: `/csv/${encodeURIComponent(reading.dataset)}`,
    url_options: {
      method: 'GET',
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
    },
    root_selector: '',
    columns: reading.columns.map(({ name, type }) => ({
      selector: name,
      text: fieldName(reading, name),
      type: types[type],
    })),
  };
}

/**
 * Asks the service for the values each time the dashboard is opened: as text, since a number of more than 15 digits would come
 * back as another one, or as 1.2e+29.
 */
function variable({ name, label, description, chosen, reading, definition }: ChoiceVariable) {
  const columns = reading.columns.map((one) => ({ ...one, type: 'string' as const }));
  const column = columns[0]!.name;
  const isAll = chosen === 'all';
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(dataSource)
    .query({
      refId: 'variable',
      queryType: 'infinity',
      infinityQuery: infinityQuery({ ...reading, columns }, 'variable'),
      meta: { textField: column, valueField: column },
    })
    .definition(definition)
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)
    .current(isAll ? { text: [ALL.text], value: [ALL.value] } : { text: [...chosen], value: [...chosen] })
    .multi(true)
    .includeAll(isAll);
}
