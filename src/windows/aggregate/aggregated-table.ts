import { createYielder } from '../../base/event-loop.js';
import type { LocalDays } from '../../base/local-days.js';
import { inSlices, type Pausable } from '../../base/pausable.js';
import { distinctNames } from '../../csv/columns.js';
import { rowEnd } from '../../csv/scan.js';
import { compileGroups } from '../compile/aggregates-sql.js';
import type { Select } from '../compile/compile-window.js';
import { compileLines } from '../compile/lines.js';
import type { SqlTable } from '../compile/sql-table.js';
import { identifier } from '../compile/sql-text.js';
import type { Statement } from '../compile/statement.js';
import { fromByteText } from '../direct/byte-text.js';
import { decodeLine } from '../direct/decode-line.js';
import { keysOfAny } from '../direct/order.js';
import { finished, type Table } from '../direct/table.js';
import { parseShape } from '../shape.js';
import type { Window } from '../window.js';
import type { Group } from './aggregation.js';
import { placedGroups } from './groups.js';
import { aggregatedDataset } from './result-columns.js';

const PLAIN = { ...parseShape([]), header: false };

/**
 * A window with aggregates: DuckDB computes the groups, and everything behind that is done here as for groups of rows in
 * memory. `read` gives the bytes of the lines of a statement by `compileLines`. Rejects with `BAD_PARAMETER` for a
 * result of too many rows or columns.
 */
export async function aggregatedTable(
  window: Window,
  table: SqlTable,
  localDays: LocalDays,
  read: (lines: Statement) => Promise<AsyncIterable<Buffer>>,
): Promise<Table> {
  const select = compileGroups(window, table);
  const groups = await groupsIn(select, await read(compileLines(select, PLAIN)), window);
  return inSlices(placed(groups, window, localDays));
}

function* placed(groups: readonly Group[], window: Window, localDays: LocalDays): Pausable<Table> {
  return yield* finished(yield* placedGroups(groups, window, localDays), window, window, keysOfAny);
}

async function groupsIn(
  { columns }: Select,
  lines: AsyncIterable<Buffer>,
  { aggregation }: Window,
): Promise<readonly Group[]> {
  const isText = columns.map(({ type, seen }) => type === 'string' && seen);
  const keys = 1 + aggregation!.by.length;
  const groups: Group[] = [];
  const breathe = createYielder();
  for await (const piece of lines) {
    for (let at = 0; at < piece.length; ) {
      const end = rowEnd(piece, at);
      const cells = decodeLine(piece.toString('latin1', at, end - 1), isText);
      groups.push({ step: Number(cells[0]), series: cells.slice(1, keys), cells: cells.slice(keys) });
      at = end;
      await breathe();
    }
  }
  return groups;
}

/** A SELECT of the rows of an aggregated table, with DuckDB's types, for Parquet. */
export function selectOfTable({ columns, rows }: Table, window: Window, table: SqlTable): Select {
  const cells = rows.map((row) => row.cells.map((cell) => (cell === null ? null : fromByteText(cell))));
  const typeOf = typesOf(window, table);
  const types = columns.map(({ name }) => typeOf(name));
  const names = distinctNames(columns.map(({ name }) => name)).map(identifier);
  const list = types.map((type, index) => `CAST(cells[${index + 1}] AS ${type}) AS ${names[index]}`);
  const values = `unnest(from_json(CAST($1 AS VARCHAR), '[["VARCHAR"]]'))`;
  return {
    sql: `SELECT ${list.join(', ')} FROM (SELECT ${values} AS cells)`,
    values: [JSON.stringify(cells)],
    columns,
    types,
  };
}

/** DuckDB's type of a column of the result. What text would not become again as it was stays text. */
function typesOf(window: Window, table: SqlTable): (name: string) => string {
  const { dataset, every, aggregation, pivot } = window;
  const result = aggregatedDataset(dataset, aggregation!, every);
  const computed = compileGroups(window, table).types.slice(1);
  const types = result.timeColumn === null ? computed : ['TIMESTAMPTZ', ...computed];
  const known = new Map(result.columns.map(({ name }, index) => [name, types[index]!]));
  return (name) => {
    const type = known.get(pivot === null || name === result.timeColumn ? name : pivot.value)!;
    return KEPT_TYPES.test(type) ? type : 'VARCHAR';
  };
}

const KEPT_TYPES =
  /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL.*|DOUBLE|FLOAT|BOOLEAN|DATE|TIMESTAMP.*)$/;
