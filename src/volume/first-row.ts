import { decodeRow } from '../csv/decode.js';
import { placeRow } from '../csv/scan.js';
import { fileNotRead } from './errors.js';
import type { Files } from './files.js';
import { readRange } from './write.js';

/** Bytes read first; nearly every header is shorter. */
const FIRST_BYTES = 1 << 16;

const BOM = Buffer.from('\uFEFF');

/** The column names of a CSV file, without reading the rest. Null without a file, or without a complete line in it. */
export async function readFirstRow(path: string, files: Files): Promise<readonly string[] | null> {
  if ((await files.stat(path)) === null) return null;
  try {
    const file = await files.open(path, 'r');
    try {
      const { size } = await file.stat();
      for (let length = Math.min(size, FIRST_BYTES); ; length = Math.min(size, length * 4)) {
        const bytes = await readRange(file, 0, length);
        const start = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
        const row = placeRow(bytes, start);
        if (row !== null && row.end > row.contentEnd)
          return decodeRow(bytes.subarray(start, row.contentEnd)).map((cell) => cell ?? '');
        if (length === size) return null;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileNotRead(path, error);
  }
}
