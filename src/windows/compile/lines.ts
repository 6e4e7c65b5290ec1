import { encodeCell } from '../../csv/encode.js';
import type { Column } from '../../csv/rows.js';
import type { OutputShape } from '../shape.js';
import { cellKind, cellText, isTextKind } from './cell-sql.js';
import type { Select } from './compile-window.js';
import { Bindings, type Statement } from './statement.js';

/** Delimiters that a number, a boolean or a time may hold, so that it has to be looked at as texts are. */
const IN_VALUES = /[\w.:+-]/;

/**
 * A statement with one VARCHAR column and a row for each row of the SELECT: its text as it stands in the answer's body
 * (see `answerBody`), CSV by the rules of `src/csv/encode.ts`, or JSON. Rows stay in their order; behind the last one
 * comes NULL, the mark by which `readLines` knows that none is missing.
 * `shape.format`: `csv` or `json`. The SELECT may be ad-hoc SQL, with any names and types.
 */
export function compileLines(select: Select, shape: OutputShape): Statement {
  const bindings = new Bindings(select.values);
  const names = select.columns.map((_, index) => `c${index}`);
  const line =
    shape.format === 'json' ? jsonLine(select, names, bindings) : csvLine(select, names, shape, bindings);
  // The line end keeps what follows out of a comment at the end of ad-hoc SQL.
  return {
    sql: `SELECT ${line} AS line FROM (${select.sql}\n) AS answer(${names.join(', ')}) UNION ALL SELECT NULL`,
    values: bindings.values,
  };
}

/** Whether `nullText` stands for an absent value of this column: only where there is a type to tell it from. */
export function takesNullText({ type, seen }: Column): boolean {
  return seen && type !== 'string';
}

function csvLine(
  { columns, types }: Select,
  names: readonly string[],
  shape: OutputShape,
  bindings: Bindings,
): string {
  const { delimiter, nullText } = shape;
  const cells = names.map((name, index) => {
    const column = columns[index]!;
    const kind = cellKind(column, types[index]!);
    const text = cellText(kind, name);
    const isPlain = column.type !== 'string' && !isTextKind(kind) && !IN_VALUES.test(delimiter);
    const cell = isPlain ? text : quotedSql(text, delimiter, bindings);
    if (nullText === '' || !takesNullText(column)) return cell;
    return `coalesce(${cell}, ${bindings.add(encodeCell(nullText, delimiter))})`;
  });
  // A row with a single cell that is absent would be an empty line, which readers drop.
  if (cells.length === 1) return `concat(coalesce(${cells[0]}, '""'), chr(10))`;
  const between = bindings.add(delimiter);
  // concat takes NULL as nothing, which is how an absent cell is written.
  return `concat(${cells.join(`, ${between}, `)}, chr(10))`;
}

function quotedSql(text: string, delimiter: string, bindings: Bindings): string {
  const marks = [`','`, `'"'`, 'chr(10)', 'chr(13)'];
  if (delimiter !== ',') marks.push(bindings.add(delimiter));
  return `CASE WHEN ${text} = '' THEN '""'
    WHEN ${marks.map((mark) => `contains(${text}, ${mark})`).join(' OR ')}
      THEN '"' || replace(${text}, '"', '""') || '"'
    ELSE ${text} END`;
}

/** A number that stands as text and is one in JSON too; a file may have `007` or `5.`. */
const JSON_NUMBER = '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$';

function jsonLine({ columns, types }: Select, names: readonly string[], bindings: Bindings): string {
  const members = names.map((name, index) => {
    const column = columns[index]!;
    const kind = cellKind(column, types[index]!);
    const text = cellText(kind, name);
    const key = bindings.add(`${index === 0 ? '' : ','}${JSON.stringify(column.name)}:`);
    return `${key}, coalesce(${jsonValue(column, kind, text)}, 'null')`;
  });
  return `concat(',', chr(10), '{', ${[...members, `'}'`].join(', ')})`;
}

function jsonValue(column: Column, kind: ReturnType<typeof cellKind>, text: string): string {
  const quoted = `CAST(to_json(${text}) AS VARCHAR)`;
  if (kind === 'boolean-text')
    return `CASE WHEN ${text} IN ('true', 'false') THEN ${text} ELSE ${quoted} END`;
  if (column.type === 'boolean') return text;
  if (column.type !== 'number') return quoted;
  return kind === 'decimal-text'
    ? `CASE WHEN regexp_full_match(${text}, '${JSON_NUMBER}') THEN ${text} ELSE ${quoted} END`
    : text;
}
