import { isUtf8 } from 'node:buffer';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { describeError, errorCode } from '../base/errors.js';
import { hashOf } from '../base/hash.js';
import type { Logger } from '../base/logger.js';
import { splitRows } from '../csv/decode.js';
import { encodeHeader } from '../csv/encode.js';
import { csvMalformed } from '../csv/errors.js';
import { inferColumns, untyped } from '../csv/infer.js';
import type { Column } from '../csv/rows.js';
import type { Content, DatasetStatus } from './dataset.js';
import { lookupNameTaken, lookupNotText } from './errors.js';
import type { DatasetRegistry } from './registry.js';
import type { Relation } from './relation.js';

/** A static table beside the configuration: `config/lookups/zones.csv` is the dataset `zones`. */
export class LookupDataset implements Relation {
  readonly kind = 'lookup';
  readonly keys: readonly string[];
  readonly timeColumn = null;
  readonly sealedDays = [];
  readonly name: string;
  readonly source: string;
  readonly description: string;
  readonly columns: readonly Column[];
  readonly version: string;
  readonly #content: Content;

  constructor(name: string, source: string, content: Content) {
    this.name = name;
    this.source = source;
    this.description = `The rows of ${source}, read when the service started.`;
    this.columns = content.columns;
    this.keys = content.columns.slice(0, 1).map((column) => column.name);
    this.version = content.version;
    this.#content = content;
  }

  status(): DatasetStatus {
    return {
      rows: this.#content.rows,
      bytes: this.#content.bytes.length,
      readAt: this.#content.readAt,
      interval: null,
      freshness: 'fresh',
      nextPollAt: null,
      persisted: true,
      lastError: null,
    };
  }

  async content(): Promise<Content> {
    return this.#content;
  }

  appendedSince(): null {
    return null;
  }
}

export interface LookupsOptions {
  /** Folder of the `.csv` files; one that does not exist has none. */
  readonly dir: string;
  /** How the folder is called to people. */
  readonly shown: string;
  readonly registry: DatasetRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Reads every lookup of a folder and adds it to the registry, in the order of their names. A file that is no CSV, or that
 * takes the name of a dataset that is there already, is left out, and the log says so.
 */
export async function openLookups(options: LookupsOptions): Promise<void> {
  const { dir, shown, registry, clock, logger } = options;
  for (const file of await filesOf(dir, '.csv')) {
    const source = join(shown, file);
    try {
      const name = basename(file, '.csv');
      const taken = registry.list().find((dataset) => dataset.name.toLowerCase() === name.toLowerCase());
      if (taken !== undefined) throw lookupNameTaken(name, taken.source);
      const content = await readLookup(join(dir, file), source, clock.now());
      registry.add(new LookupDataset(name, source, content));
    } catch (error) {
      logger.error({ lookup: source }, `this lookup is left out: ${describeError(error)}`);
    }
  }
}

/** Names of the files with that ending, in the order of their names; none when there is no such folder. */
export async function filesOf(dir: string, ending: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith(ending) && !name.startsWith('.')).sort();
}

async function readLookup(path: string, source: string, readAt: number): Promise<Content> {
  const content = await readFile(path);
  if (!isUtf8(content) || content.includes(0)) throw lookupNotText(source);
  const file = await splitRows(content, source);
  const twice = file.header.find((name, index) => file.header.indexOf(name) < index);
  if (twice !== undefined) throw csvMalformed(source, 1, `has two columns ${JSON.stringify(twice)}`);
  const columns = await inferColumns(untyped(file));
  const bytes = Buffer.concat([encodeHeader(columns), file.body]);
  const hash = await hashOf(bytes);
  return { version: hash, readAt, columns, rows: file.ends.length, bytes, hash };
}
