import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { createYielder } from '../base/event-loop.js';
import { objectDamaged } from './errors.js';

/** A piece of a file: content-addressed, so a file that grew or changed in one place shares the others with its past. */
export interface Part {
  /** SHA-256 of its bytes, as hexadecimal digits. */
  readonly hash: string;
  readonly size: number;
}

const SMALLEST = 256 << 10;
const LARGEST = 8 << 20;
/** One position in 2^20 is a cut, so parts have about a megabyte. */
const CUT = ((1 << 20) - 1) << 12;
/** Bytes looked at between two yields to the event loop. */
const SLICE = 1 << 20;

/** A pseudo-random number for each byte; the same on every machine, for ever: it decides where parts end. */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) =>
  createHash('sha256').update(`dynamo-csv ${byte}`).digest().readInt32LE(),
);

/**
 * Cuts bytes into parts where their content says so (FastCDC's gear hash,
 * https://www.usenix.org/conference/atc16/technical-sessions/presentation/xia): after an insertion, parts behind it are
 * those of before.
 */
export async function* cutIntoParts(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const breathe = createYielder();
  let open: Buffer[] = [];
  let length = 0;
  let hash = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      if (at % SLICE === 0) await breathe();
      hash = ((hash << 1) + (GEAR[chunk[at] as number] as number)) | 0;
      length += 1;
      if (length < SMALLEST || ((hash & CUT) !== 0 && length < LARGEST)) continue;
      yield Buffer.concat([...open, chunk.subarray(from, at + 1)]);
      open = [];
      from = at + 1;
      length = 0;
      hash = 0;
    }
    open.push(chunk.subarray(from));
  }
  if (length > 0) yield Buffer.concat(open);
}

export function partOf(bytes: Buffer): Part {
  return { hash: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}

/** The key of a part's object. */
export function partKey(hash: string): string {
  return `objects/${hash.slice(0, 2)}/${hash}`;
}

/** A part as its object holds it. */
export function packed(bytes: Buffer): Promise<Buffer> {
  return promisify(gzip)(bytes, { level: 1 });
}

/** The bytes of a part's object. Rejects with `ARCHIVE_DAMAGED` if they are not those of its hash. `place`: for errors. */
export async function unpacked(object: Buffer, hash: string, place: string): Promise<Buffer> {
  const bytes = await promisify(gunzip)(object).catch((error: Error) => {
    throw objectDamaged(place, error.message);
  });
  if (partOf(bytes).hash !== hash) throw objectDamaged(place, 'its content has another hash than its name');
  return bytes;
}
