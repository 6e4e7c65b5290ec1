import { dirname } from 'node:path';
import type { Logger } from '../base/logger.js';
import type { Files } from '../volume/files.js';
import { replaceFile } from '../volume/write.js';
import { foundUnreadable } from './errors.js';

/** What is remembered of a table that was found. */
export interface FoundTable {
  /** The published name; it never changes, so that the data is continued. */
  readonly name: string;
  /** When it was noticed to be gone, as ISO 8601; null: it is there. */
  readonly goneSince: string | null;
}

/** The tables that were found, by name, kept in a file: after a restart they are served before anything is asked of AWS. */
export class FoundTables {
  readonly #path: string;
  readonly #files: Files;
  readonly #tables: Map<string, FoundTable>;

  private constructor(path: string, files: Files, tables: Map<string, FoundTable>) {
    this.#path = path;
    this.#files = files;
    this.#tables = tables;
  }

  /** Reads the file (`discoveredFile` in `volume/layout.ts`). One that cannot be read is logged, and counts as empty. */
  static async open(path: string, files: Files, logger: Logger): Promise<FoundTables> {
    return new FoundTables(path, files, await read(path, files, logger));
  }

  get(table: string): FoundTable | undefined {
    return this.#tables.get(table);
  }

  /** All of them, in the order in which they were found. */
  list(): readonly (FoundTable & { readonly table: string })[] {
    return [...this.#tables].map(([table, found]) => ({ table, ...found }));
  }

  set(table: string, found: FoundTable): void {
    this.#tables.set(table, found);
  }

  /** Writes the file. Rejects with the system's error. */
  async save(): Promise<void> {
    const content = JSON.stringify(Object.fromEntries(this.#tables), null, 1);
    await this.#files.makeFolder(dirname(this.#path));
    await replaceFile(this.#files, this.#path, Buffer.from(`${content}\n`));
  }
}

async function read(path: string, files: Files, logger: Logger): Promise<Map<string, FoundTable>> {
  try {
    if ((await files.stat(path)) === null) return new Map();
    const tables: unknown = JSON.parse((await files.readFile(path)).toString());
    if (typeof tables !== 'object' || tables === null) throw new TypeError('it has another format');
    return new Map(
      Object.entries(tables).filter((entry): entry is [string, FoundTable] => isFound(entry[1])),
    );
  } catch (cause) {
    const problem = foundUnreadable(path, cause);
    logger.warn({ code: problem.code, err: cause }, problem.line);
    return new Map();
  }
}

function isFound(value: unknown): value is FoundTable {
  const { name, goneSince } = (value ?? {}) as Partial<FoundTable>;
  return typeof name === 'string' && (goneSince === null || typeof goneSince === 'string');
}
