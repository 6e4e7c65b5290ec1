import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { ColumnException, DatasetStatus } from '../datasets/dataset.js';
import type { FileState, Files } from '../volume/files.js';
import { pollReportFile, temporaryPath } from '../volume/layout.js';

const Exception = Type.Object({
  column: Type.String(),
  problem: Type.String(),
  count: Type.Integer(),
  key: Type.Record(Type.String(), Type.String()),
  value: Type.String(),
});
const Table = Type.Object({
  /** Milliseconds between polls; null: it is not polled any more. */
  interval: Type.Union([Type.Number(), Type.Null()]),
  lastError: Type.Union([
    Type.Object({ code: Type.String(), message: Type.String(), at: Type.Number() }),
    Type.Null(),
  ]),
  /** When it was last read without anything to commit, in milliseconds since the epoch; null: its state file says it. */
  readAt: Type.Union([Type.Number(), Type.Null()]),
  exceptions: Type.Array(Exception),
});
const Report = Type.Object({ format: Type.Literal(1), tables: Type.Record(Type.String(), Table) });

/** What followers of a table cannot see in its files. */
export interface ReportedTable {
  readonly interval: number | null;
  readonly lastError: DatasetStatus['lastError'];
  readonly readAt: number | null;
  readonly exceptions: readonly ColumnException[];
}

export type ReportedTables = Readonly<Record<string, ReportedTable>>;

/** Writes what a service that collects has to say about its polls, whenever that changes. */
export class PollReportWriter {
  readonly #path: string;
  readonly #files: Files;
  #written = '';

  constructor(dataDir: string, files: Files) {
    this.#path = pollReportFile(dataDir);
    this.#files = files;
  }

  /** Rejects with the system's error. Not synced: after a power loss there is nobody who follows. */
  async write(tables: ReportedTables): Promise<void> {
    const text = JSON.stringify({ format: 1, tables });
    if (text === this.#written) return;
    const temporary = temporaryPath(this.#path);
    const file = await this.#files.open(temporary, 'w+');
    try {
      const bytes = Buffer.from(text);
      for (let done = 0; done < bytes.length; ) done += await file.write(bytes.subarray(done), done);
    } finally {
      await file.close();
    }
    await this.#files.rename(temporary, this.#path);
    this.#written = text;
  }
}

/** Reads that report, as often as it changes. */
export class PollReportReader {
  readonly #path: string;
  readonly #files: Files;
  #seen: FileState | null = null;
  #tables: ReportedTables = {};

  constructor(dataDir: string, files: Files) {
    this.#path = pollReportFile(dataDir);
    this.#files = files;
  }

  /** By published name; what nobody reports on is missing. A file that cannot be read reports on nothing. */
  async read(): Promise<ReportedTables> {
    const state = await this.#files.stat(this.#path);
    if (state?.id === this.#seen?.id && state?.modifiedAt === this.#seen?.modifiedAt) return this.#tables;
    this.#seen = state;
    this.#tables = state === null ? {} : await this.#parse();
    return this.#tables;
  }

  async #parse(): Promise<ReportedTables> {
    try {
      const report: unknown = JSON.parse((await this.#files.readFile(this.#path)).toString());
      return Value.Check(Report, report) ? report.tables : {};
    } catch {
      return {};
    }
  }
}
