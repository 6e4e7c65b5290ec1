import type { KnownColumn } from '../history/day-files.js';
import { literal } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { readFileSchemas } from './file-schemas.js';
import { shownTests } from './loading.js';

/** Everything about the columns of a sealed day's file that SQL may want to know without it. */
export async function describeFile(engine: Engine, path: string): Promise<readonly KnownColumn[]> {
  const file = await engine.session({ caller: 'service' }, (session) => readFileSchemas(session, [path]));
  const { columns: now, sealedAs } = file.get(path)!;
  const columns: KnownColumn[] = [...now.values()];
  const sealed: KnownColumn[] =
    now === sealedAs ? [] : [...sealedAs.values()].map((column) => ({ ...column, isSealedAs: true }));
  const texts = columns.filter(({ type }) => type === 'VARCHAR');
  if (texts.length === 0) return [...columns, ...sealed];
  const tests = shownTests(texts.map(({ name }) => ({ name, column: { name, type: 'number', seen: true } })));
  const from = `read_parquet(${literal(path)}, hive_partitioning = false)`;
  const [answers = []] = await engine.session({ caller: 'service' }, (session) =>
    session.rows(`SELECT ${tests.join(', ')} FROM ${from}`),
  );
  const perColumn = tests.length / texts.length;
  const asNumbers = new Map(
    texts.map(({ name }, index) => [
      name,
      answers.slice(index * perColumn, (index + 1) * perColumn).map((answer) => answer === true),
    ]),
  );
  const described = columns.map((column) => {
    const answered = asNumbers.get(column.name);
    return answered === undefined ? column : { ...column, asNumbers: answered };
  });
  return [...described, ...sealed];
}

/** How many rows a sealed day's file has, by its metadata. */
export async function rowsIn(engine: Engine, path: string): Promise<number> {
  const sql = `SELECT num_rows FROM parquet_file_metadata(${literal(path)})`;
  const [[rows = 0] = []] = await engine.session({ caller: 'service' }, (session) => session.rows(sql));
  return Number(rows);
}
