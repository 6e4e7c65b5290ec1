/** DuckDB by itself, in its Python package (PyPI `duckdb`), with the same macros: what a SELECT costs without the service. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
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

const SERVER = `
import duckdb, json, sys, time
db = duckdb.connect()
for line in sys.stdin:
    work = json.loads(line)
    before, used = time.perf_counter(), time.process_time()
    rows = db.execute(work['sql']).fetchall()
    took = {'wall': (time.perf_counter() - before) * 1000, 'cpu': (time.process_time() - used) * 1000}
    print(json.dumps({**took, 'rows': len(rows), 'total': sum(row[-1] for row in rows) if work['sums'] else 0}), flush=True)
`;

/** What a SELECT took, in milliseconds, and the sum of its last column. */
export interface ShellAnswer {
  readonly wall: number;
  readonly cpu: number;
  readonly rows: number;
  readonly total: number;
}

/** DuckDB by itself in a process that answers one statement at a time, so that others can take turns with it. */
export class DuckDbShell {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! });
    this.#ended = once(child, 'exit').then(() => {
      throw new Error("DuckDB's process has ended");
    });
    // Relevant only while an answer is pending.
    this.#ended.catch(() => {});
  }

  static async start(setup: readonly string[]): Promise<DuckDbShell> {
    const child = spawn('python3', ['-c', SERVER], { stdio: ['pipe', 'pipe', 'inherit'] });
    const shell = new DuckDbShell(child);
    for (const sql of setup) await shell.#run(sql, false);
    return shell;
  }

  /** A SELECT whose last column is numbers. */
  async select(sql: string): Promise<ShellAnswer> {
    return this.#run(sql, true);
  }

  async #run(sql: string, sums: boolean): Promise<ShellAnswer> {
    const line = once(this.#lines, 'line');
    this.#child.stdin!.write(`${JSON.stringify({ sql, sums })}\n`);
    const [answer] = await Promise.race([line, this.#ended]);
    return JSON.parse(String(answer));
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await gone;
  }
}
