import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Files, OpenFile } from './files.js';
import { journalFile } from './layout.js';
import { readRange, writeAll } from './write.js';

/** What an append will write: enough to tell after a crash whether it is complete. */
export interface Intent {
  /** The file's size before the append. */
  readonly at: number;
  /** Bytes that are appended, and their CRC-32. */
  readonly length: number;
  readonly crc: number;
  /** CRC-32 of the bytes before `at` (see `crcBefore`): distinguishes this file from another of the same name. */
  readonly before: number;
}

/** One sector: a disk writes it as a whole. */
const RECORD_BYTES = 128;
const BYTES_BEFORE = 4096;

/**
 * Announces the append in progress on one file before it is written. A kill, a full disk or a power loss can interrupt a
 * write of many kilobytes anywhere, also between two rows, where the CSV does not show that half a poll is missing.
 *
 * On disk: `<folder>/.dynamo-csv/<file>.append`, one record of 128 bytes, overwritten in place: the text
 * `append <at> <length> <crc> <before> ` or `none `, then the CRC-32 of that text, spaces, `\n`. A record that does
 * not match its own CRC was being written, so its append had not begun. The record of a completed append may stay.
 */
export class AppendJournal {
  readonly #path: string;
  readonly #files: Files;
  /** Null until there is something to announce, so that opening needs no disk space. */
  #file: OpenFile | null;
  #empty: boolean;
  /** Whether the journal's name survives a power loss. */
  #isNameSafe = false;

  private constructor(path: string, files: Files, file: OpenFile | null, empty: boolean) {
    this.#path = path;
    this.#files = files;
    this.#file = file;
    this.#empty = empty;
  }

  /** Opens the journal of the file at `path`. */
  static async open(path: string, files: Files): Promise<{ journal: AppendJournal; intent: Intent | null }> {
    const journalPath = journalFile(path);
    if ((await files.stat(journalPath)) === null) {
      return { journal: new AppendJournal(journalPath, files, null, true), intent: null };
    }
    const file = await files.open(journalPath, 'r+');
    try {
      const { size } = await file.stat();
      const intent = parseRecord(await readRange(file, 0, Math.min(size, RECORD_BYTES)));
      return { journal: new AppendJournal(journalPath, files, file, intent === null), intent };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Announces an append; the record is safe on disk when this resolves. */
  async begin(intent: Intent): Promise<void> {
    this.#empty = false;
    await this.#write(`append ${intent.at} ${intent.length} ${intent.crc} ${intent.before} `);
  }

  /** Withdraws the announcement, because the file will change in another way than by an append. */
  async clear(): Promise<void> {
    if (this.#empty) return;
    await this.#write('none ');
    this.#empty = true;
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #write(text: string): Promise<void> {
    const record = `${text}${crc32(text)}`.padEnd(RECORD_BYTES - 1);
    this.#file ??= await this.#create();
    await writeAll(this.#file, Buffer.from(`${record}\n`), 0);
    await this.#file.sync();
    if (this.#isNameSafe) return;
    await this.#files.syncFolder(dirname(this.#path));
    this.#isNameSafe = true;
  }

  /** Creates the journal, and its folder if needed. */
  async #create(): Promise<OpenFile> {
    const folder = dirname(this.#path);
    await this.#files.makeFolder(folder);
    await this.#files.syncFolder(dirname(folder));
    return this.#files.open(this.#path, 'w+');
  }
}

/** CRC-32 of up to 4 KiB before `at`. */
export async function crcBefore(file: OpenFile, at: number): Promise<number> {
  return crc32(await readRange(file, Math.max(0, at - BYTES_BEFORE), at));
}

/**
 * Where the file has to end so that every append in it counts: its size, or less if it holds a partial intended append,
 * all of its bytes but some of them wrong (possible after a power loss), or a complete append that `counts` rejects.
 */
export async function endOfCountedAppends(
  file: OpenFile,
  size: number,
  intent: Intent,
  counts: (append: Buffer) => boolean,
): Promise<number> {
  const { at, length } = intent;
  const isOurs = size > at && size <= at + length && (await crcBefore(file, at)) === intent.before;
  if (!isOurs) return size;
  const append = await readRange(file, at, size);
  const isWhole = size === at + length && crc32(append) === intent.crc;
  return isWhole && counts(append) ? size : at;
}

function parseRecord(record: Buffer): Intent | null {
  const match = /^(append (\d+) (\d+) (\d+) (\d+) )(\d+) *\n$/.exec(record.toString('latin1'));
  if (match === null || crc32(match[1]!) !== Number(match[6])) return null;
  const [at, length, crc, before] = match.slice(2, 6).map(Number) as [number, number, number, number];
  return { at, length, crc, before };
}
