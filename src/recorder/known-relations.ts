import { encodeHeader } from '../csv/encode.js';
import type { Column } from '../csv/rows.js';
import type { Content, DatasetKind, DatasetStatus } from '../datasets/dataset.js';
import { datasetNotReadYet } from '../datasets/errors.js';
import type { Relation } from '../datasets/relation.js';
import { nodeFiles } from '../volume/files.js';
import { columnsOf, TIMESTAMP } from './layout.js';
import { appendedBy, placesOf, type RecorderOptions } from './recorder-options.js';
import { stateFileOf } from './table-state.js';

/**
 * The datasets of a source as its state file describes them: columns with types, no rows. Reads the state file only and
 * writes nothing, so a service may be running on the volume. A source that was never polled has datasets without columns.
 */
export async function knownRelations(
  dataDir: string,
  recording: Pick<RecorderOptions, 'name' | 'log' | 'logName' | 'append' | 'time' | 'changes'>,
): Promise<readonly Relation[]> {
  // The service reports an unreadable state when it starts.
  const state = await stateFileOf(dataDir, recording.name, nodeFiles).readIfOurs();
  const keys = state?.keys ?? [];
  const ownTime = recording.time?.column ?? null;
  const pollColumn = state?.names?.timestamp ?? TIMESTAMP;
  const timeColumns = { snapshot: ownTime, log: appendedBy(recording) ?? pollColumn, changes: pollColumn };
  return placesOf(recording).map(({ dataset, kind }) => {
    const columns = state === null ? null : columnsOf(kind, state);
    return new RowlessRelation(dataset, kind, columns, keys, timeColumns[kind]);
  });
}

/** Columns without rows. */
class RowlessRelation implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly columns: readonly Column[] | null;
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly source = 'the state file';
  readonly description = null;
  readonly sealedDays = [];

  constructor(
    name: string,
    kind: DatasetKind,
    columns: readonly Column[] | null,
    keys: readonly string[],
    timeColumn: string | null,
  ) {
    this.name = name;
    this.kind = kind;
    this.columns = columns;
    this.keys = keys;
    this.timeColumn = timeColumn;
  }

  get version(): string | null {
    return this.columns === null ? null : 'known';
  }

  status(): DatasetStatus {
    return {
      rows: this.columns === null ? null : 0,
      bytes: null,
      readAt: this.columns === null ? null : 0,
      interval: null,
      freshness: 'waiting',
      nextPollAt: null,
      persisted: true,
      lastError: null,
    };
  }

  async content(): Promise<Content> {
    const { columns } = this;
    if (columns === null) throw datasetNotReadYet(this.name, null);
    return { version: 'known', readAt: 0, columns, rows: 0, bytes: encodeHeader(columns) };
  }

  appendedSince(): null {
    return null;
  }
}
