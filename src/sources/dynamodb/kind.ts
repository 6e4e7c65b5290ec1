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
import { type TableConfig, TablesOption, tableConfig } from './options.js';
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
    label: `table ${table.table}`,
    interval: table.interval,
    recording: recordingOf(table),
    keeping: table,
    published: publishedBy(table),
    consumesReadUnits: true,
    pythonScript: { table: table.table, rename: table.rename, timeColumn: table.timestampColumn },
    open: (context: SourceContext) => open(table, context),
    check: (context: CheckContext) => checkTable(table, context),
  };
}

async function open(table: TableConfig, { clock, logger, shared }: SourceContext): Promise<OpenedSource> {
  const source = createDynamoDbSource({ ...table, threads: shared.get(ScanThreads), clock, logger });
  const region = await regionOf(table.region);
  return { source, price: ({ readCapacityUnits }) => readPrice(readCapacityUnits, region) };
}

function recordingOf(table: TableConfig): Recording {
  const { name, log, changes, columns, rename, timestampColumn } = table;
  const published = (column: string) => rename[column] ?? column;
  const types = Object.fromEntries(
    Object.entries(table.types).map(([column, type]) => [published(column), type]),
  );
  return { name, log, changes, configured: columns.map(published), types, timestampColumn };
}

function publishedBy({ table, name, changes }: TableConfig): PublishedName[] {
  const path = ['tables', table];
  const own = {
    name,
    by: `table ${table}`,
    path: name === table ? path : [...path, 'as'],
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
