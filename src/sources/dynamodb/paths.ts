/**
 * A path into an item: an attribute's name, then names in maps and indexes in lists.
 *
 * It is written as in DynamoDB's own expressions: `address.city`, `tags[0]`, `orders[2].lines[0].sku`. A name with a dot,
 * a bracket or a quote stands in quotes, as a JSON string: `"a.b".c`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.Attributes.html
 */
export type DocumentPath = readonly (string | number)[];

const NAME = /([^.[\]"]+)|("(?:[^"\\]|\\.)*")/y;
/** DynamoDB's lists have indexes of that many digits at most: an item has 400 KB. */
const INDEX = /\[(0|[1-9]\d{0,5})\]/y;
const BARE = /^[^.[\]"]+$/;

/** Null for text that is no path: it can only be an attribute's own name. */
export function parsePath(text: string): DocumentPath | null {
  const path: (string | number)[] = [];
  let at = 0;
  while (at < text.length || path.length === 0) {
    const isIndex = path.length > 0 && text[at] === '[';
    if (path.length > 0 && !isIndex) {
      if (text[at] !== '.') return null;
      at += 1;
    }
    const pattern = isIndex ? INDEX : NAME;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const segment = match === null ? null : isIndex ? Number(match[1]) : (match[1] ?? unquoted(match[2]!));
    if (match === null || segment === null) return null;
    path.push(segment);
    at = pattern.lastIndex;
  }
  return path;
}

function unquoted(quoted: string): string | null {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return null;
  }
}

/** The one way in which this service writes a path: with quotes only where they are needed. */
export function pathText(path: DocumentPath): string {
  return path
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      const name = BARE.test(segment) ? segment : JSON.stringify(segment);
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

/** The path of an attribute itself, as text: its name, in quotes where it looks like more. */
export function attributeText(name: string): string {
  return BARE.test(name) ? name : JSON.stringify(name);
}

/** The column of a path, given as `pathText`, by default: the path, or an attribute's own name. */
export function columnOfPath(text: string): string {
  if (!text.startsWith('"')) return text;
  const path = parsePath(text);
  return path?.length === 1 ? String(path[0]) : text;
}

/**
 * What a name in the configuration may mean, as `pathText`: `address.city` is that path, or the attribute of exactly that
 * name. What looks most like it comes first.
 */
export function meaningsOf(written: string): readonly string[] {
  const own = attributeText(written);
  const path = parsePath(written);
  if (path === null) return [own];
  const text = pathText(path);
  return text === own || path.length === 1 ? [text] : [text, own];
}

/** Columns by what they are made of, as `pathText`, from the option `rename`. */
export function renamedPaths(rename: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const columns = new Map<string, string>();
  for (const [written, column] of Object.entries(rename)) {
    for (const meaning of meaningsOf(written)) if (!columns.has(meaning)) columns.set(meaning, column);
  }
  return columns;
}

/** The column that a name in the configuration means: an attribute, a path, or a column's new name. */
export function publishedColumn(written: string, renamed: ReadonlyMap<string, string>): string {
  const meanings = meaningsOf(written);
  const [column] = meanings.flatMap((meaning) => renamed.get(meaning) ?? []);
  return column ?? columnOfPath(meanings[0]!);
}

/** The paths into maps and lists that are configured to be columns. */
export function configuredPaths({
  columns,
  only,
  rename,
  others = [],
}: {
  readonly columns: readonly string[];
  readonly only: readonly string[] | null;
  readonly rename: Readonly<Record<string, string>>;
  readonly others?: readonly string[];
}): readonly DocumentPath[] {
  const written = new Set([...columns, ...(only ?? []), ...Object.keys(rename), ...others]);
  return [...written].flatMap((name) => {
    const path = parsePath(name);
    return path === null || path.length === 1 ? [] : [path];
  });
}

/** The attribute that a path, given as `pathText`, leads into. */
export function attributeOfPath(text: string): string {
  return String(parsePath(text)?.[0] ?? text);
}
