import { readdir, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Archive } from '../archive/archive.js';
import type { Point } from '../archive/point.js';
import { decodeHistorySchema } from '../history/history-schema.js';
import { dateOfDayFolder, dayOfPath, historyFolder, historyOf, historySchemaFile } from '../volume/layout.js';
import type { DatasetHistory } from './engine-table.js';

/** What a folder or an archive has of sealed days, in the order of the datasets' names. */
export interface Histories {
  readonly histories: readonly DatasetHistory[];
  /** Datasets whose sealed days are no table yet, since their schema is not noted beside them. */
  readonly leftOut: readonly string[];
}

/** The sealed days in a data folder. */
export async function historiesInFolder(dataDir: string): Promise<Histories> {
  const datasets = await readdir(historyFolder(dataDir)).catch(() => []);
  const found = new Found();
  for (const dataset of datasets.sort()) {
    const location = historyOf(dataDir, dataset);
    const path = historySchemaFile(dataDir, dataset);
    const isNoted = (await stat(path).catch(() => null)) !== null;
    const text = isNoted ? await readFile(path, 'utf8') : null;
    found.add({ dataset, text, dates: datesOf(await readdir(location).catch(() => [])), location });
  }
  return found;
}

/** The sealed days that a point of an archive names. */
export async function historiesInArchive(archive: Archive, point: Point): Promise<Histories> {
  const dates = new Map<string, string[]>();
  for (const { path } of point.days) {
    const day = dayOfPath(path);
    if (day === null) continue;
    const ofDataset = dates.get(day.dataset) ?? [];
    ofDataset.push(day.date);
    dates.set(day.dataset, ofDataset);
  }
  const files = new Map(point.files.map((file) => [file.path, file]));
  const found = new Found();
  for (const dataset of [...dates.keys()].sort()) {
    const note = files.get(historySchemaFile('', dataset));
    const bytes: Buffer[] = [];
    for (const part of note?.parts ?? []) bytes.push(await archive.part(part));
    const text = note === undefined ? null : Buffer.concat(bytes).toString();
    const location = `${archive.location}${basename(historyFolder(''))}/${dataset}`;
    found.add({ dataset, text, dates: dates.get(dataset) ?? [], location });
  }
  return found;
}

/** Why a dataset with sealed days is no table, and what to do: a sentence without a full stop. */
export function leftOutSentence(dataset: string): string {
  return `${dataset} is left out: the note of its columns, ${historySchemaFile('', dataset)}, is missing or cannot be read; let a service that has this dataset in its configuration run there: it writes the note when all days are sealed, after its start and after midnight`;
}

/** A dataset with sealed days, and the note beside them. */
interface FoundDays {
  readonly dataset: string;
  /** The note of the schema; null: there is none. */
  readonly text: string | null;
  /** In any order. */
  readonly dates: readonly string[];
  readonly location: string;
}

class Found implements Histories {
  readonly histories: DatasetHistory[] = [];
  readonly leftOut: string[] = [];

  /** One without a day is neither a table nor left out. */
  add({ dataset, text, dates, location }: FoundDays): void {
    const [first] = [...dates].sort();
    if (first === undefined) return;
    const schema = text === null ? null : decodeHistorySchema(text);
    if (schema === null || schema.columns.length === 0) this.leftOut.push(dataset);
    else this.histories.push({ dataset, columns: schema.columns, first, location });
  }
}

function datesOf(folders: readonly string[]): string[] {
  return folders.flatMap((name) => dateOfDayFolder(name) ?? []);
}
