import { literal } from '../windows/compile/sql-text.js';

/** An item has at most 400 KB; quotes in it are doubled. */
const LONGEST_LINE = 4 << 20;
/** Bytes read at a time. DuckDB's own choice, 16 of the longest lines, is a quarter of its memory for each file. */
const BUFFER = 2 * LONGEST_LINE;

/**
 * One of the service's CSV files as a relation of text columns with these names: an empty cell is NULL, `""` the empty
 * string. DuckDB guesses nothing, so the result does not depend on the content and reading starts at once. The file has a
 * header line; without it DuckDB would take a U+FEFF in the first cell for a byte order mark and drop it.
 */
export function readCsv(path: string, names: readonly string[]): string {
  const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  const settings = [
    'header = true',
    'auto_detect = false',
    `columns = {${columns}}`,
    `delim = ','`,
    `quote = '"'`,
    `escape = '"'`,
    `new_line = '\\n'`,
    'allow_quoted_nulls = false',
    `max_line_size = ${LONGEST_LINE}`,
    `buffer_size = ${BUFFER}`,
  ];
  return `read_csv(${literal(path)}, ${settings.join(', ')})`;
}
