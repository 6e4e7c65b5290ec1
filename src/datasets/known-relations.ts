import { join } from 'node:path';
import { datasetNotReadYet } from '../base/errors.js';
import { encodeHeader } from '../csv/encode.js';
import { nodeFiles } from '../csv/files.js';
import type { Column } from '../csv/rows.js';
import { changesColumns, logColumns, TIMESTAMP } from './column-names.js';
import type { Content, DatasetKind, DatasetStatus } from './dataset.js';
import type { Relation } from './relation.js';
import type { RecorderOptions } from './table-recorder.js';
import { TableStateFile } from './table-state.js';

/**
 * The datasets of a source as the volume's notes tell of them: every column with its type, and no row. Only the notes
 * are read, and nothing is written, so that a service may be working on the volume meanwhile. A source that was never
 * polled has datasets that were never read.
 */
export async function knownRelations(
  dataDir: string,
  recording: Pick<RecorderOptions, 'name' | 'log' | 'logName' | 'changes'>,
): Promise<readonly Relation[]> {
  const { name, log, logName, changes } = recording;
  const file = new TableStateFile(join(dataDir, '.dynamo-csv', `${name}.json`), nodeFiles);
  // Notes that cannot be read tell nothing; the service says so when it starts on them.
  const state = await file.read().catch(() => null);
  const { columns = null, keys = [], names = null } = state ?? {};
  const relation = (name: string, kind: DatasetKind, columns: readonly Column[] | null) =>
    new RowlessRelation(
      name,
      kind,
      columns,
      keys,
      kind === 'snapshot' ? null : (names?.timestamp ?? TIMESTAMP),
    );
  const added = columns === null || names === null ? null : { columns, names };
  const ofLog = added === null ? null : logColumns(added.columns, added.names);
  const ofChanges = added === null ? null : changesColumns(added.columns, keys.length, added.names);
  return [
    ...(log && logName === undefined ? [] : [relation(name, 'snapshot', columns)]),
    ...(log ? [relation(logName ?? name, 'log', ofLog)] : []),
    ...(changes ? [relation(`${name}-changes`, 'changes', ofChanges)] : []),
  ];
}

/** Columns without rows. */
class RowlessRelation implements Relation {
  readonly name: string;
  readonly kind: DatasetKind;
  readonly columns: readonly Column[] | null;
  readonly keys: readonly string[];
  readonly timeColumn: string | null;
  readonly source = "the volume's notes";
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
