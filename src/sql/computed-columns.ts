import type { Column, ColumnType } from '../csv/rows.js';

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\)|BIGNUM)$/;

/** The CSV column for a column of a SELECT; `type` is DuckDB's. */
export function columnOf(name: string, type: string): Column {
  return { name, type: typeOf(type), seen: true };
}

function typeOf(type: string): ColumnType {
  if (NUMBER.test(type)) return 'number';
  if (type === 'BOOLEAN') return 'boolean';
  return type.startsWith('TIMESTAMP') ? 'time' : 'string';
}
