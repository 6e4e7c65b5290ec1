import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { projectRoot } from '../../src/base/project.js';
import { TEST_AWS } from './aws.js';
import type { LogLine } from './log-lines.js';
import { sameTime } from './past-midnight.js';
import { temporaryFolder } from './temporary-folder.js';

export interface ServiceOptions {
  /** The configuration file's text. */
  readonly config: string;
  /** By default a folder of its own. */
  readonly dataDir?: string;
  /** Null takes a variable away. */
  readonly env?: Readonly<Record<string, string | null>>;
  readonly args?: readonly string[];
  /** What Node is told, as `npm start` does; by default nothing. */
  readonly nodeFlags?: readonly string[];
  /** By default the service: a path under `dist/src`. */
  readonly program?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** The service in a process of its own, as a user starts it. */
export interface RunningService {
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** Where it answers; rejects when it ends instead. */
  readonly url: Promise<string>;
  readonly exit: Promise<Exit>;
  /** What it wrote so far. */
  readonly lines: readonly LogLine[];
  readonly output: () => string;
  readonly errors: () => string;
  /** The first line of its log that is so; waits for it. */
  logged(is: (line: LogLine) => boolean): Promise<LogLine>;
  /** All that it wrote, as soon as it has written that. */
  printed(what: RegExp): Promise<string>;
  /** Sends a signal, by default SIGTERM, and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Exit>;
}

/** Starts the service on a free port; it is gone when the test is. */
export async function startService(t: TestContext, options: ServiceOptions): Promise<RunningService> {
  const folder = await temporaryFolder(t);
  const dataDir = options.dataDir ?? join(folder, 'data');
  const file = join(folder, 'config.yaml');
  await writeFile(file, options.config);
  const program = join(projectRoot, 'dist', 'src', options.program ?? 'server.js');
  const args = [...(options.nodeFlags ?? []), '--enable-source-maps', program, ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: variables({
      PATH: process.env.PATH ?? null,
      ...TEST_AWS,
      ...sameTime,
      CONFIG: file,
      DATA_DIR: dataDir,
      PORT: '0',
      LOG_LEVEL: 'debug',
      ...options.env,
    }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exit = once(child, 'close').then(([code, signal]): Exit => ({ code, signal }));
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exit;
    // An answer with 500 says no more than that; what was thrown stands in the log only.
    for (const { msg, err } of log.lines) if (msg === 'request failed') t.diagnostic(JSON.stringify(err));
  });
  const log = new Log(child.stdout!);
  const errors = collect(child.stderr!);
  const url = Promise.race([
    once(child, 'message').then(([{ url }]) => url as string),
    exit.then(({ code }) => {
      throw new Error(`the service ended with ${code}: ${log.text}${errors()}`);
    }),
  ]);
  url.catch(() => undefined);
  return {
    dataDir,
    process: child,
    url,
    exit,
    lines: log.lines,
    output: () => log.text,
    errors,
    logged: (is) => log.first(is),
    printed: (what) => log.until(what),
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exit;
    },
  };
}

function variables(env: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/** Milliseconds for which a test waits for a line of the log: far longer than any line takes. */
const PATIENCE = 300_000;

/** The lines of a log as they come. */
class Log {
  readonly lines: LogLine[] = [];
  text = '';
  #rest = '';
  #isOver = false;
  #waiting: (() => void)[] = [];

  constructor(stream: Readable) {
    stream.setEncoding('utf8').on('data', (text: string) => this.#add(text));
    stream.on('end', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  first(is: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#found(() => this.lines.find(is));
  }

  until(what: RegExp): Promise<string> {
    return this.#found(() => (what.test(this.text) ? this.text : undefined));
  }

  /** What `look` finds, as soon as it finds something. */
  async #found<T>(look: () => T | undefined): Promise<T> {
    const tooLong = new Promise<never>((_, reject) => {
      AbortSignal.timeout(PATIENCE).addEventListener('abort', () =>
        reject(new Error(`the service did not log what was waited for: ${this.text}`)),
      );
    });
    tooLong.catch(() => undefined);
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`the service ended without having said it: ${this.text}`);
      await Promise.race([tooLong, new Promise<void>((resolve) => this.#waiting.push(resolve))]);
    }
  }

  #add(text: string): void {
    this.text += text;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.lines.push(...lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)));
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
