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
import { type TableConfig, TablesOption, tableConfig } from './options.js';
import { publishedColumn, renamedPaths } from './paths.js';
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

/** A table as a source. */
export function configuredTable(table: TableConfig): ConfiguredSource {
  return {
    title: tableTitle(table.table),
    label: `table ${table.table}`,
    interval: table.interval,
    recording: recordingOf(table),
    keeping: table,
    published: publishedBy(table),
    consumesReadUnits: true,
    // The script kept every poll's rows; a log of new items begins anew.
    pythonScript: table.append
      ? null
      : { table: table.table, rename: table.rename, timeColumn: table.timestampColumn },
    open: (context: SourceContext) => open(table, context),
    check: (context: CheckContext) => checkTable(table, context),
  };
}

async function open(table: TableConfig, context: SourceContext): Promise<OpenedSource> {
  const { clock, logger, shared, capacityShare } = context;
  const source = createDynamoDbSource({
    ...table,
    others: [...(table.time === null ? [] : [table.time.column]), ...Object.keys(table.types)],
    ...(capacityShare === undefined ? {} : { capacityShare }),
    threads: shared.get(ScanThreads),
    clock,
    logger,
  });
  return { source, price: (cost) => source.price(cost), expect: (signal) => source.expect(signal) };
}

function recordingOf(options: TableConfig): Recording {
  const { table, name, log, append, time, changes, columns, rename, timestampColumn } = options;
  const renamed = renamedPaths(rename);
  const published = (name: string) => publishedColumn(name, renamed);
  const configured = columns.map(published);
  const types = Object.fromEntries(
    Object.entries(options.types).map(([column, type]) => [published(column), type]),
  );
  const optionsAt = formatPath(['tables', table]);
  return { name, log, append, time, types, optionsAt, changes, configured, timestampColumn };
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
