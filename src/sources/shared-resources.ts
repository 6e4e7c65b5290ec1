import { Closing } from '../base/closing.js';

interface Closable {
  close(): Promise<void>;
}

/** What the sources of one service share: one of each class, made when it is first asked for. */
export class SharedResources {
  readonly #all = new Map<new () => Closable, Closable>();

  get<Resource extends Closable>(Class: new () => Resource): Resource {
    const existing = this.#all.get(Class) as Resource | undefined;
    if (existing !== undefined) return existing;
    const made = new Class();
    this.#all.set(Class, made);
    return made;
  }

  /** Closes them all. Rejects with the first error, after the last. */
  close(): Promise<void> {
    const closing = new Closing();
    for (const resource of this.#all.values()) closing.add(() => resource.close());
    return closing.close();
  }
}
