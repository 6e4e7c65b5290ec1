import { createYielder } from '../base/event-loop.js';
import { mergeColumns } from '../csv/columns.js';
import { encodeHeader } from '../csv/encode.js';
import { relayout } from '../csv/relayout.js';
import type { Column } from '../csv/rows.js';
import { Offsets, rowEnd } from '../csv/scan.js';
import { type Tally, tallyCells, typeOfCells } from '../csv/tally.js';
import { parsePath } from '../sources/dynamodb/paths.js';
import { decodeLine } from '../windows/direct/decode-line.js';
import { type CellTest, cellTest } from '../windows/direct/filters.js';
import { lineWriter } from '../windows/direct/write-lines.js';
import { parseFilter } from '../windows/parse-filter.js';
import { columnNamed, filterName } from './columns.js';
import { columnsUnknown } from './errors.js';
import type { DumpOptions } from './options.js';
import type { Part, Spool } from './spool.js';

/** Bytes of rows that are laid out at a time. */
const SLICE = 1 << 20;

/** How the spooled rows become the output: which columns, which rows. */
export interface Output {
  /** Every column of the table, in header order. */
  readonly all: readonly Column[];
  /** Those that are written. */
  readonly columns: readonly Column[];
  readonly tests: readonly { readonly index: number; readonly test: CellTest }[];
}

/** Throws `COLUMN_UNKNOWN` for `--columns` and `BAD_PARAMETER` for `--where` that fit no column. */
export async function outputOf(spool: Spool, keys: readonly string[], options: DumpOptions): Promise<Output> {
  const { parts } = spool;
  const order = { keys, configured: [] };
  const all = parts.reduce<readonly Column[]>((known, part) => mergeColumns(known, part.columns, order), []);
  const merged = mergeColumns(all, [], order);
  // Bytes of a CSV do not depend on types.
  const needsTypes = options.format !== 'csv' || options.where.length > 0;
  const found = needsTypes ? await withTypes(spool, merged) : merged;
  return { all: found, columns: chosen(found, spool, options), tests: testsOf(found, options) };
}

/** Columns with values of several types get the type that a poll would give them. */
async function withTypes(spool: Spool, columns: readonly Column[]): Promise<readonly Column[]> {
  if (spool.mixed.size === 0) return columns;
  let tallies: ReadonlyMap<string, Tally> = new Map();
  for await (const bytes of laidOut(spool, columns))
    tallies = await tallyCells(rowsIn(bytes, columns), spool.mixed, tallies);
  return columns.map((column) => {
    const tally = tallies.get(column.name);
    return tally === undefined ? column : { ...column, type: typeOfCells(tally, undefined) };
  });
}

function chosen(
  all: readonly Column[],
  { origins }: Spool,
  { columns, table }: DumpOptions,
): readonly Column[] {
  if (columns === null) {
    // A path that is only filtered by is no column of the table.
    const isPath = ({ name }: Column) => (parsePath(origins.get(name) ?? '')?.length ?? 0) > 1;
    return all.some(isPath) ? all.filter((column) => !isPath(column)) : all;
  }
  const missing = columns.filter((name) => columnNamed(name, all) === undefined);
  if (missing.length > 0) throw columnsUnknown(missing, table);
  return [...new Set(columns.map((name) => columnNamed(name, all)!))];
}

function testsOf(all: readonly Column[], { table, where }: DumpOptions): Output['tests'] {
  const dataset = { name: table, columns: all, keys: [], timeColumn: null };
  return where.map(([name, value]) => {
    const filter = parseFilter(filterName(name, all), value, dataset);
    const index = all.findIndex((column) => column.name === filter.column);
    return { index, test: cellTest(filter, all[index]!) };
  });
}

/** Whether the output has every row and column as they are in the spool. */
export const isEverything = ({ all, columns, tests }: Output) => columns === all && tests.length === 0;

/** The output as CSV, header first. */
export async function* csvOf(spool: Spool, output: Output): AsyncGenerator<Buffer> {
  yield encodeHeader(output.columns);
  if (isEverything(output)) yield* laidOut(spool, output.all);
  else yield* lines(spool, output, 'csv');
}

/** The output as one JSON array, an object a line. */
export async function* jsonOf(spool: Spool, output: Output): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const part of lines(spool, output, 'json')) {
    // Each line begins with the comma behind the one before it.
    yield isFirst ? Buffer.concat([Buffer.from('['), part.subarray(1)]) : part;
    isFirst = false;
  }
  yield Buffer.from(isFirst ? '[]\n' : '\n]\n');
}

/** All rows in that layout. */
async function* laidOut(spool: Spool, columns: readonly Column[]): AsyncGenerator<Buffer> {
  const breathe = createYielder();
  for (const part of spool.parts) {
    for await (const bytes of slicesOf(spool, part)) {
      yield relayout(rowsIn(bytes, part.columns), columns).body;
      await breathe();
    }
  }
}

/** The rows that pass the tests, with the chosen columns, as lines of that format. */
async function* lines(spool: Spool, output: Output, format: 'csv' | 'json'): AsyncGenerator<Buffer> {
  const write = lineWriter(output.columns, {
    format,
    pad: false,
    nullText: '',
    header: true,
    delimiter: ',',
  });
  const indexes = output.columns.map(({ name }) => output.all.findIndex((column) => column.name === name));
  const isText = output.all.map(({ type }) => type === 'string');
  for await (const bytes of laidOut(spool, output.all)) {
    let text = '';
    for (let at = 0; at < bytes.length; ) {
      const end = rowEnd(bytes, at);
      const cells = decodeLine(bytes.toString('latin1', at, end - 1), isText);
      if (output.tests.every(({ index, test }) => test(cells[index]!)))
        text += write(indexes.map((index) => cells[index]!));
      at = end;
    }
    if (text !== '') yield Buffer.from(text, 'latin1');
  }
}

/** The rows of a part, some whole rows at a time. */
async function* slicesOf(spool: Spool, { from, to }: Part): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = from; at < to; at += SLICE) {
    const read = await spool.read(at, Math.min(to, at + SLICE));
    const bytes = rest.length === 0 ? read : Buffer.concat([rest, read]);
    const end = lastRowEnd(bytes);
    rest = bytes.subarray(end);
    if (end > 0) yield bytes.subarray(0, end);
  }
  if (rest.length > 0) throw new Error(`${spool.path} ends within a row`);
}

function lastRowEnd(bytes: Buffer): number {
  let last = 0;
  for (let end = rowEnd(bytes, 0); end > 0; end = end < bytes.length ? rowEnd(bytes, end) : -1) last = end;
  return last;
}

function rowsIn(body: Buffer, columns: readonly Column[]) {
  const ends = new Offsets(Math.max(16, body.length >> 5));
  for (let at = 0; at < body.length; ) {
    at = rowEnd(body, at);
    ends.push(at);
  }
  return { columns, body, ends: ends.toArray() };
}
