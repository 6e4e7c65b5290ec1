import { formatPath, type Mistake, type Path, show } from './mistakes.js';
import type { ConfigurationFile, TableOptions } from './schema.js';
import type { InstancesConfig, TableConfig } from './tables.js';

/** What the service has of its own where tables are published; no table may take these names. */
const OWN_NAMES: ReadonlyMap<string, string> = new Map([
  ['collector', "the service's own dataset"],
  ['collector-log', "the service's own log"],
  ['time-zone', "a file of the service's own, in the folder of the sealed days"],
]);

/** Columns that the changes of a table have beside its own. */
const CHANGES_COLUMNS: readonly string[] = ['change', 'since'];

/** What the options say together: each may be right alone and wrong beside another. */
export function checkAgreement(
  file: ConfigurationFile,
  tables: readonly TableConfig[],
  instances: InstancesConfig | null,
  mistakes: Mistake[],
): void {
  const wrong = new Set(mistakes.map(({ path }) => formatPath(path)));
  const report = (mistake: Mistake) => {
    const path = formatPath(mistake.path);
    if (wrong.has(path)) return; // one mistake at a time and place; the next may be gone with it
    wrong.add(path);
    mistakes.push(mistake);
  };
  for (const table of tables) {
    const options = file.tables?.[table.table] ?? {};
    const path = ['tables', table.table];
    if (!wrong.has(formatPath([...path, 'log'])) && !wrong.has(formatPath([...path, 'changes']))) {
      checkUseless(options, path, report);
    }
    checkColumns(options, table, path, report);
    checkTimeColumn(table, path, report);
    checkRetention(table, path, report);
  }
  if (instances !== null) {
    checkInstances(instances, wrong, report);
    checkRetention(instances, ['instances'], report);
  }
  if (tables.length === 0 && instances === null && mistakes.length === 0) {
    report({
      path: ['tables'],
      wrong: 'no table is named',
      remedy: 'name one, such as tables: { my-table: {} }',
    });
  }
  checkNames(tables, instances, report);
}

type Report = (mistake: Mistake) => void;

/** Options of a history that is not kept: whoever sets them believes it is. */
function checkUseless(options: TableOptions, path: Path, report: Report): void {
  if (options.log === true || options.changes === true) return;
  for (const option of ['keep', 'retention', 'timestampColumn'] as const) {
    if (options[option] === undefined) continue;
    report({
      path: [...path, option],
      wrong: 'it has no effect on a table without log: true or changes: true',
      remedy: 'add one of them or remove this',
    });
  }
}

function checkColumns(options: TableOptions, table: TableConfig, path: Path, report: Report): void {
  const { columns, rename } = table;
  if (options.only === true && columns.length === 0) {
    report({
      path: [...path, 'only'],
      wrong: 'true means exactly the attributes in columns, and there are none',
      remedy: 'list them in columns or here',
    });
  }
  const published = (name: string) => (Object.hasOwn(rename, name) ? (rename[name] ?? name) : name);
  checkTwice(columns, published, [...path, 'columns'], report);
  if (Array.isArray(options.only)) {
    const kept = new Set(options.only.map(published));
    checkTwice(options.only, published, [...path, 'only'], report);
    columns.forEach((name, index) => {
      if (kept.has(published(name))) return;
      report({
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
    report({
      path: [...path, 'rename', attribute],
      wrong: `${show(column)} is what ${show(other)} is renamed to already`,
      remedy: 'give each attribute a column of its own',
    });
  }
}

/** One column under its attribute's name and under its new name is there twice. */
function checkTwice(
  names: readonly string[],
  published: (name: string) => string,
  path: Path,
  report: Report,
) {
  names.forEach((name, index) => {
    const first = names.findIndex((other) => published(other) === published(name));
    if (first === index) return;
    report({
      path: [...path, String(index)],
      wrong: `${show(name)} and ${show(names[first])} are the same column`,
      remedy: 'keep one',
    });
  });
}

function checkTimeColumn(table: TableConfig, path: Path, report: Report): void {
  const column = table.timestampColumn;
  if (column === null) return;
  const taken = table.columns.includes(column) || Object.values(table.rename).includes(column);
  const reserved = table.changes && (CHANGES_COLUMNS.includes(column) || column.startsWith('previous_'));
  if (!taken && !reserved) return;
  report({
    path: [...path, 'timestampColumn'],
    wrong: `${show(column)} is ${taken ? "one of the table's own columns" : 'a column that changes have already'}`,
    remedy: 'choose another name, such as polled_at',
  });
}

function checkRetention(
  { keep, retention }: { readonly keep: number; readonly retention: number | null },
  path: Path,
  report: Report,
): void {
  if (retention === null || retention >= keep) return;
  report({
    path: [...path, 'retention'],
    wrong: `${retention} days are fewer than the ${keep} that the CSV file keeps`,
    remedy: `write ${keep} or more, or lower keep`,
  });
}

function checkInstances(instances: InstancesConfig, wrong: ReadonlySet<string>, report: Report): void {
  const named = instances.ids.length > 0 || Object.keys(instances.tags).length > 0;
  if (named || [...wrong].some((path) => /^instances(\.(ids|tags)|$)/.test(path))) return;
  report({
    path: ['instances'],
    wrong: 'no instance is named',
    remedy: 'name some by ids: [i-0123456789abcdef0] or by tags: { Role: dispatch-api }',
  });
}

/** Every name that is published, with what takes it and where a user can change it. */
function checkNames(tables: readonly TableConfig[], instances: InstancesConfig | null, report: Report): void {
  const taken = new Map<string, { readonly name: string; readonly by: string }>();
  for (const [name, by] of OWN_NAMES) taken.set(name, { name, by });
  const take = (name: string, by: string, path: Path) => {
    // By lower case: on file systems that ignore case, zones.csv and Zones.csv are one file.
    const other = taken.get(name.toLowerCase());
    if (other === undefined) {
      taken.set(name.toLowerCase(), { name, by });
      return;
    }
    const same = other.name === name ? 'is' : `differs only in case from ${show(other.name)},`;
    report({
      path,
      wrong: `${show(name)}${by.startsWith('the ') ? `, ${by},` : ''} ${same} the name of ${other.by}`,
      remedy: 'publish it under another name by as',
    });
  };
  for (const table of tables) {
    const path = ['tables', table.table, ...(table.name === table.table ? [] : ['as'])];
    take(table.name, `table ${table.table}`, path);
  }
  if (instances !== null) {
    take(instances.name, 'instances', ['instances', 'as']);
    take(`${instances.name}-log`, 'the log of instances', ['instances', 'as']);
  }
  for (const table of tables.filter((table) => table.changes)) {
    take(`${table.name}-changes`, `the changes of table ${table.table}`, ['tables', table.table, 'changes']);
  }
}
