import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { Archive } from '../../src/archive/archive.js';
import { S3Objects } from '../../src/archive/s3-objects.js';
import { PointTaker } from '../../src/archive/take-point.js';
import { ArchivedDays } from '../../src/history/archived-days.js';
import { nodeFiles } from '../../src/volume/files.js';
import { temporaryFolder } from './temporary-folder.js';

/** An archive without a service: a data folder of which a test takes points. */
export interface WrittenArchive {
  readonly dataDir: string;
  /** The files of its sealed days, in the order of the dates. */
  readonly days: readonly string[];
  /**
   * Archives the folder as it is. `now`: milliseconds since the epoch. `rows`: what the point says that each new day has.
   */
  takePoint(now?: number, rows?: number): Promise<void>;
}

/** Rows of each sealed day. */
export const ROWS_OF_DAY = 1_500;

/** A folder with the dataset `orders`: a CSV file, and sealed days of these dates. `prefix`: of the archive in that bucket. */
export async function writtenArchive(
  t: TestContext,
  {
    endpoint,
    bucket,
    prefix,
  }: { readonly endpoint: string; readonly bucket: string; readonly prefix: string },
  dates: readonly string[],
): Promise<WrittenArchive> {
  const before = process.env.AWS_ENDPOINT_URL_S3;
  process.env.AWS_ENDPOINT_URL_S3 = endpoint;
  t.after(() => {
    if (before === undefined) delete process.env.AWS_ENDPOINT_URL_S3;
    else process.env.AWS_ENDPOINT_URL_S3 = before;
  });
  const dataDir = await temporaryFolder(t);
  const folder = join(dataDir, 'history', 'orders');
  const days = dates.map((date) => join(folder, `date=${date}`, `${date}.parquet`));
  await writeFile(join(dataDir, 'orders.csv'), 'id\n1\n');
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  for (const path of days) {
    await mkdir(dirname(path), { recursive: true });
    await connection.run(`COPY (SELECT range AS n FROM range(${ROWS_OF_DAY})) TO '${path}' (FORMAT parquet)`);
  }
  connection.closeSync();
  instance.closeSync();
  const objects = new S3Objects({ bucket, prefix, region: null });
  t.after(() => objects.close());
  const archive = await Archive.open(objects);
  return {
    dataDir,
    days,
    takePoint: async (now = Date.now(), rows = ROWS_OF_DAY) => {
      const taker = new PointTaker(archive, dataDir, nodeFiles, await ArchivedDays.open(dataDir, nodeFiles));
      const { signal } = new AbortController();
      const describe = async () => ({ columns: [], rows });
      const options = { fence: 1, now, signal, mayReplace: () => true, describe };
      const { point } = await taker.take([], await archive.latest(), options);
      assert.equal(await archive.add(point), true);
    },
  };
}
