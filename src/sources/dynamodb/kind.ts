import { formatPath } from '../../options/mistakes.js';
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
import { type TableConfig, TablesOption, tableConfig, tableNameOf } from './options.js';
import { publishedColumn, renamedPaths } from './paths.js';
import { indexNameOf } from './query/target.js';
import { createDynamoDbSource, type DynamoDbSourceOptions, type TableSource } from './source.js';
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

/** A table as a source. */
export function configuredTable(table: TableConfig): ConfiguredSource {
  return {
    title: tableTitle(table.table),
    label: labelOf(table),
    interval: table.interval,
    recording: recordingOf(table),
    keeping: table,
    published: publishedBy(table),
    consumesReadUnits: true,
    pythonScript: readByScript(table)
      ? { table: table.table, rename: table.rename, timeColumn: table.timestampColumn }
      : null,
    open: (context: SourceContext) => open(table, context),
    check: (context: CheckContext) => checkTable(table, context),
  };
}

async function open(table: TableConfig, context: SourceContext): Promise<OpenedSource> {
  const { clock, logger, shared, timeZone, capacityShare } = context;
  const source = await createSource(table, {
    ...table,
    others: [...(table.time === null ? [] : [table.time.column]), ...Object.keys(table.types)],
    ...(capacityShare === undefined ? {} : { capacityShare }),
    threads: shared.get(ScanThreads),
    clock,
    logger,
    timeZone,
  });
  return { source, price: (cost) => source.price(cost), expect: (signal) => source.expect(signal) };
}

/** The SDK's client for streams is loaded with the first table that has one. */
async function createSource(
  { stream, interval, verify }: TableConfig,
  options: DynamoDbSourceOptions,
): Promise<TableSource> {
  if (stream === false) return createDynamoDbSource(options);
  const { createStreamSource } = await import('./streams/source.js');
  return createStreamSource({ ...options, stream, interval, verify });
}

/** The script read whole tables and kept every poll's rows: a part of a table, or a log of new items, begins anew. */
function readByScript({ append, query, index, filter }: TableConfig): boolean {
  return !append && query === null && index === null && filter === null;
}

function recordingOf(options: TableConfig): Recording {
  const { entry, name, log, append, time, query, changes, stream, columns, rename, timestampColumn } =
    options;
  const renamed = renamedPaths(rename);
  const published = (name: string) => publishedColumn(name, renamed);
  const configured = columns.map(published);
  const types = Object.fromEntries(
    Object.entries(options.types).map(([column, type]) => [published(column), type]),
  );
  const optionsAt = formatPath(['tables', entry]);
  const newItemsOnly = query?.since != null;
  const exactTimes = stream !== false;
  const common = {
    name,
    shownAs: shownAs(options),
    log,
    append,
    time,
    types,
    optionsAt,
    changes,
    exactTimes,
    configured,
    timestampColumn,
  };
  return { ...common, newItemsOnly };
}

/** `query of index by-day of table orders` */
function labelOf(table: TableConfig): string {
  return partOf(table, `table ${table.table}`);
}

/** `query of index by-day of DynamoDB table orders with a filter` */
function shownAs(table: TableConfig): string {
  const what = partOf(table, tableTitle(table.table));
  return table.filter === null ? what : `${what} with a filter`;
}

function partOf(options: TableConfig, table: string): string {
  const index = indexNameOf(options);
  const what = index === null ? table : `index ${index} of ${table}`;
  return options.query === null ? what : `query of ${what}`;
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
