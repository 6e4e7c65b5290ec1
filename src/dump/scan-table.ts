import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { errorFromData } from '../base/errors.js';
import { mergeColumns } from '../csv/columns.js';
import { relayoutInSlices } from '../csv/relayout.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import type { ClientOptions } from '../sources/dynamodb/client.js';
import { scanUnits } from '../sources/dynamodb/cost.js';
import { EVERYTHING, type ScanPlan } from '../sources/dynamodb/read-plan.js';
import type { TableDescription } from '../sources/dynamodb/table.js';
import { namesOf } from './columns.js';
import type { DumpOptions } from './options.js';
import { Readers } from './readers.js';
import type { Spool } from './spool.js';
import type { Chunk, ChunkTask } from './thread.js';

/** The most that DynamoDB returns in one page. */
const PAGE_BYTES = 1 << 20;
/** Up to this size a table is read in the main thread only: it is done before others have started. */
const SMALL_BYTES = 64 << 20;
const MOST_SEGMENTS = 16;
/** Read units per second that one segment can consume: about ten pages of 128 units. */
const UNITS_PER_SEGMENT = 1_024;
const ASSUMED_ITEM_BYTES = 1_024;

/** Segments by the size of the table, and by what the limit can feed. */
export function segmentsFor({ bytes }: TableDescription, { segments, maxCapacity }: DumpOptions): number {
  if (segments !== null) return segments;
  const useful = Math.min(MOST_SEGMENTS, Math.ceil(bytes / PAGE_BYTES));
  const affordable = maxCapacity === null ? useful : Math.ceil(maxCapacity / UNITS_PER_SEGMENT);
  return Math.max(1, Math.min(useful, affordable));
}

export interface TableScanOptions {
  readonly options: DumpOptions;
  readonly description: TableDescription;
  /** Of this thread; others make their own with `clientOptions`. */
  readonly client: DynamoDBClient;
  readonly clientOptions: ClientOptions;
  readonly spool: Spool;
  /** Called after each chunk was added to the spool. */
  readonly onChunk: () => void;
}

/**
 * Reads the rest of every segment into the spool, segments side by side, those of a large table in several threads. Rejects
 * with a `DynamoCsvError` for the first failure, or with the signal's reason; what was added to the spool until then counts.
 */
export async function scanTable(scan: TableScanOptions, signal: AbortSignal): Promise<void> {
  const { spool, description, client } = scan;
  const open = spool.positions.flatMap((position, segment) => (position === 'done' ? [] : [segment]));
  const isSmall = description.bytes <= SMALL_BYTES;
  const readers = new Readers(client, isSmall ? 0 : threadsFor(open.length));
  const stopping = new AbortController();
  const stop = AbortSignal.any([signal, stopping.signal]);
  setMaxListeners(0, stop);
  try {
    const reading = new TableScan(scan, readers, open.length);
    await firstFailure(
      open.map((segment) => reading.segment(segment, stop)),
      stopping,
      signal,
    );
  } finally {
    await readers.close();
  }
}

/** Threads in addition to the main one. */
function threadsFor(segments: number): number {
  return Math.max(0, Math.min(segments, availableParallelism()) - 1);
}

/** Waits for all; the first failure, or the signal, ends the others at their next chunk and is thrown at once. */
async function firstFailure(
  segments: readonly Promise<void>[],
  stopping: AbortController,
  signal: AbortSignal,
): Promise<void> {
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([Promise.all(segments), aborted]);
  } catch (error) {
    stopping.abort(error);
    for (const segment of segments) segment.catch(() => undefined);
    throw error;
  }
}

class TableScan {
  readonly #scan: TableScanOptions;
  readonly #readers: Readers;
  readonly #segments: number;
  #known: readonly Column[];

  constructor(scan: TableScanOptions, readers: Readers, segments: number) {
    this.#scan = scan;
    this.#readers = readers;
    this.#segments = segments;
    this.#known = scan.spool.columns;
  }

  async segment(segment: number, signal: AbortSignal): Promise<void> {
    const { spool, onChunk } = this.#scan;
    let owed = 0;
    for (let at = spool.positions[segment]!; at !== 'done'; at = spool.positions[segment]!) {
      signal.throwIfAborted();
      const result = await this.#readers.read(this.#task(segment, at, owed), signal);
      signal.throwIfAborted();
      if ('error' in result) throw errorFromData(result.error);
      const { chunk } = result;
      owed = chunk.owed;
      spool.note({ mixed: [...chunk.mixed, ...this.#differing(chunk.rows)], origins: chunk.origins });
      await spool.add(segment, await this.#laidOut(rowsOf(chunk)), chunk.next, chunk.cost);
      onChunk();
    }
  }

  #task(segment: number, after: ChunkTask['cursor']['after'], owed: number): ChunkTask {
    const { options, description, clientOptions, spool } = this.#scan;
    const { maxCapacity } = options;
    return {
      client: clientOptions,
      shape: {
        table: options.table,
        keys: description.keys,
        options: {
          columns: [],
          only: options.columns === null ? null : namesOf(options),
          rename: {},
          others: spool.begun.paths,
        },
        known: this.#known,
      },
      plan: this.#plan(),
      cursor: { segment, after },
      pace: maxCapacity === null ? null : this.#pace(maxCapacity, owed),
    };
  }

  #plan(): ScanPlan {
    const { options, spool } = this.#scan;
    const { table, consistent, totalSegments, attributes } = spool.begun;
    const pageItems = this.#pageItems(options);
    return { ...EVERYTHING, table, totalSegments, consistent, attributes, pageItems };
  }

  /** Items per page so that a page takes at most one second's read units; null if a full page is not more than that. */
  #pageItems({ maxCapacity, consistent }: DumpOptions): number | null {
    if (maxCapacity === null) return null;
    const bytes = (maxCapacity / scanUnits(PAGE_BYTES, { consistent })) * PAGE_BYTES;
    if (bytes >= PAGE_BYTES) return null;
    const { items, bytes: size } = this.#scan.description;
    return Math.max(1, Math.floor(bytes / (items > 0 ? Math.max(1, size / items) : ASSUMED_ITEM_BYTES)));
  }

  #pace(maxCapacity: number, owed: number) {
    const unitsPerSecond = maxCapacity / this.#segments;
    const { consistent } = this.#scan.options;
    const page = scanUnits(Math.min(PAGE_BYTES, this.#scan.description.bytes), { consistent });
    return { unitsPerSecond, owed, expected: Math.min(unitsPerSecond, page) };
  }

  /** The columns whose values were of another type so far. */
  #differing({ columns }: Pick<EncodedRows, 'columns'>): readonly string[] {
    const types = new Map(this.#known.map(({ name, type, seen }) => [name, seen ? type : null]));
    return columns.flatMap(({ name, type, seen }) =>
      seen && (types.get(name) ?? type) !== type ? [name] : [],
    );
  }

  /** The rows with every column found so far, so that the spool has few layouts. */
  async #laidOut(rows: EncodedRows): Promise<EncodedRows> {
    const { keys } = this.#scan.description;
    const order = { keys: keys.map(({ name }) => name), configured: [] };
    this.#known = mergeColumns(this.#known, rows.columns, order);
    const laidOut = await relayoutInSlices(rows, this.#known);
    return laidOut === rows ? rows : { ...laidOut, columns: this.#known };
  }
}

/** A `Buffer` arrives from another thread as a mere `Uint8Array`. */
function rowsOf({ rows: { columns, body, ends } }: Chunk): EncodedRows {
  return { columns, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), ends };
}
