import { DynamoCsvError, describeError } from '../base/errors.js';
import type { Column } from '../csv/rows.js';
import type { Content, DatasetKind, DatasetStatus } from '../datasets/dataset.js';
import type { Relation } from '../datasets/relation.js';
import type { Source } from '../sources/source.js';
import { shownSource } from './descriptions.js';
import { tableBroken } from './errors.js';
import type { Recorder } from './recorder.js';
import { pathsOf, placesOf, type RecorderOptions } from './recorder-options.js';

/** Opens a table's recorder. Never rejects: a table whose files cannot be opened does not stop the others. */
export async function openOrBroken(
  options: Omit<RecorderOptions, 'files'>,
  open: () => Promise<Recorder>,
): Promise<Recorder> {
  try {
    return await open();
  } catch (error) {
    const problem = tableBroken(options.name, error);
    const facts = error instanceof DynamoCsvError ? { code: error.code } : { err: error };
    options.logger.error({ dataset: options.name, ...facts }, describeError(problem));
    return new BrokenRecorder(options, problem);
  }
}

/** Wraps the source of a broken recorder so that polls fail without calling AWS. */
export function recordable(source: Source, { brokenBy }: Recorder): Source {
  if (brokenBy === null) return source;
  return { title: source.title, read: () => Promise.reject(brokenBy), close: () => source.close() };
}

class BrokenRecorder implements Recorder {
  readonly datasets: readonly Relation[];
  readonly log = null;
  readonly changes = null;
  readonly known: readonly Column[] = [];
  readonly position = null;
  readonly brokenBy: DynamoCsvError;
  readonly #paths: readonly string[];

  constructor(options: Omit<RecorderOptions, 'files'>, brokenBy: DynamoCsvError) {
    this.brokenBy = brokenBy;
    this.#paths = pathsOf(options);
    this.datasets = placesOf(options).map(
      ({ dataset, kind }) => new BrokenDataset(dataset, kind, options, brokenBy),
    );
  }

  record(): Promise<never> {
    return Promise.reject(this.brokenBy);
  }

  /** Nothing writes them until the next start. */
  atRest<T>(work: (paths: readonly string[]) => Promise<T>): Promise<T> {
    return work(this.#paths);
  }

  async close(): Promise<void> {}
}

/** A dataset whose file cannot be opened: it is listed, and every read fails with the reason. */
class BrokenDataset implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly source: string;
  readonly description = null;
  readonly columns = null;
  readonly keys: readonly string[] = [];
  readonly timeColumn = null;
  readonly version = null;
  readonly sealedDays = [];
  readonly #health: RecorderOptions['health'];
  readonly #problem: DynamoCsvError;

  constructor(
    name: string,
    kind: DatasetKind,
    { health, ...options }: Pick<RecorderOptions, 'source' | 'shownAs' | 'health'>,
    problem: DynamoCsvError,
  ) {
    this.name = name;
    this.kind = kind;
    this.source = shownSource(options);
    this.#health = health;
    this.#problem = problem;
  }

  status(): DatasetStatus {
    const { interval, nextPollAt, lastError, freshness } = this.#health;
    return {
      rows: null,
      bytes: null,
      readAt: null,
      interval,
      freshness,
      nextPollAt,
      persisted: true,
      lastError,
    };
  }

  content(): Promise<Content> {
    return Promise.reject(this.#problem);
  }

  appendedSince(): null {
    return null;
  }
}
