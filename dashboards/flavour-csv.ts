import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { type Flavour, queryOf, type ZoneVariable } from './flavour.js';
import type { Reading } from './reading.js';

const dataSource = { type: 'marcusolsson-csv-datasource', uid: 'csv' };

/** The CSV plugin in URL mode. docs/grafana.md describes how it treats a query. */
export const csvFlavour: Flavour = {
  name: 'csv',
  dataSource,
  field: (column) => column,
  query: (reading, refId) => queryOf(csvQuery(reading, refId)),
  withoutValue: 'KeepLast',
  zoneVariable: customZoneVariable,
};

function csvQuery(reading: Reading, refId: string) {
  return {
    refId,
    datasource: dataSource,
    header: true,
    delimiter: ',',
    // Without it every number is null, and an alert on it silently Normal.
    decimalSeparator: '.',
    skipRows: 0,
    timezone: '',
    ignoreUnknown: true,
    schema: reading.columns,
    method: 'GET',
    path: `/${reading.dataset}`,
    params: [
      ['columns', reading.columns.map(({ name }) => name).join(',')],
      ...Object.entries(reading.window),
    ],
    headers: [],
    body: '',
  };
}

/** A list that was written at generation: the CSV plugin cannot fill a variable by a query. */
function customZoneVariable({ name, label, description, zones, chosen }: ZoneVariable) {
  return new CustomVariableBuilder(name)
    .label(label)
    .description(description)
    .values(zones.join(', '))
    .options(zones.map((zone) => ({ text: zone, value: zone, selected: chosen.includes(zone) })))
    .current({ text: [...chosen], value: [...chosen] })
    .multi(true)
    .includeAll(false);
}
