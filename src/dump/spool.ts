import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { errorCode } from '../base/errors.js';
import { sameLayout, widen } from '../csv/columns.js';
import { encodeHeader } from '../csv/encode.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import { columnCollision } from '../sources/dynamodb/errors.js';
import type { Cursor } from '../sources/dynamodb/read-plan.js';
import type { ScanCost } from '../sources/dynamodb/scan.js';
import { nodeFiles } from '../volume/files.js';
import { replaceFile } from '../volume/write.js';
import { dumpDamaged, otherDump, outputFailed } from './errors.js';

/** A stretch of the spool whose rows have one layout. */
export interface Part {
  readonly columns: readonly Column[];
  readonly from: number;
  to: number;
}

/** What was read with, and must be read on with. */
export interface Begun {
  readonly table: string;
  readonly region: string | null;
  readonly endpoint: string | null;
  readonly consistent: boolean;
  readonly totalSegments: number;
  /** The attributes that were requested; null: all. */
  readonly attributes: readonly string[] | null;
  /** The paths into maps and lists that became columns, as they were written. */
  readonly paths: readonly string[];
}

/** Where each segment goes on; `done`: it is complete. */
export type Position = Cursor['after'] | 'done';

interface Progress {
  readonly version: 1;
  readonly begun: Begun;
  /** Bytes of the spool that count. */
  readonly size: number;
  readonly parts: readonly Part[];
  readonly positions: readonly Position[];
  readonly items: number;
  readonly cost: ScanCost;
  readonly mixed: readonly string[];
  readonly origins: readonly (readonly [column: string, attribute: string])[];
}

/** Milliseconds between two commits: what an interruption makes the next run read again. */
const COMMIT_EVERY = 1_000;

/**
 * The rows that were read so far, in a file, as CSV in the order of their arrival; and beside it, in `<file>.json`, how far
 * each segment was read. A commit syncs the rows first, so positions are never ahead of them.
 */
export class Spool {
  readonly path: string;
  readonly begun: Begun;
  readonly positions: Position[];
  readonly parts: Part[];
  readonly cost: ScanCost;
  readonly isResumed: boolean;
  /** Columns with values of several types. */
  readonly mixed: Set<string>;
  /** What columns that may be paths were found as, as `pathText`, by column. */
  readonly origins: Map<string, string>;
  items: number;
  readonly #file: FileHandle;
  readonly #isKept: boolean;
  #size: number;
  #queue: Promise<void> = Promise.resolve();
  #committedAt = 0;

  private constructor(
    path: string,
    file: FileHandle,
    progress: Progress,
    isKept: boolean,
    isResumed: boolean,
  ) {
    this.path = path;
    this.begun = progress.begun;
    this.positions = [...progress.positions];
    this.parts = progress.parts.map((part) => ({ ...part }));
    this.cost = { ...progress.cost };
    this.mixed = new Set(progress.mixed);
    this.origins = new Map(progress.origins);
    this.items = progress.items;
    this.isResumed = isResumed;
    this.#file = file;
    this.#size = progress.size;
    this.#isKept = isKept;
  }

  /**
   * Opens the spool at `path`: with what an interrupted dump left there, if it was begun with the same options, else empty.
   * `isKept`: commits are written. `anySegments`: it goes on with as many segments as it was begun with. Rejects with `DUMP_DIFFERS` or `DUMP_DAMAGED`.
   */
  static async open(
    path: string,
    begun: Begun,
    options: { isKept: boolean; restart: boolean; anySegments: boolean },
  ): Promise<Spool> {
    const left = options.isKept && !options.restart ? await readProgress(path) : null;
    if (left !== null) checkSame(path, left.begun, begun, options.anySegments);
    const file = await open(path, left === null ? 'w+' : 'r+');
    try {
      if (left !== null) await cutTo(file, left.size, path);
      return new Spool(path, file, left ?? beginning(begun), options.isKept, left !== null);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The bytes that it has. */
  get size(): number {
    return this.#size;
  }

  /** The columns found so far, in the order of the last part. */
  get columns(): readonly Column[] {
    return this.parts.at(-1)?.columns ?? [];
  }

  /** Whether the file is a whole CSV as it stands: all rows have the layout of its header. */
  get isWhole(): boolean {
    return this.parts.length === 1;
  }

  /** What was found out about columns. Throws `COLUMN_COLLISION` if one is both a path and an attribute. */
  note({ mixed, origins }: Pick<Progress, 'mixed' | 'origins'>): void {
    for (const name of mixed) this.mixed.add(name);
    for (const [column, attribute] of origins) {
      const before = this.origins.get(column) ?? attribute;
      if (before !== attribute) throw columnCollision(this.begun.table, column, [before, attribute].sort());
      this.origins.set(column, attribute);
    }
  }

  /** Appends a segment's rows, which go to `next`. */
  add(segment: number, rows: EncodedRows, next: Cursor['after'], cost: ScanCost): Promise<void> {
    const adding = this.#queue.then(() => this.#add(segment, rows, next, cost));
    this.#queue = adding.catch(() => undefined);
    return adding;
  }

  async #add(segment: number, rows: EncodedRows, next: Cursor['after'], cost: ScanCost): Promise<void> {
    if (rows.ends.length > 0) await this.#appendOrCut(rows);
    this.positions[segment] = next ?? 'done';
    this.items += rows.ends.length;
    for (const name of Object.keys(cost) as (keyof ScanCost)[]) this.cost[name] += cost[name];
    if (this.#isKept && Date.now() - this.#committedAt > COMMIT_EVERY) await this.#commit();
  }

  /** Rejects with `OUTPUT_FAILED`; bytes of rows that are not all there do not count then. */
  async #appendOrCut(rows: EncodedRows): Promise<void> {
    const before = this.#size;
    try {
      await this.#append(rows);
    } catch (error) {
      this.#size = before;
      throw outputFailed(this.path, error);
    }
  }

  async #append({ columns, body }: EncodedRows): Promise<void> {
    const last = this.parts.at(-1);
    if (last === undefined) await this.#write(encodeHeader(columns));
    const from = this.#size;
    await this.#write(body);
    if (last !== undefined && sameLayout(last.columns, columns)) {
      last.to = this.#size;
      // Types widen.
      this.parts[this.parts.length - 1] = { ...last, columns: merged(last.columns, columns) };
    } else this.parts.push({ columns, from, to: this.#size });
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#size);
      done += bytesWritten;
      this.#size += bytesWritten;
    }
  }

  /** Records how far it is, so that another run can go on from here. */
  commit(): Promise<void> {
    const committing = this.#queue.then(() => (this.#isKept ? this.#commit() : undefined));
    this.#queue = committing.catch(() => undefined);
    return committing;
  }

  /** Rejects with `OUTPUT_FAILED`; the last commit counts then. */
  async #commit(): Promise<void> {
    const { begun, parts, positions, items, cost } = this;
    const found = { mixed: [...this.mixed], origins: [...this.origins] };
    const progress: Progress = {
      version: 1,
      begun,
      size: this.#size,
      parts,
      positions,
      items,
      cost,
      ...found,
    };
    const file = progressFile(this.path);
    try {
      await this.#file.datasync();
      await replaceFile(nodeFiles, file, Buffer.from(JSON.stringify(progress, binaryAsText)));
    } catch (error) {
      throw outputFailed(file, error);
    }
    this.#committedAt = Date.now();
  }

  /** Reads bytes of the file. */
  async read(from: number, to: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(to - from);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, from + done);
      if (bytesRead === 0) throw new Error(`${this.path} is shorter than it was`);
      done += bytesRead;
    }
    return bytes;
  }

  async sync(): Promise<void> {
    await this.#queue;
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#file.close();
  }

  /** Removes the file and how far it was. */
  async remove(): Promise<void> {
    await rm(progressFile(this.path), { force: true });
    await rm(this.path, { force: true });
  }
}

/** Where it stands how far the dump into that spool is. */
const progressFile = (path: string) => `${path}.json`;

function beginning(begun: Begun): Progress {
  const cost = { requests: 0, attempts: 0, bytes: 0, readCapacityUnits: 0 };
  const positions = Array.from({ length: begun.totalSegments }, () => null);
  return { version: 1, begun, size: 0, parts: [], positions, items: 0, cost, mixed: [], origins: [] };
}

/** What the first version did not record. */
const NOTHING_FOUND = { mixed: [], origins: [] } as const;
const NO_PATHS = { paths: [] } as const;

async function readProgress(path: string): Promise<Progress | null> {
  const file = progressFile(path);
  try {
    const progress = JSON.parse(await readFile(file, 'utf8'), binaryFromText) as Progress;
    if (progress.version !== 1) throw new Error('another version of dynamo-csv wrote it');
    return { ...NOTHING_FOUND, ...progress, begun: { ...NO_PATHS, ...progress.begun } };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw dumpDamaged(file, error);
  }
}

async function cutTo(file: FileHandle, size: number, path: string): Promise<void> {
  const state = await file.stat();
  if (state.size < size) throw dumpDamaged(path, new Error(`it has ${state.size} bytes and not ${size}`));
  await file.truncate(size);
}

function checkSame(path: string, before: Begun, now: Begun, anySegments: boolean): void {
  for (const name of Object.keys(now) as (keyof Begun)[]) {
    if (name === 'totalSegments' && anySegments) continue;
    const [was, is] = [JSON.stringify(before[name]), JSON.stringify(now[name])];
    if (was === is) continue;
    if (name === 'attributes' || name === 'paths')
      throw otherDump(path, 'was begun with other columns in --columns, or other paths in --where');
    throw otherDump(path, `had ${name} ${was} and not ${is}`);
  }
}

/** Keys of a binary type: `{"B": {"base64": "…"}}`. */
function binaryAsText(this: unknown, name: string, value: unknown): unknown {
  const own = (this as Record<string, unknown>)[name];
  return own instanceof Uint8Array ? { base64: Buffer.from(own).toString('base64') } : value;
}

function binaryFromText(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('base64' in value)) return value;
  return new Uint8Array(Buffer.from(String(value.base64), 'base64'));
}

function merged(known: readonly Column[], found: readonly Column[]): readonly Column[] {
  return known.map((column, i) => widen(column, found[i]!));
}
