import type { Clock } from '../base/clock.js';
import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Dataset, DatasetStatus } from '../datasets/dataset.js';
import type { DatasetRegistry } from '../datasets/registry.js';
import type { Catalog } from './catalog.js';
import { viewBroken, viewReadsItself, viewReadsUnknown } from './errors.js';
import { readDuckDbError, SelectMistake } from './select-mistake.js';
import type { ParsedSelect } from './select-parser.js';

/** What a view reads, given the current registry. */
export interface Lineage {
  readonly select: ParsedSelect;
  /** The datasets named in its SQL. */
  readonly inputs: readonly Dataset[];
  /** The datasets other than views that it reads, directly or through other views; each once. */
  readonly sources: readonly Dataset[];
  /** The view itself and the views that it reads, directly or indirectly; each once. */
  readonly views: readonly ViewNode[];
}

/** A view's place in the graph. */
export interface ViewNode {
  readonly view: Dataset;
  /** The file, for display. */
  readonly file: string;
  /** Its parsed SQL, or why it cannot be parsed. */
  readonly parsed: ParsedSelect | DynamoCsvError;
  /** Why its last computation failed; null: it did not. */
  failure(): Mistake | null;
}

/** Why a view cannot work with the current registry, and since when (milliseconds since the epoch). */
export interface Mistake {
  readonly error: DynamoCsvError;
  readonly at: number;
}

/**
 * Which view reads what. Names are resolved again whenever a dataset is added to the registry or removed: a view that reads
 * a removed dataset is broken until it returns.
 */
export class ViewGraph {
  readonly #registry: DatasetRegistry;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #nodes = new WeakMap<Dataset, ViewNode>();
  readonly #mistakes = new WeakMap<Dataset, Mistake>();
  #lineages = new Map<Dataset, Lineage | Mistake>();
  #revision = -1;

  constructor(options: {
    readonly registry: DatasetRegistry;
    readonly catalog: Catalog;
    readonly clock: Clock;
  }) {
    this.#registry = options.registry;
    this.#catalog = options.catalog;
    this.#clock = options.clock;
  }

  /** Adds a view, before it is in the registry. */
  add(node: ViewNode): void {
    this.#nodes.set(node.view, node);
  }

  /** What a view of this graph reads. Throws `VIEW_BROKEN` if it has a `mistake`. */
  lineage(view: Dataset): Lineage {
    const found = this.#find(view);
    if ('error' in found) throw found.error;
    return found;
  }

  /** Why a view cannot work: wrong SQL, an unknown dataset, a cycle. Null: none of these. */
  mistake(view: Dataset): Mistake | null {
    const found = this.#find(view);
    return 'error' in found ? found : null;
  }

  /** The names of views that lead from this one to itself, each reading the next; null: none do. */
  circle(view: Dataset): readonly string[] | null {
    const seen = new Set<Dataset>();
    const wayBack = (from: Dataset): readonly string[] | null => {
      for (const input of this.#inputs(from)) {
        if (input === view) return [from.name, view.name];
        if (seen.has(input)) continue;
        seen.add(input);
        const way = wayBack(input);
        if (way !== null) return [from.name, ...way];
      }
      return null;
    };
    return wayBack(view);
  }

  #find(view: Dataset): Lineage | Mistake {
    if (this.#revision !== this.#registry.revision) {
      this.#lineages = new Map();
      this.#revision = this.#registry.revision;
    }
    const known = this.#lineages.get(view);
    if (known !== undefined) return known;
    const found = this.#resolve(this.#nodes.get(view)!);
    this.#lineages.set(view, found);
    return found;
  }

  #resolve({ view, file, parsed }: ViewNode): Lineage | Mistake {
    if (parsed instanceof DynamoCsvError) return this.#broken(view, parsed);
    const missing = parsed.tables.find((table) => this.#catalog.lookUp(table) === undefined);
    if (missing !== undefined)
      return this.#broken(view, viewReadsUnknown(file, missing, this.#registry.closest(missing)));
    const circle = this.circle(view);
    if (circle !== null) return this.#broken(view, viewReadsItself(file, circle));
    this.#mistakes.delete(view);
    return { select: parsed, inputs: this.#inputs(view), ...this.#below(view) };
  }

  /** Records a mistake; one that is the same as before keeps its time. */
  #broken(view: Dataset, error: DynamoCsvError): Mistake {
    const before = this.#mistakes.get(view);
    const isSame = before?.error.line === error.line;
    const mistake = isSame ? before : { error, at: this.#clock.now() };
    this.#mistakes.set(view, mistake);
    return mistake;
  }

  #below(view: Dataset): Pick<Lineage, 'sources' | 'views'> {
    const reached = new Set<Dataset>([view]);
    // Iterating a Set includes elements added meanwhile.
    for (const dataset of reached) for (const input of this.#inputs(dataset)) reached.add(input);
    const all = [...reached];
    return {
      sources: all.filter((dataset) => !this.#nodes.has(dataset)),
      views: all.flatMap((dataset) => this.#nodes.get(dataset) ?? []),
    };
  }

  /** The datasets that a view reads; none for other datasets and for views with wrong SQL. */
  #inputs(dataset: Dataset): readonly Dataset[] {
    const parsed = this.#nodes.get(dataset)?.parsed;
    if (parsed === undefined || parsed instanceof DynamoCsvError) return [];
    return parsed.tables.flatMap((table) => this.#catalog.lookUp(table) ?? []);
  }
}

/** Converts an error of a view to one that names its file. */
export function explainView(file: string, error: unknown): DynamoCsvError {
  if (error instanceof SelectMistake) return viewBroken(file, error.position?.line ?? null, error.message);
  if (error instanceof DynamoCsvError) return error;
  const { reason, position } = readDuckDbError(error);
  return viewBroken(file, position?.line ?? null, reason === '' ? describeError(error) : reason);
}

/** A mistake in the form of a dataset's status. */
export function asLastError({ error, at }: Mistake): NonNullable<DatasetStatus['lastError']> {
  return { code: error.code, message: error.line, at };
}
