import { basename, dirname } from 'node:path';
import { encodeRejectedLines } from '../csv/intact-rows.js';
import { LF } from '../csv/scan.js';
import { fileNotRead, fileNotWritten } from '../volume/errors.js';
import type { Files } from '../volume/files.js';
import { takenOverFolder } from '../volume/layout.js';
import { findKept, keepAside, replaceFile } from '../volume/write.js';
import { type Conversion, type ConversionOptions, convertPythonFile } from './python-file.js';

export interface TakeoverOptions extends ConversionOptions {
  /** Where this service keeps the dataset: `<data>/<name>.csv`. */
  readonly path: string;
  /** Where the script kept it, if the dataset is published under another name: `<data>/<table>.csv`. */
  readonly scriptPath?: string;
}

/** The result of taking a file over. */
export interface Takeover {
  /** The file that this service continues with, and its number of rows. */
  readonly path: string;
  readonly rows: number;
  /** Rows whose zoneless time became ISO 8601. */
  readonly timesConverted: number;
  /** Where the original is kept. */
  readonly keptAt: string;
  /** The number of malformed lines, and the CSV file (line, reason, text) that has them; null if there were none. */
  readonly rejected: number;
  readonly rejectedAt: string | null;
}

/**
 * Converts a file of the Python script to this service's format; called for each dataset at start, with the volume's lock
 * held and before the file is opened. Null if there is nothing to take over: no file, or one that is in this format
 * already (`AppendFile` repairs a torn last line). Running it again changes nothing, or continues after a crash.
 *
 * Each step is safe on disk before the next: the original is copied to `taken-over/`, malformed lines to a CSV next to
 * it, then the converted file replaces the original.
 */
export async function takeOver(options: TakeoverOptions, files: Files): Promise<Takeover | null> {
  const { path, scriptPath = path } = options;
  const source = await findSource(path, scriptPath, files);
  if (source === null) return null;
  const original = await read(source, files);
  const conversion = await convertPythonFile(original, options);
  if (conversion === null) return null;
  const isOurs = conversion.bytes === original || isOnlyTorn(original, conversion, options);
  if (source === path && isOurs) return null;
  try {
    const folder = takenOverFolder(dirname(path));
    await files.makeFolder(folder);
    await files.syncFolder(dirname(path));
    const keptAt = await keepAside(files, folder, basename(source), original);
    const { rejected } = conversion;
    const rejectedName = `${basename(source, '.csv')}.rejected.csv`;
    const rejectedAt =
      rejected.length === 0
        ? null
        : await keepAside(files, folder, rejectedName, encodeRejectedLines(rejected));
    await replaceFile(files, path, conversion.bytes);
    if (source !== path) await files.remove(source);
    const { rows, timesConverted } = conversion;
    return { path, rows, timesConverted, keptAt, rejected: rejected.length, rejectedAt };
  } catch (error) {
    throw fileNotWritten(path, error);
  }
}

/** The file to convert, or null. The script's file under another name counts only if this service has none yet. */
async function findSource(path: string, scriptPath: string, files: Files): Promise<string | null> {
  const hasOurs = (await files.stat(path)) !== null;
  const hasTheirs = scriptPath !== path && (await files.stat(scriptPath)) !== null;
  if (!hasOurs) return hasTheirs ? scriptPath : null;
  if (hasTheirs) await finishMove(scriptPath, files);
  return path;
}

/** After a crash between writing the new file and removing the script's, a copy of the latter is already kept. */
async function finishMove(scriptPath: string, files: Files): Promise<void> {
  const folder = takenOverFolder(dirname(scriptPath));
  const kept = await findKept(files, folder, basename(scriptPath), await read(scriptPath, files));
  if (kept.isThere) await files.remove(scriptPath);
}

/** Whether a log is in this service's format except for a partial last line, which `AppendFile` repairs. */
function isOnlyTorn(original: Buffer, { bytes, rejected }: Conversion, { kind }: TakeoverOptions): boolean {
  if (kind !== 'log' || original.at(-1) === LF || rejected.length > 1) return false;
  const shared = Math.min(bytes.length, original.length);
  return bytes.subarray(0, shared).equals(original.subarray(0, shared));
}

async function read(path: string, files: Files): Promise<Buffer> {
  try {
    return await files.readFile(path);
  } catch (error) {
    throw fileNotRead(path, error);
  }
}
