import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const DAY = 86_400_000;
const ROWS_PER_DAY = 50;

/**
 * Writes `past.csv` as the Python script would have: a log of so many days that ended last night. The service takes it
 * over at its first start, and seals its days soon after. Returns the values of `n`, in order.
 */
export async function writePast(dataDir: string, days: number): Promise<string[]> {
  await mkdir(dataDir);
  const begin = Math.floor(Date.now() / DAY) * DAY - days * DAY;
  const numbers = Array.from({ length: days * ROWS_PER_DAY }, (_, index) => index);
  const lines = numbers.map((n) => `1,${n + 1},${pythonTime(begin + (n * DAY) / ROWS_PER_DAY)}\n`);
  await writeFile(join(dataDir, 'past.csv'), `id,n,timestamp\n${lines.join('')}`);
  return numbers.map((n) => String(n + 1));
}

/** Without a zone, and meaning UTC. */
const pythonTime = (time: number) => new Date(time).toISOString().slice(0, 19).replace('T', ' ');
