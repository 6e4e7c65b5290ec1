import type { FileType } from '../history/file-schema.js';

/** The sealed days of one dataset, as they lie in a folder or in an archive. */
export interface DatasetHistory {
  readonly dataset: string;
  readonly columns: readonly { readonly name: string; readonly type: FileType }[];
  /** Its first sealed day, `2026-11-24`. */
  readonly first: string;
  /** Where the folders `date=…` are, without a slash at the end: `s3://bucket/fleet/history/orders`, or a path. */
  readonly location: string;
}

/** A table that other engines read: a dataset's sealed days, partitioned by their local day. */
export interface EngineTable extends DatasetHistory {
  /** Its name in other engines: lower-case letters, digits and `_`, different for each dataset. */
  readonly name: string;
  /** The column of the local day: `date`, or `local_date` if the dataset has a column `date`. */
  readonly day: string;
}

/** The tables of these datasets, in their order. */
export function engineTables(histories: readonly DatasetHistory[]): EngineTable[] {
  const free = namer();
  // A dataset whose own name is one has it, whatever others come.
  const byRight = [...histories].sort((a, b) => Number(hasOwnName(b)) - Number(hasOwnName(a)));
  const names = new Map(byRight.map((history) => [history, free(plainName(history))]));
  return histories.map((history) => ({
    ...history,
    name: names.get(history)!,
    day: dayOf(history.columns),
  }));
}

function plainName({ dataset }: DatasetHistory): string {
  return dataset.toLowerCase().replace(/[^a-z0-9_]/g, '_');
}

function hasOwnName(history: DatasetHistory): boolean {
  return plainName(history) === history.dataset;
}

/** The same name that SQL has here for the local day. */
function dayOf(columns: DatasetHistory['columns']): string {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  const free = (name: string): string => (taken.has(name) ? free(`local_${name}`) : name);
  return free('date');
}

/** Returns a function that makes each name different from those before, by `_2` and so on. */
function namer(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    let distinct = name;
    for (let number = 2; taken.has(distinct); number++) distinct = `${name}_${number}`;
    taken.add(distinct);
    return distinct;
  };
}
