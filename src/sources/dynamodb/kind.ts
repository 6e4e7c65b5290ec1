import type {
  CheckContext,
  ConfiguredSource,
  OpenedSource,
  PublishedName,
  Recording,
  SourceContext,
  SourceKind,
} from '../kind.js';
import { checkAgreement } from './agreement.js';
import { checkTable } from './check.js';
import { regionOf } from './client.js';
import { readPrice } from './cost.js';
import { type TableConfig, TablesOption, tableConfig, tableNameOf } from './options.js';
import { indexNameOf } from './query/target.js';
import { createDynamoDbSource } from './source.js';
import { ScanThreads } from './threads.js';
import { tableTitle } from './title.js';

/** DynamoDB tables: `tables` in the configuration file. */
export const tables = {
  key: 'tables',
  schema: TablesOption,
  settings: (options) => Object.entries(options ?? {}).map(([name, given]) => tableConfig(name, given)),
  checkAgreement: (options, report) => checkAgreement(options ?? {}, report),
  configure: (settings) => settings.map(configuredTable),
} as const satisfies SourceKind<'tables', TablesOption, readonly TableConfig[]>;

function configuredTable(table: TableConfig): ConfiguredSource {
  return {
    title: tableTitle(table.table),
    label: labelOf(table),
    interval: table.interval,
    recording: recordingOf(table),
    keeping: table,
    published: publishedBy(table),
    consumesReadUnits: true,
    pythonScript:
      table.query !== null || table.index !== null
        ? null
        : { table: table.table, rename: table.rename, timeColumn: table.timestampColumn },
    open: (context: SourceContext) => open(table, context),
    check: (context: CheckContext) => checkTable(table, context),
  };
}

async function open(
  table: TableConfig,
  { clock, logger, shared, timeZone }: SourceContext,
): Promise<OpenedSource> {
  const threads = shared.get(ScanThreads);
  const source = createDynamoDbSource({ ...table, threads, clock, logger, timeZone });
  const region = await regionOf(table.region);
  return { source, price: ({ readCapacityUnits }) => readPrice(readCapacityUnits, region) };
}

/** `query of index by-day of table orders` */
function labelOf(table: TableConfig): string {
  const index = indexNameOf(table);
  const what = index === null ? `table ${table.table}` : `index ${index} of table ${table.table}`;
  return table.query === null ? what : `query of ${what}`;
}

function recordingOf({ query, ...table }: TableConfig): Recording {
  const { name, log, changes, columns, rename, timestampColumn } = table;
  const configured = columns.map((column) => rename[column] ?? column);
  const newItemsOnly = query?.since != null;
  return { name, log, changes, newItemsOnly, configured, timestampColumn };
}

function publishedBy({ entry, table, name, changes }: TableConfig): PublishedName[] {
  const path = ['tables', entry];
  const own = {
    name,
    by: `table ${table}`,
    path: name === tableNameOf(entry) ? path : [...path, 'as'],
    derived: false,
  };
  if (!changes) return [own];
  const ofChanges = {
    name: `${name}-changes`,
    by: `the changes of table ${table}`,
    path: [...path, 'changes'],
    derived: true,
  };
  return [own, ofChanges];
}
