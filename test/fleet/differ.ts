import type { Poll } from './simulation.js';

/** A row of a `-changes` dataset with one key and the column `count`. Times are milliseconds. */
export interface ChangeRow {
  readonly change: 'insert' | 'update' | 'delete';
  readonly key: string;
  readonly count: number | null;
  readonly previousCount: number | null;
  readonly since: number | null;
  readonly timestamp: number;
}

/** Changes from poll to poll, the plain way. */
export function changesBetween(
  polls: readonly Poll[],
  counters: (poll: Poll) => ReadonlyMap<string, number>,
): ChangeRow[] {
  const rows: ChangeRow[] = [];
  const lastKnown = new Map<string, number>();
  let before: Poll | null = null;
  for (const poll of polls) {
    const old: ReadonlyMap<string, number> = before === null ? new Map() : counters(before);
    const times = { since: before === null ? null : before.at, timestamp: poll.at };
    for (const [key, count] of counters(poll)) {
      const previousCount = lastKnown.get(key) ?? null;
      if (!old.has(key)) rows.push({ change: 'insert', key, count, previousCount, ...times });
      else if (count !== previousCount) rows.push({ change: 'update', key, count, previousCount, ...times });
      lastKnown.set(key, count);
    }
    for (const [key, previousCount] of old) {
      if (!counters(poll).has(key))
        rows.push({ change: 'delete', key, count: null, previousCount, ...times });
    }
    before = poll;
  }
  return rows;
}
