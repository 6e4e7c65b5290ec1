import { check } from '../../options/check.js';
import { type Mistake, type MistakeReport, type Path, show } from '../../options/mistakes.js';
import { checkKeeping } from '../keeping.js';
import {
  regionOfTable,
  type TableConfig,
  TableOptions,
  type TablesOption,
  tableConfig,
  tableNameOf,
} from './options.js';
import { publishedColumn, renamedPaths } from './paths.js';
import { checkReading } from './query/agreement.js';

/** Columns that changes add to the table's own. */
const CHANGES_COLUMNS: readonly string[] = ['change', 'since'];

/** Reports options of tables that are valid alone but conflict with each other. */
export function checkAgreement(tables: TablesOption, report: MistakeReport): void {
  for (const [name, options] of Object.entries(tables)) {
    const table = tableConfig(name, options);
    const path = ['tables', name];
    if (!report.isWrong([...path, 'log']) && !report.isWrong([...path, 'changes'])) {
      checkUseless(options, path, report);
    }
    checkReading(options, path, report);
    checkPlace(options, table, path, report);
    checkLog(options, path, report);
    checkColumns(options, table, path, report);
    checkTimeColumn(table, path, report);
    checkStream(table, path, report);
    checkVerify(table, path, report);
    checkKeeping(table, path, report);
    if (options.as === undefined) checkName(tableNameOf(name), path, report);
  }
}

/** A table whose name cannot be published as it is needs `as`. */
function checkName(name: string, path: Path, report: MistakeReport): void {
  const found: Mistake[] = [];
  check(TableOptions.properties.as, name, found);
  for (const { wrong } of found) {
    report.add({ path, wrong, remedy: 'publish it under another name by as' });
  }
}

/** Reports options about where a table is and who reads it. */
function checkPlace(options: TableOptions, { table }: TableConfig, path: Path, report: MistakeReport): void {
  const region = regionOfTable(table);
  if (region !== null && options.region !== undefined && options.region !== region) {
    report.add({
      path: [...path, 'region'],
      wrong: `the ARN of the table says ${region}`,
      remedy: 'remove this, or correct the ARN',
    });
  }
  for (const option of ['externalId', 'sessionName'] as const) {
    if (options[option] === undefined || options.role !== undefined) continue;
    report.add({
      path: [...path, option],
      wrong: 'it has no effect without role',
      remedy: 'name the role to assume, or remove this',
    });
  }
}

/** Reports options about history if no history is kept, since their author expects one. */
function checkUseless(options: TableOptions, path: Path, report: MistakeReport): void {
  const isLogged = (options.log ?? false) !== false || options.query?.since !== undefined;
  if (isLogged || options.changes === true) return;
  for (const option of ['keep', 'retention', 'timestampColumn'] as const) {
    if (options[option] === undefined) continue;
    report.add({
      path: [...path, option],
      wrong: 'it has no effect on a table without log: true or changes: true',
      remedy: 'add one of them or remove this',
    });
  }
}

/** New items are filed by their own time. */
function checkLog({ log, time }: TableOptions, path: Path, report: MistakeReport): void {
  if (log !== 'append' || time !== undefined || report.isWrong([...path, 'time'])) return;
  report.add({
    path: [...path, 'log'],
    wrong: 'append files new items by their own time, and no attribute is named that has it',
    remedy: 'add time with the name of that attribute, such as time: created_at',
  });
}

/** Without a stream each poll reads everything anyway. */
function checkVerify({ stream, verify }: TableConfig, path: Path, report: MistakeReport): void {
  if (stream !== false || verify === null) return;
  report.add({
    path: [...path, 'verify'],
    wrong: 'it has no effect on a table without stream',
    remedy: 'add stream: true or remove this',
  });
}

/** Records of a stream are applied to items, and a log alone keeps none. */
function checkStream(table: TableConfig, path: Path, report: MistakeReport): void {
  const { stream, log, changes } = table;
  for (const option of ['index', 'query', 'filter'] as const) {
    if (stream === false || table[option] === null) continue;
    report.add({
      path: [...path, option],
      wrong: 'a stream has the writes of the whole table',
      remedy: 'leave out this or stream',
    });
  }
  if (stream === false || !log || changes) return;
  report.add({
    path: [...path, 'stream'],
    wrong: 'a log alone keeps no items to which what a stream says could be applied',
    remedy: 'add changes: true, which then has every change, or leave log out',
  });
}

function checkColumns(options: TableOptions, table: TableConfig, path: Path, report: MistakeReport): void {
  const { columns, rename } = table;
  if (options.only === true && columns.length === 0) {
    report.add({
      path: [...path, 'only'],
      wrong: 'true means exactly the attributes in columns, and there are none',
      remedy: 'list them in columns or here',
    });
  }
  const renamed = renamedPaths(rename);
  const published = (name: string) => publishedColumn(name, renamed);
  checkTwice(columns, published, [...path, 'columns'], report);
  checkTypes(options, published, path, report);
  if (Array.isArray(options.only)) {
    const kept = new Set(options.only.map(published));
    checkTwice(options.only, published, [...path, 'only'], report);
    columns.forEach((name, index) => {
      if (kept.has(published(name))) return;
      report.add({
        path: [...path, 'columns', String(index)],
        wrong: `only leaves ${show(name)} out`,
        remedy: 'add it to only or, unless it is a key, remove it here',
      });
    });
  }
  const targets = new Map<string, string>();
  for (const [attribute, column] of Object.entries(rename)) {
    const other = targets.get(column);
    targets.set(column, attribute);
    if (other === undefined) continue;
    report.add({
      path: [...path, 'rename', attribute],
      wrong: `${show(column)} is what ${show(other)} is renamed to already`,
      remedy: 'give each attribute its own column',
    });
  }
}

/** Reports two declared types of one column. */
function checkTypes(
  { types = {} }: TableOptions,
  published: (name: string) => string,
  path: Path,
  report: MistakeReport,
): void {
  const first = new Map<string, string>();
  for (const name of Object.keys(types)) {
    const other = first.get(published(name));
    first.set(published(name), name);
    if (other === undefined) continue;
    report.add({
      path: [...path, 'types', name],
      wrong: `${show(other)} is the same column`,
      remedy: 'remove it here',
    });
  }
}

/** Reports a column listed both by its attribute's name and by its new name. */
function checkTwice(
  names: readonly string[],
  published: (name: string) => string,
  path: Path,
  report: MistakeReport,
): void {
  names.forEach((name, index) => {
    const first = names.findIndex((other) => published(other) === published(name));
    if (first === index) return;
    report.add({
      path: [...path, String(index)],
      wrong: `${show(name)} and ${show(names[first])} are the same column`,
      remedy: 'keep one',
    });
  });
}

function checkTimeColumn(table: TableConfig, path: Path, report: MistakeReport): void {
  const column = table.timestampColumn;
  if (column === null) return;
  const own = [
    ...table.columns,
    ...Object.values(table.rename),
    ...(table.time === null ? [] : [table.time.column]),
  ];
  const taken = own.includes(column);
  const columns = table.stream === false ? CHANGES_COLUMNS : [...CHANGES_COLUMNS, 'changed_at'];
  const reserved = table.changes && (columns.includes(column) || column.startsWith('previous_'));
  if (!taken && !reserved) return;
  report.add({
    path: [...path, 'timestampColumn'],
    wrong: `${show(column)} is ${taken ? "one of the table's own columns" : 'a column that changes have already'}`,
    remedy: 'choose another name, such as polled_at',
  });
}
