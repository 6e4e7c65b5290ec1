/**
 * The types of columns in Parquet files. A column has one of them only if every cell can be printed as it was written.
 */
export type FileType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMPTZ' | 'VARCHAR';

/** How the cells of one column are stored. */
export interface Stored {
  readonly type: FileType;
  /** For BIGINT: each number is the same as DOUBLE, so that the column can be combined with days on which it is DOUBLE. */
  readonly isExactInDouble: boolean;
}

/** A column of a Parquet file. */
export interface FileColumn extends Stored {
  readonly name: string;
}

/** The columns of one file, in their order. */
export type FileSchema = readonly FileColumn[];

/** A column of a dataset as files name it. */
export interface NamedInFiles {
  /** Its name in files: different from all others even where case does not count. */
  readonly name: string;
  /** Its name in the dataset, which it has in older files too, if they had no other such name yet. */
  readonly own: string;
}

/** The narrowest type that preserves the cells of all columns, of which there is at least one. */
export function unionOf(columns: readonly Stored[]): FileType {
  const { type } = columns[0]!;
  if (columns.every((column) => column.type === type)) return type;
  return columns.every(
    (column) => column.type === 'DOUBLE' || (column.type === 'BIGINT' && column.isExactInDouble),
  )
    ? 'DOUBLE'
    : 'VARCHAR';
}

/** The columns of one file, by name. */
export type FileColumns = ReadonlyMap<string, FileColumn>;

export function byName(file: FileSchema): FileColumns {
  return new Map(file.map((column) => [column.name, column]));
}

/** Where a file has a column of the dataset; undefined: it has no such column. Case counts. */
export function columnIn(file: FileColumns, { name, own }: NamedInFiles): FileColumn | undefined {
  return file.get(name) ?? file.get(own);
}

/**
 * The schema in which files with these schemas are one table: each column that one of them has, in its narrowest type for
 * all of them. `columns`: those of the dataset, in their order; columns that only files have follow.
 */
export function schemaOver(schemas: readonly FileSchema[], columns: readonly NamedInFiles[]): FileSchema {
  const used = new Set<FileColumn>();
  const files = schemas.map(byName);
  const over = (named: NamedInFiles): FileColumn[] => {
    const found = files.flatMap((file) => columnIn(file, named) ?? []);
    for (const column of found) used.add(column);
    if (found.length === 0) return [];
    const isExactInDouble = found.every((column) => column.isExactInDouble);
    return [{ name: named.name, type: unionOf(found), isExactInDouble }];
  };
  const ofDataset = columns.flatMap(over);
  const taken = new Set(ofDataset.map(({ name }) => name.toLowerCase()));
  const others = schemas.flat().filter((column) => !used.has(column));
  const free = (own: string, number = 1): string => {
    const name = number === 1 ? own : `${own}_${number}`;
    if (taken.has(name.toLowerCase())) return free(own, number + 1);
    taken.add(name.toLowerCase());
    return name;
  };
  const owns = new Set(others.map(({ name }) => name));
  return [...ofDataset, ...[...owns].flatMap((own) => over({ name: free(own), own }))];
}

/** Same names and types, in any order: engines find columns by their names. */
export function isSameSchema(a: FileSchema, b: FileSchema): boolean {
  return isSameColumns(byName(a), byName(b));
}

export function isSameColumns(a: FileColumns, b: FileColumns): boolean {
  return a.size === b.size && [...a].every(([name, { type }]) => b.get(name)?.type === type);
}
