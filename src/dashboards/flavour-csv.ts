import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { ALL, type ChoiceVariable, type Flavour, queryOf } from './flavour.js';
import { columnList, type Reading } from './reading.js';

const dataSource = { type: 'marcusolsson-csv-datasource', uid: 'csv' };

/** The CSV plugin in URL mode. docs/grafana.md describes how it treats a query. */
export const csvFlavour: Flavour = {
  name: 'csv',
  dataSource,
  field: (_reading, column) => column,
  query: (reading, refId) => queryOf(csvQuery(reading, refId)),
  withoutValue: 'KeepLast',
  variable: customVariable,
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
    path: `/${encodeURIComponent(reading.dataset)}`,
    params: [
      ['columns', columnList(reading.columns.map(({ name }) => name))],
      ...Object.entries(reading.window),
    ],
    headers: [],
    body: '',
  };
}

/** A list that was written at generation: the CSV plugin cannot fill a variable by a query. */
function customVariable({ name, label, description, values, chosen }: ChoiceVariable) {
  const isAll = chosen === 'all';
  const options = values.map((value) => ({
    text: value,
    value,
    selected: !isAll && chosen.includes(value),
  }));
  return (
    new CustomVariableBuilder(name)
      .label(label)
      .description(description)
      // A comma within a value is escaped in Grafana's list.
      .values(values.map((value) => value.replaceAll(',', '\\,')).join(', '))
      .options(isAll ? [{ ...ALL, selected: true }, ...options] : options)
      .current(isAll ? { text: [ALL.text], value: [ALL.value] } : { text: [...chosen], value: [...chosen] })
      .multi(true)
      .includeAll(isAll)
  );
}
