import { createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoCsvError, describeError, errorCode } from '../base/errors.js';
import { type ClientOptions, createDynamoDbClient } from '../sources/dynamodb/client.js';
import { describeTable, type TableDescription } from '../sources/dynamodb/table.js';
import { nodeFiles } from '../volume/files.js';
import { attributesOf, pathsOf, unseenNames } from './columns.js';
import { binaryToTerminal, outputClosed, outputFailed, outputIsFolder } from './errors.js';
import type { DumpOptions } from './options.js';
import { ProgressLine, type ProgressOutput, shownDuration, summaryOf, unseenSoFar } from './progress.js';
import { scanTable, segmentsFor } from './scan-table.js';
import { Spool } from './spool.js';
import { csvOf, isEverything, jsonOf, type Output, outputOf } from './write-rows.js';

/** What a dump writes to besides its file. */
export interface DumpStreams {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: ProgressOutput;
}

/** Ended by a signal, as shells count it: 128 + SIGINT, 128 + SIGPIPE. */
const EXIT_INTERRUPTED = 130;
const EXIT_CLOSED = 141;

/**
 * Dumps one table. Resolves to the exit code; what went wrong, and how to go on, was written to `stderr`. When `signal`
 * aborts, a dump to a file records how far it is, and the same command continues it.
 */
export async function dump(options: DumpOptions, streams: DumpStreams, signal: AbortSignal): Promise<number> {
  const say = (line: string) => streams.stderr.write(`${line}\n`);
  const dumping = new Dump(options, streams);
  try {
    await dumping.run(signal);
    return 0;
  } catch (error) {
    if (!signal.aborted) {
      if (!(error instanceof DynamoCsvError)) throw error;
      if (error.code === 'OUTPUT_CLOSED') return EXIT_CLOSED;
      say(`dynamo-csv: ${describeError(forCommandLine(error))}`);
    }
    const next = await dumping.howToGoOn(signal.aborted);
    if (next !== null) say(next);
    return signal.aborted ? EXIT_INTERRUPTED : 1;
  } finally {
    await dumping.close();
  }
}

/** What to do, where an error refers to the service's configuration file, which is not used here. */
const REMEDIES: Readonly<Record<string, string>> = {
  REGION_MISSING: 'add --region, or set AWS_REGION',
  COLUMN_COLLISION: `write the attribute in double quotes, such as '"address.city"'`,
};

function forCommandLine(error: DynamoCsvError): DynamoCsvError {
  const remedy = REMEDIES[error.code];
  return remedy === undefined ? error : new DynamoCsvError(error.code, error.message, { remedy });
}

class Dump {
  readonly #options: DumpOptions;
  readonly #streams: DumpStreams;
  readonly #clientOptions: ClientOptions;
  readonly #client: DynamoDBClient;
  #spool: Spool | null = null;
  #folder: string | null = null;
  #progress: ProgressLine | null = null;

  constructor(options: DumpOptions, streams: DumpStreams) {
    this.#options = options;
    this.#streams = streams;
    this.#clientOptions = { region: options.region, endpoint: null };
    this.#client = createDynamoDbClient(this.#clientOptions);
  }

  async run(signal: AbortSignal): Promise<void> {
    const options = this.#options;
    const startedAt = performance.now();
    if (options.output === null && options.format === 'parquet' && this.#streams.stdout.isTTY === true)
      throw binaryToTerminal();
    if (options.output !== null && (await isFolder(options.output))) throw outputIsFolder(options.output);
    const description = await describeTable(this.#client, options.table, signal);
    const spool = await this.#openSpool(description);
    const { stderr } = this.#streams;
    if (spool.isResumed && !options.quiet)
      stderr.write(`Continuing: ${summaryOf(spool)} are there already\n`);
    this.#progress = new ProgressLine(stderr, description, spool, () => performance.now());
    let isFirst = true;
    const onChunk = () => {
      if (isFirst && spool.items > 0) {
        isFirst = false;
        this.#sayUnseen(spool, description);
      }
      if (!options.quiet) this.#progress!.update();
    };
    const scan = { options, description, client: this.#client, clientOptions: this.#clientOptions, spool };
    await scanTable({ ...scan, onChunk }, signal);
    const keys = description.keys.map(({ name }) => name);
    await this.#write(spool, await outputOf(spool, keys, options), signal);
    const took = shownDuration(performance.now() - startedAt);
    if (!options.quiet) this.#progress.end(`${options.table}: ${summaryOf(spool)} in ${took}`);
  }

  /**
   * Names the columns that the first items do not have. That is no error yet: a later item may have them. But it costs time
   * and money to wait for the end if they are misspelt.
   */
  #sayUnseen(spool: Spool, { keys }: TableDescription): void {
    const names = unseenNames(this.#options, spool.columns);
    const isRead = spool.positions.every((position) => position === 'done');
    if (names.length === 0 || isRead) return;
    const known = [...keys, ...spool.columns].map(({ name }) => name);
    this.#streams.stderr.write(`${unseenSoFar(names, spool.items, known)}\n`);
  }

  async #openSpool(description: TableDescription): Promise<Spool> {
    const { table, output, region, consistent, restart } = this.#options;
    const path = await this.#spoolPath(output);
    const begun = {
      table,
      region: region ?? process.env.AWS_REGION ?? null,
      endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB ?? null,
      consistent,
      totalSegments: segmentsFor(description, this.#options),
      attributes: attributesOf(this.#options),
      paths: pathsOf(this.#options),
    };
    try {
      this.#spool = await Spool.open(path, begun, {
        isKept: output !== null,
        restart,
        anySegments: this.#options.segments === null,
      });
      return this.#spool;
    } catch (error) {
      throw error instanceof DynamoCsvError ? error : outputFailed(output ?? path, error);
    }
  }

  /** Beside the file, so that it becomes the file by a rename; for standard output in the system's temporary folder. */
  async #spoolPath(output: string | null): Promise<string> {
    if (output !== null) return `${resolve(output)}.part`;
    this.#folder = await mkdtemp(join(tmpdir(), 'dynamo-csv-dump-'));
    return join(this.#folder, 'rows.csv');
  }

  async #write(spool: Spool, output: Output, signal: AbortSignal): Promise<void> {
    await spool.commit();
    const { output: path, format } = this.#options;
    if (path === null) return this.#writeToStdout(spool, output, signal);
    const target = resolve(path);
    try {
      // The spool is the file already, unless a column was found after the first rows.
      const isReady = format === 'csv' && isEverything(output) && spool.isWhole;
      if (isReady) await spool.sync();
      else await this.#writeBeside(`${target}.tmp`, spool, output, signal);
      await rename(isReady ? spool.path : `${target}.tmp`, target);
      await nodeFiles.syncFolder(dirname(target));
      await spool.remove();
    } catch (error) {
      await rm(`${target}.tmp`, { force: true });
      throw signal.aborted || error instanceof DynamoCsvError ? error : outputFailed(path, error);
    }
  }

  /** The output in a file of its own, from the rows in the spool. */
  async #writeBeside(path: string, spool: Spool, output: Output, signal: AbortSignal): Promise<void> {
    if (this.#options.format !== 'parquet') {
      const rows = this.#options.format === 'json' ? jsonOf(spool, output) : csvOf(spool, output);
      await pipeline(Readable.from(rows), createWriteStream(path, { flush: true }), { signal });
      return;
    }
    const csv = `${path}.csv`;
    try {
      await pipeline(Readable.from(csvOf(spool, output)), createWriteStream(csv), { signal });
      // DuckDB is loaded for Parquet only.
      const { writeParquet } = await import('./parquet.js');
      await writeParquet(csv, output.columns, path);
    } finally {
      await rm(csv, { force: true });
    }
  }

  async #writeToStdout(spool: Spool, output: Output, signal: AbortSignal): Promise<void> {
    const { format } = this.#options;
    const { stdout } = this.#streams;
    try {
      let rows: AsyncIterable<Buffer> = format === 'json' ? jsonOf(spool, output) : csvOf(spool, output);
      if (format === 'parquet') {
        const path = join(this.#folder!, 'rows.parquet');
        await this.#writeBeside(path, spool, output, signal);
        rows = fileParts(path);
      }
      await pipeline(Readable.from(rows, { objectMode: false }), stdout, { signal, end: false });
    } catch (error) {
      if (signal.aborted || error instanceof DynamoCsvError) throw error;
      throw errorCode(error) === 'EPIPE' ? outputClosed(error) : outputFailed('standard output', error);
    }
  }

  /** What the user can do with a dump that did not end well; null: nothing. Records how far it is. */
  async howToGoOn(isInterrupted: boolean): Promise<string | null> {
    const spool = this.#spool;
    const what = isInterrupted ? 'Interrupted' : 'Not complete';
    if (spool === null || spool.items === 0) {
      await spool?.remove();
      return isInterrupted ? `${what}; nothing was read.` : null;
    }
    if (this.#options.output === null)
      return `${what}. Nothing was kept: a dump to standard output cannot be continued; name a file with -o for that.`;
    try {
      await spool.commit();
    } catch (error) {
      return `${what}: ${describeError(error)}. The same command continues from what was recorded before in ${spool.path}.`;
    }
    return `${what} after ${summaryOf(spool)}, kept in ${spool.path}. The same command continues from there.`;
  }

  async close(): Promise<void> {
    this.#client.destroy();
    await this.#spool?.close();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }
}

/** False too if it cannot be found out: writing will tell. */
async function isFolder(path: string): Promise<boolean> {
  const state = await stat(resolve(path)).catch(() => null);
  return state?.isDirectory() ?? false;
}

async function* fileParts(path: string): AsyncGenerator<Buffer> {
  const file = await nodeFiles.open(path, 'r');
  const { size } = await file.stat();
  try {
    for (let at = 0; at < size; ) {
      const bytes = Buffer.allocUnsafe(Math.min(1 << 20, size - at));
      const read = await file.read(bytes, at);
      if (read === 0) return;
      at += read;
      yield bytes.subarray(0, read);
    }
  } finally {
    await file.close();
  }
}
