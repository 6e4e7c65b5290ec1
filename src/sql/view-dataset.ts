import type { Clock } from '../base/clock.js';
import { digest } from '../base/hash.js';
import type { Column } from '../csv/rows.js';
import type { Content, Dataset, DatasetStatus, Definition, Freshness } from '../datasets/dataset.js';
import type { Relation } from '../datasets/relation.js';
import { slotOf } from './sql-dataset.js';
import type { ViewAnswer } from './view-answer.js';
import type { ViewContent } from './view-content.js';
import type { ViewHead } from './view-file.js';
import { asLastError, type Lineage, type ViewGraph, type ViewNode } from './view-graph.js';

/** From best to worst. */
const FRESHNESS: readonly Freshness[] = ['fresh', 'late', 'stale', 'waiting'];

/** A view's text and its parts. */
export interface ViewParts {
  readonly name: string;
  /** The file, for display. */
  readonly file: string;
  readonly sql: string;
  readonly head: ViewHead;
  readonly graph: ViewGraph;
  readonly answer: ViewAnswer;
  readonly content: ViewContent;
  readonly clock: Clock;
}

/** A dataset computed by SQL from others, as readers see it. */
export class ViewDataset implements Dataset {
  readonly kind = 'view';
  readonly name: string;
  readonly source: string;
  readonly description: string | null;
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly #parts: ViewParts;
  #version: { readonly parts: readonly string[]; readonly digest: string } | null = null;

  constructor(parts: ViewParts) {
    this.name = parts.name;
    this.source = parts.file;
    this.description = parts.head.description;
    this.keys = parts.head.keys;
    this.timeColumn = parts.head.timeColumn;
    this.#parts = parts;
  }

  get definition(): Definition {
    const { file, sql } = this.#parts;
    const inputs = this.#lineage?.inputs ?? [];
    return { file, sql, uses: inputs.map(({ name }) => name).sort() };
  }

  get columns(): readonly Column[] | null {
    return this.#parts.answer.kept?.columns.map(({ column }) => column) ?? null;
  }

  /** Null while one of its sources was never read, and while it is broken. */
  get version(): string | null {
    const lineage = this.#lineage;
    if (lineage === null) return null;
    const versions = lineage.sources.map(versionInSql);
    if (!versions.every((version) => version !== null)) return null;
    const dependsOnNow = lineage.views.some(({ parsed }) => 'sql' in parsed && parsed.dependsOnNow);
    const texts = lineage.views.map(({ parsed }) => ('sql' in parsed ? parsed.sql : ''));
    return this.#digest([...versions, ...texts, slotOf(dependsOnNow, this.#parts.clock.now())]);
  }

  status(): DatasetStatus {
    const { answer, content } = this.#parts;
    const sources = (this.#lineage?.sources ?? []).map((source) => source.status());
    return {
      rows: content.size?.rows ?? answer.kept?.rows ?? null,
      bytes: content.size?.bytes ?? null,
      readAt: this.readAt(),
      interval: null,
      freshness: worst(sources.map(({ freshness }) => freshness)),
      nextPollAt: null,
      persisted: true,
      lastError: this.#lastError(),
    };
  }

  async content(): Promise<Content> {
    // Taken first: changes during the computation make the next version.
    return this.#parts.content.get(this.version);
  }

  /** Computes it if one of its inputs has changed. Rejects with `VIEW_BROKEN` or `DATASET_NOT_READ_YET`. */
  sync(): Promise<void> {
    return this.#parts.answer.sync();
  }

  /** The names of views that lead from this one to itself, each reading the next; null: none do. */
  circle(): readonly string[] | null {
    return this.#parts.graph.circle(this);
  }

  /** When the oldest of its sources was read, except lookups, which do not age. Milliseconds since the epoch; null: unknown. */
  readAt(): number | null {
    const lineage = this.#lineage;
    if (lineage === null) return null;
    const aging = lineage.sources.filter(({ kind }) => kind !== 'lookup');
    const times = aging.flatMap((source) => source.status().readAt ?? []);
    if (times.length > 0) return Math.min(...times);
    return aging.length === 0 ? this.#parts.clock.now() : null;
  }

  /** Null while it is broken. */
  get #lineage(): Lineage | null {
    const { graph } = this.#parts;
    return graph.mistake(this) === null ? graph.lineage(this) : null;
  }

  /** The error of this view, or of a view that it reads. */
  #lastError(): DatasetStatus['lastError'] {
    const { graph, answer } = this.#parts;
    const own = graph.mistake(this) ?? answer.failure;
    if (own !== null) return asLastError(own);
    const wrong = ({ view, failure }: ViewNode) => graph.mistake(view) ?? failure() ?? [];
    const [first] = this.#lineage?.views.flatMap(wrong) ?? [];
    return first === undefined ? null : asLastError(first);
  }

  /** Cached: HTTP calls it for every request, and usually nothing has changed. */
  #digest(parts: readonly string[]): string {
    const known = this.#version;
    if (known?.parts.length === parts.length && parts.every((part, index) => part === known.parts[index]))
      return known.digest;
    this.#version = { parts, digest: digest(parts) };
    return this.#version.digest;
  }
}

function worst(all: readonly Freshness[]): Freshness {
  return FRESHNESS[Math.max(0, ...all.map((freshness) => FRESHNESS.indexOf(freshness)))]!;
}

/** A dataset's version including its sealed days, which SQL reads too; null until it has data. */
function versionInSql(source: Dataset): string | null {
  const { version } = source;
  if (version === null || !('sealedDays' in source)) return version;
  const { sealedDays } = source as Relation;
  const missing = sealedDays.filter((day) => day.missing !== undefined).map(({ date }) => date);
  return `${version} ${sealedDays.length} ${sealedDays[0]?.date} ${missing}`;
}
