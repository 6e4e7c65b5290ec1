import type { Dataset, DatasetKind, Registry } from '../datasets/dataset.js';
import { THIS_SERVICE } from '../datasets/dataset.js';
import type { Queries } from '../datasets/queries.js';
import { keyValues, newestTime } from './look-up.js';
import { isLabel, isPlainName } from './naming.js';
import type { CellType } from './reading.js';

export interface ColumnFact {
  readonly name: string;
  readonly type: CellType;
}

/** Where the changes of a table are kept. */
export interface ChangesFact {
  readonly dataset: string;
  /** The column that is `insert`, `update` or `delete`. */
  readonly kindColumn: string;
  readonly timeColumn: string;
  readonly columns: readonly ColumnFact[];
}

/** What a dashboard is made from: what is known about a dataset when it is asked for. */
export interface Facts {
  readonly dataset: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description: string | null;
  /** In the order of the header; without those whose names Grafana would misread. */
  readonly columns: readonly ColumnFact[];
  /** How many columns were left out for their names. */
  readonly unnamed: number;
  /** The columns that identify a row, besides its time. */
  readonly keys: readonly ColumnFact[];
  readonly timeColumn: string | null;
  /** Whether the time is part of the key: an item is one reading of many. */
  readonly keyHasTime: boolean;
  /** Whether it has the rows of every poll: each item again and again. */
  readonly isPollLog: boolean;
  /** Number columns that measure something. */
  readonly measures: readonly string[];
  readonly rows: number | null;
  /** The mean size of a row as CSV, in bytes; null if unknown. */
  readonly bytesPerRow: number | null;
  /** Milliseconds between two polls; null: it is not polled. */
  readonly interval: number | null;
  /** The newest time in it, in milliseconds; null: unknown, or it has none. */
  readonly newest: number | null;
  readonly changes: ChangesFact | null;
  /** The values of each key that has few. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Rows above which a dataset is not searched for the values of its keys. */
const MOST_SEARCHED = 1_000_000;

/**
 * Collects the facts about a dataset. A question to it that fails (it has not been read yet, the service is busy) leaves
 * out what it would have told: the dashboard then has no variables, and `onNoAnswer` is called.
 */
export async function factsOf(
  dataset: Dataset,
  registry: Pick<Registry, 'get'>,
  queries: Queries,
  signal: AbortSignal,
  onNoAnswer: () => void = () => {},
): Promise<Facts> {
  const all = dataset.columns ?? [];
  const columns = all.filter(({ name }) => isPlainName(name)).map(({ name, type }) => ({ name, type }));
  const timeColumn = columns.find(({ name }) => name === dataset.timeColumn)?.name ?? null;
  const keys = columns.filter(({ name }) => dataset.keys.includes(name) && name !== timeColumn);
  const seen = new Set(all.filter((column) => column.seen).map(({ name }) => name));
  const { rows, bytes, interval } = dataset.status();
  const isSearched = dataset.version !== null && rows !== null && rows > 0 && rows <= MOST_SEARCHED;
  const search = { dataset, queries, signal, onNoAnswer };
  return {
    dataset: dataset.name,
    kind: dataset.kind,
    source: dataset.source,
    description: dataset.description,
    columns,
    unnamed: all.length - columns.length,
    keys,
    timeColumn,
    keyHasTime: timeColumn !== null && dataset.keys.includes(timeColumn),
    isPollLog: dataset.kind === 'log' && (dataset.itemTime ?? null) === null,
    measures: columns
      .filter((column) => seen.has(column.name) && isMeasure(column, keys))
      .map(({ name }) => name),
    rows,
    bytesPerRow: rows === null || rows === 0 || bytes === null ? null : bytes / rows,
    interval: dataset.source === THIS_SERVICE ? null : interval,
    newest: isSearched && timeColumn !== null ? await newestTime(search, timeColumn) : null,
    changes: changesOf(dataset, registry),
    values: isSearched ? await keyValues(search, keys) : new Map(),
  };
}

function isMeasure({ name, type }: ColumnFact, keys: readonly ColumnFact[]): boolean {
  return type === 'number' && !isLabel(name) && !keys.some((key) => key.name === name);
}

function changesOf({ name, kind }: Dataset, registry: Pick<Registry, 'get'>): ChangesFact | null {
  if (kind !== 'snapshot' && kind !== 'log') return null;
  const changes = registry.get(`${name}-changes`);
  if (changes?.kind !== 'changes' || changes.columns === null || changes.timeColumn === null) return null;
  const columns = changes.columns.filter((column) => isPlainName(column.name));
  // The recorder puts the kind of change first.
  const kindColumn = columns[0]?.name;
  if (kindColumn === undefined) return null;
  return {
    dataset: changes.name,
    kindColumn,
    timeColumn: changes.timeColumn,
    columns: columns.map(({ name: column, type }) => ({ name: column, type })),
  };
}

/** The groups of an answer are limited to this many: see `MOST_GROUPS` of the windows. */
const MOST_GROUPS = 50_000;

/** The keys by which rows may be grouped without too many groups: all of a dataset with few rows, else those with few values. */
export function groupKeys({ keys, rows, values }: Facts): readonly ColumnFact[] {
  return rows !== null && rows <= MOST_GROUPS ? keys : keys.filter(({ name }) => values.has(name));
}
