import type { DynamoCsvError } from '../base/errors.js';
import { encodeFile, encodeHeader } from '../csv/encode.js';
import { type EditedRow, RowBlocks } from '../csv/row-blocks.js';
import type { EncodedRows } from '../csv/rows.js';
import type { AppendedWriter } from './appended-writer.js';
import type { Difference } from './changes.js';
import { attempt } from './errors.js';
import { addedNames } from './layout.js';
import type { OpenedTable } from './open-table.js';
import type { RecorderOptions } from './recorder-options.js';

/** One poll on its way to the volume. */
export interface Poll {
  /** Its time, later than every poll before. */
  readonly at: number;
  /** When it began by the clock: earlier than `at` if the clock went back. */
  readonly readAt: number;
  /** All items, in the table's layout; in blocks after a delta. */
  readonly items: EncodedRows | RowBlocks;
  /** What a delta did to items, in the order of its records; empty for a full reading. */
  readonly edited: readonly EditedRow[];
  readonly position: string | null;
  /** Rows for the log and for the changes; null if they are not kept. */
  readonly logged: EncodedRows | null;
  readonly compared: Compared | null;
  readonly problems: DynamoCsvError[];
}

/** The differences from the previous poll, and the same as rows of the changes. */
export interface Compared {
  readonly differences: readonly Difference[];
  readonly rows: EncodedRows;
}

/** The result of recording one poll. */
export interface Recorded {
  /** The poll's time: its start, later than every poll before. */
  readonly at: number;
  readonly rows: number;
  readonly bytes: number;
  /** The number of rows added to the changes; null if changes are not kept. */
  readonly changes: number | null;
  /** Why not everything could be written; empty if everything is on disk. */
  readonly problems: readonly DynamoCsvError[];
}

/**
 * Writes a poll and shows it to readers, in this order: rows of changes and log, the commit in the state file, the
 * snapshot or the hidden baseline. Errors are added to the poll's problems; without the commit only the snapshot in memory
 * remains. Returns the size of the items in bytes, as CSV, and whether the poll counts.
 */
export async function writePoll(
  poll: Poll,
  table: OpenedTable,
  options: RecorderOptions,
): Promise<{ readonly bytes: number; readonly isKept: boolean }> {
  const { items } = poll;
  return items instanceof RowBlocks
    ? writeDelta(poll, items, table, options)
    : writeAll(poll, items, table, options);
}

async function writeAll(
  poll: Poll,
  rows: EncodedRows,
  table: OpenedTable,
  options: RecorderOptions,
): ReturnType<typeof writePoll> {
  const { baseline, snapshot, state } = table;
  const { at, compared } = poll;
  const bytes = encodeFile(rows);
  const items = { ...rows, body: bytes.subarray(bytes.length - rows.body.length) };
  await baseline?.track(compared?.differences ?? [], state.current.keys.length);
  await baseline?.announce(bytes, at);
  const isKept = await append(poll, table, options);
  await snapshot?.show(bytes, items, state.current.keys, at, baseline?.marks.items[0]?.hash);
  if (!isKept) baseline?.untrack();
  else if (baseline !== null) baseline.rows = items;
  const isReplaced = isKept && (await attempt(options.name, poll.problems, () => replaceItems(table, at)));
  snapshot?.markPersisted(isReplaced);
  return { bytes: bytes.length, isKept };
}

/**
 * Like `writeAll`, for items of which few changed: the items' file is replaced only when it is due. Until then the changes
 * lead from the file to the items; without changes nothing is written, and the next start reads the source again from the
 * position that the file is of.
 */
async function writeDelta(
  poll: Poll,
  items: RowBlocks,
  table: OpenedTable,
  options: RecorderOptions,
): ReturnType<typeof writePoll> {
  const { snapshot, state, changes } = table;
  const baseline = table.baseline!;
  const { at, compared, problems } = poll;
  const { keys } = state.current;
  const isDue = baseline.isDue(at, items.size);
  await baseline.track(compared?.differences ?? [], keys.length);
  if (isDue) await baseline.announce(encodeFile(await items.toRows()), at);
  const isKept = (changes === null && !isDue) || (await append(poll, table, options));
  snapshot?.showBlocks(items, keys, at, poll.edited);
  if (!isKept) baseline.untrack();
  else baseline.blocks = items;
  const isWritten =
    isKept && (!isDue || (await attempt(options.name, problems, () => replaceItems(table, at))));
  if (isDue && isWritten) baseline.release();
  snapshot?.markPersisted(isWritten);
  return { bytes: encodeHeader(items.columns).length + items.size, isKept };
}

/** Writes the items' file, and their position, if they are behind the items in memory. */
export async function writeItems(position: string | null, table: OpenedTable): Promise<void> {
  const { baseline, state } = table;
  const { comparedAt, snapshotAt, commit } = state.current;
  const isBehind = comparedAt !== snapshotAt || position !== (commit?.position ?? null);
  const rows = isBehind && baseline?.isTrue === true ? await baseline.allRows() : null;
  if (rows === null || comparedAt === null) return;
  await baseline!.announce(encodeFile(rows), comparedAt);
  state.update({ commit: { ...commit!, ...baseline!.marks } });
  await state.write();
  await replaceItems(table, comparedAt);
  state.update({ commit: { ...state.current.commit!, position } });
  await state.write();
}

/**
 * Appends the poll and commits it. False if it does not count; the next poll is then compared with the previous one.
 * If only a log of polls cannot be written, the rest still counts, provided there are items to compare with.
 */
async function append(poll: Poll, table: OpenedTable, options: RecorderOptions): Promise<boolean> {
  const { state, log, changes, baseline } = table;
  const attempts = (step: () => Promise<unknown>) => attempt(options.name, poll.problems, step);
  const stages = async (dataset: AppendedWriter | null, rows: EncodedRows | null) =>
    dataset === null || (rows !== null && (await attempts(() => stage(dataset, rows, table))));
  const isReady =
    (await attempts(async () => options.checkVolume?.())) && (await attempts(() => state.describe()));
  const hasChanges = isReady && (await stages(changes, poll.compared?.rows ?? null));
  const hasLog = hasChanges && (await stages(log, poll.logged));
  // An item that is not in the log must be new at the next poll again.
  const isWhole = hasChanges && (hasLog || (baseline !== null && log?.itemTime == null));
  const isKept = isWhole && (await attempts(() => commit(poll, table)));
  if (isKept) changes?.confirm();
  if (isKept && hasLog) log?.confirm();
  if (!isKept) await takeBack(table).catch(() => undefined);
  changes?.markPersisted(isKept);
  log?.markPersisted(isKept && hasLog);
  return isKept;
}

async function stage(dataset: AppendedWriter, rows: EncodedRows, { state }: OpenedTable): Promise<void> {
  await dataset.layOut(rows.columns, state.current.keys, addedNames(state.current).timestamp);
  await dataset.stage(rows);
}

async function commit({ at, position }: Poll, table: OpenedTable): Promise<void> {
  const { state, baseline, changes, log } = table;
  const appends = log?.itemTime == null ? null : state.current.appends;
  const { items = [], itemsAt = null, deleted = [] } = baseline?.marks ?? state.current.commit ?? {};
  if (position !== null && changes === null && baseline !== null) {
    // Without changes nothing could update the items later, so they are written before the position.
    const earlier = state.current.commit?.position ?? null;
    state.update({ commit: { position: earlier, items, itemsAt, deleted } });
    await state.write();
    await baseline.write();
  }
  await state.commit({
    readAt: at,
    ...(baseline === null ? {} : { comparedAt: at }),
    ...(appends === null ? {} : { appends: { ...appends, since: appends.since ?? at } }),
    commit: { position, items, itemsAt, deleted },
  });
}

/** Undoes the append, after making sure that the state does not count it. What fails is retried before the next poll. */
async function takeBack({ state, log, changes }: OpenedTable): Promise<void> {
  await state.settle();
  await changes?.takeBack();
  await log?.takeBack();
}

/** Replaces the items' file and records that it has this poll: changes up to it are no longer needed for recovery. */
async function replaceItems(table: OpenedTable, at: number): Promise<void> {
  const { state, baseline } = table;
  if (baseline === null) return;
  await baseline.write();
  state.update({ snapshotAt: at, commit: { ...state.current.commit!, ...baseline.marks } });
  const redone = redoneFrom(table);
  if (redone !== null) redone.neededAfter = at;
}

/** The file from which the items are brought forward after an interruption; null: there is none. */
export function redoneFrom({
  changes,
  log,
  baseline,
}: Pick<OpenedTable, 'changes' | 'log' | 'baseline'>): AppendedWriter | null {
  if (baseline === null) return null;
  if (changes !== null) return changes;
  return log?.itemTime == null ? null : log;
}
