/** DuckDB by itself, in its Python package (PyPI `duckdb`), with the same macros: what a SELECT costs without the service. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../src/base/project.js';

const run = promisify(execFile);

const SCRIPT = `
import duckdb, json, sys, time
work = json.load(open(sys.argv[1])) if len(sys.argv) > 1 else None
if work is None:
    print(duckdb.__version__)
    sys.exit()
db = duckdb.connect()
for statement in work['setup']:
    db.execute(statement)
times = {}
for name, sql in work['selects'].items():
    for round in range(work['warmups'] + work['rounds']):
        before = time.perf_counter()
        db.execute(sql).fetchall()
        took = (time.perf_counter() - before) * 1000
        if round >= work['warmups']:
            times.setdefault(name, []).append(took)
print(json.dumps(times))
`;

/** `DuckDB 1.5`; null: it is not installed. */
export async function duckDbTitle(): Promise<string | null> {
  try {
    const { stdout } = await run('python3', ['-c', SCRIPT]);
    return `DuckDB ${stdout.trim()} by itself`;
  } catch {
    return null;
  }
}

export interface ShellWork {
  /** Statements that make what the SELECTs read. */
  readonly setup: readonly string[];
  readonly selects: Readonly<Record<string, string>>;
  readonly warmups: number;
  readonly rounds: number;
}

/** Milliseconds of each round of each SELECT. */
export async function timedInDuckDb(work: ShellWork): Promise<Readonly<Record<string, readonly number[]>>> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-bench-'));
  try {
    const path = join(folder, 'work.json');
    await writeFile(path, JSON.stringify(work));
    const { stdout } = await run('python3', ['-c', SCRIPT, path]);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the service's DuckDB has besides tables: its time zone, its macros, and the time. */
export async function serviceSetup(timeZone: string): Promise<readonly string[]> {
  const macros = await readFile(join(projectRoot, 'src', 'sql', 'macros.sql'), 'utf8');
  return [
    `SET TimeZone = '${timeZone}'`,
    `SET VARIABLE now = ${Date.now()}`,
    `CREATE MACRO service_now() AS to_timestamp(getvariable('now') / 1000)`,
    macros,
  ];
}
