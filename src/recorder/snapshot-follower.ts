import { createYielder } from '../base/event-loop.js';
import { decodeRow, rowAt, splitRows } from '../csv/decode.js';
import { encodeFile, encodeRow } from '../csv/encode.js';
import { type CompareKeys, RowBlocks, type RowEdit, sortRows } from '../csv/row-blocks.js';
import type { Column, EncodedRows } from '../csv/rows.js';
import { type FileState, type Files, isSameState } from '../volume/files.js';
import { csvFile } from '../volume/layout.js';
import { Baseline, readChanges } from './baseline.js';
import { isRemoval } from './changes.js';
import { addedNames, changesColumns } from './layout.js';
import type { SnapshotDataset } from './snapshot-dataset.js';
import type { FileMark, TableState } from './table-state.js';

/** The items that are shown. */
interface Shown {
  /** What the file was expected to hold when they were read. */
  readonly mark: FileMark | undefined;
  /** The poll that they are of, in milliseconds since the epoch. */
  readonly at: number;
  /** Once changes were applied to them. */
  readonly blocks: RowBlocks | null;
}

/** Items that were read and are not shown yet. */
export interface FoundItems {
  readonly mark: FileMark | undefined;
  readonly at: number;
  readonly rows: EncodedRows;
}

/** The rows of the changes after a poll. */
export type ChangesSince = (at: number) => Promise<EncodedRows>;

/**
 * The latest items of a table that another process records. After a full reading they are its file; after the records of a
 * stream they are an older file with the changes since.
 */
export class SnapshotFollower {
  readonly dataset: SnapshotDataset;
  readonly #path: string;
  readonly #files: Files;
  #shown: Shown | null = null;
  /** The file as it was when it did not have the items yet. */
  #refused: FileState | null = null;

  constructor(dataset: SnapshotDataset, dataDir: string, files: Files) {
    this.dataset = dataset;
    this.#path = csvFile(dataDir, dataset.name);
    this.#files = files;
  }

  /**
   * Reads the items' file, if that is what the state's poll needs. Null: it does not. `waiting`: the file has not been
   * replaced yet, ask again soon. Rejects with `VOLUME_READ_FAILED` or `CSV_MALFORMED`.
   */
  async find(state: TableState): Promise<FoundItems | 'waiting' | null> {
    const { commit, comparedAt, snapshotAt } = state;
    const mark = commit?.items[0];
    if (this.#isShown(mark, state)) return null;
    const there = await this.#files.stat(this.#path);
    if (this.#shown !== null && there !== null && isSameState(there, this.#refused)) return 'waiting';
    const baseline = new Baseline({ rows: this.#path, deleted: '' }, this.#files);
    const { finding, modifiedAt } = await baseline.load(state.columns, commit?.items ?? null);
    const { rows } = baseline;
    if (rows === null) return 'waiting';
    if (finding === 'newest') return { mark, at: commit?.itemsAt ?? comparedAt ?? 0, rows };
    if (this.#shown === null || finding === 'unknown')
      return { mark: undefined, at: snapshotAt ?? modifiedAt ?? 0, rows };
    this.#refused = there;
    return 'waiting';
  }

  /**
   * Shows the items of the poll that the state commits. False: they are older, because their file has not been replaced yet.
   */
  async show(
    found: FoundItems | null,
    state: TableState,
    changesSince: ChangesSince | null,
  ): Promise<boolean> {
    const { keys, comparedAt } = state;
    if (found !== null) await this.#showFile(found, keys);
    const shown = this.#shown;
    if (shown === null || comparedAt === null) return true;
    const isNewest = shown.mark !== undefined && !isFileOlder(state);
    if (isNewest) this.#shown = { ...shown, at: comparedAt };
    else if (changesSince !== null && comparedAt > shown.at) await this.#apply(shown, state, changesSince);
    this.dataset.seen(this.#shown!.at);
    return isNewest || isFileOlder(state) || state.commit == null;
  }

  /** Whether the file would not tell more than what is shown. */
  #isShown(mark: FileMark | undefined, state: TableState): boolean {
    const shown = this.#shown;
    if (shown === null) return false;
    if (shown.blocks !== null) return isFileOlder(state) && state.changes;
    return mark != null && shown.mark?.hash === mark.hash;
  }

  async #showFile({ mark, at, rows }: FoundItems, keys: readonly string[]): Promise<void> {
    await this.dataset.show(encodeFile(rows), rows, keys, at);
    this.#shown = { mark, at, blocks: null };
  }

  /** Applies the changes since; they may be applied twice. */
  async #apply(shown: Shown, state: TableState, changesSince: ChangesSince): Promise<void> {
    const { columns, keys } = state;
    const comparedAt = state.comparedAt!;
    const changes = await changesSince(shown.at);
    const edits = await editsOf(changes, state);
    const blocks = shown.blocks ?? (await this.#blocks(columns, keys));
    const { rows, edited } = await (await blocks.layOut(columns)).edit(edits);
    this.dataset.showBlocks(rows, keys, comparedAt, edited);
    this.#shown = { ...shown, at: comparedAt, blocks: rows };
  }

  async #blocks(columns: readonly Column[], keys: readonly string[]): Promise<RowBlocks> {
    const { bytes, columns: own } = await this.dataset.content();
    const { body, ends } = await splitRows(bytes, this.#path);
    const rows = { columns: own, body, ends };
    const { order, isInOrder } = orderOf(rows, columns, keys.length);
    return RowBlocks.from(isInOrder ? rows : sortRows(rows, keys.length, order), keys.length, order);
  }
}

/** Whether the items' file is of an earlier poll than the last one, on purpose: changes lead from there to the items. */
function isFileOlder({ commit, comparedAt }: TableState): boolean {
  return (commit?.itemsAt ?? comparedAt) !== comparedAt;
}

async function editsOf(changes: EncodedRows, state: TableState): Promise<RowEdit[]> {
  const { columns, keys } = state;
  const layout = changesColumns(columns, keys.length, addedNames(state));
  const breathe = createYielder();
  const edits: RowEdit[] = [];
  for (const { change, cells } of readChanges(changes, layout, columns.length, keys.length)) {
    if ((edits.length & 255) === 0) await breathe();
    edits.push({ row: Buffer.from(encodeRow(cells)), isRemoval: isRemoval(change) });
  }
  return edits;
}

type CompareCells = (a: string, b: string) => number;

const byNumber: CompareCells = (a, b) => Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0);
const byText: CompareCells = (a, b) => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
const byBinary: CompareCells = (a, b) => Buffer.compare(Buffer.from(a, 'base64'), Buffer.from(b, 'base64'));

/** The order that rows are in: of their keys, whose types in the source are not recorded; text may be binary there. */
function orderOf(
  rows: EncodedRows,
  columns: readonly Column[],
  keyCount: number,
): { readonly order: CompareKeys; readonly isInOrder: boolean } {
  const kinds = columns
    .slice(0, keyCount)
    .map(({ type }) => (type === 'number' ? [byNumber] : [byText, byBinary]));
  const orders = combinations(kinds).map(compareBy);
  const order = orders.find((order) => isInOrder(rows, keyCount, order));
  return { order: order ?? orders[0]!, isInOrder: order !== undefined };
}

/** One of each list, in every way. */
function combinations<T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return lists.reduce<readonly (readonly T[])[]>(
    (all, list) => all.flatMap((one) => list.map((next) => [...one, next])),
    [[]],
  );
}

function compareBy(parts: readonly CompareCells[]): CompareKeys {
  return (a, b) => {
    for (const [index, compare] of parts.entries()) {
      const order = compare(a[index] ?? '', b[index] ?? '');
      if (order !== 0) return order;
    }
    return 0;
  };
}

function isInOrder(rows: EncodedRows, keyCount: number, compare: CompareKeys): boolean {
  let before: readonly (string | null)[] | null = null;
  for (let index = 0; index < rows.ends.length; index++) {
    const key = decodeRow(rowAt(rows, index)).slice(0, keyCount);
    if (before !== null && compare(before, key) > 0) return false;
    before = key;
  }
  return true;
}
