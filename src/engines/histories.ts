import { readdir, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Archive } from '../archive/archive.js';
import type { Point } from '../archive/point.js';
import { decodeHistorySchema } from '../history/history-schema.js';
import { dateOfDayFolder, historyFolder, historyOf, historySchemaFile } from '../volume/layout.js';
import type { DatasetHistory } from './engine-table.js';

/** The sealed days in a data folder, in the order of the datasets' names; those without a noted schema are left out. */
export async function historiesInFolder(dataDir: string): Promise<DatasetHistory[]> {
  const datasets = await readdir(historyFolder(dataDir)).catch(() => []);
  const found: DatasetHistory[] = [];
  for (const dataset of datasets.sort()) {
    const path = historySchemaFile(dataDir, dataset);
    if ((await stat(path).catch(() => null)) === null) continue;
    const location = historyOf(dataDir, dataset);
    const history = historyOfText(dataset, await readFile(path, 'utf8'), await readdir(location), location);
    if (history !== null) found.push(history);
  }
  return found;
}

/** The sealed days that a point of an archive names, in the order of the datasets' names. */
export async function historiesInArchive(archive: Archive, point: Point): Promise<DatasetHistory[]> {
  const found: DatasetHistory[] = [];
  for (const { path, parts } of point.files) {
    const dataset = path.split('/')[1] ?? '';
    if (path !== historySchemaFile('', dataset)) continue;
    const bytes: Buffer[] = [];
    for (const part of parts) bytes.push(await archive.part(part));
    const folder = historyOf('', dataset);
    const days = point.days.filter((day) => day.path.startsWith(`${folder}/`));
    const folders = days.map((day) => day.path.split('/')[2] ?? '');
    const location = `${archive.location}${basename(historyFolder(''))}/${dataset}`;
    const history = historyOfText(dataset, Buffer.concat(bytes).toString(), folders, location);
    if (history !== null) found.push(history);
  }
  return found;
}

/** `folders`: names such as `date=2026-11-24`. Null: the note is unreadable, or no day is there. */
function historyOfText(
  dataset: string,
  text: string,
  folders: readonly string[],
  location: string,
): DatasetHistory | null {
  const schema = decodeHistorySchema(text);
  const [first] = folders.flatMap((name) => dateOfDayFolder(name) ?? []).sort();
  if (schema === null || first === undefined || schema.columns.length === 0) return null;
  return { dataset, columns: schema.columns, first, location };
}
