/** A view's file that another engine computes. */
export interface EngineViewText {
  readonly name: string;
  /** The file, for display. */
  readonly file: string;
  readonly sql: string;
  readonly head: ViewHead;
}

/** The leading comment of a view's file. */
export interface ViewHead {
  /** The description; null if there is none. */
  readonly description: string | null;
  /** From a line `-- time: timestamp`. */
  readonly timeColumn: string | null;
  /** From a line `-- keys: date, rank`. */
  readonly keys: readonly string[];
  /** From a line `-- engine: athena`; null: DuckDB computes it here. */
  readonly engine: string | null;
  /** From a line `-- every: 1h`, as written; null: there is none. */
  readonly every: string | null;
}

const DECLARATION = /^(time|keys|engine|every):\s*(.+)$/;

/** Reads the `--` lines at the beginning of a view's SQL; accepts `\r\n` and a byte order mark. */
export function readViewHead(sql: string): ViewHead {
  const words: string[] = [];
  let timeColumn: string | null = null;
  let keys: readonly string[] = [];
  let engine: string | null = null;
  let every: string | null = null;
  const comments = leadingComments(sql);
  // Only a view of another engine has that line; in others a sentence may begin so.
  const isTimed = comments.some((comment) => /^engine:\s*\S/.test(comment));
  for (const comment of comments) {
    const declared = DECLARATION.exec(comment);
    if (declared?.[1] === 'time') timeColumn = declared[2]!.trim();
    else if (declared?.[1] === 'keys') keys = declared[2]!.split(',').map((key) => key.trim());
    else if (declared?.[1] === 'engine') engine = declared[2]!.trim();
    else if (declared?.[1] === 'every' && isTimed) every = declared[2]!.trim();
    else words.push(comment);
  }
  const description = words.join(' ').trim();
  return { description: description === '' ? null : description, timeColumn, keys, engine, every };
}

/** The text of each `--` line at the beginning. */
function leadingComments(sql: string): readonly string[] {
  const comments: string[] = [];
  for (const line of sql.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const comment = /^\s*--\s?(.*)$/.exec(line)?.[1]?.trim();
    if (comment !== undefined) comments.push(comment);
    // An empty line ends a description, and nothing before one.
    else if (line.trim() !== '' || !comments.every((one) => DECLARATION.test(one))) break;
  }
  return comments;
}
