import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { SerialQueue } from '../base/serial-queue.js';
import { BYTES_PER_SLICE, LF, placeRow, RowScanner } from '../csv/scan.js';
import { explainWriteFailure } from './access.js';
import { fileNotRead, fileNotWritten, logChangedOutside } from './errors.js';
import type { Files, OpenFile } from './files.js';
import { readFirstRow } from './first-row.js';
import { journalFile, ownFolderBeside, temporaryPath } from './layout.js';
import { abandon, keepAside, type Parts, readRange, replaceFile, writeAll, writeBeside } from './write.js';

/** What was truncated when the file was opened. */
export interface Recovery {
  readonly bytesCut: number;
  /** `append`: an append that was interrupted before it counted. `line`: an incomplete last row of unknown origin. */
  readonly what: 'append' | 'line';
  /** Where the bytes of a `line` are kept, since they may be of value; null for an `append`. */
  readonly keptAt: string | null;
}

/**
 * A file that grows by whole appends: a log's CSV, or the changes of a table.
 *
 * On disk: CSV with a header line. An append is one write at the end, synced before it is confirmed, and announced in
 * the journal `.dynamo-csv/<name>.csv.append` first (see `AppendJournal`). Opening truncates a partial append, a
 * complete one that does not count (see `open`), and a last row without its `\n` or with an open quote. A failed append
 * is truncated at once; if the disk refuses even that, before the next one. So after any crash the file holds every
 * confirmed append whole, and no part of any other.
 * Other changes (a wider header, sealed days that leave the file) replace it as `SnapshotFile` does.
 */
export class AppendFile {
  readonly path: string;
  /** What opening had to truncate; null when nothing. */
  readonly recovery: Recovery | null;
  readonly #files: Files;
  #journal: AppendJournal;
  #file: OpenFile;
  #size: number;
  #replacements = 0;
  /** Whether bytes that do not count may follow `#size`: of a staged append, or of one that failed. */
  #dirty = false;
  /** Where a staged append ends. */
  #stagedEnd = 0;
  /** Whether a power loss might still bring back the file that was replaced. */
  #nameUnsynced = false;
  readonly #queue = new SerialQueue();

  private constructor(path: string, files: Files, journal: AppendJournal, file: OpenFile, found: Found) {
    this.path = path;
    this.#files = files;
    this.#journal = journal;
    this.#file = file;
    this.#size = found.size;
    this.recovery = found.recovery;
  }

  /**
   * Opens the file and repairs its end; `recovery` has what was truncated. A file that does not exist, or has no complete
   * line, gets `header` (a line with its `\n`). `counts` decides whether a complete last append counts; by default it
   * does. The caller holds the volume's lock. Rejects with `VOLUME_…`.
   */
  static async open(
    path: string,
    files: Files,
    header: Uint8Array = new Uint8Array(0),
    counts: (append: Buffer) => boolean = () => true,
  ): Promise<AppendFile> {
    let file: OpenFile | undefined;
    let journal: AppendJournal | undefined;
    try {
      await files.remove(temporaryPath(path));
      const opened = await AppendJournal.open(path, files);
      journal = opened.journal;
      if ((await files.stat(path)) === null) await replaceFile(files, path, header);
      await files.syncFolder(dirname(path));
      file = await files.open(path, 'r+');
      const found = await recover(path, files, file, opened.intent, counts);
      // On a full disk the record stays. It is harmless: the announced append is complete, or was truncated.
      await journal.clear().catch(() => undefined);
      const log = new AppendFile(path, files, journal, file, found);
      if (found.size === 0 && header.length > 0) await log.#replace(header);
      return log;
    } catch (error) {
      await Promise.allSettled([file?.close(), journal?.close()]);
      throw await explainWriteFailure(path, files, error);
    }
  }

  /** Bytes of the file that count: all confirmed appends. */
  get size(): number {
    return this.#size;
  }

  /** How often the whole file was replaced since it was opened, also by a `replace` that failed after it. */
  get replacements(): number {
    return this.#replacements;
  }

  /**
   * Adds whole rows (each with its `\n`) at the end. When it resolves they survive a power loss; when it rejects
   * (`VOLUME_…`, `LOG_CHANGED_OUTSIDE`) none of them counts, and the caller may try again. If the disk did not even let
   * them be removed, a start after a crash could still find and count them: a caller that continues without them first
   * appends something, possibly nothing, which resolves once no rejected row can return.
   */
  append(bytes: Uint8Array): Promise<void> {
    return this.#queue.run(async () => {
      await this.#stage(bytes);
      this.confirm();
    });
  }

  /**
   * Like `append`, but the rows count only once they are confirmed: until then `size` and `read` leave them out, opening
   * asks `counts`, and the next operation removes them.
   */
  stage(bytes: Uint8Array): Promise<void> {
    return this.#queue.run(() => this.#stage(bytes));
  }

  /** Makes the staged rows count. */
  confirm(): void {
    this.#size = this.#stagedEnd;
    this.#dirty = false;
  }

  /** Removes the staged rows. If it rejects, the next operation tries again first. */
  takeBack(): Promise<void> {
    return this.#queue.run(async () => {
      try {
        await this.#clean();
      } catch (error) {
        throw fileNotWritten(this.path, error);
      }
    });
  }

  /**
   * Replaces the whole file by `content`, atomically. If it rejects, the file is the old one or, if only its name could
   * not be synced, the new one; `replacements` shows which.
   */
  replace(content: Parts): Promise<void> {
    return this.#queue.run(() => this.#replace(content));
  }

  /**
   * Checks whether the file is still at its path. `begun`: it was moved away or removed, and an empty one was created.
   * `adopted`: an equal copy took its place (the data folder was replaced by a copy), and is written from now on. Rejects
   * with `LOG_CHANGED_OUTSIDE` if a different file took its place.
   */
  stayAtPath(): Promise<'same' | 'begun' | 'adopted'> {
    return this.#queue.run(async () => {
      try {
        const there = await this.#files.stat(this.path);
        if (there === null) {
          await this.#begin();
          return 'begun';
        }
        if (there.id === (await this.#file.stat()).id) return 'same';
        await this.#adopt();
        return 'adopted';
      } catch (error) {
        throw fileNotWritten(this.path, error);
      }
    });
  }

  /** The whole file. */
  read(): Promise<Buffer> {
    return this.#queue.run(async () => {
      try {
        return await readRange(this.#file, 0, this.#size);
      } catch (error) {
        throw fileNotRead(this.path, error);
      }
    });
  }

  /** Waits for the operations in progress and closes the file. */
  close(): Promise<void> {
    return this.#queue.run(async () => {
      try {
        // If this fails, the next start finds the last append announced and complete, which is fine too.
        if (!this.#dirty) await this.#journal.clear();
      } finally {
        await Promise.all([this.#file.close(), this.#journal.close()]);
      }
    });
  }

  async #stage(bytes: Uint8Array): Promise<void> {
    try {
      await this.#clean();
      this.#stagedEnd = this.#size;
      if (bytes.length === 0) return;
      const { size, links } = await this.#file.stat();
      if (links === 0) throw logChangedOutside(this.path, 'replaced or removed');
      if (size !== this.#size) throw logChangedOutside(this.path, 'wrote to');
      const before = await crcBefore(this.#file, size);
      await this.#journal.begin({ at: size, length: bytes.length, crc: crc32(bytes), before });
      this.#dirty = true;
      await writeAll(this.#file, bytes, size);
      await this.#file.sync();
      this.#stagedEnd = size + bytes.length;
    } catch (error) {
      // If this fails too, the next operation tries again first.
      await this.#clean().catch(() => undefined);
      throw fileNotWritten(this.path, error);
    }
  }

  /** Completes what an earlier operation could not. */
  async #clean(): Promise<void> {
    if (this.#nameUnsynced) {
      await this.#files.syncFolder(dirname(this.path));
      this.#nameUnsynced = false;
    }
    this.#stagedEnd = this.#size;
    if (this.#dirty) {
      await cut(this.#file, this.#size);
      this.#dirty = false;
    }
  }

  async #begin(): Promise<void> {
    await this.#reopenJournal();
    await this.#replace(new Uint8Array(0));
  }

  async #adopt(): Promise<void> {
    await this.#clean();
    const copy = await this.#files.open(this.path, 'r+');
    if (!(await isCopy(copy, this.#file, this.#size))) {
      await copy.close();
      throw logChangedOutside(this.path, 'replaced or removed');
    }
    await this.#file.close();
    this.#file = copy;
    await this.#reopenJournal();
  }

  /** The journal may be in a folder that was moved away together with the file. */
  async #reopenJournal(): Promise<void> {
    const { journal } = await AppendJournal.open(this.path, this.#files);
    await this.#journal.close();
    this.#journal = journal;
  }

  async #replace(content: Parts): Promise<void> {
    try {
      await this.#clean();
      // The announced append is about this file, not about the next one.
      await this.#journal.clear();
      const written = await writeBeside(this.#files, this.path, content);
      try {
        await this.#files.rename(temporaryPath(this.path), this.path);
      } catch (error) {
        await abandon(this.#files, written.file, temporaryPath(this.path));
        throw error;
      }
      const old = this.#file;
      this.#file = written.file;
      this.#size = written.size;
      this.#stagedEnd = written.size;
      this.#replacements++;
      this.#nameUnsynced = true;
      await old.close();
      await this.#clean();
    } catch (error) {
      throw fileNotWritten(this.path, error);
    }
  }
}

/** Whether a file ends as the other one does. */
async function isCopy(copy: OpenFile, file: OpenFile, size: number): Promise<boolean> {
  if ((await copy.stat()).size !== size) return false;
  return (await crcBefore(copy, size)) === (await crcBefore(file, size));
}

interface Found {
  readonly size: number;
  readonly recovery: Recovery | null;
}

/** Truncates an incomplete or uncounted append at the file's end. */
async function recover(
  path: string,
  files: Files,
  file: OpenFile,
  intent: Intent | null,
  counts: (append: Buffer) => boolean,
): Promise<Found> {
  const { size } = await file.stat();
  const good = intent === null ? size : await endOfCountedAppends(file, size, intent, counts);
  // A killed process may have written without syncing; what counts from now on must survive a power loss.
  if (intent !== null) await file.sync();
  if (good < size) {
    await cut(file, good);
    return { size: good, recovery: { bytesCut: size - good, what: 'append', keptAt: null } };
  }
  const end = await endOfLastRow(file, size);
  if (end === size || (await hasRowsBehindDamage(path, files, await readRange(file, end, size))))
    return { size, recovery: null };
  const folder = ownFolderBeside(path);
  await files.makeFolder(folder);
  const keptAt = await keepAside(files, folder, `${basename(path)}.cut`, await readRange(file, end, size));
  await cut(file, end);
  return { size: end, recovery: { bytesCut: size - end, what: 'line', keptAt } };
}

async function cut(file: OpenFile, size: number): Promise<void> {
  await file.truncate(size);
  await file.sync();
}

/**
 * Whether an unfinished row is damaged rather than torn: an opening quote from a disk error swallows all rows after it,
 * while nothing follows a torn row. The reader of the rows decides what to do with it.
 */
async function hasRowsBehindDamage(path: string, files: Files, tail: Buffer): Promise<boolean> {
  const next = tail.indexOf(LF) + 1;
  const header = next === 0 ? null : await readFirstRow(path, files);
  const row = header === null ? null : placeRow(tail, next);
  return row !== null && row.cells === header!.length && row.end > row.contentEnd;
}

/** The offset after the last complete row. */
async function endOfLastRow(file: OpenFile, size: number): Promise<number> {
  const scanner = new RowScanner();
  let last = 0;
  for (let from = 0; from < size; from += BYTES_PER_SLICE) {
    const piece = await readRange(file, from, Math.min(size, from + BYTES_PER_SLICE));
    scanner.push(piece, (end) => {
      last = from + end;
    });
  }
  return last;
}

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
class AppendJournal {
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
async function crcBefore(file: OpenFile, at: number): Promise<number> {
  return crc32(await readRange(file, Math.max(0, at - BYTES_BEFORE), at));
}

/**
 * Where the file has to end so that every append in it counts: its size, or less if it holds a partial intended append,
 * all of its bytes but some of them wrong (possible after a power loss), or a complete append that `counts` rejects.
 */
async function endOfCountedAppends(
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
