import type { Files, OpenFile } from '../../src/volume/files.js';

/** One operation at the file boundary. */
export interface Operation {
  /** From 0, in the order in which operations begin. */
  readonly index: number;
  readonly name: keyof Files | Exclude<keyof OpenFile, 'stat'>;
  /** Where the file is now; of a rename, where it goes. */
  readonly path: string;
}

/**
 * What happens to an operation instead of its work. A `write` does `part` of its bytes first (0 to 1, default none).
 * `fails`: rejects with that system error. `short`: a write that takes no more than its part, and says so.
 * `stops`: this operation and every one after it reject for ever, as if the process had been killed.
 */
export type Fault =
  | { readonly fails: 'ENOSPC' | 'EDQUOT' | 'EIO' | 'EACCES'; readonly part?: number }
  | { readonly short: true; readonly part: number }
  | { readonly stops: true; readonly part?: number };

/** A file boundary around another, with faults. */
export class FaultyFiles implements Files {
  readonly operations: Operation[] = [];
  readonly #files: Files;
  readonly #faultAt: (operation: Operation) => Fault | null;
  /** The files that were opened here, each with its present path. */
  readonly #opened = new Set<{ path: string }>();
  #isStopped = false;

  constructor(files: Files, faultAt: (operation: Operation) => Fault | null = () => null) {
    this.#files = files;
    this.#faultAt = faultAt;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  async open(path: string, mode: 'r' | 'r+' | 'w+'): Promise<OpenFile> {
    const file = await this.#run('open', path, () => this.#files.open(path, mode));
    const place = { path };
    this.#opened.add(place);
    const run = <T>(name: keyof OpenFile, whole: () => Promise<T>, inPart?: (part: number) => Promise<T>) =>
      this.#run(name, place.path, whole, inPart);
    return {
      write: (bytes, position) =>
        run(
          'write',
          () => file.write(bytes, position),
          (part) => file.write(bytes.subarray(0, Math.floor(bytes.length * part)), position),
        ),
      read: (bytes, position) => run('read', () => file.read(bytes, position)),
      truncate: (size) => run('truncate', () => file.truncate(size)),
      sync: () => run('sync', () => file.sync()),
      stat: () => run('stat', () => file.stat()),
      close: () => run('close', () => file.close()),
    };
  }

  readFile(path: string): Promise<Buffer> {
    return this.#run('readFile', path, () => this.#files.readFile(path));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#run('rename', to, () => this.#files.rename(from, to));
    for (const place of this.#opened) if (place.path === from) place.path = to;
  }

  remove(path: string): Promise<void> {
    return this.#run('remove', path, () => this.#files.remove(path));
  }

  removeFolder(path: string): Promise<void> {
    return this.#run('removeFolder', path, () => this.#files.removeFolder(path));
  }

  makeFolder(path: string): Promise<void> {
    return this.#run('makeFolder', path, () => this.#files.makeFolder(path));
  }

  list(path: string): Promise<string[]> {
    return this.#run('list', path, () => this.#files.list(path));
  }

  stat(path: string) {
    return this.#run('stat', path, () => this.#files.stat(path));
  }

  syncFolder(path: string): Promise<void> {
    return this.#run('syncFolder', path, () => this.#files.syncFolder(path));
  }

  /** `inPart`: does a part of the work, of an operation that has parts. */
  async #run<T>(
    name: Operation['name'],
    path: string,
    whole: () => Promise<T>,
    inPart?: (part: number) => Promise<T>,
  ): Promise<T> {
    if (this.#isStopped) throw stopped();
    const operation = { index: this.operations.length, name, path };
    this.operations.push(operation);
    const fault = this.#faultAt(operation);
    if (fault === null) return whole();
    if ('short' in fault) return inPart === undefined ? whole() : inPart(fault.part);
    if ('stops' in fault) this.#isStopped = true;
    if (fault.part !== undefined) await inPart?.(fault.part);
    throw 'stops' in fault
      ? stopped()
      : Object.assign(new Error(`${fault.fails}: ${path}`), { code: fault.fails });
  }
}

/** That fault at one operation, and nothing elsewhere. */
export function at(index: number, fault: Fault): (operation: Operation) => Fault | null {
  return (operation) => (operation.index === index ? fault : null);
}

function stopped(): Error {
  return new Error('the process was stopped');
}
