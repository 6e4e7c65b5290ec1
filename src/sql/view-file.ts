/** The leading comment of a view's file. */
export interface ViewHead {
  /** The description; null if there is none. */
  readonly description: string | null;
  /** From a line `-- time: timestamp`. */
  readonly timeColumn: string | null;
  /** From a line `-- keys: date, rank`. */
  readonly keys: readonly string[];
}

/** Reads the `--` lines at the beginning of a view's SQL; accepts `\r\n` and a byte order mark. */
export function readViewHead(sql: string): ViewHead {
  const words: string[] = [];
  let timeColumn: string | null = null;
  let keys: readonly string[] = [];
  for (const line of sql.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const comment = /^\s*--\s?(.*)$/.exec(line)?.[1]?.trim();
    if (comment === undefined) {
      if (line.trim() === '' && words.length === 0) continue;
      break;
    }
    const declared = /^(time|keys):\s*(.+)$/.exec(comment);
    if (declared?.[1] === 'time') timeColumn = declared[2]!.trim();
    else if (declared?.[1] === 'keys') keys = declared[2]!.split(',').map((key) => key.trim());
    else words.push(comment);
  }
  const description = words.join(' ').trim();
  return { description: description === '' ? null : description, timeColumn, keys };
}
