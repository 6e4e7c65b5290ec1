import { splitRows } from '../../src/csv/decode.js';
import { encodeHeader } from '../../src/csv/encode.js';
import type { EncodedRows } from '../../src/csv/rows.js';
import type { ParquetFiles } from '../../src/history/parquet-files.js';
import type { Files } from '../../src/volume/files.js';
import { writeAll } from '../../src/volume/write.js';

/** Stands in for the SQL engine where sealing meets faults: sealed days are CSV, written through the file boundary. */
export class PlainDays implements ParquetFiles {
  readonly #files: Files;

  constructor(files: Files) {
    this.#files = files;
  }

  async writeParquet(rows: EncodedRows, path: string): Promise<void> {
    const file = await this.#files.open(path, 'w+');
    try {
      const header = encodeHeader(rows.columns);
      await writeAll(file, header, 0);
      await writeAll(file, rows.body, header.length);
    } finally {
      await file.close();
    }
  }

  async damageOf(): Promise<null> {
    return null;
  }

  queriesEnded(): null {
    return null;
  }

  async timesIn(path: string, timeColumn: string): Promise<ReadonlySet<number>> {
    const { header, body } = await splitRows(await this.#files.readFile(path));
    if (header.at(-1) !== timeColumn) throw new TypeError(`${path} has no ${timeColumn}`);
    const times = body.toString().match(/[^,\n]*(?=\n)/g) ?? [];
    return new Set(times.filter((time) => time !== '').map((time) => Date.parse(time)));
  }
}
