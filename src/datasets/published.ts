import type { EncodedRows } from '../csv/rows.js';
import type { ColumnException, Content, Dataset, DatasetKind, DatasetStatus } from './dataset.js';
import type { DatasetRegistry } from './registry.js';
import type { EditedRows, Relation, SealedDay } from './relation.js';

/**
 * The datasets that are recorded, as they stand in the registry. Who keeps one up to date may change while the service
 * runs: readers hold on to the same dataset, and from one moment to the next it answers from the new one.
 */
export class Published {
  readonly #registry: DatasetRegistry;
  readonly #datasets = new Map<string, PublishedDataset>();

  constructor(registry: DatasetRegistry) {
    this.#registry = registry;
  }

  /** Shows these under their names from now on, in place of those that have them. */
  show(datasets: Iterable<Relation>): void {
    for (const dataset of datasets) {
      const there = this.#datasets.get(dataset.name);
      if (there !== undefined) there.kept = dataset;
      else {
        const published = new PublishedDataset(dataset);
        this.#datasets.set(dataset.name, published);
        this.#registry.add(published);
      }
    }
  }

  /** Whether a dataset of the registry is one of these. */
  has(dataset: Dataset): boolean {
    return dataset instanceof PublishedDataset;
  }
}

/** A dataset that is another one, which can be replaced. Versions of both mean the same rows. */
class PublishedDataset implements Relation {
  readonly name: string;
  kept: Relation;

  constructor(kept: Relation) {
    this.name = kept.name;
    this.kept = kept;
  }

  get kind(): DatasetKind {
    return this.kept.kind;
  }

  get source(): string {
    return this.kept.source;
  }

  get description(): string | null {
    return this.kept.description;
  }

  get columns(): Relation['columns'] {
    return this.kept.columns;
  }

  get keys(): readonly string[] {
    return this.kept.keys;
  }

  get timeColumn(): string | null {
    return this.kept.timeColumn;
  }

  get itemTime(): string | null {
    return this.kept.itemTime ?? null;
  }

  get pollColumn(): string | undefined {
    return this.kept.pollColumn;
  }

  get optionsAt(): string | undefined {
    return this.kept.optionsAt;
  }

  get exceptions(): readonly ColumnException[] {
    return this.kept.exceptions ?? [];
  }

  get version(): string | null {
    return this.kept.version;
  }

  get sealedDays(): readonly SealedDay[] {
    return this.kept.sealedDays;
  }

  status(): DatasetStatus {
    return this.kept.status();
  }

  content(): Promise<Content> {
    return this.kept.content();
  }

  appendedSince(version: string): EncodedRows | null {
    return this.kept.appendedSince(version);
  }

  editedSince(version: string): EditedRows | null {
    return this.kept.editedSince?.(version) ?? null;
  }
}
