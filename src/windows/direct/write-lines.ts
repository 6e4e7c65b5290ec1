import { encodeCell } from '../../csv/encode.js';
import { fits } from '../../csv/fits.js';
import type { Column } from '../../csv/rows.js';
import { takesNullText } from '../compile/lines.js';
import type { OutputShape } from '../shape.js';
import { type ByteCell, type ByteText, toByteText } from './byte-text.js';

/** Writes one row of an answer, as `compileLines` has DuckDB write it. */
export type LineWriter = (cells: readonly ByteCell[]) => ByteText;

/** `shape.format`: `csv` or `json`. Rows have a cell for each column, in the columns' order. */
export function lineWriter(columns: readonly Column[], shape: OutputShape): LineWriter {
  return shape.format === 'json' ? jsonWriter(columns) : csvWriter(columns, shape);
}

function csvWriter(columns: readonly Column[], { delimiter, nullText }: OutputShape): LineWriter {
  const between = toByteText(delimiter);
  const nothing = nullText === '' ? '' : toByteText(encodeCell(nullText, delimiter));
  const absent = columns.map((column) => (takesNullText(column) ? nothing : ''));
  return (cells) => {
    let line = '';
    for (let index = 0; index < cells.length; index++) {
      if (index > 0) line += between;
      const cell = cells[index]!;
      line += cell === null ? absent[index]! : encodeCell(cell, between);
    }
    // A row with a single cell that is absent would be an empty line, which readers drop.
    return line === '' ? '""\n' : `${line}\n`;
  };
}

/** As in `compileLines`: a file may have `007` or `5.`, which are no numbers in JSON. */
const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function jsonWriter(columns: readonly Column[]): LineWriter {
  const keys = columns.map(
    ({ name }, index) => `${index === 0 ? '' : ','}${toByteText(JSON.stringify(name))}:`,
  );
  return (cells) => {
    let line = ',\n{';
    for (let index = 0; index < cells.length; index++) {
      const cell = cells[index]!;
      line += keys[index]! + (cell === null ? 'null' : jsonValue(columns[index]!, cell));
    }
    return `${line}}`;
  };
}

function jsonValue({ type }: Column, cell: ByteText): ByteText {
  if ((type === 'boolean' && fits(type, cell)) || (type === 'number' && JSON_NUMBER.test(cell))) return cell;
  return `"${cell.replace(ESCAPED, escaped)}"`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters
const ESCAPED = /["\\\u0000-\u001f]/g;

/** DuckDB writes a control character as \u001F where JavaScript writes \u001f. */
function escaped(character: string): string {
  const text = JSON.stringify(character).slice(1, -1);
  return text.startsWith('\\u') ? `\\u${text.slice(2).toUpperCase()}` : text;
}
