import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { at, get, testDynamoDb, until } from '../app/world.js';
import type { TestDynamoDb } from '../support/dynalite.js';
import { type RunningService, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Two services or more, each a process of its own, on one data folder or with one archive. */
export interface Pair {
  readonly database: TestDynamoDb;
  readonly table: string;
  readonly dataDir: string;
  /** Starts another one, by default on the same data folder. */
  start(env?: Readonly<Record<string, string>>, dataDir?: string): Promise<RunningService>;
  put(id: number, item: Readonly<Record<string, string>>): Promise<void>;
}

/** `options`: of the table; `more`: what else the configuration has. */
export async function pair(t: TestContext, options: string, more = ''): Promise<Pair> {
  const services: RunningService[] = [];
  // Before their folder is removed.
  t.after(async () => {
    for (const service of services) await service.end('SIGKILL');
  });
  const database = await testDynamoDb(t);
  const table = await database.createTable({ id: 'N' });
  const folder = await temporaryFolder(t);
  const dataDir = join(folder, 'data');
  await mkdir(join(folder, 'views'));
  await writeFile(
    join(folder, 'views', 'per-state.sql'),
    `SELECT state, count(*) AS items FROM "${table}" GROUP BY state ORDER BY state\n`,
  );
  const config = `
tables: { ${table}: { ${options} } }
views: ${join(folder, 'views')}
${more}`;
  return {
    database,
    table,
    dataDir,
    start: async (env = {}, dir = dataDir) => {
      const variables = { ROLE: 'auto', ...at(database.endpoint), ...env };
      const service = await startService(t, { config, dataDir: dir, env: variables });
      services.push(service);
      return service;
    },
    put: (id, item) =>
      database.put(table, [
        {
          id: { N: String(id) },
          ...Object.fromEntries(Object.entries(item).map(([name, text]) => [name, { S: text }])),
        },
      ]),
  };
}

export interface Health {
  readonly role: 'collect' | 'follow';
  readonly behind: number | null;
}

export async function health(service: RunningService): Promise<Health> {
  return JSON.parse((await get(await service.url, '/healthz')).text) as Health;
}

/** Waits until a service has that role. */
export async function hasRole(service: RunningService, role: Health['role']): Promise<void> {
  await until(await service.url, '/healthz', ({ text }) => (JSON.parse(text) as Health).role === role);
}

/** What a follower of a shared folder says, with 503, while the collector writes again the days that it reads. */
const REWRITTEN = /was written again by the service that collects while it was read; ask again$/m;

/**
 * Asks again and again, and keeps every different answer in the order in which it came. `end` rejects when one was not 200;
 * readers who are told to ask again do.
 */
export class Answers {
  readonly #url: string;
  readonly #path: string;
  readonly texts: string[] = [];
  #isOver = false;
  readonly #asking: Promise<void>;

  constructor(url: string, path: string) {
    this.#url = url;
    this.#path = path;
    this.#asking = this.#ask();
    // The test learns of it when it ends the questions, and does not break off anywhere before.
    this.#asking.catch(() => undefined);
  }

  async end(): Promise<readonly string[]> {
    this.#isOver = true;
    await this.#asking;
    return this.texts;
  }

  async #ask(): Promise<void> {
    while (!this.#isOver) {
      const { status, text } = await get(this.#url, this.#path);
      const isToAskAgain = status === 503 && REWRITTEN.test(text);
      if (status !== 200 && !isToAskAgain) throw new Error(`${this.#path}: ${status} ${text}`);
      if (status === 200 && this.texts.at(-1) !== text) this.texts.push(text);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The times of a log's polls with the number of rows of each. */
export function pollsIn(log: string): ReadonlyMap<string, number> {
  const polls = new Map<string, number>();
  for (const row of log.trim().split('\n').slice(1)) {
    const time = row.slice(row.lastIndexOf(',') + 1);
    polls.set(time, (polls.get(time) ?? 0) + 1);
  }
  return polls;
}
