import type { FileColumn } from '../history/day-files.js';
import { literal } from '../windows/compile/sql-text.js';
import type { Engine } from './engine.js';
import { shownTests } from './loading.js';
import { isExactInDouble } from './sql-types.js';

/** The columns of Parquet files, by path, without what text would be as numbers. */
export async function columnsOfFiles(
  engine: Engine,
  paths: readonly string[],
): Promise<ReadonlyMap<string, readonly FileColumn[]>> {
  const list = `[${paths.map(literal).join(', ')}]`;
  const rows = await engine.session({ caller: 'service' }, (session) =>
    session.rows(
      `SELECT file_name, name, duckdb_type, coalesce(exact, false)
       FROM parquet_schema(${list})
       LEFT JOIN (
         SELECT file_name, path_in_schema AS name,
           bool_and(stats_null_count = num_values OR coalesce(
             ${isExactInDouble('stats_min_value')} AND ${isExactInDouble('stats_max_value')}, false)) AS exact
         FROM parquet_metadata(${list}) WHERE type = 'INT64' GROUP BY ALL
       ) USING (file_name, name)
       WHERE duckdb_type IS NOT NULL`,
    ),
  );
  const found = new Map<string, FileColumn[]>(paths.map((path) => [path, []]));
  for (const [path, name, type, exact] of rows) {
    const column = { name: String(name), type: String(type), isExactInDouble: exact === true };
    found.get(String(path))?.push(column);
  }
  return found;
}

/** Everything about the columns of a sealed day's file that SQL may want to know without it. */
export async function describeFile(engine: Engine, path: string): Promise<readonly FileColumn[]> {
  const columns = (await columnsOfFiles(engine, [path])).get(path) ?? [];
  const texts = columns.filter(({ type }) => type === 'VARCHAR');
  if (texts.length === 0) return columns;
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
  return columns.map((column) => {
    const answered = asNumbers.get(column.name);
    return answered === undefined ? column : { ...column, asNumbers: answered };
  });
}
